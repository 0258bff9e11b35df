// What the webhooks promise on a real API server: dry runs change nothing, what somebody damages
// comes back, a namespace that is being deleted is no trouble, large and strange bodies get an
// answer.
#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cluster.h"
#include "pod_load.h"

namespace korder::integration {
namespace {

std::string OrderYaml(const std::string& ns, const std::string& name) {
  return absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: ", name,
      ", namespace: ", ns,
      "}, spec: {replicas: 2, template: {spec: {duration: 1h, resources: {requests: {cpu: 10m, "
      "memory: 1Mi}}}}}}\n");
}

std::string AskingPod(const std::string& ns, const std::string& name, const std::string& fallback) {
  return absl::StrCat(
      "---\n{apiVersion: v1, kind: Pod, metadata: {name: ", name, ", namespace: ", ns,
      ", annotations: {korder.dev/required: 'true', korder.dev/fallback: ", fallback,
      "}}, spec: {containers: [{name: app, image: nginx, resources: {requests: {cpu: 10m, memory: "
      "1Mi}}}]}}\n");
}

// Everything of korder's that there is, with its versions, and the ledger.
std::string World(Cluster& cluster) {
  return cluster.Shell(
      "kubectl get orders,tickets,quotas,claimpolicies -A -o json | jq -c '[.items[] | [.kind, "
      ".metadata.namespace, .metadata.name, .metadata.resourceVersion]]';"
      "kubectl get pods -A -l korder.dev/role -o json | jq -c '[.items[] | .metadata.name]';"
      "kubectl -n korder-system get configmaps -o json | jq -c '[.items[] | [.metadata.name, "
      ".metadata.resourceVersion]]';"
      "kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations -o json | jq -c "
      "'[.items[] | [.metadata.name, .metadata.resourceVersion]]'");
}

TEST_CASE("dry run: creating, changing and deleting of everything changes nothing",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("dry");
  // Something to be charged to, and to be changed.
  const std::string quota = absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: Quota, metadata: {name: ", ns,
      "}, spec: {scope: {type: NamespaceList, namespaces: [", ns, "]}, hard: {tickets: 100}}}\n");
  const std::string ticket = absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: Ticket, metadata: {name: t, namespace: ",
      ns, "}, spec: {duration: 1h, resources: {requests: {cpu: 10m, memory: 1Mi}}}}\n");
  const std::string policy = absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: ClaimPolicy, metadata: {name: p, "
      "namespace: ",
      ns, "}, spec: {podSelector: {matchLabels: {app: x}}}}\n");
  REQUIRE(cluster.Apply(quota + OrderYaml(ns, "real")).exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets(ns) == 2; }));
  cluster.Shell("kubectl -n " + ns + " wait --for=condition=Ready order/real --timeout=15s");
  std::string before;
  // At rest: namespaces of other tests take a while to go, and with them their policies; statuses
  // are written once a second, and the ledger three seconds after something was given back.
  REQUIRE(Eventually(absl::Seconds(90), [&] {
    return cluster.Shell(
               "kubectl get namespaces -o json | jq '[.items[] | select(.status.phase == "
               "\"Terminating\")] | length'") == "0\n";
  }));
  REQUIRE(Eventually(absl::Seconds(60), [&] {
    before = World(cluster);
    return !Eventually(absl::Seconds(5), [&] { return World(cluster) != before; });
  }));

  const std::string other_quota =
      cluster.Shell("sed 's/team-quota/dry-quota/' deploy/examples/quota.yaml");
  for (const std::string& yaml :
       {OrderYaml(ns, "new"), ticket, "---\n" + other_quota, policy, AskingPod(ns, "a", "schedule"),
        AskingPod(ns, "b", "wait"), AskingPod(ns, "c", "deny")}) {
    const ShellResult tried =
        cluster.TryShell("kubectl create --dry-run=server -f - <<'E'\n" + yaml + "\nE");
    INFO(tried.output);
    CHECK(tried.exit_code == 0);
  }
  cluster.Shell("kubectl -n " + ns + " scale order real --replicas=5 --dry-run=server");
  cluster.Shell("kubectl -n " + ns +
                " patch order real --type=merge --dry-run=server -p "
                "'{\"spec\":{\"template\":{\"spec\":{\"duration\":\"2h\"}}}}'");
  cluster.Shell("kubectl patch quota " + ns +
                " --type=merge --dry-run=server -p '{\"spec\":{\"hard\":{\"tickets\":1}}}'");
  cluster.Shell("kubectl -n " + ns + " delete order real --dry-run=server");
  cluster.Shell("kubectl delete quota " + ns + " --dry-run=server");
  // What was done in the background would show by now.
  CHECK_FALSE(Eventually(absl::Seconds(3), [&] { return World(cluster) != before; }));
  CHECK(World(cluster) == before);
  CHECK(cluster.Shell("kubectl get quota " + ns + " -o jsonpath='{.status.used.tickets}'") == "2");
  cluster.Shell("kubectl delete quota " + ns);
}

