#include "api/meta/managed_fields.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace korder::api {
namespace {

constexpr std::string_view kKey = R"("managedFields")";
constexpr std::string_view kBlanks = " \n\r\t";

// Several times as fast as string_view's own.
std::optional<size_t> Find(std::string_view text, size_t from) {
  const void* at = ::memmem(text.data() + from, text.size() - from, kKey.data(), kKey.size());
  return at == nullptr
             ? std::nullopt
             : std::optional(static_cast<size_t>(static_cast<const char*>(at) - text.data()));
}

// The key's quotes are those of a string of their own only where a name may stand. After anything
// else they are part of another string.
bool IsName(std::string_view text, size_t at) {
  const size_t before = text.substr(0, at).find_last_not_of(kBlanks);
  return before != std::string_view::npos && (text[before] == '{' || text[before] == ',');
}

// Where the array begins whose name ends at `at`; nothing when there is none.
std::optional<size_t> ArrayOf(std::string_view text, size_t at) {
  const size_t colon = text.find_first_not_of(kBlanks, at);
  if (colon == std::string_view::npos || text[colon] != ':') {
    return std::nullopt;
  }
  const size_t begin = text.find_first_not_of(kBlanks, colon + 1);
  return begin != std::string_view::npos && text[begin] == '[' ? std::optional(begin)
                                                               : std::nullopt;
}

// Where the string ends whose opening quote stands at `at`.
std::optional<size_t> EndOfString(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      return i + 1;
    }
    if (text[i] == '\\') {
      ++i;
    }
  }
  return std::nullopt;
}

// Where the array ends that begins at `at`, looking at one character after the other.
std::optional<size_t> EndOfAnyArray(std::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size();) {
    if (text[i] == '"') {
      const std::optional<size_t> end = EndOfString(text, i);
      if (!end) {
        return std::nullopt;
      }
      i = *end;
      continue;
    }
    depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
    ++i;
    if (depth == 0) {
      return i;
    }
  }
  return std::nullopt;
}

// The highest bit of each of eight bytes that is `wanted`.
uint64_t Equal(uint64_t eight, char wanted) {
  constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const uint64_t differ = eight ^ (0x0101010101010101 * static_cast<unsigned char>(wanted));
  return ~(((differ & kLow) + kLow) | differ | kLow);
}

// Looks at eight characters at once: which quotes no backslash stands before, and whether a
// backslash has one before it.
class Quotes {
 public:
  void Look(uint64_t eight) {
    const uint64_t backslashes = Equal(eight, '\\');
    const uint64_t escaped = (backslashes << 8) | (before_ >> 56);
    quotes_ ^= Equal(eight, '"') & ~escaped;
    double_ |= backslashes & escaped;
    before_ = backslashes;
  }
  bool even() const { return std::popcount(quotes_) % 2 == 0; }
  bool backslash_escaped() const { return double_ != 0; }

 private:
  static_assert(std::endian::native == std::endian::little, "the first character is the low byte");
  uint64_t quotes_ = 0;  // the parity of how many, over all bits
  uint64_t double_ = 0;
  uint64_t before_ = 0;
};

// Whether the strings that begin in the text end in it, too; false also when that is not seen at a
// glance.
bool ClosesItsStrings(std::string_view text) {
  Quotes quotes;
  uint64_t eight = 0;
  for (; text.size() >= sizeof(eight); text.remove_prefix(sizeof(eight))) {
    std::memcpy(&eight, text.data(), sizeof(eight));
    quotes.Look(eight);
  }
  eight = 0;
  std::memcpy(&eight, text.data(), text.size());
  quotes.Look(eight);
  return quotes.even() && !quotes.backslash_escaped();
}

// Where the array ends that begins at `at`; nothing when it does not. The API server's have neither
// arrays nor brackets in them: then it is the next bracket.
std::optional<size_t> EndOfArray(std::string_view text, size_t at) {
  const size_t bracket = text.find(']', at);
  if (bracket == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view inside = text.substr(at, bracket - at);
  const bool flat = inside.find('[', 1) == std::string_view::npos;
  return flat && ClosesItsStrings(inside) ? bracket + 1 : EndOfAnyArray(text, at);
}

}  // namespace

std::string WithoutManagedFields(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  size_t copied = 0;
  size_t from = 0;
  while (const std::optional<size_t> at = Find(text, from)) {
    from = *at + kKey.size();
    const std::optional<size_t> begin = IsName(text, *at) ? ArrayOf(text, from) : std::nullopt;
    if (!begin) {
      continue;
    }
    const std::optional<size_t> end = EndOfArray(text, *begin);
    if (!end) {
      break;
    }
    kept.append(text, copied, *begin + 1 - copied);
    copied = *end - 1;
    from = *end;
  }
  kept.append(text, copied);
  return kept;
}

}  // namespace korder::api
