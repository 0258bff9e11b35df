// A small cluster for the tests of ticket-svc's shells: an API server in memory, nodes, a scheduler
// that treats nominations as the real one does, a kubelet; and processes of ticket-svc on it, whose
// watches advance when a test says so.
//
//   Bench bench;                              // node n1 with 1 core
//   Service service(bench);
//   bench.AddTicket(MakeTicket("web-0"));
//   bench.Settle(service);
//   CHECK(bench.Ticket("web-0").status.phase == api::TicketPhase::kReady);
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <prometheus/registry.h>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "ticket-svc/claim_reconciler.h"
#include "ticket-svc/handoff_reconciler.h"
#include "ticket-svc/reconciler.h"
#include "ticket-svc/testing/make.h"
#include "ticket-svc/wake_ups.h"

namespace korder::ticket {

class Service;

// True for a write that belongs to the work itself: events are told besides.
bool IsWork(const kube::ServedCall& call);

class Bench {
 public:
  Bench();

  void AddNode(const std::string& name, int cores);
  void DropNode(const std::string& name);
  void Cordon(const std::string& name);
  void AddTicket(api::Ticket ticket);
  void AddPod(api::Pod pod);
  // Pods of half a core each that wait for room on any node, older than everything that follows.
  void AddThieves(int count);
  void DeletePod(const std::string& name);

  // REQUIRES: it exists.
  api::Ticket Ticket(const std::string& name);
  api::Pod Pod(const std::string& name);
  std::optional<api::Pod> FindPod(const std::string& name);
  std::vector<std::string> Guardians();
  std::vector<std::string> FencePods();
  // Names of thieves that run.
  std::vector<std::string> LuckyThieves();
  // Reasons, each as often as it was told.
  std::vector<std::string> EventsAbout(const std::string& name);

  // Another scheduler in its place: until 1.36 it overlooks nominations of pods whose gate is shut,
  // as long as the pods do not change.
  void RestartScheduler();
  // One look of the scheduler at every pod, oldest first, and of the kubelets.
  void Schedule();
  void RunPods();
  // Scheduler, kubelets, watches and service take turns until nobody writes any more. Stops when
  // the process has crashed.
  void Settle(Service& service);

  // Work writes so far, as "patch pods/status", without what the bench itself does.
  std::vector<std::string> Writes();
  void ForgetWrites();
  // The bench itself is writing, not a service.
  bool acting() const { return acting_; }

  FakeClock clock;
  kube::FakeApiServer server{clock, {.collect_garbage = true}};
  kube::Client admin{server};
  bool ignore_nominations = false;  // a scheduler that knows nothing of them

 private:
  void Place(const api::Pod& pod);
  bool Fits(const api::Pod& pod, const api::Node& node);
  bool IsOverlooked(const api::Pod& pod) const;
  void Quietly(const std::function<void()>& step);

  std::vector<api::Pod> pods_;
  std::vector<api::Node> nodes_;
  std::map<std::string, std::string> overlooked_;  // by UID: the resourceVersion
  bool acting_ = false;
  std::vector<std::string> writes_;
};

// quota-svc as a test wants it.
class FakeCharges final : public Charges {
 public:
  enum class Mood { kGrants, kDenies, kUnreachable };

  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerConfirmation& asked,
                                                  std::stop_token stop,
                                                  absl::Duration at_most) override;

  Mood mood = Mood::kGrants;
  std::optional<absl::Time> next_change;  // that a denial names
  std::function<void()> meanwhile;        // happens while the answer is on its way
  int times_asked = 0;
  std::string last_reservation;
  runtime::LedgerClaim last_claim;
  absl::Duration last_at_most;
};

// The way of one process to the API server, until it is killed.
class MortalTransport final : public kube::HttpTransport {
 public:
  explicit MortalTransport(kube::HttpTransport& next) : next_(next) {}

  // Kills the process right before or after its n-th write from now on, counted from 0, events left
  // out.
  enum class Moment { kBefore, kAfter };
  void DieAt(int write, Moment moment);
  void Die() { dead_ = true; }
  bool dead() const { return dead_; }

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override;
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override;

 private:
  kube::HttpTransport& next_;
  std::atomic<bool> dead_ = false;
  std::atomic<int> left_ = std::numeric_limits<int>::max();
  Moment moment_ = Moment::kBefore;
};
using Moment = MortalTransport::Moment;

// One process of ticket-svc.
class Service {
 public:
  explicit Service(Bench& bench, HandoffOptions options = {});

  // Its watches catch up; each can be held back.
  void Sync();
  void SyncTickets();
  void SyncGuardians();
  void SyncClaimPods();
  void SyncNodes();
  // Handles everything that is due.
  void Work();
  // Sends the events that were told.
  void TellEvents();

  bool dead() const { return transport.dead(); }

  MortalTransport transport;
  FakeCharges charges;
  Disturbance disturbance;
  kube::Client client;

 private:
  kube::Store<GuardedTicket> ticket_store_;
  kube::Store<OwnPod> guardian_store_;
  kube::Store<api::Pod> claim_pod_store_;
  kube::Store<api::Node> node_store_;
  prometheus::Registry registry_;

 public:
  World world;
  Metrics metrics;
  kube::EventRecorder events;
  GuardianTraffic traffic;
  SchedulerPulse pulse;
  Reconciler reconciler;
  kube::Controller tickets;
  NodeLocks locks;
  Fences fences;
  kube::Controller fence_queue;
  HandoffReconciler handoff_reconciler;
  kube::Controller handoffs;
  ClaimReconciler claim_reconciler;
  kube::Controller claims;
  WakeUps wake_ups;
};

}  // namespace korder::ticket
