#include "api/value/label_selector.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

TEST_CASE("selector: the text form says what matches", "[selector]") {
  struct Case {
    const char* selector;
    Labels labels;
    bool want;
  };
  const Case cases[] = {
      {"", {{"a", "1"}}, true},
      {"a=1", {{"a", "1"}}, true},
      {"a==1", {{"a", "1"}}, true},
      {"a=1", {}, false},
      {"a!=1", {}, true},
      {"a!=1", {{"a", "1"}}, false},
      {"a in (1, 2)", {{"a", "2"}}, true},
      {"a in (1,2),b", {{"a", "2"}}, false},
      {"a notin (1)", {}, true},
      {"!a", {{"a", ""}}, false},
      {"a", {{"a", ""}}, true},
      {"example.com/a=x , !b", {{"example.com/a", "x"}}, true},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.selector) {
      const LabelSelector selector = ParseSelector(c.selector).value();
      CHECK(selector.Matches(c.labels) == c.want);
      CHECK(ParseSelector(selector.ToString()).value().Matches(c.labels) == c.want);
    }
  }
}

TEST_CASE("selector: malformed text is refused", "[selector]") {
  for (const char* text :
       {"a,", "a in 1", "a in (1", "a within (1)", "=x", "a=b=c d", "-a", "a=$"}) {
    INFO(text);
    CHECK_FALSE(ParseSelector(text).ok());
  }
}

TEST_CASE("selector: problems are named with their paths", "[selector]") {
  const LabelSelector selector{.match_labels = {{"bad key", "v"}},
                               .match_expressions = {{"a", "In", {}}, {"b", "Like", {"x"}}}};
  const std::vector<FieldError> errors = Validate(selector, "spec.selector");
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].path == "spec.selector.matchLabels.key");
  CHECK(Render(errors[1]) ==
        "spec.selector.matchExpressions[0].values: is required for In and NotIn");
  CHECK(Render(errors[2]) ==
        "spec.selector.matchExpressions[1].operator: \"Like\": must be In, NotIn, Exists or "
        "DoesNotExist");
}

}  // namespace
}  // namespace korder::api
