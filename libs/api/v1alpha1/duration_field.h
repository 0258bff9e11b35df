// A duration as a field of korder's objects: a Go duration string in JSON.
//
//   std::optional<DurationField> duration;       // "24h"
//   if (duration) { end = start + duration->value; }
//
// Reading never fails on a malformed text but keeps it for validation to report: one bad object
// must not stop the list or watch that it arrives in.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {

struct DurationField {
  absl::Duration value;   // zero when malformed
  std::string malformed;  // what was read, when that is no duration

  bool operator==(const DurationField&) const = default;
};

void ReadJson(json::Reader& r, DurationField& out);
void WriteJson(json::Writer& w, const DurationField& field);

}  // namespace korder::api
