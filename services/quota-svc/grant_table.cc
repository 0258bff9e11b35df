#include "quota-svc/grant_table.h"

#include <algorithm>
#include <utility>

#include "quota-svc/ledger_codec.h"

namespace korder::quota {
namespace {

constexpr std::string_view kTicketPrefix = "ticket/";
constexpr std::string_view kOrderPrefix = "order/";

size_t Bytes(const Grant& grant) { return EncodedBytes(grant) + EncodedBytes(*grant.claim); }

}  // namespace

bool operator==(const Grant& a, const Grant& b) {
  return a.id == b.id && a.ticket_uid == b.ticket_uid && a.ticket_name == b.ticket_name &&
         a.expire_time == b.expire_time && *a.claim == *b.claim;
}

std::string TicketGrantId(const std::string& uid) { return std::string(kTicketPrefix) + uid; }

std::string OrderGrantId(const std::string& name) { return std::string(kOrderPrefix) + name; }

std::optional<std::string> HeldOrder(const Grant& grant) {
  return grant.id.starts_with(kOrderPrefix) ? std::optional(grant.id.substr(kOrderPrefix.size()))
                                            : std::nullopt;
}

void GrantTable::Changed(const std::string& id, bool is_new) {
  has_new_ = has_new_ || is_new;
  if (in_changed_.insert(id).second) {
    changed_.push_back(id);
  }
  ++revision_;
}

void GrantTable::Add(Grant grant, Need need) {
  bytes_ += Bytes(grant);
  if (!grant.ticket_uid.empty()) {
    by_ticket_[grant.ticket_uid] = grant.id;
  }
  Changed(grant.id, need == Need::kPromised);
  const std::string id = grant.id;
  grants_.insert_or_assign(id, std::move(grant));
}

Grant GrantTable::Take(const std::string& id) {
  const auto it = grants_.find(id);
  Grant grant = std::move(it->second);
  grants_.erase(it);
  by_ticket_.erase(grant.ticket_uid);
  bytes_ -= Bytes(grant);
  Changed(grant.id, false);
  return grant;
}

void GrantTable::Bind(const std::string& id, const std::string& uid) {
  grants_.find(id)->second.ticket_uid = uid;
  by_ticket_[uid] = id;
  Touch();
}

std::vector<GrantChange> GrantTable::TakeChanges() {
  std::vector<GrantChange> changes;
  changes.reserve(changed_.size());
  for (std::string& id : changed_) {
    const Grant* grant = Find(id);
    changes.push_back({std::move(id), grant == nullptr ? std::nullopt : std::optional(*grant)});
  }
  changed_.clear();
  in_changed_.clear();
  has_new_ = false;
  return changes;
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
    if (grant.expire_time <= now && !in_changed_.contains(id)) {
      due.push_back(grant);
    }
  }
  // In an order that does not depend on where things lie in memory.
  std::sort(due.begin(), due.end(), [](const Grant& a, const Grant& b) { return a.id < b.id; });
  return due;
}

void GrantTable::Postpone(const std::string& id, absl::Time until) {
  if (const auto it = grants_.find(id); it != grants_.end()) {
    it->second.expire_time = until;
  }
}

size_t GrantTable::BytesWith(const std::vector<Grant>& more) const {
  size_t bytes = bytes_;
  for (const Grant& grant : more) {
    bytes += Bytes(grant);
  }
  return bytes;
}

}  // namespace korder::quota
