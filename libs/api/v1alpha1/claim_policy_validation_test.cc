#include <catch2/catch.hpp>

#include "api/testing/from_json.h"
#include "api/v1alpha1/validation.h"

namespace korder::api {
namespace {

TEST_CASE("claim policy validation: selectors, order and timeout", "[claim_policy][validation]") {
  struct Case {
    std::string name;
    std::string spec;
    std::string want;
  };
  const Case cases[] = {
      {"the least there can be", R"({"podSelector":{"matchLabels":{"app":"web"}}})", ""},
      {"everything",
       R"({"podSelector":{"matchExpressions":[{"key":"app","operator":"Exists"}]},
           "tickets":{"order":"my-order","selector":{"matchLabels":{"tier":"db"}}},
           "mode":"Required","fallback":"Deny","claimTimeout":"1m30s"})",
       ""},
      {"an empty selector", R"({"podSelector":{}})",
       "spec.podSelector: must select something: an empty one would catch every pod of the "
       "namespace"},
      {"a timeout of zero", R"({"podSelector":{"matchLabels":{"a":"b"}},"claimTimeout":"0s"})",
       R"(spec.claimTimeout: "0s": must be longer than zero)"},
      {"a malformed timeout", R"({"podSelector":{"matchLabels":{"a":"b"}},"claimTimeout":"soon"})",
       R"(spec.claimTimeout: "soon": must be a duration such as 24h, 90m or 1h30m)"},
      {"a bad order", R"({"podSelector":{"matchLabels":{"a":"b"}},"tickets":{"order":"My_Order"}})",
       R"(spec.tickets.order: "My_Order": must be at most 253 lower-case letters, digits, '-' or )"
       R"('.', each part beginning and ending with a letter or digit)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      ClaimPolicy policy;
      policy.spec = FromJson<ClaimPolicySpec>(c.spec);
      CHECK(JoinErrors(Validate(policy)) == c.want);
      CHECK(JoinErrors(ValidateUpdate(ClaimPolicy{}, policy)) == c.want);
    }
  }
}

TEST_CASE("claim policy validation: problems inside selectors carry their path",
          "[claim_policy][validation]") {
  ClaimPolicy policy;
  policy.spec = FromJson<ClaimPolicySpec>(
      R"({"podSelector":{"matchExpressions":[{"key":"app","operator":"Like"}]},
          "tickets":{"selector":{"matchExpressions":[{"key":"app","operator":"In"}]}}})");
  const std::vector<FieldError> errors = Validate(policy);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].path.starts_with("spec.podSelector.matchExpressions[0]"));
  CHECK(errors[1].path.starts_with("spec.tickets.selector.matchExpressions[0]"));
}

}  // namespace
}  // namespace korder::api
