// YAML manifests as the JSON that an API server makes of them, for tests.
//
//   std::string json = JsonFromYaml("spec: {replicas: 3}");   // {"spec":{"replicas":3}}
#pragma once

#include <string>

namespace korder::admission {

// One document. Throws YAML::Exception when the text is no YAML.
std::string JsonFromYaml(const std::string& yaml);

// A file of deploy/examples.
std::string ExampleJson(const std::string& file);

}  // namespace korder::admission
