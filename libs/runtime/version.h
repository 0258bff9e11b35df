// The version of the build, from the top CMakeLists.txt.
#pragma once

#include <string_view>

namespace korder::runtime {

std::string_view Version();  // "0.1.0"

}  // namespace korder::runtime
