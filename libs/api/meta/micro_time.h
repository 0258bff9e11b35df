// A time with microseconds, as Leases and new-style Events carry it (metav1.MicroTime): always
// written with six digits, since the API server takes no other form.
//
//   lease.spec.renew_time = MicroTime{now};   // "2030-01-02T03:04:05.123456Z"
#pragma once

#include "absl/time/time.h"
#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {

struct MicroTime {
  absl::Time time = absl::UnixEpoch();

  bool operator==(const MicroTime&) const = default;
};

void ReadJson(json::Reader& r, MicroTime& out);
void WriteJson(json::Writer& w, const MicroTime& value);

}  // namespace korder::api
