#include "api/value/label_selector.h"

#include <random>

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
      {" \t", {}, true},
      {"a=1", {{"a", "1"}}, true},
      {"a==1", {{"a", "1"}}, true},
      {"a=1", {}, false},
      {"a=1", {{"a", "2"}}, false},
      {"a=", {{"a", ""}}, true},
      {"a=,b=1", {{"a", ""}, {"b", "1"}}, true},
      {"a!=1", {}, true},
      {"a!=1", {{"a", "1"}}, false},
      {"a!=", {{"a", ""}}, false},
      {"a in (1, 2)", {{"a", "2"}}, true},
      {"a in(1,2)", {{"a", "3"}}, false},
      {"a in (1,2),b", {{"a", "2"}}, false},
      {"a in ()", {{"a", ""}}, true},
      {"a in (,1)", {{"a", ""}}, true},
      {"a in (1,,2)", {{"a", ""}}, true},
      {"a notin (1)", {}, true},
      {"a notin (1)", {{"a", "1"}}, false},
      {"a notin (1,2)", {{"a", "3"}}, true},
      {"!a", {{"a", ""}}, false},
      {"! a", {}, true},
      {"a", {{"a", ""}}, true},
      {"a", {}, false},
      {"example.com/a=x , !b", {{"example.com/a", "x"}}, true},
      {"in in (in,notin)", {{"in", "notin"}}, true},
      {"notin notin (in)", {{"notin", "in"}}, false},
      {"a=1,a=2", {{"a", "1"}}, false},
      {"a=1,a=1", {{"a", "1"}}, true},
      {"a=1,a!=2", {{"a", "1"}}, true},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.selector << " on " << c.labels.size()) {
      const LabelSelector selector = ParseSelector(c.selector).value();
      CHECK(selector.Matches(c.labels) == c.want);
      CHECK(ParseSelector(selector.ToString())->Matches(c.labels) == c.want);
    }
  }
}

TEST_CASE("selector: parsing fills labels and expressions", "[selector]") {
  const LabelSelector want{.match_labels = {{"a", "b"}},
                           .match_expressions = {{"c", "NotIn", {"d"}},
                                                 {"e", "In", {"x", "y"}},
                                                 {"f", "DoesNotExist", {}},
                                                 {"g", "Exists", {}}}};
  CHECK(ParseSelector("a=b,c!=d,e in (y,x,y),!f,g").value() == want);
}

TEST_CASE("selector: printed by key, with sorted values", "[selector]") {
  const LabelSelector selector{.match_labels = {{"b", "1"}, {"d", ""}},
                               .match_expressions = {{"e", "NotIn", {"z"}},
                                                     {"a", "DoesNotExist", {}},
                                                     {"c", "In", {"y", "x"}},
                                                     {"b", "Exists", {}}}};
  CHECK(selector.ToString() == "!a,b=1,b,c in (x,y),d=,e notin (z)");
  CHECK(ParseSelector("a=1, a==1")->ToString() == "a=1");
  CHECK(LabelSelector{}.ToString().empty());
}

TEST_CASE("selector: malformed text is refused with what was expected", "[selector]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"a,", "expected a label key, found the end"},
      {",a", "expected a label key, found \",\""},
      {"=x", "expected a label key, found \"=\""},
      {"!", "expected a label key, found the end"},
      {"!!a", "expected a label key, found \"!\""},
      {"!a=b", "expected \",\" or the end, found \"=\""},
      {"a b", "expected one of =, ==, !=, in, notin, found \"b\""},
      {"a within (1)", "expected one of =, ==, !=, in, notin, found \"within\""},
      {"a>1", "expected one of =, ==, !=, in, notin, found \">\""},
      {"a(b)", "expected one of =, ==, !=, in, notin, found \"(\""},
      {"a in 1", "expected \"(\", found \"1\""},
      {"a in (1", "expected \",\" or \")\", found the end"},
      {"a in (1 2)", "expected \",\" or \")\", found \"2\""},
      {"a in ((1))", "expected \",\" or \")\", found \"(\""},
      {"a=b=c", "expected \",\" or the end, found \"=\""},
      {"a=b c", "expected \",\" or the end, found \"c\""},
      {"a==!b", "expected \",\" or the end, found \"!\""},
      {"-a", "\"-a\": name part must consist of"},
      {"a=$", "\"$\": a valid label must be an empty string or consist of"},
      {"a in (x,y/z)", "\"y/z\": a valid label must be"},
      {"a=\x01", "\"\\x01\": a valid label must be"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) {
      const absl::StatusOr<LabelSelector> selector = ParseSelector(c.text);
      REQUIRE(absl::IsInvalidArgument(selector.status()));
      CHECK_THAT(std::string(Message(selector.status())), Catch::Contains(c.want));
    }
  }
}

