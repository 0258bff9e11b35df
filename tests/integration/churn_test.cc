// A thousand tickets come, are claimed, run out and go. At every instant that is looked at, a
// Ticket that says Ready has a guardian that is bound and runs on the node that it names.
//
// An instant is one of the API server's: the Tickets as of one resourceVersion, and the pods as of
// the very same.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/names.h"
#include "base/parallel.h"
#include "cluster.h"
#include "json/fields.h"

namespace korder::integration {
namespace {

constexpr int kTickets = 1000;
constexpr int kClaims = 200;

// What is wrong with the ticket, or "".
std::string Fault(const api::Ticket& ticket, const std::map<std::string, api::Pod>& guardians) {
  const api::TicketStatus& status = ticket.status;
  const auto it = guardians.find(status.guardian_pod);
  if (it == guardians.end()) {
    return "has no guardian " + status.guardian_pod;
  }
  const api::Pod& guardian = it->second;
  if (guardian.spec.node_name != status.node_name) {
    return absl::StrCat("is on ", status.node_name, ", its guardian on ", guardian.spec.node_name);
  }
  if (guardian.status.phase != api::kPodRunning || guardian.metadata.deleting()) {
    return absl::StrCat("has a guardian that is ", guardian.status.phase);
  }
  const api::OwnerReference* owner = api::ControllerOf(guardian.metadata);
  return owner != nullptr && owner->uid == ticket.metadata.uid ? "" : "has another's guardian";
}

// Looks at one instant after the other, on a thread of its own.
class Witness {
 public:
  Witness(kube::Client& client, std::string ns)
      : client_(client), ns_(std::move(ns)), thread_([this](std::stop_token stop) {
          while (!stop.stop_requested()) {
            Look();
          }
        }) {}

  void Stop() {
    thread_.request_stop();
    thread_.join();
  }
  // After Stop.
  int instants() const { return instants_; }
  int64_t ready_seen() const { return ready_seen_; }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void Look() {
    const auto tickets = client_.List<api::Ticket>(ns_);
    if (!tickets.ok()) {
      return;
    }
    const auto body = client_.Raw(
        {.method = "GET",
         .target = absl::StrCat(
             "/api/v1/namespaces/", ns_,
             "/pods?resourceVersion=", tickets->metadata.resource_version,
             "&resourceVersionMatch=Exact&labelSelector=", "korder.dev%2Frole%3Dguardian")});
    kube::ObjectList<api::Pod> pods;
    if (!body.ok() || !json::Parse(*body, pods).ok()) {
      return;
    }
    std::map<std::string, api::Pod> guardians;
    for (api::Pod& pod : pods.items) {
      guardians.emplace(kube::KeyOf(pod).ToString(), std::move(pod));
    }
    for (const api::Ticket& ticket : tickets->items) {
      if (ticket.status.phase != api::TicketPhase::kReady) {
        continue;
      }
      ++ready_seen_;
      if (const std::string fault = Fault(ticket, guardians); !fault.empty()) {
        faults_.push_back(absl::StrCat("at ", tickets->metadata.resource_version, ": ticket ",
                                       ticket.metadata.name, " ", fault));
      }
    }
    ++instants_;
  }

  kube::Client& client_;
  const std::string ns_;
  int instants_ = 0;
  int64_t ready_seen_ = 0;
  std::vector<std::string> faults_;
  std::jthread thread_;
};

std::string ChurnOrder(const std::string& ns, int replicas) {
  return absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: churn, namespace: ", ns,
      "}, spec: {replicas: ", replicas,
      ", template: {spec: {duration: 40s, resources: {requests: {cpu: "
      "100m}}}}}}");
}

api::Pod ClaimPod(const std::string& ns, int number) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = absl::StrCat("app-", number);
  pod.metadata.annotations = {{std::string(api::kAnnotationRequired), "true"},
                              {std::string(api::kAnnotationFallback), "wait"}};
  api::Container& container = pod.spec.containers.emplace_back();
  container.name = "app";
  container.image = "registry.k8s.io/pause:3.10";
  container.resources.requests = {{"cpu", *api::Quantity::Parse("100m")}};
  return pod;
}

int BoundPods(Cluster& cluster, const std::string& ns) {
  const auto pods = kube::ListAll<api::Pod>(cluster.client(), ns);
  REQUIRE(pods.ok());
  return static_cast<int>(
      std::count_if(pods->items.begin(), pods->items.end(), [](const api::Pod& pod) {
        return pod.metadata.name.starts_with("app-") && api::IsBound(pod);
      }));
}

TEST_CASE("churn: a ticket that says Ready has a guardian that runs, at every instant",
          "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("churn");
  Witness witness(cluster.client(), ns);
  REQUIRE(cluster.Apply(ChurnOrder(ns, kTickets)).exit_code == 0);
  CHECK(Eventually(absl::Seconds(90), [&] { return cluster.ReadyTickets(ns) >= kTickets / 4; }));
  // Claims, while the first windows end, and others begin.
  ParallelFor(kClaims, 4, [&](size_t i) {
    (void)cluster.client().Create(ClaimPod(ns, static_cast<int>(i)));
    absl::SleepFor(absl::Milliseconds(100));
  });
  REQUIRE(cluster.Apply(ChurnOrder(ns, kTickets / 4)).exit_code == 0);
  absl::SleepFor(absl::Seconds(10));
  REQUIRE(cluster.Apply(ChurnOrder(ns, kTickets)).exit_code == 0);
  absl::SleepFor(absl::Seconds(20));
  // A busy machine is slow; no pod is forgotten on it.
  int bound = 0;
  CHECK(Eventually(absl::Seconds(60), [&] {
    bound = BoundPods(cluster, ns);
    return bound == kClaims;
  }));
  CHECK(cluster.Apply(ChurnOrder(ns, 0)).exit_code == 0);
  CHECK(Eventually(absl::Seconds(60), [&] { return cluster.ReadyTickets(ns) == 0; }));
  witness.Stop();
  std::cout << "churn of " << kTickets << " tickets: " << witness.instants() << " instants, "
            << witness.ready_seen() << " Ready tickets seen, " << witness.faults().size()
            << " without a running guardian; " << bound << " of " << kClaims
            << " pods have a ticket's room" << std::endl;
  for (const std::string& fault : witness.faults()) {
    UNSCOPED_INFO(fault);
  }
  CHECK(witness.faults().empty());
  // Otherwise little was looked at; a look at a thousand tickets takes seconds on a busy machine.
  CHECK(witness.instants() >= 15);
  CHECK(witness.ready_seen() > 2 * kTickets);
  cluster.TryShell("kubectl delete pods --all --force --grace-period=0 -n " + ns);
}

}  // namespace
}  // namespace korder::integration
