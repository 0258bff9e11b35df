// Who holds which room: every charge, the decisions about new ones, and what must be durable.
//
//   Ledger ledger;                                   // after Load and the first observations:
//   ledger.Reserve({claim, {"a", "b"}}, now);        // "a" granted, "b" denied with the numbers
//   ledger.Confirm({uid, "a", claim}, now);          // the grant belongs to the ticket now
//   ledger.Observe({uid, claim, .acted_on = true});  // the ticket itself proves the charge
//
// A charge is either a *grant*, which must be in the ledger object because nothing else proves it,
// or the charge of a ticket whose status shows that its guardian was made, or that of an Order that
// exists. Observations only ever follow what happened; decisions alone can refuse.
//
// Pure: `now` is an argument, and nothing here waits. Whenever revision() has grown, the caller
// makes durable what TakeGrantChanges() says before it tells anybody; when that is nothing, it
// finds out that nobody else leads. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/compact_id.h"
#include "base/shared_pool.h"
#include "base/status.h"
#include "quota-svc/claim.h"
#include "quota-svc/grant_table.h"
#include "quota-svc/quota_book.h"

namespace korder::quota {

struct Granted {
  // When a pending grant lapses; absent once it belongs to a ticket.
  std::optional<absl::Time> expire_time;
  bool operator==(const Granted&) const = default;
};
using Verdict = std::variant<Granted, Denial>;

struct Outcome {
  std::string id;
  Verdict verdict;
  bool operator==(const Outcome&) const = default;
};

struct Reservation {
  Claim claim;                   // of each
  std::vector<std::string> ids;  // unique
  bool all_or_nothing = false;
  // Empty, or as many as ids: the ticket that each grant is for.
  std::vector<std::string> ticket_names = {};
};

struct TicketRequest {
  std::string uid;
  std::string reservation_id;  // may be empty
  Claim claim;
  // Of a window that has begun and is to be made longer: what of claim.duration is still to come.
  std::optional<absl::Duration> remaining = std::nullopt;
  std::string name = {};
};

struct OrderRequest {
  std::string ns;
  std::string name;
  api::Labels labels;
  int64_t replicas = 0;
  Claim claim;  // of each of its tickets
  bool create = false;
  bool dry_run = false;
};

struct OrderVerdict {
  Verdict verdict;
  std::vector<std::string> warnings;
};

// A Ticket as it was seen.
struct TicketView {
  std::string uid;
  std::string reservation_id;  // that it carries
  Claim claim;
  // Its status shows that ticket-svc acted on a confirmation: the ticket itself proves the charge.
  bool acted_on = false;
  bool finished = false;
  std::string name = {};
};

struct LedgerOptions {
  absl::Duration grant_ttl = absl::Seconds(60);
  // An Order that was admitted is seen within moments, or was refused by somebody else.
  absl::Duration order_ttl = absl::Seconds(30);
  // Of the grants, as they are written down, each with its claim. Less than what the objects of a
  // ledger hold (grant_segments.h), so that there is always a place for what was granted.
  size_t max_bytes = 32 << 20;
};

class Ledger {
 public:
  explicit Ledger(LedgerOptions options = {});

  // --- what is durable ---

  // REQUIRES: nothing was decided or observed yet. While now < closed_until nothing new is granted.
  void Load(const std::vector<Grant>& grants, std::optional<absl::Time> closed_until);
  // Grows whenever there is something new to write down, or a promise was made without.
  uint64_t revision() const { return grants_.revision(); }
  // The grants that became different since the last call.
  std::vector<GrantChange> TakeGrantChanges() { return grants_.TakeChanges(); }
  bool HasGrantChanges() const { return grants_.HasChanges(); }
  // Among them are some that a promise rests on. Others may be written down later.
  bool HasNewGrants() const { return grants_.HasNew(); }
  std::optional<absl::Time> closed_until() const { return closed_until_; }

  // --- what is seen ---

  void PutQuota(QuotaTerms terms, absl::Time now) { book_.PutQuota(std::move(terms), now); }
  void EraseQuota(const std::string& name) { book_.EraseQuota(name); }
  void PutNamespace(const std::string& ns, const api::Labels& labels) {
    book_.PutNamespace(ns, labels);
  }
  void EraseNamespace(const std::string& ns) { book_.EraseNamespace(ns); }
  void Observe(const TicketView& ticket);
  void TicketGone(const std::string& uid);
  // An Order that is not being deleted.
  void OrderSeen(const std::string& uid, const std::string& name, Claim claim);
  // An Order that is being deleted or gone.
  void OrderGone(const std::string& uid);

