#include "quota-svc/sweeper.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"
#include "quota-svc/observed.h"

namespace korder::quota {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);

kube::ObjectKey OrderKey(const std::string& held) {
  const size_t slash = held.find('/');
  return {held.substr(0, slash), held.substr(slash + 1)};
}

// What its ticket is found by: the UID, or that it carries the id.
const std::string& TicketKey(const Grant& grant) {
  return grant.ticket_uid.empty() ? grant.id : grant.ticket_uid;
}

}  // namespace

Sweeper::Sweeper(kube::Client& client, LedgerDesk& desk, const Watches& watches, const Clock& clock)
    : client_(client), desk_(desk), watches_(watches), clock_(clock) {}

void Sweeper::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (const absl::Status swept = Sweep(stop); !swept.ok() && !stop.stop_requested()) {
      log::Info("grants not looked after, will try again", {{"error", ToString(swept)}});
    }
    Pause(kPeriod, stop);
  }
}

absl::Status Sweeper::Sweep(std::stop_token stop) {
  std::vector<Grant> due;
  desk_.Observe([&](Ledger& ledger) { due = ledger.Due(clock_.Now()); });
  if (due.empty()) {
    return absl::OkStatus();
  }
  const Tickets tickets = TicketsOf(due);
  std::map<std::string, std::vector<Grant>> unseen;  // by namespace
  absl::Status status;
  for (const Grant& grant : due) {
    if (IsSeen(grant, tickets)) {
      Settle(grant, true);
    } else if (HeldOrder(grant)) {
      status.Update(SweepOrder(grant, stop));
    } else {
      unseen[grant.claim->ns].push_back(grant);
    }
  }
  for (const auto& [ns, grants] : unseen) {
    status.Update(SweepTickets(ns, grants, stop));
  }
  return status;
}

bool Sweeper::BelongsToAny(const Grant& grant, const std::vector<TicketView>& tickets) const {
  return desk_.Look(false, [&](const Ledger& ledger) {
    return std::any_of(tickets.begin(), tickets.end(),
                       [&](const TicketView& ticket) { return ledger.BelongsTo(grant, ticket); });
  });
}

Sweeper::Tickets Sweeper::TicketsOf(const std::vector<Grant>& grants) const {
  Tickets found;
  for (const Grant& grant : grants) {
    found[TicketKey(grant)];
  }
  const auto wanted = [&](const LedgerTicket& ticket) {
    return found.contains(ticket.metadata.uid) || found.contains(ticket.reservation_id);
  };
  for (const auto& ticket : watches_.tickets().Those(wanted)) {
    for (const CompactId& key : {ticket->metadata.uid, ticket->reservation_id}) {
      if (const auto it = found.find(key); it != found.end()) {
        it->second.push_back(ViewOf(*ticket));
      }
    }
  }
  return found;
}

bool Sweeper::IsSeen(const Grant& grant, const Tickets& tickets) const {
  if (const std::optional<std::string> held = HeldOrder(grant)) {
    const auto order = watches_.orders().Get(OrderKey(*held));
    return order != nullptr && !order->metadata.deleting();
  }
  return BelongsToAny(grant, tickets.at(TicketKey(grant)));
}

absl::Status Sweeper::SweepTickets(const std::string& ns, const std::vector<Grant>& grants,
                                   std::stop_token stop) {
  ASSIGN_OR_RETURN(const kube::ObjectList<LedgerTicket> listed,
                   kube::ListAll<LedgerTicket>(client_, ns, {}, {.stop = std::move(stop)}));
  std::vector<TicketView> tickets;
  for (const LedgerTicket& ticket : listed.items) {
    tickets.push_back(ViewOf(ticket));
  }
  for (const Grant& grant : grants) {
    Settle(grant, BelongsToAny(grant, tickets));
  }
  return absl::OkStatus();
}

absl::Status Sweeper::SweepOrder(const Grant& hold, std::stop_token stop) {
  const absl::StatusOr<api::Order> order =
      client_.Get<api::Order>(OrderKey(*HeldOrder(hold)), {.stop = std::move(stop)});
  if (!order.ok() && !absl::IsNotFound(order.status())) {
    return order.status();
  }
  Settle(hold, order.ok() && !order->metadata.deleting());
  return absl::OkStatus();
}

void Sweeper::Settle(const Grant& grant, bool needed) {
  desk_.Observe(
      [&](Ledger& ledger) { needed ? ledger.Keep(grant.id, clock_.Now()) : ledger.Lapse(grant); });
  if (!needed) {
    log::Info("grant lapsed: nothing carries it", {{"id", grant.id}, {"ns", grant.claim->ns}});
  }
}

}  // namespace korder::quota
