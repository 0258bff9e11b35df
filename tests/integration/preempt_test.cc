// The second way in which room passes on: the claiming pod outranks the guardians, and the
// scheduler's own preemption sees to it that it gets the room.
#include <cstdlib>
#include <iostream>

#include <catch2/catch.hpp>

#include "full_house.h"

namespace korder::integration {
namespace {

// ticket-svc with another method, until the end of the scope.
class OtherMethod {
 public:
  OtherMethod(Cluster& cluster, const std::string& arguments) : cluster_(cluster) {
    Restart(" -- " + arguments);
  }
  ~OtherMethod() { Restart(""); }

 private:
  void Restart(const std::string& arguments) {
    const std::string instance = std::getenv("KORDER_INSTANCE");
    cluster_.TryShell("scripts/services kill ticket-svc --name " + instance);
    cluster_.TryShell("scripts/services start ticket-svc --name " + instance + arguments);
  }

  Cluster& cluster_;
};

TEST_CASE("preempt: the pod that claims gets the room, whoever was there before it",
          "[integration]") {
  constexpr int kPods = 60;
  Cluster cluster;
  const OtherMethod preempt(cluster, "--handoff-method=preempt");
  REQUIRE(cluster
              .Apply("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: "
                     "korder-claimer}, value: 100000001}")
              .exit_code == 0);
  {
    FullHouse house(cluster, {.thieves = 100, .claimer_class = "korder-claimer"});
    const Claims claims = house.Claim(kPods, 16);
    std::cout << "by preemption, 100 thieves: " << Summary(claims) << "; " << house.Stolen().size()
              << " thieves had room for a moment" << std::endl;
    CHECK(claims.on_ticket_node == kPods);
    CHECK(house.ThievesWithRoom() == 0);
    // The others' guardians were left alone.
    CHECK(Eventually(absl::Seconds(60), [&] { return cluster.ReadyTickets(house.ns()) == 340; }));
    int second = 0;
    for (const api::Ticket& ticket : cluster.Tickets(house.ns())) {
      second += ticket.status.phase == api::TicketPhase::kReady && ticket.status.incarnation > 1;
    }
    CHECK(second == 0);
  }
  cluster.TryShell("kubectl delete priorityclass korder-claimer");
}

}  // namespace
}  // namespace korder::integration
