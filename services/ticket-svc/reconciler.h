// Does what Decide says for one Ticket: asks quota-svc, makes and deletes guardians, writes the
// Ticket's status. Decides nothing itself.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "absl/container/node_hash_map.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "kube/controller.h"
#include "kube/event_recorder.h"
#include "ticket-svc/charges.h"
#include "ticket-svc/decide.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/guardian_traffic.h"
#include "ticket-svc/metrics.h"
#include "ticket-svc/world.h"

namespace korder::ticket {

// Thread-safe; the controller never calls it for one key at the same time.
class Reconciler final : public kube::Reconciler {
 public:
  struct Parts {
    kube::Client& client;
    World& world;
    Charges& charges;
    kube::EventRecorder& events;
    Metrics& metrics;
    GuardianTraffic& traffic;
    const Clock& clock;
  };

  // Borrows all parts.
  Reconciler(Parts parts, GuardianOptions guardians, absl::Duration node_grace = kDefaultNodeGrace);

  absl::StatusOr<kube::Result> Reconcile(const kube::ObjectKey& key, std::stop_token stop) override;

  // Call when leadership begins: what an earlier term remembered may be outdated.
  void ForgetAll();

 private:
  // What this process remembers of a ticket that its status does not tell.
  struct Memory {
    std::string uid;
    // The charge was confirmed, for a window of this length.
    bool confirmed = false;
    std::optional<absl::Duration> confirmed_for;
    // The end of a longer window that was not granted, whether that was told, and when to ask
    // again.
    std::optional<absl::Time> refused_end;
    bool told_refusal = false;
    MonoTime ask_again;
    std::optional<MonoTime> wrote_status;  // that it is Pending
  };

  // Nothing when there is no such ticket.
  absl::StatusOr<std::optional<Observed>> Observe(const kube::ObjectKey& key, std::stop_token stop);
  absl::StatusOr<std::vector<Guardian>> ObserveGuardians(const GuardedTicket& ticket,
                                                         std::stop_token stop);
  absl::StatusOr<PodPtr> ObserveClaimedPod(const GuardedTicket& ticket, std::stop_token stop);
  absl::StatusOr<NodePtr> ObserveNode(const OwnPod& guardian, std::stop_token stop);

  // Performs the plan's actions. What to do instead of the rest, when one of them says so.
  absl::StatusOr<std::optional<Plan>> CarryOut(const Plan& plan, Observed& observed,
                                               std::stop_token stop);
  // One question to quota-svc, answered before the window ends. After it, observed.now is the time
  // of the answer.
  absl::StatusOr<runtime::LedgerDecision> AskQuota(Observed& observed,
                                                   const runtime::LedgerClaim& claim,
                                                   std::stop_token stop);
  absl::StatusOr<std::optional<Plan>> Confirm(Observed& observed, std::stop_token stop);
  absl::StatusOr<std::optional<Plan>> ConfirmEnd(const ConfirmLonger& wanted, Observed& observed,
                                                 std::stop_token stop);
  // Remembers it. True when it is a denial that was not told yet.
  bool Refuse(absl::Time end, absl::Duration wait, bool denied, Observed& observed);
  absl::StatusOr<std::optional<Plan>> Create(const CreateGuardian& wanted, const Observed& observed,
                                             std::stop_token stop);
  absl::StatusOr<std::optional<Plan>> Adopt(const CreateGuardian& wanted, const Observed& observed,
                                            std::stop_token stop);
  // After it, observed.ticket is what was written.
  absl::Status Write(const api::TicketStatus& status, Observed& observed, std::stop_token stop);
  absl::Status Delete(const DeleteGuardian& guardian, std::stop_token stop);
  absl::Status DeleteTicketNow(const GuardedTicket& ticket, std::stop_token stop);
  void Emit(const Plan& plan, const GuardedTicket& ticket);
  // Puts what is remembered of the ticket into what is observed.
  void Recall(Observed& observed);
  void RememberWrite(const GuardedTicket& ticket);
  Memory& MemoryOf(const GuardedTicket& ticket) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Parts parts_;
  const GuardianOptions guardians_;
  const absl::Duration node_grace_;

  Mutex mu_;
  // Of few: a Ready ticket's status tells all. A flat map would keep its room for the most.
  absl::node_hash_map<kube::ObjectKey, Memory> memory_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::ticket
