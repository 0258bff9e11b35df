#include "base/shared_values.h"

#include <string>

#include <catch2/catch.hpp>

namespace korder {
namespace {

TEST_CASE("shared values: equal ones are one", "[shared_values]") {
  SharedValues<std::string> values;
  const auto a = values.Share("a");
  const auto again = values.Share("a");
  const auto b = values.Share("b");
  CHECK(*a == "a");
  CHECK(again == a);
  CHECK(*b == "b");
  CHECK(values.size() == 2);
}

TEST_CASE("shared values: what nobody has any more does not stay for ever", "[shared_values]") {
  SharedValues<std::string> values;
  const auto kept = values.Share("kept");
  for (int i = 0; i < 1000; ++i) {
    values.Share(std::to_string(i));
  }
  CHECK(values.size() < 200);
  CHECK(values.Share("kept") == kept);
}

}  // namespace
}  // namespace korder
