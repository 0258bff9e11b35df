// What must always hold, whatever goes wrong (the numbers are those of docs/reliability.md). Each
// is a small function over the world; what fails is told in words, once per run.
//
//   Invariants invariants(machine, world, scheduler, peers);
//   ...
//   invariants.CheckAtRest();
//   if (const auto& broken = invariants.broken()) { std::cerr << broken->what; }
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "machine.h"
#include "peers.h"
#include "quota-svc/ledger_codec.h"
#include "scheduler_model.h"
#include "ticket-svc/handoff_method.h"
#include "world.h"

namespace korder::simulation {

struct Broken {
  std::string invariant;  // "I7"
  std::string what;
};

class Invariants {
 public:
  Invariants(Machine& machine, World& world, SchedulerModel& scheduler, Peers& peers,
             ticket::HandoffMethodName method = ticket::HandoffMethodName::kNominate);

  void Fail(const std::string& invariant, const std::string& what);
  const std::optional<Broken>& broken() const { return broken_; }

  // Somebody set the clock, or a process was hindered: what is about time is judged later again.
  void Disturbed() { disturbed_at_ = machine_.Mono(); }
  // Nothing goes wrong any more.
  void Calm() { calm_since_ = machine_.Mono(); }
  // Nothing has changed for a while and nothing is under way.
  void CheckAtRest();

  // Handoffs that ended well, and rooms lost in the way that docs/adr/0007 says remains.
  int64_t handoffs() const { return handoffs_; }
  int64_t known_losses() const { return known_losses_; }

 private:
  using Uses = std::map<std::string, api::Quantity>;  // by limit

  // --- always
  void LimitsHold();                                                   // I1
  void GrantsAreOnlyPromisedOnce(const quota::LedgerImage& image);     // I3, I11
  void OneTicketPerPod(const api::Ticket& ticket);                     // I4
  void ReadyMeansHeld(const api::Ticket* was, const api::Ticket& is);  // I5
  void RoomIsHandedOnOnly(const api::Pod& guardian);                   // I6
  void NobodyStoleTheRoom(const api::Pod& bound);                      // I7
  void OneGuardianAtATime(const api::Pod& guardian);                   // I8
  void EndIsFinal(const api::Ticket* was, const api::Ticket& is);      // I9
  void WindowIsKept(const api::Ticket* was, const api::Ticket& is);    // I9
  void WindowIsOfTheSchedule(const api::Ticket& made);                 // I9
  void RoomIsNotHeldTooEarly(const api::Pod& guardian);                // I9
  void NoNodeIsTooFull(const api::Pod& pod);                           // I7
  template <class T>
  void SpecsAreNotForgotten(const T* was, const T* is);  // I12
  // --- at rest
  void UseIsWhatTicketsUse();        // I2
  void NothingIsOverdue();           // I9
  void RoomsAreWhereTheyShouldBe();  // I5, I8
  void ClaimsAreSettled();           // I4, I6, I13
  void OrdersHaveTheirTickets();     // I13

  // Some of an order's tickets, and how many of them there should be.
  struct Share {
    std::string what;  // "" for all of them
    int64_t wanted = 0;
    std::function<bool(const api::Ticket&)> holds;
  };
  std::vector<Share> SharesOf(const api::Order& order) const;
  void ShareIsThere(const api::Order& order, const Share& share);
  bool AnyQuotaIsInTheWay(const api::Order& order) const;

  void TicketServiceActs();
  void OnTicket(const api::Ticket* was, const api::Ticket* is);
  void OnPod(const api::Pod* was, const api::Pod* is);
  void OnQuota(const api::Quota* was, const api::Quota* is);
  void OnConfigMap(const api::ConfigMap* is);

  const api::Ticket* TicketOf(const api::Pod& guardian) const;
  // The UID of its ticket, or its id while it has none.
  std::string ChargedFor(const quota::Grant& grant) const;
  std::set<std::string> Charged() const;  // UIDs of tickets, and ids of grants that have none
  Uses UsesOf(const api::Quota& quota) const;
  bool Recently(MonoTime at, absl::Duration within) const {
    return at != MonoTime() && absl::FromChrono(machine_.Mono() - at) < within;
  }
  Amount FreeOn(const std::string& node) const;

  Machine& machine_;
  World& world_;
  SchedulerModel& scheduler_;
  const bool nominates_;  // the method by which rooms pass on
  std::optional<Broken> broken_;
  MonoTime disturbed_at_{};
  std::optional<MonoTime> calm_since_;
  int64_t handoffs_ = 0;
  int64_t known_losses_ = 0;

  std::vector<quota::Grant> grants_;  // as the ledger object has them
  int64_t epoch_ = 0;
  std::set<std::string> ever_granted_;
  struct Limit {
    MonoTime until;  // it was in force
    api::QuotaLimits hard;
  };
  std::map<std::string, std::vector<Limit>> old_limits_;  // by quota
  std::map<std::string, Uses> last_use_;
  struct Held {
    std::string node;
    Amount requests;
  };
  std::map<std::string, Held> held_;    // "ns/name" of guardians that were seen running
  std::set<std::string> lost_tickets_;  // orders, by UID, of which a ticket was deleted
  MonoTime ticket_service_acted_at_{};
  MonoTime ticket_service_back_at_{};                 // its first act since the scheduler restarted
  std::map<std::string, MonoTime> handoff_ended_at_;  // by the ticket's UID
  std::map<std::string, MonoTime> taken_away_at_;   // guardians, by UID: somebody else deleted them
  std::map<std::string, MonoTime> unnominated_at_;  // by the pod's UID: lost it, or went away
};

}  // namespace korder::simulation
