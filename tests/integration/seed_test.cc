// The examples of the quick start, as written, on a real control plane.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"
#include "cluster.h"

namespace korder::integration {
namespace {

using api::TicketPhase;

// Leaves the default namespace as it was found.
struct Examples {
  ~Examples() {
    cluster.TryShell(
        "kubectl delete --ignore-not-found -f deploy/examples/business-pod.yaml -f "
        "deploy/examples/order.yaml "
        "-f deploy/examples/quota.yaml");
    Eventually(absl::Seconds(30), [&] { return cluster.Guardians("default").empty(); });
  }
  Cluster cluster;
};

const api::Ticket* FindTicket(const std::vector<api::Ticket>& tickets, const std::string& name) {
  for (const api::Ticket& ticket : tickets) {
    if (ticket.metadata.name == name) {
      return &ticket;
    }
  }
  return nullptr;
}

TEST_CASE("quick start: an order holds room, and the business pod runs where its ticket held it",
          "[integration]") {
  Examples examples;
  Cluster& cluster = examples.cluster;
  cluster.Shell("kubectl apply -f deploy/examples/order.yaml");
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets("default") == 3; }));
  cluster.Shell("kubectl wait --for=condition=Ready order/my-order --timeout=15s");

  for (const api::Ticket& ticket : cluster.Tickets("default")) {
    INFO(ticket.metadata.name);
    CHECK_FALSE(ticket.status.node_name.empty());
    REQUIRE(ticket.status.activation_time.has_value());
    REQUIRE(ticket.status.expiration_time.has_value());
    CHECK(*ticket.status.expiration_time - *ticket.status.activation_time == absl::Hours(24));
  }
  const std::vector<api::Pod> guardians = cluster.Guardians("default");
  REQUIRE(guardians.size() == 3);
  for (const api::Pod& guardian : guardians) {
    CHECK(guardian.status.phase == "Running");
    CHECK(guardian.metadata.labels.count("app") == 0);
    CHECK(guardian.spec.containers.at(0).resources.requests.at("cpu").MilliValue() == 500);
  }

  cluster.Shell("kubectl apply -f deploy/examples/business-pod.yaml");
  cluster.Shell(
      "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/my-business-pod --timeout=30s");
  const auto pod = cluster.client().Get<api::Pod>({"default", "my-business-pod"});
  REQUIRE(pod.ok());
  const std::string ticket_name(
      api::ValueOf(pod->metadata.annotations, api::kAnnotationClaimedTicket));
  REQUIRE_FALSE(ticket_name.empty());
  CHECK(api::ValueOf(pod->metadata.annotations, api::kAnnotationClaimedOrder) == "my-order");
  CHECK(pod->spec.scheduling_gates.empty());
  REQUIRE(Eventually(absl::Seconds(10), [&] {
    return FindTicket(cluster.Tickets("default"), ticket_name)->status.phase ==
           TicketPhase::kClaimed;
  }));
  const std::vector<api::Ticket> tickets = cluster.Tickets("default");
  const api::Ticket& claimed = *FindTicket(tickets, ticket_name);
  CHECK(pod->spec.node_name == claimed.status.node_name);
  CHECK(claimed.status.claimed_pod == "default/my-business-pod");
  CHECK(claimed.status.claimed_pod_uid == pod->metadata.uid);
  CHECK_FALSE(claimed.status.handoff.has_value());

  INFO("refreshPolicy OnClaim: the claimed ticket is replaced");
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets("default") == 3; }));
  CHECK(cluster.Guardians("default").size() == 3);

  const std::string described = cluster.Shell("kubectl describe ticket " + ticket_name);
  CHECK_THAT(described, Catch::Contains("TicketReady") && Catch::Contains("TicketClaimed"));
  CHECK_THAT(cluster.Shell("kubectl describe order my-order"), Catch::Contains("TicketsCreated"));

  INFO("the pod ends: its ticket is Completed");
  cluster.Shell("kubectl delete pod my-business-pod");
  REQUIRE(Eventually(absl::Seconds(15), [&] {
    return FindTicket(cluster.Tickets("default"), ticket_name)->status.phase ==
           TicketPhase::kCompleted;
  }));
}

TEST_CASE("quick start: the columns show what is going on", "[integration]") {
  Examples examples;
  Cluster& cluster = examples.cluster;
  cluster.Shell("kubectl apply -f deploy/examples/order.yaml");
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets("default") == 3; }));
  cluster.Shell("kubectl wait --for=condition=Ready order/my-order --timeout=15s");
  CHECK_THAT(cluster.Shell("kubectl get orders"), Catch::Contains("DESIRED") &&
                                                      Catch::Contains("CLAIMED") &&
                                                      Catch::Contains("OneTime"));
  CHECK_THAT(cluster.Shell("kubectl get tickets -o wide"), Catch::Contains("PHASE") &&
                                                               Catch::Contains("GUARDIAN-POD") &&
                                                               Catch::Contains("my-order"));
  CHECK_THAT(cluster.Shell("kubectl get pods -l korder.dev/role=guardian -o wide"),
             Catch::Contains("Running"));
  CHECK_THAT(cluster.Shell("kubectl scale order my-order --replicas=1"), Catch::Contains("scaled"));
  REQUIRE(Eventually(absl::Seconds(20), [&] { return cluster.Guardians("default").size() == 1; }));
}

