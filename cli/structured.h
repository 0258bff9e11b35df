// JSON as people read it: indented, or as YAML. Pure.
//
//   json::Writer w; ...
//   out << Structured(w.Take(), Format::kYaml);
#pragma once

#include <string>

#include "cli/style.h"

namespace korder::cli {

// REQUIRES: `json` is one valid value.
std::string PrettyJson(std::string json);
std::string YamlFromJson(std::string json);
// One of them. REQUIRES: the format is kJson or kYaml.
std::string Structured(std::string json, Format format);

}  // namespace korder::cli
