// Does what Decide says for one Ticket: confirms the charge at quota-svc, creates and deletes
// guardians, writes the Ticket's status, runs its handoff, deletes it in the end. Decides nothing.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "runtime/ledger_client.h"
#include "ticket-svc/decide.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/handoff_runner.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// The ledger as the reconciler needs it: quota-svc, or a double in tests.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerTicket& ticket,
                                                          const std::string& reservation_id,
                                                          const runtime::LedgerClaim& claim,
                                                          std::stop_token stop) = 0;
};

struct ReconcilerParts {
  kube::Client& client;
  const World& world;
  Ledger& ledger;
  HandoffRunner& handoffs;
  kube::EventRecorder& events;
  Metrics& metrics;
  const Clock& clock;
};

// Thread-safe; the controller never calls it for one key at the same time.
class Reconciler final : public kube::Reconciler {
 public:
  // Borrows the parts.
  Reconciler(ReconcilerParts parts, GuardianOptions guardian);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

  // Call when leadership begins: what an earlier term remembered may be outdated.
  void ForgetAll();

 private:
  // Of a ticket, by key; forgotten with it.
  struct Memory {
    std::string uid;
    bool confirmed = false;
    std::string base_version;  // the resourceVersion that our last status write was based on
    std::optional<MonoTime> written_at;
  };
  // What an action leads to besides going on: another plan, or a look later.
  struct Detour {
    std::optional<Plan> plan;
    std::optional<absl::Duration> again;
  };

  std::optional<Observed> Observe(const kube::ObjectKey& key);
  absl::Status FindClaimedPod(Observed& observed, std::stop_token stop);
  absl::StatusOr<kube::Result> Perform(const Observed& observed, const Plan& plan,
                                       std::stop_token stop);
  absl::StatusOr<Detour> Apply(const Observed& observed, const Action& action,
                               std::stop_token stop);
  absl::StatusOr<Detour> Confirm(const Observed& observed, std::stop_token stop);
  absl::StatusOr<Detour> Create(const Observed& observed, int32_t incarnation,
                                std::stop_token stop);
  absl::Status WriteStatusOf(const api::Ticket& ticket, const api::TicketStatus& status,
                             std::stop_token stop);
  // The store does not show our last write yet.
  bool IsStale(const api::Ticket& ticket);

  const ReconcilerParts parts_;
  const GuardianOptions guardian_;
  Mutex mu_;
  absl::flat_hash_map<kube::ObjectKey, Memory> memory_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
