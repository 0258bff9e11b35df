// The ledger under many callers while its leaders are killed: never more than the limit, and in the
// end exactly the limit.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "api/core/secret.h"
#include "base/mutex.h"
#include "cluster.h"
#include "runtime/grpc_setup.h"
#include "runtime/ledger_client.h"

namespace korder::integration {
namespace {

constexpr int kCallers = 256;
// Longer than anything the storm takes; without it the grants would begin to lapse, as they must.
constexpr absl::Duration kGrantTtl = absl::Seconds(60);

// Of each caller; KORDER_STORM_GRANTS says how many it is in all.
int IdsPerCaller() {
  int asked = 2048;
  if (const char* text = std::getenv("KORDER_STORM_GRANTS")) {
    REQUIRE(absl::SimpleAtoi(text, &asked));
  }
  return asked / kCallers;
}

runtime::TlsMaterial OrderSvcTls(Cluster& cluster) {
  const auto secret =
      cluster.client().Get<api::Secret>({"korder-system", "korder-order-svc-tls"}).value();
  return {secret.data.at("ca.crt").value, secret.data.at("tls.crt").value,
          secret.data.at("tls.key").value};
}

// The two replicas of quota-svc.
class Replicas {
 public:
  explicit Replicas(Cluster& cluster) : cluster_(cluster) {
    cluster_.Shell(absl::StrCat("scripts/services start quota-svc --replica 2 --name ", name_));
    REQUIRE(Eventually(absl::Seconds(20), [&] { return Leader() != 0; }));
  }
  ~Replicas() {
    cluster_.TryShell(absl::StrCat("scripts/services kill quota-svc --replica 2 --name ", name_));
    // The first one may be between its end and its start when the test fails.
    cluster_.TryShell(absl::StrCat("scripts/services start quota-svc --name ", name_));
  }

  std::string Addresses() {
    return absl::StrCat("ipv4:", Address("quota-svc", 5), ",", Address("quota-svc-2", 5));
  }
  // 1 or 2; 0 while nobody leads.
  int Leader() {
    for (const int replica : {1, 2}) {
      const std::string process = replica == 1 ? "quota-svc" : "quota-svc-2";
      const std::string http = Address(process, 7);
      if (!http.empty() &&
          cluster_.TryShell("curl -sf http://" + http + "/metrics | grep -q '^korder_leader.* 1$'")
                  .exit_code == 0) {
        return replica;
      }
    }
    return 0;
  }
  // It follows itself when it is back at once, and else the other one does.
  void KillLeader(bool back_at_once) {
    const int leader = Leader();
    const std::string which = absl::StrCat(" quota-svc --replica ", leader, " --name ", name_);
    cluster_.Shell("scripts/services kill" + which);
    if (!back_at_once) {
      REQUIRE(Eventually(absl::Seconds(30), [&] { return Leader() == 3 - leader; }));
    }
    cluster_.Shell("scripts/services start" + which);
  }

 private:
  std::string Address(const std::string& process, int column) {
    const std::string status =
        cluster_.Shell(absl::StrCat("scripts/services status --name ", name_));
    for (const absl::string_view line : absl::StrSplit(status, '\n')) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (words.size() > 7 && words[0] == process) {
        return words[static_cast<size_t>(column) - 1];
      }
    }
    return "";
  }

