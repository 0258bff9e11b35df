// YAML as the JSON that kubectl makes of it, so that json/fields.h reads both.
//
//   ASSIGN_OR_RETURN(const std::vector<std::string> documents, YamlToJson(text));
//   RETURN_IF_ERROR(json::Parse(documents[0], order));
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace YAML {
class Node;
}

namespace korder::kube {

// Every document that is not empty. INVALID_ARGUMENT says what is wrong and on which line; also
// what would be expanded without end, and merge keys (`<<`), which not every reader knows.
absl::StatusOr<std::vector<std::string>> YamlToJson(const std::string& text);

// One value that was parsed already.
absl::StatusOr<std::string> YamlNodeToJson(const YAML::Node& node);

}  // namespace korder::kube
