#include "ticket-svc/ticket_desk.h"

#include <optional>

#include <catch2/catch.hpp>

#include "json/fields.h"
#include "runtime/testing/call_context.h"
#include "ticket-svc/testing/bench.h"

namespace korder::ticket {
namespace {

struct Desk {
  Desk() : service(bench), desk(service.world, bench.clock, ClaimRules{}) {
    bench.AddTicket(MakeTicket("web-0"));
    bench.Settle(service);
    REQUIRE(bench.Ticket("web-0").status.phase == api::TicketPhase::kReady);
  }
  grpc::Status Offer(const std::string& ns, const std::string& pod) {
    v1::OfferRequest request;
    request.set_namespace_(ns);
    request.set_pod_json(pod);
    offer.Clear();
    return desk.Offer(runtime::CallContext(named.value_or(ns)).get(), &request, &offer);
  }
  v1::HandoffsResponse Handoffs(const std::string& ns) {
    v1::HandoffsRequest request;
    request.set_namespace_(ns);
    v1::HandoffsResponse response;
    REQUIRE(desk.Handoffs(runtime::CallContext(ns).get(), &request, &response).ok());
    return response;
  }

  Bench bench;
  Service service;
  TicketDesk desk;
  v1::OfferResponse offer;
  std::optional<std::string> named;  // what the next calls name, when not what they are about
};

TEST_CASE("desk: who may ask about one namespace learns nothing of another", "[desk]") {
  Desk d;
  for (const char* named : {"", "another"}) {
    d.named = named;
    CHECK(d.Offer("default", json::Print(MakeClaimPod("shop"))).error_code() ==
          grpc::StatusCode::PERMISSION_DENIED);
  }
  v1::HandoffsRequest all;
  v1::HandoffsResponse response;
  CHECK(d.desk.Handoffs(runtime::CallContext("default").get(), &all, &response).error_code() ==
        grpc::StatusCode::PERMISSION_DENIED);
}

TEST_CASE("desk: an offer names the ticket that the pod would get, and changes nothing", "[desk]") {
  Desk d;
  d.bench.ForgetWrites();
  REQUIRE(d.Offer("default", json::Print(MakeClaimPod("shop"))).ok());
  CHECK(d.offer.ticket().name() == "web-0");
  CHECK(d.offer.ticket().order() == "web");
  CHECK(d.offer.ticket().node() == "n1");
  CHECK(d.bench.Writes().empty());
}

TEST_CASE("desk: where there is no ticket it says why, and what would help", "[desk]") {
  Desk d;
  api::Pod big = MakeClaimPod("shop");
  big.spec.containers[0].resources.requests = Resources("4", "1Gi");
  REQUIRE(d.Offer("default", json::Print(big)).ok());
  REQUIRE(d.offer.has_none());
  CHECK_THAT(d.offer.none().message(), Catch::Contains("none of 1 Ready tickets fits"));
  REQUIRE(d.offer.none().help_size() >= 1);
  CHECK_THAT(d.offer.none().help(0), Catch::Contains("cpu"));

  REQUIRE(d.Offer("another", json::Print(MakeClaimPod("shop"))).ok());
  CHECK(d.offer.has_none());
}

TEST_CASE("desk: of a ticket whose window is not open it says when it will be", "[desk]") {
  Desk d;
  api::Ticket later = MakeTicket("web-1");
  later.spec.start_time = d.bench.clock.Now() + absl::Minutes(5);
  later.metadata.annotations["korder.dev/lead-time"] = "10m";
  d.bench.AddTicket(later);
  d.bench.Settle(d.service);
  api::Pod pod = MakeClaimPod("shop");
  pod.metadata.annotations["korder.dev/ticket"] = "web-1";
  REQUIRE(d.Offer("default", json::Print(pod)).ok());
  REQUIRE(d.offer.has_none());
  CHECK_THAT(d.offer.none().message(), Catch::Contains("its window opens at "));
  CHECK(d.offer.none().help(0) == "wait until the window of a ticket opens");
  d.bench.clock.Advance(absl::Minutes(5));
  REQUIRE(d.Offer("default", json::Print(pod)).ok());
  CHECK(d.offer.ticket().name() == "web-1");
}

TEST_CASE("desk: a request that makes no sense is refused with the field's name", "[desk]") {
  Desk d;
  CHECK(d.Offer("", "{}").error_message() == "namespace: is required");
  const grpc::Status status = d.Offer("default", R"({"metadata":{"name":1}})");
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_THAT(status.error_message(), Catch::Contains("pod_json: metadata.name"));
}

TEST_CASE("desk: the handoffs under way, and where they stand", "[desk]") {
  Desk d;
  CHECK(d.Handoffs("").handoffs_size() == 0);
  d.bench.AddPod(MakeClaimPod("shop"));
  d.service.Sync();
  d.service.Work();
  const v1::HandoffsResponse all = d.Handoffs("");
  REQUIRE(all.handoffs_size() == 1);
  CHECK(all.handoffs(0).ticket() == "web-0");
  CHECK(all.handoffs(0).namespace_() == "default");
  CHECK(all.handoffs(0).pod() == "shop");
  CHECK(all.handoffs(0).node() == "n1");
  CHECK(all.handoffs(0).stage() == v1::Handoff::OPEN);
  CHECK(all.handoffs(0).has_started());
  CHECK(d.Handoffs("default").handoffs_size() == 1);
  CHECK(d.Handoffs("another").handoffs_size() == 0);
  d.bench.Settle(d.service);
  CHECK(d.Handoffs("").handoffs_size() == 0);
}

}  // namespace
}  // namespace korder::ticket
