// Labels and annotations: sorted maps of text to text.
//
//   if (auto it = pod.metadata.labels.find("app"); it != pod.metadata.labels.end()) { ... }
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace korder::api {

using Labels = std::map<std::string, std::string, std::less<>>;

// What is wrong with a label key ("prefix/name") or value; empty when nothing is.
std::string LabelKeyProblem(std::string_view key);
std::string LabelValueProblem(std::string_view value);

}  // namespace korder::api
