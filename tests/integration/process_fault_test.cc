// The processes of korder are killed and frozen, fifty times in a row, while orders come, grow,
// shrink and go, pods claim tickets and somebody holds grants: at no instant is more granted than
// the quota allows, nothing acknowledged is lost, and in the end nothing is left over.
//
//   KORDER_FAULT_SEED   what happens when (printed by each run)
//   KORDER_FAULTS       how many faults; 50
#include <atomic>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "api/core/lease.h"
#include "api/core/secret.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/quota.h"
#include "base/random.h"
#include "cluster.h"
#include "fault_witness.h"
#include "json/fields.h"
#include "runtime/grpc_setup.h"
#include "runtime/ledger_client.h"

namespace korder::integration {
namespace {

constexpr int kOrders = 4;
constexpr int kLimit = 60;        // tickets
constexpr int kMaxReplicas = 25;  // of each order: together more than the limit
constexpr size_t kPods = 25;      // business pods at a time
constexpr size_t kGrants = 8;     // held by the test itself
constexpr int kReplicasAtRest = 5;
constexpr auto kBetweenFaults = std::chrono::milliseconds(800);
// A leader that is frozen for longer has a successor.
constexpr int kPastTheLease = 7000;

using Random = std::mt19937;

int Between(Random& random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  unsigned value = otherwise;
  if (const char* text = std::getenv(name)) {
    REQUIRE(absl::SimpleAtoi(text, &value));
  }
  return value;
}

void Sleep(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// --- the harm

struct Process {
  const char* service;
  int replica;
};
constexpr Process kProcesses[] = {{"quota-svc", 1},    {"quota-svc", 2},  {"order-svc", 1},
                                  {"order-svc", 2},    {"ticket-svc", 1}, {"ticket-svc", 2},
                                  {"admission-svc", 1}};

// Two replicas of each service that elects a leader; the fixture has one of each.
class Processes {
 public:
  Processes() {
    for (const Process& process : kProcesses) {
      if (process.replica > 1) {
        Run("start", process);
      }
    }
  }
  ~Processes() {
    faults_.clear();
    for (const Process& process : kProcesses) {
      if (process.replica > 1) {
        Run("kill", process);
      } else {
        Run("start", process);  // Does nothing where it runs.
      }
    }
  }

  // Kills or freezes one that is well, if there is one, for a while.
  void Harm(Random& random) {
    std::vector<size_t> well;
    {
      const MutexLock lock(mu_);
      for (size_t i = 0; i < std::size(kProcesses); ++i) {
        if (!harmed_.contains(i)) {
          well.push_back(i);
        }
      }
    }
    if (well.empty()) {
      return;
    }
    const size_t victim = well[random() % well.size()];
    const bool kill = random() % 2 == 0;
    const bool past_the_lease = random() % 2 == 0;
    const int away = kill             ? Between(random, 0, 1500)
                     : past_the_lease ? Between(random, kPastTheLease, kPastTheLease + 2000)
                                      : Between(random, 500, 3000);
    kills_ += kill ? 1 : 0;
    freezes_ += kill ? 0 : 1;
    long_freezes_ += !kill && past_the_lease ? 1 : 0;
    {
      const MutexLock lock(mu_);
      harmed_.insert(victim);
    }
    faults_.emplace_back([this, victim, kill, away] {
      const Process& process = kProcesses[victim];
      std::string failed = Run(kill ? "kill" : "freeze", process);
      Sleep(away);
      failed += Run(kill ? "start" : "thaw", process);
      const MutexLock lock(mu_);
      harmed_.erase(victim);
      failures_ += failed;
    });
  }
  // Until all are well again; says what did not work, or "".
  std::string Heal() {
    faults_.clear();  // joins
    const MutexLock lock(mu_);
    return failures_;
  }

  int kills() const { return kills_; }
  int freezes() const { return freezes_; }
  int long_freezes() const { return long_freezes_; }

 private:
  // Says what did not work.
  static std::string Run(const std::string& what, const Process& process) {
    const std::string command =
        absl::StrCat("scripts/services ", what, " ", process.service, " --replica ",
                     process.replica, " --name ", std::getenv("KORDER_INSTANCE"));
    const std::string full =
        absl::StrCat("cd '", std::getenv("KORDER_SOURCE"), "' && ", command, " >/dev/null 2>&1");
    return std::system(full.c_str()) == 0 ? "" : command + " failed\n";
  }

  Mutex mu_;
  std::set<size_t> harmed_ ABSL_GUARDED_BY(mu_);
  std::string failures_ ABSL_GUARDED_BY(mu_);
  std::deque<std::jthread> faults_;
  int kills_ = 0;
  int freezes_ = 0;
  int long_freezes_ = 0;
};

// --- the load

std::string OrderName(int number) { return absl::StrCat("order-", number); }

api::Order OrderOf(const std::string& ns, int number, int replicas) {
  api::Order order;
  // The windows of the last one end while the test runs.
  const std::string text = absl::StrCat(
      R"({"metadata":{"name":")", OrderName(number), R"(","namespace":")", ns,
      R"("},"spec":{"replicas":)", replicas, R"(,"template":{"spec":{"duration":")",
      number == kOrders - 1 ? "20s" : "1h", R"(","resources":{"requests":{"cpu":"100m"}}}}}})");
  REQUIRE(json::Parse(text, order).ok());
  return order;
}

