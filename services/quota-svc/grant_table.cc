#include "quota-svc/grant_table.h"

#include <algorithm>
#include <utility>

namespace korder::quota {
namespace {

constexpr size_t kUidSize = 36;
constexpr std::string_view kTicketPrefix = "ticket/";
constexpr std::string_view kOrderPrefix = "order/";

// Upper bounds of what the codec writes, which writes equal claims once.
size_t WrittenSize(const Grant& grant) {
  return grant.id.size() + std::max(grant.ticket_uid.size(), kUidSize) + 32;
}
size_t WrittenSize(const Claim& claim) {
  size_t size = claim.ns.size() + 64;
  for (const auto& [key, value] : claim.labels) {
    size += key.size() + value.size() + 2;
  }
  for (const auto& [key, amount] : claim.amounts) {
    size += key.size() + 40;
  }
  return size;
}

}  // namespace

bool operator==(const Grant& a, const Grant& b) {
  return a.id == b.id && a.ticket_uid == b.ticket_uid && a.expire_time == b.expire_time &&
         *a.claim == *b.claim;
}

std::string TicketGrantId(const std::string& uid) { return std::string(kTicketPrefix) + uid; }

std::string OrderGrantId(const std::string& name) { return std::string(kOrderPrefix) + name; }

std::optional<std::string> HeldOrder(const Grant& grant) {
  return grant.id.starts_with(kOrderPrefix) ? std::optional(grant.id.substr(kOrderPrefix.size()))
                                            : std::nullopt;
}

void GrantTable::Account(const Grant& grant, int sign) {
  const auto change = static_cast<size_t>(sign);  // wraps around as it should
  bytes_ += change * WrittenSize(grant);
  int64_t& uses = claim_uses_[grant.claim.get()];
  uses += sign;
  if (uses == (sign > 0 ? 1 : 0)) {
    bytes_ += change * WrittenSize(*grant.claim);
  }
  if (uses == 0) {
    claim_uses_.erase(grant.claim.get());
  }
}

void GrantTable::Add(Grant grant) {
  Account(grant, 1);
  if (!grant.ticket_uid.empty()) {
    by_ticket_[grant.ticket_uid] = grant.id;
  }
  const std::string id = grant.id;
  grants_.insert_or_assign(id, std::move(grant));
  ++revision_;
}

Grant GrantTable::Take(const std::string& id) {
  const auto it = grants_.find(id);
  Grant grant = std::move(it->second);
  grants_.erase(it);
  by_ticket_.erase(grant.ticket_uid);
  Account(grant, -1);
  ++revision_;
  return grant;
}

const Grant* GrantTable::Find(const std::string& id) const {
  const auto it = grants_.find(id);
  return it == grants_.end() ? nullptr : &it->second;
}

const Grant* GrantTable::FindByTicket(const std::string& uid) const {
  const auto it = by_ticket_.find(uid);
  return it == by_ticket_.end() ? nullptr : Find(it->second);
}

std::vector<Grant> GrantTable::All() const {
  std::vector<Grant> all;
  all.reserve(grants_.size());
  for (const auto& [id, grant] : grants_) {
    all.push_back(grant);
  }
  return all;
}

std::vector<Grant> GrantTable::Due(absl::Time now, absl::Duration longest) {
  std::vector<Grant> due;
  for (auto& [id, grant] : grants_) {
    grant.expire_time = std::min(grant.expire_time, now + longest);
    if (grant.expire_time <= now) {
      due.push_back(grant);
    }
  }
  return due;
}

void GrantTable::Postpone(const std::string& id, absl::Time until) {
  if (const auto it = grants_.find(id); it != grants_.end()) {
    it->second.expire_time = until;
  }
}

size_t GrantTable::BytesWith(const Claim& claim, const std::vector<std::string>& ids) const {
  size_t bytes = bytes_ + WrittenSize(claim);
  for (const std::string& id : ids) {
    bytes += WrittenSize(Grant{.id = id, .claim = {}, .ticket_uid = "", .expire_time = {}});
  }
  return bytes;
}

}  // namespace korder::quota