  Cluster& cluster_;
  const std::string name_ = std::getenv("KORDER_INSTANCE");
};

// Asks until every id of its own has an answer, whoever leads.
void Call(runtime::LedgerClient& ledger, const std::string& ns, int caller, int ids, Mutex& mu,
          std::set<std::string>& granted, std::atomic<int>& denied) {
  std::mt19937 random(static_cast<unsigned>(caller));
  const runtime::LedgerClaim claim{
      .requests = {{"cpu", api::Quantity::FromInt(1)}}, .duration = absl::Hours(1), .labels = {}};
  for (int i = 0; i < ids; ++i) {
    const std::string id = absl::StrCat(ns, "-", caller, "-", i);
    while (true) {
      const auto answer = ledger.Reserve(ns, claim, {{.id = id, .ticket = id}}, {});
      if (answer.ok() && (*answer)[0].granted()) {
        const MutexLock lock(mu);
        granted.insert(id);
        break;
      }
      if (answer.ok()) {
        ++denied;
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 200));
    }
    // So that the storm outlasts the leaders.
    std::this_thread::sleep_for(
        std::chrono::milliseconds(random() % static_cast<unsigned>(24'000 / ids)));
  }
}

}  // namespace

TEST_CASE("ledger storm: 256 callers and leaders that are killed get exactly the limit",
          "[integration]") {
  runtime::PrepareGrpc();
  Cluster cluster;
  const int ids = IdsPerCaller();
  const int asked = kCallers * ids;
  const int limit = asked / 2;
  const std::string ns = cluster.NewNamespace("storm");
  const std::string quota = ns;
  REQUIRE(
      cluster
          .Apply(absl::StrCat("{apiVersion: core.korder.dev/v1alpha1, kind: Quota, metadata: "
                              "{name: ",
                              quota, "}, spec: {scope: {type: NamespaceList, namespaces: [", ns,
                              "]}, hard: {tickets: ", limit, ", reserved.cpu: ", 10 * limit, "}}}"))
          .exit_code == 0);
  Replicas replicas(cluster);
  runtime::LedgerClient ledger(replicas.Addresses(), OrderSvcTls(cluster), absl::Seconds(2));
  const absl::Time begin = absl::Now();

  Mutex mu;
  std::set<std::string> granted;
  std::atomic<int> denied = 0;
  std::vector<std::jthread> callers;
  callers.reserve(kCallers);
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] { Call(ledger, ns, caller, ids, mu, granted, denied); });
  }
  absl::Duration slowest;
  for (int kill = 0; kill < 3; ++kill) {
    REQUIRE(Eventually(absl::Seconds(30), [&] { return replicas.Leader() != 0; }));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const absl::Time killed = absl::Now();
    replicas.KillLeader(/*back_at_once=*/kill != 1);
    // The first answer of the next leader, for a namespace that the quota does not count.
    absl::Status last;
    const bool answered = Eventually(absl::Seconds(30), [&] {
      last = ledger
                 .Reserve("default", {.requests = {}, .duration = absl::Hours(1), .labels = {}},
                          {{.id = "probe", .ticket = "probe"}}, {})
                 .status();
      return last.ok();
    });
    INFO(ToString(last));
    REQUIRE(answered);
    (void)ledger.Release({"probe"}, {});
    slowest = std::max(slowest, absl::Now() - killed);
  }
  callers.clear();  // joins
  INFO("slowest failover " << absl::FormatDuration(slowest));
  REQUIRE(absl::Now() - begin < kGrantTtl);
  std::cout << "slowest failover " << absl::FormatDuration(slowest) << ", storm "
            << absl::FormatDuration(absl::Now() - begin) << "\n";
  CHECK(slowest < absl::Seconds(10));  // 7 s is usual where the other one follows; 8 s is promised.
  CHECK(denied + static_cast<int>(granted.size()) == asked);
  CHECK(static_cast<int>(granted.size()) == limit);
  // What the ledger says now.
  const auto answer = ledger.Reserve(
      ns,
      {.requests = {{"cpu", api::Quantity::FromInt(1)}}, .duration = absl::Hours(1), .labels = {}},
      {{.id = absl::StrCat(ns, "-one-more"), .ticket = "one-more"}}, {});
  REQUIRE(answer.ok());
  REQUIRE_FALSE((*answer)[0].granted());
  CHECK((*answer)[0].denied->message ==
        absl::StrCat("quota ", quota, ": tickets: requested 1, used ", limit, " of ", limit));
  // Not more than one call may carry.
  std::vector<std::string> some;
  for (const std::string& id : granted) {
    some.push_back(id);
    if (some.size() == 1000 || id == *granted.rbegin()) {
      REQUIRE(ledger.Release(std::exchange(some, {}), {}).ok());
    }
  }
  cluster.Shell("kubectl delete quota " + quota);
}

}  // namespace korder::integration