TEST_CASE("selector: problems are named with their paths", "[selector]") {
  const LabelSelector selector{.match_labels = {{"bad key", "v"}},
                               .match_expressions = {{"a", "In", {}},
                                                     {"b", "Like", {"x"}},
                                                     {"c", "Exists", {"x"}},
                                                     {"-", "NotIn", {"ok", "not ok"}}}};
  const std::vector<FieldError> errors = Validate(selector, "spec.selector");
  REQUIRE(errors.size() == 6);
  CHECK(errors[0].path == "spec.selector.matchLabels");
  CHECK(errors[0].value == "bad key");
  CHECK(Render(errors[1]) ==
        "spec.selector.matchExpressions[0].values: is required for In and NotIn");
  CHECK(Render(errors[2]) ==
        "spec.selector.matchExpressions[1].operator: \"Like\": must be In, NotIn, Exists or "
        "DoesNotExist");
  CHECK(Render(errors[3]) ==
        "spec.selector.matchExpressions[2].values: must be empty for Exists and DoesNotExist");
  CHECK(errors[4].path == "spec.selector.matchExpressions[3].key");
  CHECK(errors[5].path == "spec.selector.matchExpressions[3].values[1]");
  CHECK(Validate(ParseSelector("a=b,c in (d)").value(), "s").empty());
}

TEST_CASE("selector: an invalid expression matches nothing", "[selector]") {
  for (const LabelSelectorRequirement& bad :
       {LabelSelectorRequirement{"a", "Like", {"x"}}, LabelSelectorRequirement{"a", "NotIn", {}},
        LabelSelectorRequirement{"a", "DoesNotExist", {"x"}},
        LabelSelectorRequirement{"a", "", {}}}) {
    CAPTURE(bad.op);
    const LabelSelector selector{.match_labels = {}, .match_expressions = {bad}};
    CHECK_FALSE(selector.Matches({}));
    CHECK_FALSE(selector.Matches({{"a", "y"}}));
  }
}

TEST_CASE("selector: any selector means the same after printing and parsing", "[selector]") {
  const std::vector<std::string> keys = {"a", "b", "in", "x.io/c"};
  const std::vector<std::string> values = {"", "1", "2", "notin"};
  const std::vector<std::string> ops = {"In", "NotIn", "Exists", "DoesNotExist"};
  std::mt19937_64 random(1);
  const auto pick = [&random](const auto& from) { return from[random() % from.size()]; };
  int matched = 0;
  for (int i = 0; i < 5'000; ++i) {
    LabelSelector selector;
    Labels labels;
    for (const std::string& key : keys) {
      if (random() % 2 == 0) {
        labels[key] = pick(values);
      }
    }
    if (random() % 2 == 0) {
      selector.match_labels[pick(keys)] = pick(values);
    }
    for (size_t n = random() % 3; n > 0; --n) {
      LabelSelectorRequirement requirement{pick(keys), pick(ops), {}};
      if (requirement.op == "In" || requirement.op == "NotIn") {
        requirement.values = {pick(values), pick(values)};
      }
      selector.match_expressions.push_back(std::move(requirement));
    }
    REQUIRE(Validate(selector, "").empty());
    const std::string text = selector.ToString();
    CAPTURE(text);
    const LabelSelector again = ParseSelector(text).value();
    REQUIRE(again.Matches(labels) == selector.Matches(labels));
    REQUIRE(ParseSelector(again.ToString())->Matches(labels) == selector.Matches(labels));
    matched += selector.Matches(labels) ? 1 : 0;
  }
  CHECK(matched > 500);
}

}  // namespace
}  // namespace korder::api
