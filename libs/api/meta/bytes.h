// Bytes that JSON carries as base64: the values of Secrets, CA bundles, admission patches.
//
//   secret.data["tls.crt"] = Bytes{pem};
//   const std::string& key = secret.data.at("tls.key").value;
#pragma once

#include <string>

#include "json/reader.h"
#include "json/writer.h"

namespace korder::api {

struct Bytes {
  std::string value;

  bool operator==(const Bytes&) const = default;
  friend bool IsEmptyJson(const Bytes& bytes) { return bytes.value.empty(); }
};

// Fails when the string is not base64.
void ReadJson(json::Reader& r, Bytes& out);
void WriteJson(json::Writer& w, const Bytes& bytes);

}  // namespace korder::api
