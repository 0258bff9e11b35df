// webhook.podMode=policy: the API server gates the pods that ask, by MutatingAdmissionPolicies, as
// the webhook would, and without calling anybody.
#include <cstdlib>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "cluster.h"

namespace korder::integration {
namespace {

// The chart with webhook.podMode=policy, until the end of the test.
class PolicyMode {
 public:
  explicit PolicyMode(Cluster& cluster) : cluster_(cluster) {
    cluster_.Shell(absl::StrCat(Chart(),
                                " -- --set webhook.podMode=policy --api-versions "
                                "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy"));
  }
  ~PolicyMode() {
    cluster_.TryShell(Chart());
    cluster_.TryShell(
        "kubectl delete mutatingadmissionpolicies,mutatingadmissionpolicybindings -l "
        "app.kubernetes.io/name=korder");
  }
  PolicyMode(const PolicyMode&) = delete;
  PolicyMode& operator=(const PolicyMode&) = delete;

 private:
  static std::string Chart() {
    return absl::StrCat("scripts/services chart --name ", std::getenv("KORDER_INSTANCE"));
  }
  Cluster& cluster_;
};

std::string Pod(const std::string& ns, const std::string& name, const std::string& metadata,
                const std::string& spec = "") {
  return absl::StrCat("---\n{apiVersion: v1, kind: Pod, metadata: {name: ", name,
                      ", namespace: ", ns, metadata.empty() ? "" : ", ", metadata,
                      "}, spec: {containers: [{name: app, image: nginx, resources: {requests: "
                      "{cpu: 10m}}}]",
                      spec.empty() ? "" : ", ", spec, "}}\n");
}

std::string Policy(const std::string& ns, const std::string& name, const std::string& spec) {
  return absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: ClaimPolicy, metadata: {name: ", name,
      ", namespace: ", ns, "}, spec: {", spec, "}}\n");
}

// Pods that ask in every way there is, or do not.
std::string EveryKindOfPod(const std::string& ns) {
  const std::string asks = "korder.dev/required: 'true'";
  std::string pods;
  int n = 0;
  const auto add = [&](const std::string& metadata, const std::string& spec = "") {
    pods += Pod(ns, absl::StrCat("p", 100 + n++), metadata, spec);
  };
  const auto annotated = [&](const std::string& more) {
    add(absl::StrCat("annotations: {", asks, more.empty() ? "" : ", ", more, "}"));
  };
  add("");
  add("annotations: {a: b}, labels: {c: d}");
  add("annotations: {korder.dev/required: 'false'}");
  add("annotations: {korder.dev/order: o}");
  annotated("");
  add("labels: {" + asks + "}");
  add("labels: {" + asks + ", korder.dev/order: o}, annotations: {korder.dev/order: other}");
  add("labels: {" + asks + ", korder.dev/claim: claimed}");
  for (const char* word : {"mode: required",
                           "mode: sometimes",
                           "mode: ''",
                           "fallback: wait",
                           "fallback: never",
                           "claim-timeout: 5m",
                           "claim-timeout: 1h30m",
                           "claim-timeout: 1.5h",
                           "claim-timeout: 0s",
                           "claim-timeout: soon",
                           "claim-timeout: 500ms",
                           "claim-timeout: 99999999h",
                           "order: web",
                           "order: a.b-c",
                           "order: Web",
                           "order: ''",
                           "ticket: web-1",
                           "ticket: -x",
                           "ticket-selector: a=b",
                           "ticket-selector: 'a=b,c in (d,e),!f'",
                           "ticket-selector: 'a in'",
                           "ticket-selector: ''"}) {
    annotated(absl::StrCat("korder.dev/", word));
  }
  annotated("korder.dev/fallback: deny");
  annotated("korder.dev/mode: sometimes, korder.dev/fallback: never, korder.dev/order: Web");
  annotated("kubernetes.io/config.mirror: x");
  annotated("korder.dev/claim-policy: copied");
  add("annotations: {" + asks + "}", "nodeName: kwok-node-0");
  add("annotations: {" + asks + "}", "schedulingGates: [{name: example.com/other}]");
  add("annotations: {" + asks + "}", "schedulingGates: [{name: korder.dev/claim}]");
  add("annotations: {" + asks + "}, labels: {korder.dev/claim: pending}",
      "schedulingGates: [{name: korder.dev/claim}]");
  // What policies say of them.
  for (const char* app : {"app: web", "app: db", "app: web, tier: back", "app: job", "tier: back",
                          "app: none", "app: list"}) {
    add(absl::StrCat("labels: {", app, "}"));
  }
  add("labels: {app: web}, annotations: {korder.dev/mode: required}");
  add("labels: {app: web, korder.dev/mode: required}, annotations: {korder.dev/order: mine}");
  add("labels: {app: web}, annotations: {korder.dev/ticket: mine}");
  add("labels: {app: web}, annotations: {korder.dev/required: 'false'}");
  add("labels: {app: web}, annotations: {korder.dev/required: 'true'}");
  add("labels: {app: web}, annotations: {korder.dev/claim-timeout: soon}");
  add("labels: {app: web}, annotations: {korder.dev/fallback: deny}");
  add("labels: {app: web}", "nodeName: kwok-node-0");
  add("labels: {app: web}, ownerReferences: [{apiVersion: core.korder.dev/v1alpha1, kind: Ticket, "
      "name: t, uid: u, controller: true}]");
  return pods;
}

std::string EveryKindOfPolicy(const std::string& ns) {
  return Policy(ns, "p1-web", "podSelector: {matchLabels: {app: web}}, tickets: {order: shop}") +
         Policy(ns, "p2-back",
                "podSelector: {matchExpressions: [{key: tier, operator: In, values: [back, "
                "middle]}]}, mode: Required, fallback: Wait, claimTimeout: 90s") +
         Policy(ns, "p3-db",
                "podSelector: {matchExpressions: [{key: app, operator: In, values: [db]}, {key: "
                "tier, operator: DoesNotExist}]}, tickets: {selector: {matchLabels: {a: b}, "
                "matchExpressions: [{key: c, operator: NotIn, values: [d, e]}, {key: f, operator: "
                "Exists}]}}") +
         Policy(ns, "p4-job", "podSelector: {matchLabels: {app: job}}, fallback: Deny") +
         Policy(ns, "p5-list",
                "podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: app, "
                "operator: NotIn, values: [web, db, none]}]}, claimTimeout: 1.5h");
}

// What becomes of the pods of a file: what is asked of korder and the gates of each that the
// server would accept, and the errors and warnings of the others.
std::string Outcome(Cluster& cluster, const std::string& file) {
  return cluster.Shell("kubectl create --dry-run=server -o json -f " + file + " 2>" + file +
                       ".err | jq -cS '[.metadata.name, .metadata.labels, .metadata.annotations, "
                       ".spec.schedulingGates]'; sed -e 's/^Error from server.*admission webhook "
                       "\"[^\"]*\"/refused/' "
                       "-e 's/^Error from server ([A-Za-z]*)//' " +
                       file + ".err | sort");
}

double PodCalls(Cluster& cluster) {
  return cluster.Metric("admission-svc", "korder_webhook_duration_seconds_count",
                        "webhook=\"pods\"");
}

TEST_CASE("pod policies: the API server does to every pod what the webhook does", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("policies");
  const std::string file = absl::StrCat("/tmp/", ns, ".yaml");
  // The oldest is also the first by name.
  REQUIRE(cluster.Apply(EveryKindOfPolicy(ns)).exit_code == 0);
  const auto ready = [&] {
    cluster.Shell("kubectl -n " + ns +
                  " wait --for=condition=Ready claimpolicies --all --timeout=20s");
  };
  ready();
  cluster.Shell(absl::StrCat("cat >", file, " <<'PODS'\n", EveryKindOfPod(ns), "PODS"));
  std::string by_webhook;
  // The API server reads its webhooks a moment after they are written.
  REQUIRE(Eventually(absl::Seconds(15), [&] {
    const std::string before = std::exchange(by_webhook, Outcome(cluster, file));
    return before == by_webhook;
  }));
  CHECK_THAT(by_webhook, Catch::Contains("p1-web") && Catch::Contains("p2-back") &&
                             Catch::Contains("p3-db") && Catch::Contains("p5-list") &&
                             Catch::Contains("claim-timeout"));

  const PolicyMode policy_mode(cluster);
  ready();
  std::string by_server;
  CHECK(Eventually(absl::Seconds(20), [&] {
    by_server = Outcome(cluster, file);
    return by_server == by_webhook;
  }));
  if (by_server != by_webhook) {
    FAIL_CHECK(cluster.Shell("diff <(cat <<'A'\n" + by_webhook + "A\n) <(cat <<'B'\n" + by_server +
                             "B\n) || true"));
  }
  INFO("only the policy that refuses pods has a webhook");
  CHECK(Eventually(absl::Seconds(10), [&] {
    return cluster.Shell(
               "kubectl get mutatingwebhookconfiguration korder-pods -o json | jq -r "
               "'[.webhooks[] | select(.name | endswith(\"policies.pods.korder.dev\"))] | "
               "length'") == "1\n";
  }));
}

TEST_CASE("pod policies: pods claim without a call, and are gated while korder is down",
          "[integration]") {
  Cluster cluster;
  const std::string instance = std::getenv("KORDER_INSTANCE");
  const std::string ns = cluster.NewNamespace("uncalled");
  const PolicyMode policy_mode(cluster);
  const auto in = [&](const std::string& file) {
    return "sed 's/namespace: default/namespace: " + ns + "/' deploy/examples/" + file;
  };
  cluster.Shell(in("claim-policy.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + ns +
                " wait --for=condition=Ready claimpolicy/shop order/shop --timeout=30s");
  const auto gated = [&](const std::string& arguments) {
    const ShellResult made = cluster.TryShell("kubectl -n " + ns + " run probe --image=nginx " +
                                              arguments + " --dry-run=server -o yaml");
    return made.output.find("korder.dev/claim: pending") != std::string::npos;
  };
  REQUIRE(Eventually(absl::Seconds(15), [&] {
    return gated("--labels=app=shop") && gated("--annotations=korder.dev/required=true");
  }));

  const double before = PodCalls(cluster);
  cluster.Shell(in("plain-deployment.yaml") + " | kubectl apply -f -");
  cluster.Shell("kubectl -n " + ns +
                " wait --for=condition=Available deployment/shop --timeout=45s");
  CHECK(cluster.Shell("kubectl -n " + ns +
                      " get pods -l app=shop -o json | jq -r '.items[].metadata.annotations[\""
                      "korder.dev/claimed-order\"]'") == "shop\nshop\n");
  CHECK(PodCalls(cluster) == before);

  cluster.Shell("scripts/services kill admission-svc --name " + instance);
  cluster.Shell("scripts/services kill ticket-svc --name " + instance);
  CHECK(gated("--labels=app=shop"));
  CHECK(gated("--annotations=korder.dev/required=true"));
  CHECK_FALSE(gated("--labels=app=other"));
  cluster.Shell("scripts/services start admission-svc --name " + instance);
  cluster.Shell("scripts/services start ticket-svc --name " + instance);
}

}  // namespace
}  // namespace korder::integration