TEST_CASE("deletion: an order takes its tickets and guardians with it, not the business pod",
          "[integration]") {
  Examples examples;
  Cluster& cluster = examples.cluster;
  cluster.Shell("kubectl apply -f deploy/examples/order.yaml");
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets("default") == 3; }));
  cluster.Shell("kubectl apply -f deploy/examples/business-pod.yaml");
  cluster.Shell(
      "kubectl wait --for=jsonpath='{.status.phase}'=Running pod/my-business-pod --timeout=30s");
  cluster.Shell("kubectl delete order my-order");
  CHECK(Eventually(absl::Seconds(30), [&] {
    return cluster.Tickets("default").empty() && cluster.Guardians("default").empty();
  }));
  CHECK_THAT(cluster.Shell("kubectl get pod my-business-pod"), Catch::Contains("Running"));
}

TEST_CASE("quick start: the quota of the example bounds a backend namespace", "[integration]") {
  Examples examples;
  Cluster& cluster = examples.cluster;
  const std::string ns = cluster.NewNamespace("quota");
  cluster.Shell("kubectl label namespace " + ns + " team=backend");
  cluster.Shell("kubectl apply -f deploy/examples/quota.yaml");
  cluster.Shell("kubectl wait --for=condition=Ready quota/team-quota --timeout=15s");

  INFO("20 cores are reserved at most: 40 tickets of 500m, the other 10 are denied");
  cluster.Shell("sed 's/replicas: 3/replicas: 50/; s/namespace: default/namespace: " + ns +
                "/' deploy/examples/order.yaml | kubectl apply -f -");
  REQUIRE(Eventually(absl::Seconds(60), [&] { return cluster.ReadyTickets(ns) == 40; }));
  CHECK(cluster.Tickets(ns).size() == 40);
  CHECK(Eventually(absl::Seconds(15), [&] {
    const auto order = cluster.client().Get<api::Order>({ns, "my-order"});
    return order.ok() &&
           api::IsConditionTrue(order->status.conditions, api::kConditionQuotaLimited);
  }));
  CHECK(Eventually(absl::Seconds(15), [&] {
    return cluster.Shell("kubectl get quota team-quota -o jsonpath='{.status.used}'")
               .find("\"reserved.cpu\":\"20\"") != std::string::npos;
  }));
  const std::string described = cluster.Shell("kubectl describe quota team-quota");
  CHECK_THAT(described, Catch::Contains("reserved.memory") && Catch::Contains("40Gi"));

  INFO("room that is given back is granted again");
  cluster.Shell("kubectl -n " + ns + " delete order my-order");
  CHECK(Eventually(absl::Seconds(30), [&] {
    return cluster.Shell("kubectl get quota team-quota -o jsonpath='{.status.used}'")
               .find("\"reserved.cpu\":\"0\"") != std::string::npos;
  }));
}

TEST_CASE("admission: wrong YAML is refused with path and rule", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("wrong");
  const auto order = [&](const std::string& spec) {
    return absl::StrCat(
        "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: wrong, namespace: ",
        ns, "}, spec: {template: {spec: {duration: 1h, resources: {requests: {cpu: 1}}}}, ", spec,
        "}}");
  };
  struct Case {
    std::string yaml;
    const char* want_path;
    const char* want_rule;
  };
  const Case cases[] = {
      {order("strategy: {type: OneTime, schedule: '0 2 * * *'}"), "spec.strategy", "schedule"},
      {order("replicas: -1"), "spec.replicas", "greater than or equal to 0"},
      {order("strategy: {type: Scheduled, schedule: '61 * * * *'}"), "spec.strategy.schedule",
       "minute must be 0-59"},
      {absl::StrCat("{apiVersion: core.korder.dev/v1alpha1, kind: Ticket, metadata: {name: wrong, "
                    "namespace: ",
                    ns, "}, spec: {duration: 1 day, resources: {requests: {cpu: 1}}}}"),
       "spec.duration", "duration"},
      {"{apiVersion: core.korder.dev/v1alpha1, kind: Quota, metadata: {name: wrong}, spec: {scope: "
       "{type: "
       "Cluster}, hard: {pods: 3}}}",
       "spec.hard", "pods"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.want_path << " " << c.want_rule) {
      const ShellResult result = cluster.Apply(c.yaml);
      INFO(result.output);
      CHECK(result.exit_code != 0);
      CHECK_THAT(result.output, Catch::Contains(c.want_path) && Catch::Contains(c.want_rule));
    }
  }
}

}  // namespace
}  // namespace korder::integration
