// A Deployment whose pods ask for tickets, rolled out again and again: all its pods run where
// guardians held their room, and no ticket is left over.
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "cluster.h"

namespace korder::integration {
namespace {

constexpr int kReplicas = 50;

std::string Manifests(const std::string& ns) {
  return absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: web, namespace: ", ns,
      "}, spec: {replicas: ", kReplicas,
      ", template: {spec: {duration: 1h, resources: {requests: {cpu: 500m}}}}}}\n---\n"
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: ",
      ns, "}, spec: {replicas: ", kReplicas,
      ", selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}, "
      "annotations: {korder.dev/required: 'true', korder.dev/order: web, korder.dev/fallback: "
      "wait}}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: nginx, "
      "resources: {requests: {cpu: 500m}}}]}}}}\n");
}

TEST_CASE("rollout: a Deployment of 50, rolled out three times, runs on its tickets' nodes",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("rollout");
  REQUIRE(cluster.Apply(Manifests(ns)).exit_code == 0);
  const auto rolled_out = [&] {
    cluster.Shell("kubectl -n " + ns + " rollout status deployment/web --timeout=120s");
  };
  rolled_out();
  for (int i = 0; i < 3; ++i) {
    cluster.Shell("kubectl -n " + ns + " rollout restart deployment/web");
    rolled_out();
  }
  // Pods of earlier rounds are gone, their tickets Completed; the order is whole again.
  const auto pods = [&] {
    auto list = kube::ListAll<api::Pod>(cluster.client(), ns, {.label_selector = "app=web"});
    REQUIRE(list.ok());
    return std::move(list->items);
  };
  REQUIRE(Eventually(absl::Seconds(60), [&] {
    return pods().size() == kReplicas && cluster.ReadyTickets(ns) == kReplicas;
  }));
  std::map<std::string, api::Ticket> claimed;
  REQUIRE(Eventually(absl::Seconds(30), [&] {
    claimed.clear();
    for (const api::Ticket& ticket : cluster.Tickets(ns)) {
      if (ticket.status.phase == api::TicketPhase::kClaimed) {
        claimed[ticket.metadata.name] = ticket;
      }
    }
    return claimed.size() == kReplicas;
  }));
  std::set<std::string> used;
  for (const api::Pod& pod : pods()) {
    const std::string name(api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimedTicket));
    INFO(pod.metadata.name << " has ticket " << name);
    REQUIRE(claimed.contains(name));
    CHECK(claimed[name].status.node_name == pod.spec.node_name);
    CHECK(claimed[name].status.claimed_pod_uid == pod.metadata.uid);
    CHECK(used.insert(name).second);
  }
  CHECK(cluster.Guardians(ns).size() == kReplicas);
  cluster.TryShell("kubectl -n " + ns + " delete deployment/web order/web");
}

}  // namespace
}  // namespace korder::integration
