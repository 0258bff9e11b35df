// Services that are killed in the middle of the main job: it completes all the same.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "cluster.h"

namespace korder::integration {
namespace {

std::string OrderYaml(const std::string& ns, int replicas) {
  return absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: web, namespace: ", ns,
      "}, spec: {replicas: ", replicas,
      ", template: {spec: {duration: 1h, resources: {requests: {cpu: 100m, memory: 64Mi}}}}}}");
}

std::string PodYaml(const std::string& ns, int n) {
  return absl::StrCat(
      "---\n{apiVersion: v1, kind: Pod, metadata: {name: app-", n, ", namespace: ", ns,
      ", annotations: {korder.dev/required: 'true', korder.dev/order: web, korder.dev/fallback: "
      "wait}},"
      " spec: {containers: [{name: app, image: nginx, resources: {requests: {cpu: 100m, memory: "
      "64Mi}}}]}}\n");
}

TEST_CASE("kill -9: each service dies in the middle of the flow and it still completes",
          "[integration]") {
  Cluster cluster;
  const std::string instance = std::getenv("KORDER_INSTANCE");
  for (const std::string service : {"quota-svc", "order-svc", "ticket-svc", "admission-svc"}) {
    DYNAMIC_SECTION(service) {
      const std::string ns = cluster.NewNamespace("kill-" + service);
      REQUIRE(cluster.Apply(OrderYaml(ns, 20)).exit_code == 0);
      // In the middle: some tickets are there, not all of them Ready.
      REQUIRE(Eventually(absl::Seconds(20), [&] { return !cluster.Tickets(ns).empty(); }));
      cluster.Shell("scripts/services kill " + service + " --name " + instance);
      cluster.Shell("scripts/services start " + service + " --name " + instance);
      REQUIRE(Eventually(absl::Seconds(60), [&] { return cluster.ReadyTickets(ns) == 20; }));
      CHECK(cluster.Tickets(ns).size() == 20);
      CHECK(cluster.Guardians(ns).size() == 20);

      // Again in the middle of the claims.
      std::string pods;
      for (int n = 0; n < 5; ++n) {
        pods += PodYaml(ns, n);
      }
      REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.Apply(pods).exit_code == 0; }));
      cluster.Shell("scripts/services kill " + service + " --name " + instance);
      cluster.Shell("scripts/services start " + service + " --name " + instance);
      REQUIRE(Eventually(absl::Seconds(60), [&] {
        int claimed = 0;
        for (const api::Ticket& ticket : cluster.Tickets(ns)) {
          claimed += ticket.status.phase == api::TicketPhase::kClaimed ? 1 : 0;
        }
        return claimed == 5 && cluster.ReadyTickets(ns) == 20;
      }));
      for (const api::Ticket& ticket : cluster.Tickets(ns)) {
        if (ticket.status.phase == api::TicketPhase::kClaimed) {
          const size_t slash = ticket.status.claimed_pod.find('/');
          const auto pod =
              cluster.client().Get<api::Pod>({ns, ticket.status.claimed_pod.substr(slash + 1)});
          REQUIRE(pod.ok());
          CHECK(pod->spec.node_name == ticket.status.node_name);
        }
      }
    }
  }
}

}  // namespace
}  // namespace korder::integration
