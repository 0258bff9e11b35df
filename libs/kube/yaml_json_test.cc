#include "kube/yaml_json.h"

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

std::string One(const std::string& yaml) {
  const auto documents = YamlToJson(yaml);
  INFO(ToString(documents.status()));
  REQUIRE(documents.ok());
  REQUIRE(documents->size() == 1);
  return documents->front();
}

TEST_CASE("yaml: a plain scalar is what kubectl takes it for, a quoted one a string", "[yaml]") {
  struct Case {
    const char* yaml;
    const char* want;
  };
  const Case cases[] = {
      {"3", "3"},
      {"-3", "-3"},
      {"'3'", "\"3\""},
      {"\"3\"", "\"3\""},
      {"0.5", "0.5"},
      {"1e3", "1e3"},
      {"1.", "1.0"},
      {".5", "0.5"},
      {"+5", "5"},
      {"0x1F", "31"},
      {"017", "15"},
      {"0o17", "15"},
      {"-0x10", "-16"},
      {"500m", "\"500m\""},
      {"1Gi", "\"1Gi\""},
      {"2e3k", "\"2e3k\""},
      {"true", "true"},
      {"yes", "true"},
      {"Off", "false"},
      {"'yes'", "\"yes\""},
      {"[~, Null]", "[null,null]"},
      {"a: ", "{\"a\":null}"},
      {"''", "\"\""},
      {".inf", "\".inf\""},
      {"1_000", "\"1_000\""},
      {"2024-01-01", "\"2024-01-01\""},
      {"-", "[null]"},
      {"a b", "\"a b\""},
      {"!!str 5", "\"5\""},
      {"{a: [1, {b: c}], \"d\": ''}", "{\"a\":[1,{\"b\":\"c\"}],\"d\":\"\"}"},
      {"a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}"},
      {"a: &x {b: 1}\nc: *x", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.yaml) { CHECK(One(c.yaml) == c.want); }
  }
}

TEST_CASE("yaml: every document of a stream is read, empty ones are passed over", "[yaml]") {
  CHECK(*YamlToJson("---\na: 1\n---\n# nothing\n---\nb: 2\n") ==
        std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"});
  CHECK(YamlToJson("")->empty());
  CHECK(YamlToJson("# nothing")->empty());
  CHECK(One(R"({"a": [1, "2"]})") == R"({"a":[1,"2"]})");
}

TEST_CASE("yaml: what cannot be read is refused with its line", "[yaml]") {
  const auto problem = [](const std::string& yaml) {
    const absl::Status status = YamlToJson(yaml).status();
    CHECK(absl::IsInvalidArgument(status));
    return std::string(Message(status));
  };
  CHECK(problem("a: [") == "yaml-cpp: error at line 1, column 1: end of sequence flow not found");
  CHECK(problem("a: 1\n<<: {b: 2}") ==
        "line 2: merge keys (<<) are not supported: write the fields out");
  CHECK(problem("a: 1\n[b]: 2") == "line 2: a key must be a string");
}

TEST_CASE("yaml: a comma where a document should begin is refused, not read for ever", "[yaml]") {
  const absl::Status first = YamlToJson(", x\n").status();
  CHECK(ToString(first) == "INVALID_ARGUMENT: line 1: no document begins so");
  const absl::Status later =
      YamlToJson("# a comment\n)800\n, plain-deployment.yaml\na: 1\n").status();
  CHECK(absl::IsInvalidArgument(later));
}

TEST_CASE("yaml: a long text that aliases repeat is refused before it fills the memory", "[yaml]") {
  std::string bomb = "a0: &a0 [" + std::string(10'000, 'x') + "]\n";
  for (int i = 1; i < 18; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + before + ", " + before + "]\n";
  }
  const absl::Status status = YamlToJson(bomb).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK_THAT(std::string(Message(status)), Catch::Contains("too large"));
}

TEST_CASE("yaml: a document that grows without end when expanded is refused", "[yaml]") {
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + before + ", " + before + "]\n";
  }
  for (const std::string& yaml : {bomb, std::string("a: &a [*a]")}) {
    const absl::Status status = YamlToJson(yaml).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK_THAT(std::string(Message(status)), Catch::Contains("too large"));
  }
}

}  // namespace
}  // namespace korder::kube
