#include "ticket-svc/own_pod.h"

#include <catch2/catch.hpp>

#include "api/core/pod_requests.h"
#include "json/fields.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

TEST_CASE("own pod: what is kept of a guardian is what decisions look at", "[own_pod]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.node_selector = {{"node-type", "compute"}};
  api::Pod pod = Refused(MakeGuardian(ticket, 2, {"node-1", "node-3"}), "0/10 nodes");
  pod.spec.scheduler_name = "batch";
  pod.spec.priority = 7;
  pod.metadata.deletion_timestamp = kNow;
  OwnPod own;
  REQUIRE(json::Parse(json::Print(pod), own).ok());
  CHECK(own.metadata.name == "web-7-g2");
  CHECK(own.metadata.ns == "default");
  CHECK(own.metadata.uid == "uid-web-7-g2");
  CHECK(own.metadata.resource_version == "20");
  CHECK(own.metadata.creation_timestamp == kNow);
  CHECK(own.metadata.deleting());
  CHECK(own.owner.ticket == "web-7");
  CHECK(own.owner.uid == "uid-web-7");
  CHECK(own.role == OwnRole::kGuardian);
  CHECK(*own.ask == OwnPod::Ask{.scheduler_name = "batch",
                                .priority = 7,
                                .requests = api::PodRequests(pod.spec)});
  CHECK(own.node_name.empty());
  REQUIRE(own.where);
  CHECK(own.where->node_selector == pod.spec.node_selector);
  CHECK(own.where->affinity == pod.spec.affinity);
  CHECK(own.where->avoided == std::set<std::string>{"node-1", "node-3"});
  REQUIRE(own.unschedulable);
  CHECK(own.unschedulable->message == "0/10 nodes");
  CHECK(own.phase == "Pending");
  CHECK_FALSE(own.end);
  CHECK_FALSE(IsBound(own));
  CHECK_FALSE(IsTerminal(own));
}

TEST_CASE("own pod: where a pod may run is kept until it is bound", "[own_pod]") {
  const OwnPod own =
      Reduced(Running(Refused(MakeGuardian(MakeTicket("web-7"), 1, {"node-1"}), "no room"), "n1"));
  CHECK(IsBound(own));
  CHECK(own.node_name == "n1");
  CHECK_FALSE(own.where);
  CHECK_FALSE(own.unschedulable);
}

TEST_CASE("own pod: pods that ask for the same share it", "[own_pod]") {
  const api::Ticket ticket = MakeTicket("web-7");
  api::Ticket larger = ticket;
  larger.spec.resources.requests = Resources("2", "1Gi");
  const OwnPod one = Reduced(MakeGuardian(ticket, 1));
  CHECK(Reduced(MakeGuardian(ticket, 2)).ask == one.ask);
  CHECK(Reduced(MakeGuardian(larger, 1)).ask != one.ask);
}

TEST_CASE("own pod: how a pod ended is kept in the words of whoever ended it", "[own_pod]") {
  api::Pod pod = Running(MakeGuardian(MakeTicket("web-7"), 1), "n1");
  pod.status.phase = "Failed";
  pod.status.reason = "Evicted";
  pod.status.message = "low on memory";
  const OwnPod own = Reduced(pod);
  CHECK(IsTerminal(own));
  REQUIRE(own.end);
  CHECK(own.end->reason == "Evicted");
  CHECK(own.end->message == "low on memory");
}

TEST_CASE("own pod: only a Ticket that manages a pod is its owner", "[own_pod]") {
  api::Pod pod = MakeGuardian(MakeTicket("web-7"), 1);
  pod.metadata.labels["korder.dev/role"] = "fence";
  CHECK(Reduced(pod).role == OwnRole::kFence);
  pod.metadata.labels.erase("korder.dev/role");
  CHECK(Reduced(pod).role == OwnRole::kNone);
  pod.metadata.owner_references[0].kind = "Job";
  CHECK(Reduced(pod).owner.uid.empty());
  CHECK(Reduced(pod).owner.ticket.empty());
}

}  // namespace
}  // namespace korder::ticket
