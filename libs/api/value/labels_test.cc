#include "api/value/labels.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

TEST_CASE("labels: valid keys have no problems", "[labels]") {
  const std::string longest_prefix = std::string(251, 'a') + ".b";
  for (const std::string& key :
       {std::string("app"), std::string("a"), std::string("0"), std::string("My_Name.1-x"),
        std::string("korder.dev/order"), std::string("a-b.c9/X"), std::string(63, 'n'),
        longest_prefix + "/n"}) {
    CAPTURE(key);
    CHECK(LabelKeyProblem(key).empty());
  }
}

TEST_CASE("labels: each broken key names its part", "[labels]") {
  struct Case {
    std::string key;
    const char* want;  // how it begins
  };
  const Case cases[] = {
      {"", "name part must be non-empty; name part must consist of"},
      {"/a", "prefix part must be non-empty"},
      {"korder.dev/", "name part must be non-empty; name part must consist of"},
      {"a/b/c", "a valid label key must consist of"},
      {"-a", "name part must consist of"},
      {"a.", "name part must consist of"},
      {"a b", "name part must consist of"},
      {"\u00e4", "name part must consist of"},
      {std::string(64, 'n'), "name part must be no more than 63 bytes"},
      {"Korder.dev/a", "prefix part a lowercase RFC 1123 subdomain"},
      {"a..b/c", "prefix part a lowercase RFC 1123 subdomain"},
      {".a/c", "prefix part a lowercase RFC 1123 subdomain"},
      {"a-/c", "prefix part a lowercase RFC 1123 subdomain"},
      {"a-.b/c", "prefix part a lowercase RFC 1123 subdomain"},
      {"a.-b/c", "prefix part a lowercase RFC 1123 subdomain"},
      {"a_b/c", "prefix part a lowercase RFC 1123 subdomain"},
      {std::string(254, 'a') + "/c", "prefix part must be no more than 253 bytes"},
      {"A/-", "prefix part a lowercase RFC 1123 subdomain"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.key) { CHECK_THAT(LabelKeyProblem(c.key), Catch::StartsWith(c.want)); }
  }
}

TEST_CASE("labels: several problems of a key are all told", "[labels]") {
  const std::string problem = LabelKeyProblem("A/-");
  CHECK_THAT(problem, Catch::StartsWith("prefix part a lowercase RFC 1123 subdomain must"));
  CHECK_THAT(problem, Catch::Contains("; name part must consist of alphanumeric characters"));
}

TEST_CASE("labels: values may be empty but not long, spaced or dashed at the ends", "[labels]") {
  CHECK(LabelValueProblem("").empty());
  CHECK(LabelValueProblem("My_value-1.x").empty());
  CHECK(LabelValueProblem(std::string(63, 'v')).empty());
  CHECK(LabelValueProblem(std::string(64, 'v')) == "must be no more than 63 bytes");
  for (const char* value : {"-x", "x-", ".", "a/b", "a b", " "}) {
    CAPTURE(value);
    CHECK_THAT(LabelValueProblem(value), Catch::StartsWith("a valid label must be"));
  }
}

TEST_CASE("labels: the texts are the API server's", "[labels]") {
  CHECK(LabelValueProblem("a b") ==
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
}

TEST_CASE("labels: a map's problems carry the path and the offending text", "[labels]") {
  const std::vector<FieldError> errors =
      CheckLabels({{"app", "web"}, {"b/", "x"}, {"c", "y y"}}, "metadata.labels");
  REQUIRE(errors.size() == 2);
  CHECK(errors[0] == FieldError{"metadata.labels", "b/", LabelKeyProblem("b/")});
  CHECK(errors[1] == FieldError{"metadata.labels", "y y", LabelValueProblem("y y")});
}

}  // namespace
}  // namespace korder::api
