#include "mutate.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace korder::fuzz {
namespace {

constexpr size_t kMostBytes = 256 << 10;

constexpr auto kNumbers = std::to_array<std::string_view>({"0",
                                                           "-0",
                                                           "-1",
                                                           "1",
                                                           "2147483648",
                                                           "-2147483649",
                                                           "9223372036854775807",
                                                           "9223372036854775808",
                                                           "-9223372036854775809",
                                                           "18446744073709551616",
                                                           "1e308",
                                                           "1e999",
                                                           "-1e-999",
                                                           "0.1",
                                                           "1E",
                                                           "00",
                                                           "0x10",
                                                           "1_000",
                                                           "+1",
                                                           "NaN",
                                                           "Infinity",
                                                           "1e-9",
                                                           "999999999999999999999999"});

constexpr auto kValues = std::to_array<std::string_view>(
    {"null", "true", "false", "{}", "[]", "\"\"", "[null]", "{\"\":null}", "\"\\u0000\"",
     "\"\\ud800\"", "[[[[[[[[]]]]]]]]", "\"1\"", "tru", "{\"a\":", "'x'", "// x\n"});

// Not UTF-8, cut in the middle, too long, a surrogate, a byte order mark, the end of texts in C.
constexpr auto kBytes = std::to_array<std::string_view>({"\xff",
                                                         "\xc3",
                                                         "\xc0\xaf",
                                                         "\xed\xa0\x80",
                                                         "\xf4\x90\x80\x80",
                                                         "\xef\xbb\xbf",
                                                         std::string_view("\0", 1),
                                                         "\x7f",
                                                         "\xe2\x80\xa8",
                                                         "\r\n",
                                                         "\t",
                                                         "\\",
                                                         "\"",
                                                         "{",
                                                         "}",
                                                         "[",
                                                         "]",
                                                         ",",
                                                         ":",
                                                         "/",
                                                         "~1",
                                                         "-",
                                                         ".",
                                                         "*",
                                                         " "});

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Mutator::Mutator(std::vector<std::string> corpus, uint64_t seed)
    : corpus_(std::move(corpus)), seed_(seed) {
  for (const std::string& example : corpus_) {
    for (size_t begin = example.find('"'); begin != std::string::npos;) {
      const size_t end = example.find('"', begin + 1);
      if (end == std::string::npos) {
        break;
      }
      if (end - begin < 80) {
        words_.push_back(example.substr(begin, end + 1 - begin));
      }
      begin = example.find('"', end + 1);
    }
  }
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
}

std::string Mutator::Make(uint64_t number) {
  if (number < corpus_.size()) {
    return corpus_[number];
  }
  std::seed_seq mixed{seed_, number};
  random_.seed(mixed);
  std::string text = Example();
  for (size_t steps = 1 + Below(1 + Below(6)); steps > 0; --steps) {
    Step(text);
    text.resize(std::min(text.size(), kMostBytes));
  }
  return text;
}

size_t Mutator::Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

void Mutator::Step(std::string& text) {
  const auto pick = [&](const auto& list) { return std::string(list[Below(list.size())]); };
  const size_t at = Below(text.size() + 1);
  switch (Below(18)) {
    case 0:  // one byte is another
      if (at < text.size()) {
        text[at] = static_cast<char>(Below(256));
      }
      break;
    case 1:  // one bit
      if (at < text.size()) {
        text[at] = static_cast<char>(text[at] ^ (1 << Below(8)));
      }
      break;
    case 2:
      text.erase(at, 1 + Below(16));
      break;
    case 3:  // cut short
      text.resize(at);
      break;
    case 4:
      text.insert(at, pick(kBytes));
      break;
    case 5:  // a piece twice, or many times
      text.insert(at, text.substr(Below(text.size() + 1), 1 + Below(64)));
      break;
    case 6: {
      const std::string piece = text.substr(at, 1 + Below(8));
      for (size_t times = size_t{1} << Below(11); times > 0; --times) {
        text.insert(at, piece);
      }
      break;
    }
    case 7: {  // a piece of another example
      const std::string& other = Example();
      text.insert(at, other.substr(Below(other.size() + 1), 1 + Below(200)));
      break;
    }
    case 8: {  // the head of this, the tail of another
      const std::string& other = Example();
      text = text.substr(0, at) + other.substr(Below(other.size() + 1));
      break;
    }
    case 9: {  // another number
      const size_t begin = text.find_first_of("0123456789", at);
      if (begin != std::string::npos) {
        size_t end = begin;
        while (end < text.size() && IsDigit(text[end])) {
          ++end;
        }
        text.replace(begin, end - begin, pick(kNumbers));
      }
      break;
    }
    case 10: {  // another value
      const size_t colon = text.find(':', at);
      if (colon != std::string::npos) {
        const size_t end = text.find_first_of(",}]\n", colon);
        text.replace(colon + 1, (end == std::string::npos ? text.size() : end) - colon - 1,
                     Below(3) == 0 ? pick(kNumbers) : pick(kValues));
      }
      break;
    }
    case 11: {  // another word in its place
      const size_t begin = text.find('"', at);
      const size_t end = begin == std::string::npos ? begin : text.find('"', begin + 1);
      if (end != std::string::npos && !words_.empty()) {
        text.replace(begin, end + 1 - begin, pick(words_));
      }
      break;
    }
    case 12: {  // a field twice
      const size_t comma = text.find(',', at);
      if (comma != std::string::npos && !words_.empty()) {
        text.insert(comma, "," + pick(words_) + ":" + pick(kValues));
      }
      break;
    }
    case 13:
      return MoveLine(text, at);
    case 14: {  // what stands between blanks and signs is another word or number
      constexpr std::string_view kBetween = " \n=,/";
      const size_t before = text.find_last_of(kBetween, at);
      const size_t begin = before == std::string::npos ? 0 : before + 1;
      const size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
      const size_t other = Below(text.size() + 1);
      text.replace(begin, end - begin,
                   Below(2) == 0 ? pick(kNumbers)
                                 : text.substr(other, text.find_first_of(kBetween, other) - other));
      break;
    }
    case 15:
    case 16: {  // a number that is one off, or of another size
      const size_t begin = text.find_first_of("0123456789", at);
      if (begin != std::string::npos) {
        text[begin] = static_cast<char>('0' + Below(10));
      }
      break;
    }
    default: {  // deep
      const std::string open = Below(2) == 0 ? "[" : "{\"a\":";
      std::string deep;
      for (size_t depth = size_t{1} << Below(12); depth > 0; --depth) {
        deep += open;
      }
      text.insert(at, deep);
    }
  }
}

void Mutator::MoveLine(std::string& text, size_t at) {
  const size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const size_t end = std::min(text.find('\n', begin), text.size());
  const std::string line = text.substr(begin, end - begin) + "\n";
  if (Below(2) == 0) {
    text.erase(begin, line.size());  // otherwise it is there twice
  }
  if (Below(4) != 0) {
    const size_t there = text.find('\n', Below(text.size() + 1));
    text.insert(there == std::string::npos ? 0 : there + 1, line);
  }
}

}  // namespace korder::fuzz
