// YAML that people write, kubeconfig files among it: it becomes JSON that can be read, or is
// refused.
#include "fuzz.h"
#include "json/fields.h"
#include "kube/yaml_json.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const auto documents = kube::YamlToJson(std::string(input));
  if (!documents.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(documents.status()) && !Message(documents.status()).empty());
    return kRefused;
  }
  for (const std::string& document : *documents) {
    json::RawValue value;
    // What JSON cannot hold (bytes that are no text, 1e999) is passed on, and refused by who reads
    // it.
    const absl::Status read = json::Parse(document, value);
    FUZZ_CHECK(read.ok() || absl::IsInvalidArgument(read));
  }
  return kTaken;
}

}  // namespace korder::fuzz
