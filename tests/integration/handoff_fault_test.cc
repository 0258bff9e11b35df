// Room passes on while something goes wrong: whoever loses, nobody else gets the room, and every
// ticket ends with either its pod or its guardian.
#include <cstdlib>
#include <iostream>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "full_house.h"

namespace korder::integration {
namespace {

std::string Instance() { return std::getenv("KORDER_INSTANCE"); }

// No ticket stands between guardian and pod any more, and each has one of them.
bool AllSettled(Cluster& cluster, const std::string& ns) {
  for (const api::Ticket& ticket : cluster.Tickets(ns)) {
    if (ticket.status.handoff) {
      return false;
    }
  }
  return true;
}

TEST_CASE("handoff faults: ticket-svc is killed again and again", "[integration]") {
  constexpr int kPods = 80;
  Cluster cluster;
  FullHouse house(cluster, {.thieves = 100});
  house.Ask(kPods);
  for (int i = 0; i < 4; ++i) {
    cluster.Shell("scripts/services kill ticket-svc --name " + Instance());
    cluster.Shell("scripts/services start ticket-svc --name " + Instance());
    // Until it leads and has done something.
    house.AwaitBound(static_cast<size_t>(kPods / 5 * (i + 1)), absl::Seconds(40));
  }
  CHECK(house.AwaitBound(kPods, absl::Seconds(60)));
  CHECK(Eventually(absl::Seconds(30), [&] { return AllSettled(cluster, house.ns()); }));
  const Claims claims = house.Outcome();
  INFO(Summary(claims));
  CHECK(claims.on_ticket_node == kPods);
  CHECK(house.Stolen().empty());
}

TEST_CASE("handoff faults: the scheduler is killed", "[integration]") {
  constexpr int kPods = 60;
  Cluster cluster;
  FullHouse house(cluster, {.thieves = 100});
  house.Ask(kPods);
  house.AwaitBound(5, absl::Seconds(30));
  // A kubelet needs more than this second to see that a container has ended and to start it again.
  cluster.Shell("scripts/devcluster restart kube-scheduler --kill --pause 1s --name " + Instance());
  CHECK(house.AwaitBound(kPods, absl::Seconds(90)));
  CHECK(Eventually(absl::Seconds(30), [&] { return AllSettled(cluster, house.ns()); }));
  const Claims claims = house.Outcome();
  INFO(Summary(claims));
  CHECK(claims.on_ticket_node == kPods);
  CHECK(house.Stolen().empty());
}

TEST_CASE("handoff faults: nodes are deleted", "[integration]") {
  constexpr int kPods = 60;
  Cluster cluster;
  {
    FullHouse house(cluster, {.thieves = 100});
    house.Ask(kPods);
    house.AwaitBound(5, absl::Seconds(30));
    cluster.Shell("scripts/devcluster nodes --name " + Instance() +
                  " remove node-003 node-004 node-017 node-030 node-042");
    // Pods that were on them are gone; whoever lost only its ticket has another one, unless its
    // gate was open already: then it has been told.
    CHECK(Eventually(absl::Seconds(90), [&] {
      const Claims claims = house.Outcome();
      return AllSettled(cluster, house.ns()) && claims.unbound == claims.told_lost;
    }));
    const Claims claims = house.Outcome();
    INFO(Summary(claims));
    CHECK(claims.on_ticket_node + claims.told_lost == claims.asked);
    CHECK(claims.told_lost <= 5);
    CHECK(claims.asked >= kPods / 2);
    CHECK(house.Stolen().empty());
  }
  cluster.Shell("scripts/devcluster nodes --name " + Instance() +
                " --node-cpu 8 --node-memory 32Gi --node-label node-type=compute add 5");
}

TEST_CASE("handoff faults: pods of higher priority may take room; it is told, and the ticket heals",
          "[integration]") {
  constexpr int kPods = 40;
  Cluster cluster;
  FullHouse house(cluster, {.thieves = 50});
  cluster.Apply(
      "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: storm-high}, "
      "value: "
      "1000}");
  const std::string ns = cluster.NewNamespace("high");
  std::string pods;
  for (int i = 0; i < 10; ++i) {
    absl::StrAppend(&pods, "---\n{apiVersion: v1, kind: Pod, metadata: {name: high-", i,
                    ", namespace: ", ns,
                    "}, spec: {priorityClassName: storm-high, containers: [{name: app, image: "
                    "nginx, resources: {requests: {cpu: 1}}}]}}\n");
  }
  REQUIRE(cluster.Apply(pods).exit_code == 0);
  house.Ask(kPods);
  // Those that lose their room wait for another ticket, or were preempted.
  CHECK(Eventually(absl::Seconds(60), [&] {
    return AllSettled(cluster, house.ns()) && house.AwaitBound(kPods / 2, absl::Seconds(0));
  }));
  CHECK(house.Stolen().empty());
  int lost = 0;
  for (const api::Ticket& ticket : cluster.Tickets(house.ns())) {
    const bool ready = ticket.status.phase == api::TicketPhase::kReady;
    const bool claimed = ticket.status.phase == api::TicketPhase::kClaimed;
    const bool healing = ticket.status.phase == api::TicketPhase::kPending;
    const bool over = ticket.status.phase == api::TicketPhase::kCompleted;
    INFO(ticket.metadata.name << " " << api::Name(ticket.status.phase));
    CHECK((ready || claimed || healing || over));
    lost += ticket.status.incarnation > 1 ? 1 : 0;
  }
  const auto high = kube::ListAll<api::Pod>(cluster.client(), ns);
  REQUIRE(high.ok());
  int bound = 0;
  for (const api::Pod& pod : high->items) {
    bound += api::IsBound(pod) ? 1 : 0;
  }
  std::cout << "pods of higher priority: " << bound << " of 10 took room; " << lost
            << " tickets have a second guardian" << std::endl;
  cluster.TryShell("kubectl delete priorityclass storm-high");
  cluster.TryShell("kubectl delete pods --all --force --grace-period=0 -n " + ns);
}

}  // namespace
}  // namespace korder::integration
