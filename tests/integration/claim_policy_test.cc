// ClaimPolicies on a real control plane: a plain Deployment gets the room of an Order, and nobody
// else notices.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"
#include "cluster.h"

namespace korder::integration {
namespace {

std::string In(const std::string& ns, const std::string& file) {
  return "sed 's/namespace: default/namespace: " + ns + "/' deploy/examples/" + file;
}

// A pod with a label, made by kubectl with further arguments.
std::string CreatePod(const std::string& ns, const std::string& name, const std::string& label,
                      const std::string& arguments = "") {
  return absl::StrCat("kubectl -n ", ns, " run ", name,
                      " --image=nginx --restart=Never --labels=", label, " ", arguments);
}

double PodCalls(Cluster& cluster) {
  return cluster.Metric("admission-svc", "korder_webhook_duration_seconds_count",
                        "webhook=\"pods\"");
}

// The webhooks for policies that list the namespace.
std::string Entries(Cluster& cluster, const std::string& ns) {
  return cluster.Shell(
      "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq -r '.webhooks[] | "
      "select(.name | endswith(\"policies.pods.korder.dev\")) | "
      "select(.namespaceSelector.matchExpressions[] | select(.operator == \"In\") | .values | "
      "index(\"" +
      ns + "\")) | .name'");
}

void Policy(Cluster& cluster, const std::string& ns, const std::string& name,
            const std::string& spec) {
  const ShellResult made = cluster.Apply(absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: ClaimPolicy, metadata: {name: ", name,
      ", namespace: ", ns, "}, spec: {", spec, "}}"));
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  cluster.Shell("kubectl -n " + ns + " wait --for=condition=Ready claimpolicy/" + name +
                " --timeout=15s");
}

TEST_CASE("claim policy: a plain Deployment lands in the room of an order", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("policy");
  const std::string other = cluster.NewNamespace("bystander");
  cluster.Shell(In(ns, "claim-policy.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + ns +
                " wait --for=condition=Ready claimpolicy/shop order/shop --timeout=30s");
  CHECK(Entries(cluster, ns) == "policies.pods.korder.dev\n");

  cluster.Shell(In(ns, "plain-deployment.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + ns +
                " wait --for=condition=Available deployment/shop --timeout=45s");
  const auto pods = kube::ListAll<api::Pod>(cluster.client(), ns, {.label_selector = "app=shop"});
  REQUIRE(pods.ok());
  REQUIRE(pods->items.size() == 2);
  for (const api::Pod& pod : pods->items) {
    const auto& annotations = pod.metadata.annotations;
    CHECK(api::ValueOf(annotations, api::kAnnotationClaimPolicy) == "shop");
    CHECK(api::ValueOf(annotations, api::kAnnotationClaimedOrder) == "shop");
    const auto ticket = cluster.client().Get<api::Ticket>(
        {ns, std::string(api::ValueOf(annotations, api::kAnnotationClaimedTicket))});
    REQUIRE(ticket.ok());
    CHECK(ticket->status.node_name == pod.spec.node_name);
    CHECK(ticket->status.claimed_pod_uid == pod.metadata.uid);
  }

  INFO("the policy tells what became of them");
  CHECK(Eventually(absl::Seconds(10), [&] {
    return cluster.Shell("kubectl -n " + ns +
                         " get claimpolicy shop -o jsonpath='{.status.claimed} "
                         "{.status.waiting} {.status.missed}'") == "2 0 0";
  }));

  INFO("the same pods elsewhere, and pods that decline, cause no call");
  const double before = PodCalls(cluster);
  cluster.Shell(In(other, "plain-deployment.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + other +
                " wait --for=condition=Available deployment/shop --timeout=30s");
  cluster.Shell(CreatePod(ns, "declines", "app=shop", "--annotations=korder.dev/required=false"));
  CHECK(PodCalls(cluster) == before);

  INFO("with the last policy its webhook goes");
  cluster.Shell("kubectl -n " + ns + " delete claimpolicy shop");
  CHECK(Eventually(absl::Seconds(10), [&] { return Entries(cluster, ns).empty(); }));
  int n = 0;
  CHECK(Eventually(absl::Seconds(10), [&] {
    const double calls = PodCalls(cluster);
    cluster.Shell(CreatePod(ns, absl::StrCat("later-", n++), "app=shop", "--dry-run=server"));
    return PodCalls(cluster) == calls;
  }));
}

TEST_CASE("claim policy: a selector that matches everything spares the guardians",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("everything");
  Policy(cluster, ns, "all",
         "podSelector: {matchExpressions: [{key: none, operator: DoesNotExist}]}, fallback: Wait");
  const ShellResult order = cluster.Apply(absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: o, namespace: ", ns,
      "}, spec: {replicas: 2, template: {spec: {duration: 1h, resources: {requests: {cpu: "
      "10m}}}}}}"));
  INFO(order.output);
  REQUIRE(order.exit_code == 0);
  CHECK(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets(ns) == 2; }));
}

TEST_CASE("claim policy: korderctl says beforehand what would become of pods", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("beforehand");
  const auto explain = [&](const std::string& command) {
    return cluster.TryShell(command + " | korderctl explain -n " + ns + " -f -");
  };
  const std::string deployment = In(ns, "plain-deployment.yaml");
  ShellResult result = explain(deployment);
  INFO(result.output);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.output, Catch::Contains("Deployment shop in namespace " + ns) &&
                                Catch::Contains("WouldNotAsk"));

