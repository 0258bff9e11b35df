#include "api/value/field_error.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

TEST_CASE("field error: reads path, value, rule", "[field_error]") {
  CHECK(Render(FieldError{"spec.strategy.schedule", "61 * * * *", "minute must be 0-59"}) ==
        R"(spec.strategy.schedule: "61 * * * *": minute must be 0-59)");
}

TEST_CASE("field error: parts that are not there leave no trace", "[field_error]") {
  CHECK(Render(FieldError{"spec.podSelector", "", "is required"}) ==
        "spec.podSelector: is required");
  CHECK(Render(FieldError{"", "", "is being deleted"}) == "is being deleted");
}

TEST_CASE("field error: control characters and quotes cannot forge a log line", "[field_error]") {
  CHECK(Render(FieldError{"a", "x\"\\\n\t\r\x7F", "is bad"}) ==
        R"(a: "x\"\\\n\t\x0d\x7f": is bad)");
}

TEST_CASE("field error: a long value is cut between characters", "[field_error]") {
  const std::string just_fits(128, 'x');
  CHECK(Render(FieldError{"a", just_fits, "r"}) == "a: \"" + just_fits + "\": r");
  const std::string umlaut_at_the_cut = std::string(127, 'x') + "\u00e4\u00e4";
  CHECK(Render(FieldError{"a", umlaut_at_the_cut, "r"}) ==
        "a: \"" + std::string(127, 'x') + "...\": r");
}

TEST_CASE("field error: several are joined in order", "[field_error]") {
  CHECK(JoinErrors({}).empty());
  CHECK(JoinErrors({{"a", "1", "is odd"}, {"b", "", "is required"}}) ==
        R"(a: "1": is odd; b: is required)");
}

}  // namespace
}  // namespace korder::api
