#include "base/utf8.h"

#include <catch2/catch.hpp>

namespace korder {
namespace {

TEST_CASE("utf8: a text that has room stays whole", "[utf8]") {
  CHECK(CutBetweenCharacters("", 0).empty());
  CHECK(CutBetweenCharacters("abc", 3) == "abc");
  CHECK(CutBetweenCharacters("a\u20ac", 4) == "a\u20ac");
  CHECK(CutBetweenCharacters("a\u20ac", 100) == "a\u20ac");
}

TEST_CASE("utf8: what has no room is cut off, and no character in two", "[utf8]") {
  CHECK(CutBetweenCharacters("abc", 2) == "ab");
  CHECK(CutBetweenCharacters("a\u20acb", 4) == "a\u20ac");
  CHECK(CutBetweenCharacters("a\u20acb", 3) == "a");
  CHECK(CutBetweenCharacters("a\u20acb", 2) == "a");
  CHECK(CutBetweenCharacters("\u20ac", 2).empty());
}

TEST_CASE("utf8: of what is no UTF-8 nothing may be left", "[utf8]") {
  CHECK(CutBetweenCharacters("\x80\x80\x80", 2).empty());
}

}  // namespace
}  // namespace korder
