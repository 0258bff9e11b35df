// Labels and annotations, and the syntax that Kubernetes asks of label keys and values.
//
//   Labels labels = {{"korder.dev/order", "web"}};
//   LabelValueProblem("-web");   // "a valid label must be an empty string or consist of ..."
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/value/field_error.h"

namespace korder::api {

using Labels = std::map<std::string, std::string, std::less<>>;

// What is wrong with a key (also an annotation's) or a label's value, in the API server's words;
// empty when nothing is.
std::string LabelKeyProblem(std::string_view key);
std::string LabelValueProblem(std::string_view value);

// The problems of all labels. `path` names the map: "spec.template.metadata.labels".
std::vector<FieldError> CheckLabels(const Labels& labels, std::string_view path);

}  // namespace korder::api
