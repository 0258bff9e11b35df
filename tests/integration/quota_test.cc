// Quotas on a real control plane: the example's numbers, hand-made tickets, no webhook, time
// windows, and korderctl's sums beside those of the tickets.
#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cluster.h"

namespace korder::integration {
namespace {

std::string TicketYaml(const std::string& ns, const std::string& name, const std::string& cpu,
                       const std::string& duration = "1h") {
  return absl::StrCat("---\n{apiVersion: core.korder.dev/v1alpha1, kind: Ticket, metadata: {name: ",
                      name, ", namespace: ", ns, "}, spec: {duration: ", duration,
                      ", resources: {requests: {cpu: ", cpu, ", memory: 1Mi}}}}\n");
}

// A quota for one namespace, deleted with it.
class Limited {
 public:
  Limited(Cluster& cluster, const std::string& stem, const std::string& spec)
      : cluster_(cluster), ns(cluster.NewNamespace(stem)) {
    cluster_.Shell(absl::StrCat(
        "kubectl apply -f - <<'E'\n{apiVersion: core.korder.dev/v1alpha1, "
        "kind: Quota, metadata: {name: ",
        ns, "}, spec: {scope: {type: NamespaceList, namespaces: [", ns, "]}, ", spec, "}}\nE"));
    cluster_.Shell("kubectl wait --for=condition=Ready quota/" + ns + " --timeout=15s");
  }
  ~Limited() { cluster_.TryShell("kubectl delete quota " + ns); }

 private:
  Cluster& cluster_;

