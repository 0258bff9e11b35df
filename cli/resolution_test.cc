#include "cli/resolution.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

using korder::admission::v1::ResolveResponse;

Explanation Explained(const ResolveResponse& response) {
  return ExplainResolution({"Deployment", "shop", "web", "{}"}, response);
}

ResolveResponse Asking() {
  ResolveResponse response;
  response.set_asked_by(ResolveResponse::POLICY);
  response.set_policy("shop");
  response.set_gated(true);
  response.mutable_wish()->set_order("o");
  response.mutable_wish()->set_fallback("schedule");
  response.mutable_wish()->set_claim_timeout("30s");
  return response;
}

TEST_CASE("resolution: pods that get a ticket", "[resolution]") {
  ResolveResponse response = Asking();
  response.mutable_ticket()->set_name("o-1");
  response.mutable_ticket()->set_node("n1");
  CHECK(Render(Explained(response), kNow, {.format = Format::kTable}) ==
        "Deployment web in namespace shop\n"
        "  state        WouldClaim\n"
        "  waits for    a ticket of order o; goes on without one after 30s\n"
        "  why          ClaimPolicy shop matches it; ticket o-1 on node n1 fits now\n");
}

TEST_CASE("resolution: pods that get none say why, and what would help", "[resolution]") {
  ResolveResponse response = Asking();
  response.mutable_none()->set_message("none is Ready");
  response.mutable_none()->add_help("an order");
  const Explanation explained = Explained(response);
  CHECK(explained.state == kWouldWait);
  CHECK(explained.why == "ClaimPolicy shop matches it; none is Ready");
  CHECK(explained.help == std::vector<std::string>{"an order"});

  response.set_gated(false);
  response.add_refusals("refused: none is Ready");
  CHECK(Explained(response).state == kWouldBeRefused);
  CHECK(Explained(response).why == "ClaimPolicy shop matches it; refused: none is Ready");
}

TEST_CASE("resolution: pods that korder does not see", "[resolution]") {
  ResolveResponse response;
  response.set_asked_by(ResolveResponse::NOBODY);
  CHECK(Explained(response).state == kWouldNotAsk);
  CHECK_THAT(Explained(response).why, Catch::Contains("no ClaimPolicy"));
  response.set_asked_by(ResolveResponse::POD);
  response.add_warnings("its spec.nodeName is set");
  CHECK(Explained(response).state == kWouldBeUnseen);
  CHECK(Explained(response).why == "it asks itself; its spec.nodeName is set");
}

TEST_CASE("resolution: every wish has its words", "[resolution]") {
  ResolveResponse response = Asking();
  response.mutable_wish()->set_fallback("wait");
  response.mutable_wish()->set_mode("required");
  response.mutable_wish()->set_ticket_selector("zone=a");
  CHECK(Explained(response).waits_for ==
        "a ticket of order o with zone=a, and never runs elsewhere; waits until there is one");
  response.mutable_wish()->set_ticket("t");
  response.mutable_wish()->set_fallback("deny");
  CHECK_THAT(Explained(response).waits_for,
             Catch::StartsWith("ticket t") && Catch::EndsWith("is refused without one"));
  response.set_unknown("connection refused");
  CHECK_THAT(Explained(response).why, Catch::EndsWith("does not answer: connection refused"));
}

}  // namespace
}  // namespace korder::cli
