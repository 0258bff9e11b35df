#include "quota-svc/quota_terms.h"

#include <catch2/catch.hpp>

#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeQuota;

TEST_CASE("quota terms: limits become exact numbers", "[quota][terms]") {
  const QuotaTerms terms = Compile(MakeQuota("team")
                                       .Hard("orders", "10")
                                       .Hard("tickets", "50")
                                       .Hard("reserved.cpu", "500m")
                                       .Hard("reserved.nvidia.com/gpu", "4")
                                       .Hard("max-duration", "1h30m"));
  CHECK(terms.problems.empty());
  CHECK(terms.hard.amounts == Amounts{{"orders", api::Quantity::FromInt(10)},
                                      {"tickets", api::Quantity::FromInt(50)},
                                      {"reserved.cpu", api::Quantity::FromNanos(500'000'000)},
                                      {"reserved.nvidia.com/gpu", api::Quantity::FromInt(4)}});
  CHECK(terms.hard.max_duration == absl::Minutes(90));
}

TEST_CASE("quota terms: what cannot be understood is named with its path", "[quota][terms]") {
  const QuotaTerms terms = Compile(MakeQuota("team")
                                       .Hard("reserved.cpu", "lots")
                                       .Hard("reserved.", "1")
                                       .Hard("pods", "3")
                                       .Hard("tickets", "-1")
                                       .Hard("max-duration", "1d")
                                       .Cap("dev", "orders", "x"));
  std::vector<std::string> paths;
  for (const api::FieldError& problem : terms.problems) {
    paths.push_back(problem.path);
  }
  CHECK(paths == std::vector<std::string>{"spec.hard[max-duration]", "spec.hard[pods]",
                                          "spec.hard[reserved.]", "spec.hard[reserved.cpu]",
                                          "spec.hard[tickets]",
                                          "spec.allocation[0].limits[orders]"});
  CHECK(terms.hard == Limits{});
}

TEST_CASE("quota terms: each scope covers what it says", "[quota][terms]") {
  const api::Labels backend = {{"team", "backend"}};
  const api::Labels other = {{"team", "web"}};
  struct Case {
    const char* name;
    api::Quota quota;
    const char* ns;
    const api::Labels* labels;
    bool want;
  };
  const Case cases[] = {
      {"cluster covers everything", MakeQuota("q"), "any", nullptr, true},
      {"a listed namespace", MakeQuota("q").ForNamespaces({"a", "b"}), "b", &other, true},
      {"a namespace that is not listed", MakeQuota("q").ForNamespaces({"a"}), "b", &other, false},
      {"selected by its labels", MakeQuota("q").ForNamespacesWith(backend), "a", &backend, true},
      {"not selected", MakeQuota("q").ForNamespacesWith(backend), "a", &other, false},
      {"labels unknown", MakeQuota("q").ForNamespacesWith(backend), "a", nullptr, false},
      {"objects, not namespaces", MakeQuota("q").ForObjectsWith(backend), "a", &backend, false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(CoversNamespace(Compile(c.quota), c.ns, c.labels) == c.want); }
  }
}

TEST_CASE("quota terms: a selector scope without its selector covers everything and says so",
          "[quota][terms]") {
  api::Quota quota = MakeQuota("q").ForNamespacesWith({});
  quota.spec.scope.namespace_selector.reset();
  const QuotaTerms terms = Compile(quota);
  const api::Labels none;
  CHECK(CoversNamespace(terms, "a", &none));
  REQUIRE(terms.problems.size() == 1);
  CHECK(terms.problems[0].path == "spec.scope.namespaceSelector");
}

TEST_CASE("quota terms: the open window multiplies every limit but max-duration",
          "[quota][terms]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "5")
      .Hard("orders", "5")
      .Hard("reserved.cpu", "5")
      .Hard("max-duration", "2h")
      .Cap("a", "tickets", "3");
  quota.quota().spec.time_windows.push_back(
      {.name = "night", .multiplier = {"0.5"}, .schedule = "0 22 * * *"});
  const QuotaTerms terms = Compile(quota);
  REQUIRE(terms.problems.empty());
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 11, 23, 12), absl::UTCTimeZone());
  const LimitsInForce day = LimitsAt(terms, noon);
  CHECK(day.hard == terms.hard);
  CHECK(day.window.empty());
  CHECK(day.next_transition == noon + absl::Hours(10));
  const LimitsInForce night = LimitsAt(terms, noon + absl::Hours(10));
  CHECK(night.window == "night");
  CHECK(night.hard.amounts.at("tickets").ToString() == "2");
  CHECK(night.hard.amounts.at("orders").ToString() == "2");
  CHECK(night.hard.amounts.at("reserved.cpu").ToString() == "2500m");
  CHECK(night.hard.max_duration == absl::Hours(2));
  CHECK(night.allocation.at("a").amounts.at("tickets").ToString() == "1");
  CHECK(night.next_transition == noon + absl::Hours(11));
}

}  // namespace
}  // namespace korder::quota
