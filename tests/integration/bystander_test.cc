// Pods that do not ask are none of korder's business: no webhook call, and no trouble when korder
// is down.
#include <atomic>
#include <cstdlib>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/parallel.h"
#include "cluster.h"
#include "pod_load.h"

namespace korder::integration {
namespace {

// What the API server itself says of its calls to webhooks for pods, also of those that failed.
double PodCalls(Cluster& cluster) {
  return cluster.ServerMetric("apiserver_admission_webhook_admission_duration_seconds_count",
                              "pods.korder.dev\"");
}
double LetThroughWithoutAnswer(Cluster& cluster) {
  return cluster.ServerMetric("apiserver_admission_webhook_fail_open_count", "pods.korder.dev\"");
}

// Kills all four services, and starts them again at the end.
class KorderDown {
 public:
  explicit KorderDown(Cluster& cluster) : cluster_(cluster) { ForEach("kill"); }
  ~KorderDown() {
    ForEach("start");
    cluster_.TryShell(absl::StrCat("for address in $(scripts/services status --name ", instance_,
                                   " | awk '{print $7}'); do timeout 60 sh -c \"until curl -sf -o "
                                   "/dev/null http://$address/readyz; do sleep 0.1; done\"; done"));
  }

 private:
  void ForEach(const std::string& command) {
    for (const char* service : {"admission-svc", "order-svc", "ticket-svc", "quota-svc"}) {
      cluster_.TryShell(
          absl::StrCat("scripts/services ", command, " ", service, " --name ", instance_));
    }
  }

  Cluster& cluster_;
  const std::string instance_ = std::getenv("KORDER_INSTANCE");
};

absl::Status Create(Cluster& cluster, const std::string& ns, const std::string& pod) {
  return cluster.client()
      .Raw({"POST", "/api/v1/namespaces/" + ns + "/pods", "application/json", pod})
      .status();
}

TEST_CASE("bystanders: a pod that does not ask causes no webhook call", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("bystander");
  const auto calls = [&] {
    return cluster.Metric("admission-svc", "korder_webhook_duration_seconds_count");
  };
  const auto pod = [&](const std::string& name, const std::string& annotations) {
    const ShellResult result = cluster.Apply(absl::StrCat(
        "{apiVersion: v1, kind: Pod, metadata: {name: ", name, ", namespace: ", ns,
        ", annotations: {", annotations,
        "}}, spec: {containers: [{name: app, image: nginx, resources: {requests: {cpu: 1}}}]}}"));
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
  };
  const double before = calls();
  pod("quiet", "");
  pod("other", "korder.dev/required: 'false'");
  CHECK(calls() == before);
  CHECK(cluster.Shell("kubectl -n " + ns + " get pod quiet -o jsonpath='{.spec.schedulingGates}'")
            .empty());
  pod("asking", "korder.dev/required: 'true', korder.dev/fallback: schedule");
  CHECK(calls() > before);
}

TEST_CASE("bystanders: while all of korder is dead, a thousand pods are created without a call",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("bystander");
  // Somebody else's pods are chosen by a policy that insists.
  const std::string other = cluster.NewNamespace("chosen");
  REQUIRE(cluster
              .Apply(absl::StrCat("{apiVersion: core.korder.dev/v1alpha1, kind: ClaimPolicy, "
                                  "metadata: {name: p, namespace: ",
                                  other,
                                  "}, spec: {podSelector: {matchLabels: {app: x}}, fallback: "
                                  "Wait}}"))
              .exit_code == 0);
  cluster.Shell("kubectl -n " + other + " wait --for=condition=Ready claimpolicy/p --timeout=15s");
  const KorderDown down(cluster);
  const double before = PodCalls(cluster);

  std::atomic<int> failed = 0;
  const auto pods = [](size_t i) {
    return BystanderJson(absl::StrCat("bystander-", i), i % 10 != 0);
  };
  ParallelFor(1000, 16, [&](size_t i) { failed += Create(cluster, ns, pods(i)).ok() ? 0 : 1; });
  CHECK(failed == 0);
  CHECK(PodCalls(cluster) == before);
  CHECK(cluster.Shell("kubectl -n " + ns + " get pods -o name | wc -l") == "1000\n");

  INFO("the counters do count: of two that ask, one is let through and one refused, by two calls");
  const double let_through = LetThroughWithoutAnswer(cluster);
  CHECK(Create(cluster, ns, AskingPodJson("may-run", "schedule")).ok());
  CHECK_FALSE(Create(cluster, ns, AskingPodJson("insists", "wait")).ok());
  CHECK(PodCalls(cluster) == before + 2);
  CHECK(LetThroughWithoutAnswer(cluster) == let_through + 1);
}

}  // namespace
}  // namespace korder::integration
