#include "api/v1alpha1/claim_request.h"

#include <catch2/catch.hpp>

#include "api/v1alpha1/names.h"

namespace korder::api {
namespace {

ObjectMeta Annotated(Labels annotations) {
  ObjectMeta meta;
  meta.annotations = std::move(annotations);
  return meta;
}

TEST_CASE("claim request: only the word true asks, as an annotation or as a label", "[claim]") {
  CHECK(AsksForTicket(Annotated({{"korder.dev/required", "true"}})));
  ObjectMeta labelled;
  labelled.labels = {{"korder.dev/required", "true"}};
  CHECK(AsksForTicket(labelled));
  CHECK_FALSE(AsksForTicket({}));
  CHECK_FALSE(AsksForTicket(Annotated({{"korder.dev/required", "false"}})));
  CHECK_FALSE(AsksForTicket(Annotated({{"korder.dev/required", "True"}})));
  CHECK_FALSE(AsksForTicket(Annotated({{"korder.dev/order", "web"}})));
}

TEST_CASE("claim request: a pod that says nothing more gets the defaults", "[claim]") {
  const ParsedClaimRequest asked = ParseClaimRequest(Annotated({{"korder.dev/required", "true"}}));
  CHECK(asked.problems.empty());
  CHECK(asked.request == ClaimRequest{});
  CHECK(asked.request.timeout == absl::Seconds(30));
}

TEST_CASE("claim request: every setting is read", "[claim]") {
  const ParsedClaimRequest asked =
      ParseClaimRequest(Annotated({{"korder.dev/order", "my-order"},
                                   {"korder.dev/ticket", "my-order-3"},
                                   {"korder.dev/ticket-selector", "app=web,tier!=test"},
                                   {"korder.dev/mode", "required"},
                                   {"korder.dev/fallback", "deny"},
                                   {"korder.dev/claim-timeout", "2m"}}));
  CHECK(asked.problems.empty());
  CHECK(asked.request.order == "my-order");
  CHECK(asked.request.ticket == "my-order-3");
  CHECK(asked.request.selector.Matches({{"app", "web"}}));
  CHECK_FALSE(asked.request.selector.Matches({{"app", "web"}, {"tier", "test"}}));
  CHECK(asked.request.mode == ClaimMode::kRequired);
  CHECK(asked.request.fallback == ClaimFallback::kDeny);
  CHECK(asked.request.timeout == absl::Minutes(2));
}

TEST_CASE("claim request: an annotation wins over a label of the same name", "[claim]") {
  ObjectMeta pod = Annotated({{"korder.dev/fallback", "wait"}});
  pod.labels = {{"korder.dev/fallback", "deny"}, {"korder.dev/mode", "required"}};
  const ClaimRequest request = ParseClaimRequest(pod).request;
  CHECK(request.fallback == ClaimFallback::kWait);
  CHECK(request.mode == ClaimMode::kRequired);
}

TEST_CASE("claim request: everything malformed is told at once and has its default", "[claim]") {
  ObjectMeta pod = Annotated({{"korder.dev/order", "My_Order"},
                              {"korder.dev/ticket", ""},
                              {"korder.dev/ticket-selector", "app in web"},
                              {"korder.dev/mode", "Required"},
                              {"korder.dev/claim-timeout", "30"}});
  pod.labels = {{"korder.dev/fallback", "never"}};
  const ParsedClaimRequest asked = ParseClaimRequest(pod);
  CHECK(asked.request == ClaimRequest{});
  REQUIRE(asked.problems.size() == 6);
  CHECK(asked.problems[0].path == "metadata.annotations[korder.dev/order]");
  CHECK(asked.problems[0].value == "My_Order");
  CHECK(asked.problems[1].path == "metadata.annotations[korder.dev/ticket]");
  CHECK(asked.problems[2].path == "metadata.annotations[korder.dev/ticket-selector]");
  CHECK(Render(asked.problems[3]) ==
        "metadata.annotations[korder.dev/mode]: \"Required\": must be one of preferred, required");
  CHECK(Render(asked.problems[4]) ==
        "metadata.labels[korder.dev/fallback]: \"never\": must be one of schedule, wait, deny");
  CHECK(asked.problems[5].path == "metadata.annotations[korder.dev/claim-timeout]");
  CHECK(asked.problems[5].value == "30");
}

TEST_CASE("claim request: a timeout must be longer than zero", "[claim]") {
  for (const char* text : {"0s", "-5s"}) {
    const auto asked = ParseClaimRequest(Annotated({{"korder.dev/claim-timeout", text}}));
    REQUIRE(asked.problems.size() == 1);
    CHECK(asked.problems[0].rule == "must be longer than zero");
    CHECK(asked.request.timeout == kDefaultClaimTimeout);
  }
}

}  // namespace
}  // namespace korder::api
