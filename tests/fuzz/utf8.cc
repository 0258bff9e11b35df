#include "utf8.h"

#include <cstddef>

namespace korder::fuzz {

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned first = byte(i);
    const size_t length = first < 0x80                    ? 1
                          : first >= 0xc2 && first < 0xe0 ? 2
                          : first >= 0xe0 && first < 0xf0 ? 3
                          : first >= 0xf0 && first < 0xf5 ? 4
                                                          : 0;
    if (length == 0) {
      return false;
    }
    for (size_t n = 1; n < length; ++n) {
      if ((byte(i + n) & 0xc0U) != 0x80) {
        return false;
      }
    }
    // Not longer than needed, no surrogate, not beyond the last character.
    if ((first == 0xe0 && byte(i + 1) < 0xa0) || (first == 0xed && byte(i + 1) > 0x9f) ||
        (first == 0xf0 && byte(i + 1) < 0x90) || (first == 0xf4 && byte(i + 1) > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace korder::fuzz
