#include "api/v1alpha1/warnings.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"

namespace korder::api {
namespace {

std::vector<std::string> OfOrder(const std::string& spec) {
  return Warnings(FromJson<Order>(absl::StrCat(R"({"spec":{)", spec, "}}")));
}

std::vector<std::string> OfPolicy(const std::string& spec) {
  return Warnings(FromJson<ClaimPolicy>(
      absl::StrCat(R"({"spec":{"podSelector":{"matchLabels":{"a":"b"}})", spec, "}}")));
}

TEST_CASE("warnings: an order that means what it says has none", "[warnings]") {
  for (
      const char* spec :
      {R"("replicas":3,"template":{"spec":{"duration":"1h"}},"minReadySeconds":5)",
       R"("daemonSet":true,"minReadySeconds":5)",
       R"("strategy":{"type":"Scheduled","leadTime":"5m","startingDeadline":"1h","skip":["2026-12-24"]})"}) {
    CHECK(OfOrder(spec).empty());
  }
}

TEST_CASE("warnings: settings of an order without effect are named with value and cause",
          "[warnings]") {
  using Strings = std::vector<std::string>;
  CHECK(OfOrder(R"("daemonSet":true,"replicas":3)") ==
        Strings{"spec.replicas: \"3\": has no effect with daemonSet, which has one ticket per "
                "node"});
  CHECK(OfOrder(R"("strategy":{"leadTime":"5m","startingDeadline":"1h","skip":["2026-12-24"]})") ==
        Strings{"spec.strategy.leadTime: \"5m\": has no effect with type OneTime, which has no "
                "occurrences",
                "spec.strategy.startingDeadline: \"1h\": has no effect with type OneTime, which "
                "has no occurrences",
                "spec.strategy.skip[0]: \"2026-12-24\": has no effect with type OneTime, which "
                "has no occurrences"});
  CHECK(OfOrder(R"("minReadySeconds":3600,"template":{"spec":{"duration":"1h"}})") ==
        Strings{"spec.minReadySeconds: \"3600\": no ticket ever becomes available, because none "
                "lasts longer than 1h"});
}

TEST_CASE("warnings: a timeout of a policy that never lets go", "[warnings]") {
  CHECK(OfPolicy(R"(,"claimTimeout":"5s")").empty());
  CHECK(OfPolicy(R"(,"fallback":"Wait")").empty());
  CHECK(OfPolicy(R"(,"fallback":"Deny","claimTimeout":"5s")").size() == 1);
}

}  // namespace
}  // namespace korder::api
