#include "api/meta/bytes.h"

#include <string_view>

#include "absl/strings/escaping.h"

namespace korder::api {

void ReadJson(json::Reader& r, Bytes& out) {
  const std::string_view text = r.String();
  if (r.ok() && !absl::Base64Unescape({text.data(), text.size()}, &out.value)) {
    r.Fail("the string is not base64");
  }
}

void WriteJson(json::Writer& w, const Bytes& bytes) { w.String(absl::Base64Escape(bytes.value)); }

}  // namespace korder::api
