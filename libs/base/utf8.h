// Cuts a text in UTF-8 to what has room, without half a character at its end.
//
//   event.message = CutBetweenCharacters(message, 1024);
#pragma once

#include <algorithm>
#include <string_view>

namespace korder {

// The longest beginning of at most `most` bytes that ends where a character ends.
inline std::string_view CutBetweenCharacters(std::string_view text, size_t most) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  size_t end = std::min(most, text.size());
  while (end > 0 && end < text.size() && continues(text[end])) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace korder