api::Pod AskingPod(const std::string& ns, int number) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = absl::StrCat("app-", number);
  pod.metadata.annotations = {
      {std::string(api::kAnnotationRequired), "true"},
      {std::string(api::kAnnotationFallback), std::string(api::kFallbackWait)}};
  api::Container& container = pod.spec.containers.emplace_back();
  container.name = "app";
  container.image = "registry.k8s.io/pause:3.10";
  container.resources.requests = {{"cpu", *api::Quantity::Parse("100m")}};
  return pod;
}

// What people do; requests that fail because a service is away are left as they are.
class Load {
 public:
  Load(kube::Client& client, runtime::LedgerClient& ledger, FaultWitness& witness, std::string ns,
       unsigned seed)
      : client_(client), ledger_(ledger), witness_(witness), ns_(std::move(ns)) {
    for (int i = 0; i < kOrders; ++i) {
      orders_.push_back(OrderOf(ns_, i, 0));
    }
    threads_.emplace_back([this, seed](std::stop_token s) { ChangeOrders(s, Random(seed + 1)); });
    threads_.emplace_back([this, seed](std::stop_token s) { ChangePods(s, Random(seed + 2)); });
    threads_.emplace_back([this, seed](std::stop_token s) { HoldGrants(s, Random(seed + 3)); });
  }

  void Stop() {
    for (std::jthread& thread : threads_) {
      thread.request_stop();
    }
    threads_.clear();
  }
  // Makes every order want `replicas`. False while that cannot be said.
  bool Settle(int replicas) {
    bool said = true;
    for (int i = 0; i < kOrders; ++i) {
      // Windows that end would never come to rest.
      said = Want(i, i == kOrders - 1 ? 0 : replicas) && said;
    }
    return said;
  }

  int changes() const { return changes_; }
  int pods() const { return pods_made_; }
  int grants() const { return grants_made_; }

 private:
  bool Want(int order, int replicas) {
    const kube::ObjectKey key{ns_, OrderName(order)};
    const absl::Status scaled =
        client_.Patch<api::Order>(key, {}, absl::StrCat(R"({"spec":{"replicas":)", replicas, "}}"))
            .status();
    if (!absl::IsNotFound(scaled)) {
      return scaled.ok();
    }
    api::Order fresh = orders_[static_cast<size_t>(order)];
    fresh.spec.replicas = replicas;
    return client_.Create(fresh).ok();
  }

  void ChangeOrders(std::stop_token stop, Random random) {
    while (!stop.stop_requested()) {
      const int order = Between(random, 0, kOrders - 1);
      const int replicas = Between(random, 0, kMaxReplicas);
      const bool done = random() % 8 == 0 ? client_.Delete<api::Order>({ns_, OrderName(order)}).ok()
                                          : Want(order, replicas);
      changes_ += done ? 1 : 0;
      Sleep(250);
    }
  }