  cluster.Shell(In(ns, "claim-policy.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + ns +
                " wait --for=condition=Ready claimpolicy/shop order/shop --timeout=30s");
  CHECK(Eventually(absl::Seconds(10), [&] {
    result = explain(deployment);
    return result.output.find("WouldClaim") != std::string::npos;
  }));
  INFO(result.output);
  CHECK_THAT(result.output, Catch::Contains("ClaimPolicy shop matches it") &&
                                Catch::Contains("a ticket of order shop; goes on without one") &&
                                Catch::Contains("fits now"));
  CHECK(cluster.ReadyTickets(ns) == 2);

  INFO("one that would be refused is exit code 3");
  result = explain(deployment +
                   " | sed 's/cpu: 250m/cpu: 20/; s|labels: {app: shop}|labels: {app: shop, "
                   "korder.dev/fallback: deny}|'");
  INFO(result.output);
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.output, Catch::Contains("WouldBeRefused"));
}

TEST_CASE("claim policy: what somebody damages in the webhooks is repaired", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("repair");
  Policy(cluster, ns, "shop", "podSelector: {matchLabels: {app: shop}}");
  const auto patch = [&](const std::string& jq) {
    cluster.Shell(
        "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq '(.webhooks[] | "
        "select(.name == \"policies.pods.korder.dev\")) |= " +
        jq + "' | kubectl replace -f -");
  };
  const auto show = [&] {
    return cluster.Shell(
        "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq -c '.webhooks[] | "
        "select(.name == \"policies.pods.korder.dev\")'");
  };
  const std::string right = show();
  patch("(.failurePolicy = \"Fail\" | .matchConditions = [])");
  CHECK(Eventually(absl::Seconds(10), [&] { return show() == right; }));
  patch("(.namespaceSelector = {})");
  CHECK(Eventually(absl::Seconds(10), [&] { return show() == right; }));
  patch("(.clientConfig.caBundle = null)");
  CHECK(Eventually(absl::Seconds(10), [&] { return show() == right; }));
  patch("(.name = \"x.policies.pods.korder.dev\")");
  CHECK(Eventually(absl::Seconds(10), [&] { return show() == right; }));
}

TEST_CASE("claim policy: with korder down, only pods of policies that insist are refused",
          "[integration]") {
  Cluster cluster;
  const std::string instance = std::getenv("KORDER_INSTANCE");
  const std::string ns = cluster.NewNamespace("insists");
  Policy(cluster, ns, "strict", "podSelector: {matchLabels: {app: strict}}, fallback: Wait");
  Policy(cluster, ns, "open", "podSelector: {matchLabels: {app: open}}");
  // The API server reads its webhooks a moment after they are written.
  REQUIRE(Eventually(absl::Seconds(10), [&] {
    return cluster.Shell(CreatePod(ns, "probe", "app=strict", "--dry-run=server -o yaml"))
               .find("schedulingGates") != std::string::npos;
  }));
  CHECK(cluster.TryShell("kubectl -n " + ns + " get pod probe").exit_code != 0);

  cluster.Shell("scripts/services kill admission-svc --name " + instance);
  const ShellResult strict = cluster.TryShell(CreatePod(ns, "strict", "app=strict"));
  const ShellResult open = cluster.TryShell(CreatePod(ns, "open", "app=open"));
  const ShellResult neither = cluster.TryShell(CreatePod(ns, "neither", "app=neither"));
  cluster.Shell("scripts/services start admission-svc --name " + instance);
  CHECK(strict.exit_code != 0);
  CHECK_THAT(strict.output, Catch::Contains("policies.pods.korder.dev"));
  INFO(open.output << neither.output);
  CHECK(open.exit_code == 0);
  CHECK(neither.exit_code == 0);
  CHECK(Eventually(absl::Seconds(30), [&] {
    return cluster.TryShell(CreatePod(ns, "strict", "app=strict")).exit_code == 0;
  }));
}

}  // namespace
}  // namespace korder::integration
