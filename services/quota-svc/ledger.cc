#include "quota-svc/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

// A ticket's charge keeps its id when the ticket proves it itself.
std::string TicketChargeId(const std::string& uid) { return TicketGrantId(uid); }
std::string OrderChargeId(const std::string& uid) { return "order-object/" + uid; }

// Apart from the labels, which may be changed at any time.
bool SameContent(const Claim& a, const Claim& b) {
  return a.ns == b.ns && a.amounts == b.amounts && a.duration == b.duration;
}

}  // namespace

Ledger::Ledger(LedgerOptions options) : options_(options) {}

void Ledger::Load(const std::vector<Grant>& grants, std::optional<absl::Time> closed_until) {
  closed_until_ = closed_until;
  for (Grant grant : grants) {
    grant.claim = pool_.Intern(*grant.claim);
    AddGrant(std::move(grant));
  }
  grants_.TakeChanges();  // they are durable already
}

// A grant is always in the table and in the book, or in neither.
void Ledger::AddGrant(Grant grant, GrantTable::Need need) {
  book_.Put(grant.id, grant.claim);
  grants_.Add(std::move(grant), need);
}

void Ledger::DropGrant(const std::string& id) {
  if (grants_.Find(id) != nullptr) {
    book_.Erase(id);
    grants_.Take(id);
  }
}

// --- what is seen ---

void Ledger::Observe(const TicketView& ticket) {
  if (ticket.finished) {
    return TicketGone(ticket.uid);
  }
  const bool proven = tickets_.contains(ticket.uid);
  if (!ticket.acted_on && !proven) {
    return;  // what is charged for it, if anything, is its grant
  }
  const std::string id = TicketChargeId(ticket.uid);
  const ClaimPtr claim = pool_.Intern(ticket.claim);
  if (proven) {
    if (book_.Find(id) != claim) {
      book_.Put(id, claim);
    }
    return;
  }
  CompactId& reservation = tickets_[ticket.uid];
  const Grant* grant = grants_.FindByTicket(ticket.uid);
  if (grant == nullptr) {
    // Whose it is was known to the leader before us only.
    grant = Carried(ticket.reservation_id, ticket.name, ticket.claim);
    grant = grant == nullptr || grant->ticket_name.empty() ? nullptr : grant;
  }
  if (grant != nullptr) {
    reservation = grant->id;
    ticket_of_reservation_[reservation] = ticket.uid;
    DropGrant(reservation);
  }
  book_.Put(id, claim);
}

void Ledger::TicketGone(const std::string& uid) {
  if (const Grant* grant = grants_.FindByTicket(uid)) {
    DropGrant(std::string(grant->id));
  }
  const auto it = tickets_.find(uid);
  if (it == tickets_.end()) {
    return;
  }
  ticket_of_reservation_.erase(it->second);
  tickets_.erase(it);
  book_.Erase(TicketChargeId(uid));
}

void Ledger::OrderSeen(const std::string& uid, const std::string& name, Claim claim) {
  const std::string id = OrderChargeId(uid);
  const ClaimPtr shared = pool_.Intern(std::move(claim));
  if (orders_.try_emplace(uid, name).second) {
    order_names_.insert(name);
    DropGrant(OrderGrantId(name));
  }
  if (book_.Find(id) != shared) {
    book_.Put(id, shared);
  }
}

void Ledger::OrderGone(const std::string& uid) {
  const auto it = orders_.find(uid);
  if (it == orders_.end()) {
    return;
  }
  order_names_.erase(it->second);
  orders_.erase(it);
  book_.Erase(OrderChargeId(uid));
}

// --- decisions ---

absl::Status Ledger::CheckOpen(const std::string& ns, absl::Time now) {
  if (closed_until_ && *closed_until_ > now + options_.grant_ttl) {
    closed_until_ = now + options_.grant_ttl;  // the clock was set back
  }
  if (closed_until_ && now < *closed_until_) {
    return UnavailableError(
        absl::StrCat("the ledger object was lost or damaged: nothing new is "
                     "granted until ",
                     absl::FormatTime(*closed_until_, absl::UTCTimeZone())));
  }
  if (closed_until_) {
    closed_until_.reset();
    grants_.Touch();
  }
  if (!book_.KnowsNamespace(ns)) {
    return UnavailableError(absl::StrCat("namespace ", ns, " is not known yet"));
  }
  return absl::OkStatus();
}

