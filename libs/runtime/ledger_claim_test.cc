#include "runtime/ledger_claim.h"

#include <catch2/catch.hpp>

#include "api/testing/from_json.h"

namespace korder::runtime {
namespace {

constexpr char kSpec[] =
    R"({"duration":"8h","resources":{"requests":{"cpu":"500m"},"limits":{"memory":"1Gi"}}})";

TEST_CASE("ledger claim: of an order it is that of each of its tickets", "[ledger-claim]") {
  const auto order = api::FromJson<api::Order>(
      std::string(R"({"metadata":{"name":"nightly","labels":{"team":"a"}},"spec":{"template":
          {"metadata":{"labels":{"app":"web"}},"spec":)") +
      kSpec + "}}}");
  const auto ticket = api::FromJson<api::Ticket>(
      std::string(R"({"metadata":{"labels":{"app":"web","korder.dev/order":"nightly"}},"spec":)") +
      kSpec + "}");
  for (const LedgerClaim& claim : {ClaimOf(order), ClaimOf(ticket)}) {
    CHECK(claim.labels == api::Labels{{"app", "web"}, {"korder.dev/order", "nightly"}});
    CHECK(claim.duration == absl::Hours(8));
    CHECK(claim.requests == api::ResourceList{{"cpu", *api::Quantity::Parse("500m")},
                                              {"memory", *api::Quantity::Parse("1Gi")}});
  }
}

TEST_CASE("ledger claim: without a duration there is no end", "[ledger-claim]") {
  CHECK(ClaimOf(api::Ticket()).duration == std::nullopt);
}

}  // namespace
}  // namespace korder::runtime
