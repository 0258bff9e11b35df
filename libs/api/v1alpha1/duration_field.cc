#include "api/v1alpha1/duration_field.h"

#include "api/value/duration.h"

namespace korder::api {
namespace {

// "24h0m0s" -> "24h": without the zeros that Go prints behind the last part that says something.
std::string WithoutTrailingZeros(std::string text) {
  if (text.ends_with("m0s")) {
    text.resize(text.size() - 2);
  }
  if (text.ends_with("h0m")) {
    text.resize(text.size() - 2);
  }
  return text;
}

}  // namespace

DurationField::DurationField(absl::Duration value)
    : value_(value), text_(WithoutTrailingZeros(PrintDuration(value))) {}

DurationField DurationField::FromText(std::string_view text) {
  DurationField field;
  const absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
  field.valid_ = parsed.ok();
  field.value_ = parsed.ok() ? *parsed : absl::ZeroDuration();
  field.text_ = text;
  return field;
}

void ReadJson(json::Reader& r, DurationField& out) { out = DurationField::FromText(r.String()); }

void WriteJson(json::Writer& w, const DurationField& field) { w.String(field.text()); }

}  // namespace korder::api