TEST_CASE("repair: certificates, CA and configurations that somebody took away or damaged",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("repair-tls");
  // A pod that insists is refused unless the API server reaches the webhook and trusts it.
  int n = 0;
  const auto works = [&] {
    return cluster
               .TryShell("kubectl create --dry-run=server -f - <<'E'\n" +
                         AskingPod(ns, absl::StrCat("p", n++), "wait") + "\nE")
               .exit_code == 0;
  };
  REQUIRE(works());

  INFO("the CA bundle of a configuration, damaged");
  cluster.Shell(
      "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq '.webhooks[]"
      ".clientConfig.caBundle = null' | kubectl replace -f -");
  CHECK(Eventually(absl::Seconds(10), works));

  INFO("the configuration, deleted and made again without a bundle");
  cluster.Shell(
      "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq 'del(.metadata.uid, "
      ".metadata.resourceVersion, .metadata.creationTimestamp, .metadata.managedFields) | "
      ".webhooks[] .clientConfig.caBundle = null' > /tmp/korder-pods-$KORDER_INSTANCE.json; "
      "kubectl delete mutatingwebhookconfiguration korder-pods; "
      "kubectl create -f /tmp/korder-pods-$KORDER_INSTANCE.json; "
      "rm /tmp/korder-pods-$KORDER_INSTANCE.json");
  CHECK(Eventually(absl::Seconds(15), [&] {
    return works() &&
           cluster.Shell(
               "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq "
               "'[.webhooks[] | select(.clientConfig.caBundle == null)] | length'") == "0\n";
  }));

  INFO("certificates and the CA, deleted: they come back, and nobody notices");
  PodLoad load(cluster.client(), {.ns = ns, .per_second = 20});
  const std::string leaves = "korder-order-svc-tls korder-admission-svc-tls";
  cluster.Shell("kubectl -n korder-system delete secret " + leaves);
  CHECK(Eventually(absl::Seconds(10), [&] {
    return cluster.TryShell("kubectl -n korder-system get secret " + leaves).exit_code == 0;
  }));
  const auto ca = [&] {
    return cluster
        .TryShell("kubectl -n korder-system get secret korder-ca -o jsonpath='{.data.tls\\.crt}'")
        .output;
  };
  // Those that every webhook's caller trusts; former ones may be among them for some minutes.
  const auto trusted = [&] {
    const std::vector<std::string> bundles = absl::StrSplit(
        cluster.Shell("kubectl get mutatingwebhookconfiguration korder-pods -o json | jq -r "
                      "'.webhooks[].clientConfig.caBundle'"),
        '\n', absl::SkipEmpty());
    std::set<std::string> cas;
    for (size_t i = 0; i < bundles.size(); ++i) {
      std::string pem;
      REQUIRE(absl::Base64Unescape(bundles[i], &pem));
      const std::set<std::string> these = absl::StrSplit(pem, "-----BEGIN ", absl::SkipEmpty());
      std::erase_if(cas, [&](const std::string& one) { return !these.contains(one); });
      cas = i == 0 ? these : cas;
    }
    return cas;
  };
  const std::string old_ca = ca();
  const std::set<std::string> before = trusted();
  cluster.Shell("kubectl -n korder-system delete secret korder-ca");
  CHECK(Eventually(absl::Seconds(10), [&] { return ca() == old_ca; }));
  // Its successor is known to all who check the webhook.
  CHECK(Eventually(absl::Seconds(10), [&] {
    const std::set<std::string> now = trusted();
    return std::any_of(now.begin(), now.end(),
                       [&](const std::string& one) { return !before.contains(one); });
  }));
  const PodLoad::Result noticed = load.Stop();
  INFO(noticed.first_error);
  CHECK(noticed.sent > 5);
  CHECK(noticed.failed == 0);

  INFO("the CA, when nobody remembers it: all is made anew at once");
  const std::string instance = std::getenv("KORDER_INSTANCE");
  cluster.Shell("scripts/services kill admission-svc --name " + instance);
  cluster.Shell("kubectl -n korder-system delete secret korder-ca");
  cluster.Shell("scripts/services start admission-svc --name " + instance);
  CHECK(Eventually(absl::Seconds(20), works));
  CHECK(ca() != old_ca);
  INFO("and the services trust each other again");
  REQUIRE(Eventually(absl::Seconds(10),
                     [&] { return cluster.Apply(OrderYaml(ns, "after")).exit_code == 0; }));
  CHECK(Eventually(absl::Seconds(20), [&] { return cluster.ReadyTickets(ns) == 2; }));
}

