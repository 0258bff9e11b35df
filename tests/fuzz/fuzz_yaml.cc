// YAML that people write, kubeconfig files among it: it becomes JSON that can be read, or is
// refused.
#include "fuzz.h"
#include "json/fields.h"
#include "kube/yaml_json.h"
#include "utf8.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const auto documents = kube::YamlToJson(std::string(input));
  if (!documents.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(documents.status()) && !Message(documents.status()).empty());
    return kRefused;
  }
  for (const std::string& document : *documents) {
    json::RawValue value;
    // Bytes that are no text are passed on, and refused by whoever reads the JSON.
    FUZZ_CHECK(json::Parse(document, value).ok() || !IsUtf8(input));
  }
  return kTaken;
}

}  // namespace korder::fuzz
