#include "api/meta/managed_fields.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

TEST_CASE("managed fields are cut from an object, and nothing else") {
  CHECK(
      WithoutManagedFields(
          R"({"metadata":{"name":"a","managedFields":[{"manager":"kubectl","fieldsV1":{"f:spec":{)"
          R"("k:{\"name\":\"]\\\"}":{}}}},{"time":"2026-01-01T00:00:00Z"}],"uid":"u"},"spec":[1]})") ==
      R"({"metadata":{"name":"a","managedFields":[],"uid":"u"},"spec":[1]})");
  CHECK(WithoutManagedFields(R"({"spec":{"replicas":1}})") == R"({"spec":{"replicas":1}})");
  CHECK(WithoutManagedFields("") == "");
}

TEST_CASE("managed fields are cut from every object of a list") {
  CHECK(
      WithoutManagedFields(R"({"items":[{"managedFields":[1,[2]],"a":1},{"managedFields":[]},)"
                           R"({"b":2,"managedFields":[{}]}]})") ==
      R"({"items":[{"managedFields":[],"a":1},{"managedFields":[]},{"b":2,"managedFields":[]}]})");
}

TEST_CASE("managed fields are found in a text with blanks") {
  CHECK(WithoutManagedFields("{\n  \"managedFields\" : [\n    { \"a\": 1 }\n  ],\n  \"b\": 2 }") ==
        "{\n  \"managedFields\" : [],\n  \"b\": 2 }");
}

TEST_CASE("what only looks like managed fields stays") {
  const auto same = [](std::string text) { return WithoutManagedFields(text) == text; };
  CHECK(same(R"({"a":"\"managedFields\":[1]"})"));
  CHECK(same(R"({"a, \"managedFields":[1]})"));  // one key
  CHECK(same(R"({"managedFields":"[1]"})"));
  CHECK(same(R"({"managedFields":{"a":[1]}})"));
  CHECK(same(R"(["managedFields",[1]])"));
  CHECK(same(R"({"managedFieldsToo":[1]})"));
  CHECK(same(R"("managedFields":[1])"));
}

TEST_CASE("a text that ends within managed fields stays as it is") {
  const std::string whole = R"({"managedFields":[{"a":"b\"","c":[{"managedFields":[1]}]}]})";
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    const std::string cut = whole.substr(0, length);
    INFO(cut);
    CHECK(WithoutManagedFields(cut) == cut);
  }
  std::string hostile;
  for (int i = 0; i < 100'000; ++i) {
    hostile += R"({"managedFields":[)";
  }
  CHECK(WithoutManagedFields(hostile) == hostile);
}

TEST_CASE("a bracket within a string ends no managed fields") {
  CHECK(WithoutManagedFields(R"({"managedFields":[{"k:{\"a\":\"]\"}":{}}],"b":1})") ==
        R"({"managedFields":[],"b":1})");
  CHECK(WithoutManagedFields(R"({"managedFields":["a\\"],"b":["]"]})") ==
        R"({"managedFields":[],"b":["]"]})");
  CHECK(WithoutManagedFields(R"({"managedFields":["a\\\"]"],"b":1})") ==
        R"({"managedFields":[],"b":1})");
  CHECK(WithoutManagedFields(R"({"managedFields":["[",[]],"b":1})") ==
        R"({"managedFields":[],"b":1})");
}

}  // namespace
}  // namespace korder::api