TEST_CASE("namespaces: one that is being deleted goes with its policies and pods that wait",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("going");
  REQUIRE(cluster
              .Apply(absl::StrCat("{apiVersion: core.korder.dev/v1alpha1, kind: ClaimPolicy, "
                                  "metadata: {name: p, namespace: ",
                                  ns, "}, spec: {podSelector: {matchLabels: {app: x}}}}\n") +
                     OrderYaml(ns, "o"))
              .exit_code == 0);
  REQUIRE(
      cluster.Apply("{apiVersion: v1, kind: List, items: []}\n" + AskingPod(ns, "waits", "wait"))
          .exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(30), [&] { return cluster.ReadyTickets(ns) == 2; }));
  cluster.Shell("kubectl delete namespace " + ns + " --timeout=60s");
  CHECK(Eventually(absl::Seconds(10), [&] {
    return cluster
               .Shell(
                   "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq -r "
                   "'.webhooks[].namespaceSelector.matchExpressions[] | select(.operator == "
                   "\"In\") | "
                   ".values[]'")
               .find(ns) == std::string::npos;
  }));
}

TEST_CASE("bodies: what is too large, no review, or of an old version gets a clear answer",
          "[integration]") {
  Cluster cluster;
  const std::string post =
      "curl -sk -m 20 -w ' %{http_code}' https://$(scripts/services status --name "
      "$KORDER_INSTANCE | awk '$1 == \"admission-svc\" {sub(/:.*/, \"\", $5); print $5}'):9443";
  CHECK_THAT(cluster.Shell("head -c 8000000 /dev/zero | " + post +
                           "/mutate/pods --data-binary @- -H 'Expect:'"),
             Catch::EndsWith(" 413"));
  CHECK_THAT(cluster.Shell(post + "/mutate/pods -d '{'"), Catch::EndsWith(" 400"));
  CHECK_THAT(cluster.Shell(post + "/mutate/pods -d '{\"apiVersion\":\"admission.k8s.io/v1beta1\","
                                  "\"kind\":\"AdmissionReview\"}'"),
             Catch::Contains("admission.k8s.io/v1") && Catch::EndsWith(" 400"));
  CHECK_THAT(cluster.Shell(post + "/nowhere -d '{}'"), Catch::EndsWith(" 404"));
  CHECK_THAT(cluster.Shell(post + "/mutate/pods"), Catch::EndsWith(" 405"));
}

}  // namespace
}  // namespace korder::integration
