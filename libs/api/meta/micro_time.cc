#include "api/meta/micro_time.h"

#include "json/fields.h"

namespace korder::api {

void ReadJson(json::Reader& r, MicroTime& out) { ReadJson(r, out.time); }

void WriteJson(json::Writer& w, const MicroTime& value) {
  w.String(absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", value.time, absl::UTCTimeZone()));
}

}  // namespace korder::api
