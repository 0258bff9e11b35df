// A duration in the spec of korder's objects: a Go duration string in JSON.
//
//   ticket.spec.duration = absl::Hours(24);                    // written as "24h"
//   const absl::Time end = start + ticket.spec.duration->value();
//
// Reading takes any string. A malformed one is kept for validation to report: one bad object must
// not stop the list or watch in which it arrives.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {

class DurationField {
 public:
  DurationField() : DurationField(absl::ZeroDuration()) {}
  // Implicit, so that a duration can be assigned to the field.
  DurationField(absl::Duration value);
  static DurationField FromText(std::string_view text);

  bool valid() const { return valid_; }
  absl::Duration value() const { return value_; }    // zero when malformed
  const std::string& text() const { return text_; }  // as it was read

  // "60m" equals "1h"; a malformed one equals only the same text.
  friend bool operator==(const DurationField& a, const DurationField& b) {
    return a.valid_ && b.valid_ ? a.value_ == b.value_ : a.text_ == b.text_;
  }

 private:
  absl::Duration value_;
  std::string text_;
  bool valid_ = true;
};

void ReadJson(json::Reader& r, DurationField& out);
void WriteJson(json::Writer& w, const DurationField& field);

}  // namespace korder::api