  // --- decisions. UNAVAILABLE: cannot be decided now; INVALID_ARGUMENT: an id used before ---

  // One outcome per id, in order: the first that fit are granted. An id that was granted before is
  // granted again, without a second charge.
  absl::StatusOr<std::vector<Outcome>> Reserve(const Reservation& asked, absl::Time now);
  // For a ticket that exists. Moves the grant it carries to it, or charges it. One that is charged
  // already keeps what it has; what would grow is decided anew.
  absl::StatusOr<Verdict> Confirm(const TicketRequest& asked, absl::Time now);
  // For a ticket that is about to be made, or to be changed. A charge that exists is not touched:
  // the change may yet be refused by others, and is decided again by Confirm when it is acted on.
  absl::StatusOr<Verdict> AdmitTicket(const TicketRequest& asked, bool dry_run, absl::Time now);
  absl::StatusOr<OrderVerdict> AdmitOrder(const OrderRequest& asked, absl::Time now);
  // Gives back grants that belong to no ticket. Others and unknown ids are left alone.
  void Release(const std::vector<std::string>& ids);

  // --- time ---

  // Puts the limits of `now` in force. Decisions do so by themselves.
  void Advance(absl::Time now) { book_.Advance(now); }
  // Grants that somebody has to look after now: do they still belong to something?
  std::vector<Grant> Due(absl::Time now) { return grants_.Due(now, options_.grant_ttl); }
  // True when the ticket is charged by this grant, or may yet be.
  bool BelongsTo(const Grant& grant, const TicketView& ticket) const;
  // The grant was found to be needed: look again later.
  void Keep(const std::string& id, absl::Time now) {
    grants_.Postpone(id, now + options_.grant_ttl);
  }
  // The grant was found not to be needed. Nothing happens if it changed since it was `seen`.
  void Lapse(const Grant& seen);

  const QuotaBook& book() const { return book_; }
  std::set<std::string> TakeChangedQuotas() { return book_.TakeChanged(); }
  const GrantTable& grants() const { return grants_; }

 private:
  // Whether anything new can be granted at all.
  absl::Status CheckOpen(const std::string& ns, absl::Time now);
  absl::Status CheckSpace(const std::vector<Grant>& more) const;
  // The answer to a reservation that was granted before; nullopt when the id is new.
  absl::StatusOr<std::optional<Granted>> Known(const Grant& asked) const;
  bool IsCharged(const std::string& uid) const;
  // For a ticket that is charged already, perhaps for another claim.
  std::optional<Denial> CheckChange(const TicketRequest& asked, const ClaimPtr& charged) const;
  Verdict Recharge(const TicketRequest& asked, const ClaimPtr& claim);
  // The pending grant that the ticket carries, if it may have it; nullptr otherwise.
  const Grant* Carried(const std::string& reservation_id, const std::string& name,
                       const Claim& claim) const;
  // Makes the grant the ticket's, with the ticket's claim.
  Verdict TakeOver(const Grant& grant, const TicketRequest& asked, const ClaimPtr& claim);
  // What the ticket is charged for. REQUIRES: IsCharged.
  ClaimPtr ChargeOf(const std::string& uid) const;
  absl::StatusOr<Verdict> Charge(const std::string& uid, const ClaimPtr& claim, absl::Time now);
  std::optional<Denial> CheckTemplate(const OrderRequest& asked) const;
  absl::StatusOr<Verdict> HoldOrder(const OrderRequest& asked, absl::Time now);
  std::vector<std::string> Warnings(const OrderRequest& asked) const;

  void AddGrant(Grant grant, GrantTable::Need need = GrantTable::Need::kPromised);
  void DropGrant(const std::string& id);

  LedgerOptions options_;
  QuotaBook book_;
  SharedPool<Claim> pool_;
  GrantTable grants_;
  std::optional<absl::Time> closed_until_;
  // Tickets that prove their charge themselves: uid -> the id of the grant that they had, if that
  // is known. (What a ticket says about itself is not asked.)
  absl::flat_hash_map<CompactId, CompactId> tickets_;
  absl::flat_hash_map<CompactId, CompactId> ticket_of_reservation_;  // the reverse
  absl::flat_hash_map<std::string, std::string> orders_;             // uid -> "<ns>/<name>"
  std::set<std::string> order_names_;                                // the values of orders_
};

}  // namespace korder::quota
