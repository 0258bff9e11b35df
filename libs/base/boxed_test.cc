#include "base/boxed.h"

#include <string>

#include <catch2/catch.hpp>

namespace korder {
namespace {

struct Thing {
  std::string name;
  bool operator==(const Thing&) const = default;
};

}  // namespace

TEST_CASE("boxed: holds a value or none, in the space of a pointer", "[boxed]") {
  STATIC_REQUIRE(sizeof(Boxed<Thing>) == sizeof(void*));
  Boxed<Thing> box;
  CHECK_FALSE(box);
  CHECK_FALSE(box.has_value());
  box = Thing{"a"};
  REQUIRE(box);
  CHECK(box->name == "a");
  CHECK((*box).name == "a");
  box.emplace().name = "b";
  CHECK(box == Thing{"b"});
  box.reset();
  CHECK_FALSE(box);
  box = Thing{"c"};
  box = std::nullopt;
  CHECK_FALSE(box);
}

TEST_CASE("boxed: a copy is another value", "[boxed]") {
  Boxed<Thing> first = Thing{"a"};
  Boxed<Thing> second = first;
  second->name = "b";
  CHECK(first->name == "a");
  CHECK_FALSE(first == second);
  second = first;
  CHECK(first == second);
  second = *&second;
  CHECK(second == Thing{"a"});
  const Boxed<Thing> moved = std::move(second);
  CHECK(moved == first);
}

TEST_CASE("boxed: two are equal when their values are, or when both have none", "[boxed]") {
  CHECK(Boxed<Thing>() == Boxed<Thing>());
  CHECK_FALSE(Boxed<Thing>() == Boxed<Thing>(Thing{"a"}));
  CHECK_FALSE(Boxed<Thing>() == Thing{"a"});
}

}  // namespace korder