  void ChangePods(std::stop_token stop, Random random) {
    std::deque<int> there;
    for (int number = 0; !stop.stop_requested(); ++number) {
      if (client_.Create(AskingPod(ns_, number)).ok()) {
        there.push_back(number);
        ++pods_made_;
      }
      if (there.size() > kPods || (!there.empty() && random() % 4 == 0)) {
        const kube::ObjectKey key{ns_, absl::StrCat("app-", there.front())};
        if (client_.Delete<api::Pod>(key, {.grace_period_seconds = 0}).ok()) {
          there.pop_front();
        }
      }
      Sleep(200);
    }
  }

  // Never gives up on an answer: asking again must be the same as asking once.
  void HoldGrants(std::stop_token stop, Random random) {
    const runtime::LedgerClaim claim{.requests = {{"cpu", *api::Quantity::Parse("100m")}},
                                     .duration = absl::Hours(1),
                                     .labels = {}};
    std::deque<std::pair<std::string, absl::Time>> held;
    for (int number = 0; !stop.stop_requested(); ++number) {
      const std::string id = absl::StrCat(ns_, "-held-", number);
      bool answered = false;
      while (!answered && !stop.stop_requested()) {
        const auto answer = ledger_.Reserve(ns_, claim, {{.id = id, .ticket = id}}, stop);
        answered = answer.ok();
        if (answered && (*answer)[0].granted()) {
          witness_.Acknowledged(id);
          held.emplace_back(id, absl::Now());
          ++grants_made_;
        }
        Sleep(answered ? 0 : 100);
      }
      if (!answered) {
        held.emplace_back(id, absl::Now());  // Perhaps.
      }
      const bool old = !held.empty() && absl::Now() - held.front().second > absl::Seconds(20);
      if (held.size() > kGrants || old || (!held.empty() && random() % 4 == 0)) {
        GiveBack(held);
      }
      Sleep(150);
    }
    while (!held.empty()) {
      GiveBack(held);
    }
  }
  void GiveBack(std::deque<std::pair<std::string, absl::Time>>& held) {
    witness_.Forgotten(held.front().first);
    while (!ledger_.Release({held.front().first}, {}).ok()) {
      Sleep(100);
    }
    held.pop_front();
  }

  kube::Client& client_;
  runtime::LedgerClient& ledger_;
  FaultWitness& witness_;
  const std::string ns_;
  std::vector<api::Order> orders_;
  std::atomic<int> changes_ = 0;
  std::atomic<int> pods_made_ = 0;
  std::atomic<int> grants_made_ = 0;
  std::vector<std::jthread> threads_;
};

// --- the rest

std::string WrongTickets(const Instant& instant, const std::map<std::string, api::Pod>& pods) {
  std::map<std::string, int> ready;  // by order
  for (const api::Ticket& ticket : instant.tickets) {
    const api::TicketStatus& status = ticket.status;
    const std::string name = "ticket " + ticket.metadata.name;
    if (status.handoff) {
      return name + " is on its way to a pod";
    }
    if (status.phase == api::TicketPhase::kPending) {
      return name + " is Pending: " + status.message;
    }
    if (status.phase == api::TicketPhase::kReady) {
      const api::OwnerReference* owner = api::ControllerOf(ticket.metadata);
      ++ready[owner == nullptr ? "" : owner->name];
    }
    if (status.phase == api::TicketPhase::kClaimed) {
      const auto pod = pods.find(status.claimed_pod_uid);
      if (pod == pods.end() || pod->second.spec.node_name != status.node_name) {
        return absl::StrCat(name, " is claimed by ", status.claimed_pod,
                            pod == pods.end() ? ", which is gone" : ", which is elsewhere");
      }
    }
  }
  for (int i = 0; i < kOrders; ++i) {
    const int want = i == kOrders - 1 ? 0 : kReplicasAtRest;
    if (ready[OrderName(i)] != want) {
      return absl::StrCat(OrderName(i), " has ", ready[OrderName(i)], " Ready tickets of ", want);
    }
  }
  return "";
}

