// Looks after grants whose time has come: is there still a Ticket (or Order) they belong to?
//
//   Sweeper sweeper(client, desk, watches, clock);
//   sweeper.Run(stop);        // every second; or one Sweep(stop) in a test
//
// A grant is given up only after a consistent read showed that nothing carries it: the watch may
// lag, and a grant dropped too early would be room promised twice.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/clock.h"
#include "base/compact_id.h"
#include "kube/client.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/watches.h"

namespace korder::quota {

class Sweeper {
 public:
  // Borrows everything.
  Sweeper(kube::Client& client, LedgerDesk& desk, const Watches& watches, const Clock& clock);

  // Until stop. A sweep that failed is done again a second later.
  void Run(std::stop_token stop);
  absl::Status Sweep(std::stop_token stop);

 private:
  // By the UID of the ticket, and by the reservation that it carries.
  using Tickets = absl::flat_hash_map<CompactId, std::vector<TicketView>>;
  // Those that the watch shows and one of the grants may belong to: one look at all tickets, which
  // costs less than an index of them, as few grants are ever due.
  Tickets TicketsOf(const std::vector<Grant>& grants) const;
  // Whether the watch shows something that the grant belongs to. If it does, no read is needed.
  bool IsSeen(const Grant& grant, const Tickets& tickets) const;
  bool BelongsToAny(const Grant& grant, const std::vector<TicketView>& tickets) const;
  absl::Status SweepTickets(const std::string& ns, const std::vector<Grant>& grants,
                            std::stop_token stop);
  absl::Status SweepOrder(const Grant& hold, std::stop_token stop);
  void Settle(const Grant& grant, bool needed);

  kube::Client& client_;
  LedgerDesk& desk_;
  const Watches& watches_;
  const Clock& clock_;
};

}  // namespace korder::quota
