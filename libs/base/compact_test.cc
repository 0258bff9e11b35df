#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/hash/hash.h"
#include "absl/time/time.h"
#include "base/compact_id.h"
#include "base/compact_number.h"
#include "base/compact_time.h"
#include "base/word_or.h"

namespace korder {
namespace {

const std::string kUuid = "c87da18a-7e1e-4659-8c31-0123456789af";
const std::string kHex = "c87da18a7e1e46598c310123456789af";

}  // namespace

TEST_CASE("compact id: every text comes back to the letter", "[compact]") {
  const std::string nul("c87da18a\0007e1e-4659-8c31-0123456789af", 36);
  const std::string text =
      GENERATE_COPY(from_range(std::vector<std::string>{kUuid,
                                                        kHex,
                                                        nul,
                                                        "",
                                                        " ",
                                                        "7c2f",
                                                        kUuid + "0",
                                                        kUuid.substr(1),
                                                        kHex + "0",
                                                        kHex.substr(1),
                                                        "00000000-0000-0000-0000-000000000000",
                                                        "ffffffff-ffff-ffff-ffff-ffffffffffff",
                                                        std::string(32, '0'),
                                                        std::string(32, 'f'),
                                                        "C87DA18A-7E1E-4659-8C31-0123456789AF",
                                                        "C87DA18A7E1E46598C310123456789AF",
                                                        "c87da18a-7e1e-4659-8c31-0123456789ag",
                                                        "c87da18a-7e1e-4659-8c3101234567-89af",
                                                        "-c87da18a7e1e-4659-8c31-0123456789af",
                                                        "c87da18a07e1e-4659-8c31-0123456789a",
                                                        std::string(36, '-'),
                                                        std::string(32, '-'),
                                                        std::string(1000, 'x')}));
  const CompactId id = text;
  CHECK(id.str() == text);
  CHECK(std::string(id) == text);
  CHECK(id.empty() == text.empty());
  const CompactId copy = id;
  CHECK(copy == id);
  CHECK(copy == text);
  CHECK(copy.Key() == id.Key());
  CHECK(absl::HashOf(copy) == absl::HashOf(id));
  CompactId other = "another";
  CHECK_FALSE(other == id);
  other = copy;
  CHECK(other == id);
  const CompactId moved = std::move(other);
  CHECK(moved.str() == text);
}

TEST_CASE("compact id: texts that differ are different ids", "[compact]") {
  CHECK_FALSE(CompactId(kUuid) == CompactId(kHex));
  CHECK_FALSE(CompactId(kUuid) == CompactId("c87da18a-7e1e-4659-8c31-0123456789ae"));
  CHECK_FALSE(CompactId(kUuid) == CompactId("d87da18a-7e1e-4659-8c31-0123456789af"));
  CHECK_FALSE(CompactId(kUuid) == "C87DA18A-7E1E-4659-8C31-0123456789AF");
  CHECK_FALSE(CompactId() == CompactId("00000000-0000-0000-0000-000000000000"));
  CHECK_FALSE(CompactId(kUuid).Key() == CompactId("c87da18a-7e1e-4659-8c31-0123456789ae").Key());
  STATIC_REQUIRE(sizeof(CompactId) == 24);
}

TEST_CASE("compact number: every text comes back to the letter", "[compact]") {
  const std::string text =
      GENERATE(as<std::string>(), "", "0", "1", "42", "999999999999999999", "1000000000000000000",
               "9223372036854775807", "9223372036854775808", "18446744073709551616", "007", "00",
               "-0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1f", "v42",
               "99999999999999999999999999999999", "\xd9\xa1");
  const CompactNumber number = text;
  CHECK(number.str() == text);
  CHECK(std::string(number) == text);
  CHECK(number.empty() == text.empty());
  const CompactNumber copy = number;
  CHECK(copy == number);
  CHECK(copy == text);
  CompactNumber other = "another";
  CHECK_FALSE(other == number);
  other = copy;
  CHECK(other == number);
}

TEST_CASE("compact number: is the number that it writes", "[compact]") {
  CHECK(CompactNumber("42").number() == 42);
  CHECK(CompactNumber("0").number() == 0);
  CHECK(CompactNumber("999999999999999999").number() == 999'999'999'999'999'999);
  CHECK(CompactNumber("007").number() == std::nullopt);
  CHECK(CompactNumber("").number() == std::nullopt);
  CHECK_FALSE(CompactNumber("7") == "007");
  CHECK_FALSE(CompactNumber("0") == "");
  STATIC_REQUIRE(sizeof(CompactNumber) == 8);
}

TEST_CASE("compact time: no time is rounded", "[compact]") {
  const absl::Time now = absl::FromUnixSeconds(1'893'553'445);
  const absl::Time time = GENERATE_COPY(from_range(std::vector<absl::Time>{
      now, now + absl::Nanoseconds(1), now + absl::Nanoseconds(1) / 4, now - absl::Milliseconds(1),
      absl::UnixEpoch(), absl::FromUnixSeconds(-1), absl::UnixEpoch() - absl::Nanoseconds(1),
      absl::FromUnixSeconds(-62135596800), absl::FromUnixSeconds(253402300799),
      absl::FromUnixSeconds(int64_t{1} << 62), absl::FromUnixSeconds(-(int64_t{1} << 62)),
      absl::InfiniteFuture(), absl::InfinitePast()}));
  const CompactTime compact = time;
  REQUIRE(compact);
  CHECK(*compact == time);
  CHECK(std::optional<absl::Time>(compact) == time);
  CHECK(compact.value_or(absl::UnixEpoch()) == time);
  CHECK(compact == CompactTime(std::optional(time)));
  CHECK_FALSE(compact == CompactTime());
}

TEST_CASE("compact time: there may be none", "[compact]") {
  const CompactTime none;
  CHECK_FALSE(none);
  CHECK_FALSE(none.has_value());
  CHECK(none == CompactTime(std::nullopt));
  CHECK(none == CompactTime(std::optional<absl::Time>()));
  CHECK(std::optional<absl::Time>(none) == std::nullopt);
  CHECK(none.value_or(absl::UnixEpoch()) == absl::UnixEpoch());
  STATIC_REQUIRE(sizeof(CompactTime) == 8);
}

TEST_CASE("word or: holds nothing, a number of either sign, or something else", "[compact]") {
  using Word = WordOr<std::string>;
  CHECK_FALSE(Word().has_value());
  for (const int64_t number : {int64_t{0}, int64_t{-1}, Word::kMost, -Word::kMost}) {
    REQUIRE(Word::Fits(number));
    CHECK(Word(number).number() == number);
    CHECK(Word(number).other() == nullptr);
    CHECK(Word(number).has_value());
  }
  CHECK_FALSE(Word::Fits(Word::kMost + 1));
  CHECK_FALSE(Word::Fits(-Word::kMost - 1));
  Word text(std::string("x"));
  CHECK(text.number() == std::nullopt);
  CHECK(*text.other() == "x");
  Word copy = text;
  CHECK(copy == text);
  CHECK(copy.other() != text.other());
  copy = Word(7);
  CHECK_FALSE(copy == text);
  CHECK(*text.other() == "x");
  text = std::move(copy);
  CHECK(text.number() == 7);
}

}  // namespace korder