std::string WrongPods(const Instant& instant, const std::map<std::string, api::Pod>& pods) {
  std::map<std::string, const api::Ticket*> tickets;  // by UID
  for (const api::Ticket& ticket : instant.tickets) {
    tickets[ticket.metadata.uid] = &ticket;
  }
  std::map<std::string, int> guardians;  // by ticket
  for (const auto& [uid, pod] : pods) {
    const std::string_view role = api::ValueOf(pod.metadata.labels, api::kLabelRole);
    if (role == api::kRoleFence) {
      return "fence " + pod.metadata.name + " is left over";
    }
    if (role == api::kRoleGuardian) {
      const api::OwnerReference* owner = api::ControllerOf(pod.metadata);
      const auto ticket = owner == nullptr ? tickets.end() : tickets.find(owner->uid);
      if (ticket == tickets.end() || ticket->second->status.phase != api::TicketPhase::kReady) {
        return "guardian " + pod.metadata.name + " holds room for nobody";
      }
      if (++guardians[owner->uid] > 1) {
        return "ticket " + ticket->second->metadata.name + " has two guardians";
      }
    } else if (!api::IsBound(pod)) {
      return "pod " + pod.metadata.name + " has no room";
    }
  }
  return "";
}

// The ledger charges exactly the tickets that are not over, and the quota's status says so.
std::string WrongLedger(const Instant& instant, const std::string& ns, const api::Quota& quota) {
  std::set<std::string> unfinished;
  for (const api::Ticket& ticket : instant.tickets) {
    if (!api::IsFinished(ticket.status.phase)) {
      unfinished.insert(ticket.metadata.uid);
    }
  }
  if (const std::set<std::string> charged = instant.Charged(ns); charged != unfinished) {
    return absl::StrCat(charged.size(), " tickets are charged, ", unfinished.size(),
                        " are not over");
  }
  const auto count = static_cast<int64_t>(unfinished.size());
  const auto used = [&](const char* key) {
    const auto it = quota.status.used.find(key);
    return it == quota.status.used.end() ? api::Quantity() : *api::Quantity::Parse(it->second);
  };
  if (used("tickets") != api::Quantity::FromInt(count) ||
      used("reserved.cpu") != *api::Quantity::Parse(absl::StrCat(count * 100, "m"))) {
    return absl::StrCat("the quota says that ", used("tickets").ToString(), " tickets and ",
                        used("reserved.cpu").ToString(), " cpu are used, ", count, " are not over");
  }
  return "";
}

// What is not as it should be when nothing goes wrong any more, or "".
std::string WhatIsWrong(kube::Client& client, const std::string& ns) {
  const absl::StatusOr<Instant> instant = LookAt(client, ns);
  if (!instant.ok()) {
    return ToString(instant.status());
  }
  const auto body =
      ListExactly(client, absl::StrCat("/api/v1/namespaces/", ns, "/pods"), instant->version);
  kube::ObjectList<api::Pod> list;
  if (!body.ok() || !json::Parse(*body, list).ok()) {
    return "pods cannot be listed";
  }
  std::map<std::string, api::Pod> pods;  // by UID
  for (api::Pod& pod : list.items) {
    pods.emplace(pod.metadata.uid, std::move(pod));
  }
  const auto quota = client.Get<api::Quota>({"", ns});
  if (!quota.ok()) {
    return ToString(quota.status());
  }
  for (const std::string& wrong : {WrongTickets(*instant, pods), WrongPods(*instant, pods),
                                   WrongLedger(*instant, ns, *quota)}) {
    if (!wrong.empty()) {
      return wrong;
    }
  }
  return "";
}

// How often each service has changed its leader so far, by the Leases.
int Takeovers(kube::Client& client) {
  int takeovers = 0;
  for (const char* service : {"korder-quota-svc", "korder-order-svc", "korder-ticket-svc"}) {
    const auto lease = client.Get<api::Lease>({"korder-system", service});
    takeovers += lease.ok() ? static_cast<int>(lease->spec.lease_transitions) : 0;
  }
  return takeovers;
}

runtime::TlsMaterial OrderSvcTls(Cluster& cluster) {
  const auto secret =
      cluster.client().Get<api::Secret>({"korder-system", "korder-order-svc-tls"}).value();
  return {secret.data.at("ca.crt").value, secret.data.at("tls.crt").value,
          secret.data.at("tls.key").value};
}

// Of both replicas of quota-svc, which must run.
std::string QuotaAddresses(Cluster& cluster) {
  const std::string status = cluster.Shell(
      absl::StrCat("scripts/services status --name ", std::getenv("KORDER_INSTANCE")));
  std::string addresses;
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() > 5 && words[0].starts_with("quota-svc")) {
      absl::StrAppend(&addresses, addresses.empty() ? "ipv4:" : ",", words[4]);
    }
  }
  return addresses;
}

