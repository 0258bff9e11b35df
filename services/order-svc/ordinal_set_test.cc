#include "order-svc/ordinal_set.h"

#include <random>
#include <set>

#include <catch2/catch.hpp>

namespace korder::order {
namespace {

TEST_CASE("ordinal set: runs join and split", "[order]") {
  OrdinalSet set;
  for (const int64_t n : {0, 2, 1, 5, 4}) {
    set.Add(n);
  }
  CHECK(set.ToString() == "0-2,4-5");
  set.Remove(1);
  CHECK(set.ToString() == "0,2,4-5");
  CHECK(set.size() == 4);
}

TEST_CASE("ordinal set: behaves as a set under random use and survives its text form", "[order]") {
  std::mt19937 random(7);
  OrdinalSet set;
  std::set<int64_t> reference;
  for (int i = 0; i < 20'000; ++i) {
    const int64_t n = static_cast<int64_t>(random() % 200);
    if (random() % 2 == 0) {
      set.Add(n);
      reference.insert(n);
    } else {
      set.Remove(n);
      reference.erase(n);
    }
    REQUIRE(set.size() == static_cast<int64_t>(reference.size()));
    REQUIRE(set.Contains(n) == reference.contains(n));
  }
  CHECK(set.Values() == std::vector<int64_t>(reference.begin(), reference.end()));
  CHECK(OrdinalSet::Parse(set.ToString()).value() == set);
}

TEST_CASE("ordinal set: a damaged text is refused", "[order]") {
  for (const char* text : {"x", "1-", "3-1", "2,1", "1,,2", "-1", "1-2-3"}) {
    INFO(text);
    CHECK_FALSE(OrdinalSet::Parse(text).ok());
  }
  CHECK(OrdinalSet::Parse("").value().size() == 0);
}

}  // namespace
}  // namespace korder::order
