// Whether a text is well-formed UTF-8, decided apart from the code that is fuzzed.
#pragma once

#include <string_view>

namespace korder::fuzz {

// As RFC 3629 has it: nothing longer than needed, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace korder::fuzz