void MakeQuota(Cluster& cluster, const std::string& ns) {
  REQUIRE(cluster
              .Apply(absl::StrCat(
                  "{apiVersion: core.korder.dev/v1alpha1, kind: Quota, metadata: {name: ", ns,
                  "}, spec: {scope: {type: NamespaceList, namespaces: [", ns,
                  "]}, hard: {tickets: ", kLimit, ", reserved.cpu: ", kLimit, "}}}"))
              .exit_code == 0);
  // From then on it counts.
  REQUIRE(Eventually(absl::Seconds(20), [&] {
    const auto quota = cluster.client().Get<api::Quota>({"", ns});
    return quota.ok() && quota->status.observed_generation == quota->metadata.generation;
  }));
}

TEST_CASE(
    "process faults: services are killed and frozen under load, and nothing is granted "
    "twice, lost or left over",
    "[integration]") {
  const unsigned seed = FromEnvironment("KORDER_FAULT_SEED", RandomWord() % 1'000'000);
  const unsigned faults = FromEnvironment("KORDER_FAULTS", 50);
  std::cout << "process faults: KORDER_FAULT_SEED=" << seed << std::endl;
  runtime::PrepareGrpc();
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("faults");
  MakeQuota(cluster, ns);
  Processes processes;
  runtime::LedgerClient ledger(QuotaAddresses(cluster), OrderSvcTls(cluster), absl::Seconds(2));
  const int takeovers_before = Takeovers(cluster.client());
  const absl::Time begin = absl::Now();

  FaultWitness witness(cluster.client(), {.ns = ns, .tickets = kLimit});
  Load load(cluster.client(), ledger, witness, ns, seed);
  Random random(seed);
  while (processes.kills() + processes.freezes() < static_cast<int>(faults)) {
    std::this_thread::sleep_for(kBetweenFaults);
    processes.Harm(random);
  }
  const std::string failures = processes.Heal();
  const absl::Time healed = absl::Now();
  load.Stop();
  CHECK(Eventually(absl::Seconds(30), [&] { return load.Settle(kReplicasAtRest); }));
  std::string wrong;
  std::string last_wrong;
  CHECK(Eventually(absl::Seconds(100), [&] {
    wrong = WhatIsWrong(cluster.client(), ns);
    last_wrong = wrong.empty() ? last_wrong : wrong;
    return wrong.empty();
  }));
  const absl::Time rested = absl::Now();
  Sleep(2000);
  if (wrong.empty()) {
    wrong = WhatIsWrong(cluster.client(), ns);  // And it stays so.
  }
  witness.Stop();

  const int takeovers = Takeovers(cluster.client()) - takeovers_before;
  std::cout << "process faults: " << processes.kills() << " kills and " << processes.freezes()
            << " freezes, " << processes.long_freezes() << " past the lease, in "
            << absl::FormatDuration(healed - begin) << ", " << takeovers << " times a new leader; "
            << load.changes() << " changes of orders, " << load.pods() << " pods, " << load.grants()
            << " grants; " << witness.instants() << " instants, at most " << witness.most_charged()
            << " of " << kLimit << " tickets charged, acknowledged grants seen "
            << witness.grants_seen() << " times; at rest after "
            << absl::FormatDuration(rested - healed) << ", last of all: " << last_wrong
            << std::endl;
  for (const std::string& fault : witness.faults()) {
    UNSCOPED_INFO(fault);
  }
  CHECK(witness.faults().empty());
  CHECK(wrong == "");
  CHECK(failures == "");
  // What was looked at was worth it.
  CHECK(witness.instants() >= static_cast<int>(faults));
  CHECK(witness.grants_seen() >= static_cast<int64_t>(faults));
  CHECK(witness.most_charged() >= kLimit / 2);
  CHECK(takeovers >= 2);
  cluster.TryShell("kubectl delete quota " + ns + "; kubectl -n " + ns +
                   " delete orders --all; kubectl -n " + ns +
                   " delete pods --all --force --grace-period=0");
}

}  // namespace
}  // namespace korder::integration
