#include "json/fields.h"

#include "absl/strings/str_cat.h"

namespace absl {

void ReadJson(korder::json::Reader& r, Time& out) {
  const std::string_view text = r.String();
  std::string error;
  if (r.ok() && !ParseTime(RFC3339_full, string_view(text.data(), text.size()), &out, &error)) {
    r.Fail(StrCat("\"", string_view(text.data(), text.size()), "\" is not an RFC 3339 time"));
  }
}

void WriteJson(korder::json::Writer& w, const Time& value) {
  w.String(FormatTime("%Y-%m-%dT%H:%M:%E*SZ", value, UTCTimeZone()));
}

}  // namespace absl