absl::Status Ledger::CheckSpace(const std::vector<Grant>& more) const {
  return grants_.BytesWith(more) <= options_.max_bytes
             ? absl::OkStatus()
             : UnavailableError("the ledger holds as many pending grants as it can");
}

absl::StatusOr<std::optional<Granted>> Ledger::Known(const Grant& asked) const {
  const Claim& claim = *asked.claim;
  if (const Grant* grant = grants_.Find(asked.id)) {
    const bool pending = grant->ticket_uid.empty();
    // A ticket may have brought other labels when it took the grant.
    if (!SameContent(*grant->claim, claim) || (pending && grant->claim->labels != claim.labels) ||
        grant->ticket_name != asked.ticket_name) {
      return InvalidArgumentError(absl::StrCat("reservation_ids: \"", asked.id,
                                               "\": was used before for another claim or ticket"));
    }
    return Granted{pending ? std::optional(grant->expire_time) : std::nullopt};
  }
  if (const auto it = ticket_of_reservation_.find(asked.id); it != ticket_of_reservation_.end()) {
    if (SameContent(*book_.Find(TicketChargeId(it->second)), claim)) {
      return Granted{};
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<Outcome>> Ledger::Reserve(const Reservation& asked, absl::Time now) {
  book_.Advance(now);
  std::vector<Outcome> outcomes;
  std::vector<Grant> fresh;
  const ClaimPtr claim = pool_.Intern(asked.claim);
  for (size_t i = 0; i < asked.ids.size(); ++i) {
    Grant grant{.id = asked.ids[i],
                .claim = claim,
                .ticket_uid = "",
                .expire_time = now + options_.grant_ttl,
                .ticket_name = asked.ticket_names.empty() ? "" : asked.ticket_names[i]};
    ASSIGN_OR_RETURN(const std::optional<Granted> known, Known(grant));
    outcomes.push_back({grant.id, known.value_or(Granted{grant.expire_time})});
    if (!known) {
      fresh.push_back(std::move(grant));
    }
  }
  if (fresh.size() < asked.ids.size()) {
    // A promise that is repeated needs a look at the object, too: without one, a leader that was
    // replaced and does not know yet would repeat what has been given back since.
    grants_.Touch();
  }
  if (fresh.empty()) {
    return outcomes;
  }
  RETURN_IF_ERROR(CheckOpen(asked.claim.ns, now));
  RETURN_IF_ERROR(CheckSpace(fresh));
  const auto wanted = static_cast<int64_t>(fresh.size());
  const int64_t room = std::min(book_.Room(asked.claim), wanted);
  const int64_t granted = asked.all_or_nothing && room < wanted ? 0 : room;
  std::set<std::string> denied;
  for (int64_t i = 0; i < wanted; ++i) {
    Grant& grant = fresh[static_cast<size_t>(i)];
    if (i < granted) {
      AddGrant(std::move(grant));
    } else {
      denied.insert(std::move(grant.id));
    }
  }
  if (granted < wanted) {
    const std::optional<Denial> denial =
        book_.Check(*claim, {.copies = asked.all_or_nothing ? wanted : 1});
    for (Outcome& outcome : outcomes) {
      if (denied.contains(outcome.id)) {
        outcome.verdict = denial.value_or(Denial{});
      }
    }
  }
  return outcomes;
}

bool Ledger::IsCharged(const std::string& uid) const {
  return tickets_.contains(uid) || grants_.FindByTicket(uid) != nullptr;
}

ClaimPtr Ledger::ChargeOf(const std::string& uid) const {
  const Grant* grant = grants_.FindByTicket(uid);
  return grant != nullptr ? grant->claim : book_.Find(TicketChargeId(uid));
}

std::optional<Denial> Ledger::CheckChange(const TicketRequest& asked,
                                          const ClaimPtr& charged) const {
  // Other quotas may be concerned, or the same with more.
  return asked.claim == *charged && !asked.remaining
             ? std::nullopt
             : book_.Check(asked.claim,
                           {.instead_of = charged.get(), .remaining = asked.remaining});
}

Verdict Ledger::Recharge(const TicketRequest& asked, const ClaimPtr& claim) {
  if (const Grant* grant = grants_.FindByTicket(asked.uid)) {
    return TakeOver(*grant, asked, claim);
  }
  const std::string id = TicketChargeId(asked.uid);
  const ClaimPtr charged = book_.Find(id);
  if (std::optional<Denial> denial = CheckChange(asked, charged)) {
    return *std::move(denial);
  }
  if (charged != claim) {
    book_.Put(id, claim);
  }
  return Granted{};
}

const Grant* Ledger::Carried(const std::string& reservation_id, const std::string& name,
                             const Claim& claim) const {
  // The annotation that names the grant is the tenant's to write. It counts only for a grant that
  // is known, of the same namespace and content, and nobody else's.
  const Grant* grant = grants_.Find(reservation_id);
  return grant != nullptr && grant->ticket_uid.empty() &&
                 (grant->ticket_name.empty() || grant->ticket_name == name) &&
                 SameContent(*grant->claim, claim)
             ? grant
             : nullptr;
}

Verdict Ledger::TakeOver(const Grant& grant, const TicketRequest& asked, const ClaimPtr& claim) {
  if (std::optional<Denial> denial = CheckChange(asked, grant.claim)) {
    return *std::move(denial);
  }
  if (grant.claim == claim && grant.ticket_uid == asked.uid) {
    return Granted{};
  }
  if (grant.claim == claim && grant.ticket_name == asked.name && !asked.name.empty()) {
    // What is written down says so much already: the grant is for this ticket and no other.
    grants_.Bind(grant.id, asked.uid);
    return Granted{};
  }
  Grant changed = grant;
  changed.claim = claim;
  changed.ticket_uid = asked.uid;
  DropGrant(changed.id);
  AddGrant(std::move(changed));
  return Granted{};
}

absl::StatusOr<Verdict> Ledger::Charge(const std::string& uid, const ClaimPtr& claim,
                                       absl::Time now) {
  RETURN_IF_ERROR(CheckOpen(claim->ns, now));
  const absl::Time until = now + options_.grant_ttl;
  Grant grant{.id = TicketChargeId(uid), .claim = claim, .ticket_uid = uid, .expire_time = until};
  RETURN_IF_ERROR(CheckSpace({grant}));
  if (std::optional<Denial> denial = book_.Check(*claim)) {
    return *std::move(denial);
  }
  AddGrant(std::move(grant));
  return Granted{until};
}

absl::StatusOr<Verdict> Ledger::Confirm(const TicketRequest& asked, absl::Time now) {
  book_.Advance(now);
  const ClaimPtr claim = pool_.Intern(asked.claim);
  if (IsCharged(asked.uid)) {
    return Recharge(asked, claim);
  }
  if (const Grant* grant = Carried(asked.reservation_id, asked.name, *claim)) {
    return TakeOver(*grant, asked, claim);
  }
  ASSIGN_OR_RETURN(Verdict verdict, Charge(asked.uid, claim, now));
  return std::holds_alternative<Granted>(verdict) ? Verdict(Granted{}) : verdict;
}

absl::StatusOr<Verdict> Ledger::AdmitTicket(const TicketRequest& asked, bool dry_run,
                                            absl::Time now) {
  book_.Advance(now);
  const ClaimPtr claim = pool_.Intern(asked.claim);
  if (IsCharged(asked.uid)) {
    std::optional<Denial> denial = CheckChange(asked, ChargeOf(asked.uid));
    return denial ? Verdict(*std::move(denial)) : Verdict(Granted{});
  }
  if (!dry_run) {
    return Charge(asked.uid, claim, now);
  }
  RETURN_IF_ERROR(CheckOpen(claim->ns, now));
  std::optional<Denial> denial = book_.Check(*claim);
  return denial ? Verdict(*std::move(denial)) : Verdict(Granted{});
}

std::optional<Denial> Ledger::CheckTemplate(const OrderRequest& asked) const {
  // Only how long: the tickets themselves are charged one by one.
  Claim claim = asked.claim;
  claim.amounts = {{std::string(api::kQuotaTickets), api::Quantity()}};
  return book_.Check(claim);
}

absl::StatusOr<Verdict> Ledger::HoldOrder(const OrderRequest& asked, absl::Time now) {
  const std::string name = asked.ns + "/" + asked.name;
  const std::string id = OrderGrantId(name);
  if (order_names_.contains(name)) {
    return Granted{};  // it exists; the API server will refuse a second of the name
  }
  if (const Grant* held = grants_.Find(id)) {
    grants_.Touch();  // as when a reservation is repeated
    return Granted{held->expire_time};
  }
  const ClaimPtr claim = pool_.Intern(MakeOrderClaim(asked.ns, asked.labels));
  const absl::Time until = now + options_.order_ttl;
  Grant hold{.id = id, .claim = claim, .ticket_uid = "", .expire_time = until};
  RETURN_IF_ERROR(CheckSpace({hold}));
  if (std::optional<Denial> denial = book_.Check(*claim)) {
    return *std::move(denial);
  }
  if (!asked.dry_run) {
    // Where no quota limits Orders the hold is only for one that comes before the Order is seen.
    AddGrant(std::move(hold), book_.HasLimit(*claim, api::kQuotaOrders)
                                  ? GrantTable::Need::kPromised
                                  : GrantTable::Need::kUseful);
  }
  return Granted{until};
}

std::vector<std::string> Ledger::Warnings(const OrderRequest& asked) const {
  const int64_t room = book_.Room(asked.claim);
  if (room >= asked.replicas) {
    return {};
  }
  const std::optional<Denial> next = book_.Check(asked.claim, {.copies = room + 1});
  if (!next) {
    return {};
  }
  return {absl::StrCat(room, " of ", asked.replicas, " tickets fit quota ", next->quota, " now (",
                       next->resource, ": used ", next->used, " of ", next->limit, ")")};
}

absl::StatusOr<OrderVerdict> Ledger::AdmitOrder(const OrderRequest& asked, absl::Time now) {
  book_.Advance(now);
  RETURN_IF_ERROR(CheckOpen(asked.ns, now));
  if (std::optional<Denial> denial = CheckTemplate(asked)) {
    return OrderVerdict{*std::move(denial), {}};
  }
  if (!asked.create) {
    return OrderVerdict{Granted{}, {}};  // its tickets are charged already, or will be
  }
  ASSIGN_OR_RETURN(Verdict verdict, HoldOrder(asked, now));
  const bool granted = std::holds_alternative<Granted>(verdict);
  return OrderVerdict{std::move(verdict), granted ? Warnings(asked) : std::vector<std::string>()};
}

void Ledger::Release(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    const Grant* grant = grants_.Find(id);
    if (grant != nullptr && grant->ticket_uid.empty()) {
      DropGrant(id);
    }
  }
}

// --- time ---

bool Ledger::BelongsTo(const Grant& grant, const TicketView& ticket) const {
  if (ticket.finished) {
    return false;
  }
  if (!grant.ticket_uid.empty()) {
    return grant.ticket_uid == ticket.uid;
  }
  return grant.id == ticket.reservation_id && !IsCharged(ticket.uid) &&
         (grant.ticket_name.empty() || grant.ticket_name == ticket.name) &&
         SameContent(*grant.claim, ticket.claim);
}

void Ledger::Lapse(const Grant& seen) {
  const Grant* grant = grants_.Find(seen.id);
  if (grant != nullptr && *grant == seen) {
    DropGrant(seen.id);
  }
}

}  // namespace korder::quota