 public:
  const std::string ns;
};

TEST_CASE("quota: korderctl's sums are those of the tickets after many creations and deletions",
          "[integration]") {
  Cluster cluster;
  const Limited limited(cluster, "sums", "hard: {tickets: 10000, reserved.cpu: 1000}");
  std::mt19937 random(3);
  std::vector<std::string> alive;
  int made = 0;
  for (int round = 0; round < 10; ++round) {
    std::string yaml;
    for (int i = 0; i < 30; ++i) {
      alive.push_back(absl::StrCat("t", made++));
      yaml += TicketYaml(limited.ns, alive.back(), absl::StrCat(1 + random() % 50, "m"));
    }
    REQUIRE(cluster.Apply(yaml).exit_code == 0);
    std::shuffle(alive.begin(), alive.end(), random);
    std::string gone;
    for (size_t i = 0; i < 15; ++i) {
      absl::StrAppend(&gone, " ", alive.back());
      alive.pop_back();
    }
    cluster.Shell("kubectl -n " + limited.ns + " delete ticket --wait=false" + gone);
  }
  std::string told;
  std::string summed;
  CHECK(Eventually(absl::Seconds(20), [&] {
    int64_t cpu = 0;
    int64_t tickets = 0;
    for (const api::Ticket& ticket : cluster.Tickets(limited.ns)) {
      if (!ticket.metadata.deleting() && !api::IsFinished(ticket.status.phase)) {
        cpu += ticket.spec.resources.requests.at("cpu").MilliValue();
        ++tickets;
      }
    }
    summed = absl::StrCat(
        tickets, " ", api::Quantity::FromNanos(api::Quantity::Nanos{cpu} * 1'000'000).ToString());
    told = cluster.Shell("korderctl quota get " + limited.ns + " -o json" +
                         " | jq -r '[.resources[] | select(.used) | .used] | join(\" \")'");
    return told == summed + "\n";
  }));
  INFO("korderctl: " << told << "tickets: " << summed);
  CHECK(told == summed + "\n");
  CHECK(cluster.Tickets(limited.ns).size() == 150);
}

TEST_CASE("quota: hand-made tickets meet the limits, at admission and without the webhook",
          "[integration]") {
  Cluster cluster;
  const Limited limited(cluster, "hand",
                        "hard: {tickets: 5, orders: 1, reserved.cpu: 2, max-duration: 24h}");
  const auto refused = [&](const std::string& yaml) {
    const ShellResult result = cluster.Apply(yaml);
    CHECK(result.exit_code != 0);
    return result.output;
  };
  CHECK_THAT(refused(TicketYaml(limited.ns, "long", "1m", "25h")),
             Catch::Contains("max-duration: requested 25h, at most 24h"));
  CHECK_THAT(refused(TicketYaml(limited.ns, "large", "2001m")),
             Catch::Contains("reserved.cpu: requested 2001m, used 0 of 2"));
  std::string five;
  for (int i = 0; i < 5; ++i) {
    five += TicketYaml(limited.ns, absl::StrCat("t", i), "10m");
  }
  REQUIRE(cluster.Apply(five).exit_code == 0);
  CHECK_THAT(refused(TicketYaml(limited.ns, "sixth", "1m")),
             Catch::Contains("tickets: requested 1, used 5 of 5"));

  INFO("without the webhook the ticket can be made, and gets no guardian");
  cluster.Shell(
      "kubectl get validatingwebhookconfiguration korder-validation -o yaml "
      "--show-managed-fields=false > /tmp/korder-validation-$KORDER_INSTANCE.yaml");
  cluster.Shell("kubectl delete validatingwebhookconfiguration korder-validation");
  const bool made = Eventually(absl::Seconds(20), [&] {
    return cluster.Apply(TicketYaml(limited.ns, "sixth", "1m")).exit_code == 0;
  });
  const bool denied =
      made && Eventually(absl::Seconds(20), [&] {
        return cluster
                   .Shell("kubectl -n " + limited.ns +
                          " get ticket sixth -o jsonpath='{.status.reason}: {.status.message}'")
                   .find("QuotaDenied: quota " + limited.ns +
                         ": tickets: requested 1, used 5 of 5") != std::string::npos;
      });
  cluster.Shell(
      "sed -i '/resourceVersion:/d; /uid:/d; /creationTimestamp:/d; /generation:/d' "
      "/tmp/korder-validation-$KORDER_INSTANCE.yaml && kubectl create -f "
      "/tmp/korder-validation-$KORDER_INSTANCE.yaml && rm "
      "/tmp/korder-validation-$KORDER_INSTANCE.yaml");
  CHECK(made);
  CHECK(denied);
  CHECK(Eventually(absl::Seconds(20), [&] { return cluster.ReadyTickets(limited.ns) == 5; }));
  CHECK(cluster.Guardians(limited.ns).size() == 5);
}

TEST_CASE("quota: a time window opens and closes by itself", "[integration]") {
  Cluster cluster;
  // The window is the next minute.
  const absl::CivilMinute now = absl::ToCivilMinute(absl::Now(), absl::UTCTimeZone());
  const absl::CivilMinute next = now + 1;
  const Limited limited(
      cluster, "window",
      absl::StrCat("hard: {tickets: 1}, timeWindows: [{name: rush, multiplier: '2.5', schedule: '",
                   next.minute(), " ", next.hour(), " * * *', duration: 1m}]"));
  const auto status = [&] {
    return cluster.Shell("kubectl get quota " + limited.ns +
                         " -o jsonpath='{.status.activeTimeWindow} {.status.hard.tickets}'");
  };
  CHECK(cluster.Apply(TicketYaml(limited.ns, "first", "1m")).exit_code == 0);
  const absl::Time opens = absl::FromCivil(next, absl::UTCTimeZone());
  if (absl::Now() < opens - absl::Seconds(3)) {
    CHECK(status() == " 1");
    CHECK(cluster.Apply(TicketYaml(limited.ns, "second", "1m")).exit_code != 0);
  }
  REQUIRE(Eventually(opens + absl::Seconds(5) - absl::Now(), [&] { return status() == "rush 2"; }));
  CHECK(cluster.Apply(TicketYaml(limited.ns, "second", "1m")).exit_code == 0);
  CHECK(cluster.Apply(TicketYaml(limited.ns, "third", "1m")).exit_code != 0);
  REQUIRE(Eventually(opens + absl::Seconds(65) - absl::Now(), [&] { return status() == " 1"; }));
  CHECK(cluster.Apply(TicketYaml(limited.ns, "third", "1m")).exit_code != 0);
  CHECK(cluster.Tickets(limited.ns).size() == 2);  // nothing is revoked
  CHECK_THAT(cluster.Shell("kubectl describe quota " + limited.ns),
             Catch::Contains("WindowChanged") && Catch::Contains("QuotaExceeded"));
}

}  // namespace
}  // namespace korder::integration
