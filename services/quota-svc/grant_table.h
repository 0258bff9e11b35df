// The grants: charges that nothing but the ledger object proves. What has to be written down.
//
//   table.Add({"a", claim, "", now + absl::Seconds(60)});
//   if (const Grant* grant = table.Find("a")) { ... }
//   table.revision();   // grew: write down what table.TakeChanges() says
//
// Pure. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "quota-svc/claim.h"

namespace korder::quota {

struct Grant {
  // A reservation id, "ticket/<uid>" for a ticket charged without one, or "order/<ns>/<name>".
  std::string id;
  ClaimPtr claim;
  // The ticket it belongs to. Empty: whichever ticket carries the id.
  std::string ticket_uid;
  // When somebody has to look whether it is still needed.
  absl::Time expire_time;
  // The only ticket of the namespace that may have it. Empty: any.
  std::string ticket_name = {};
};
bool operator==(const Grant& a, const Grant& b);

// There is such a grant now, or none.
struct GrantChange {
  std::string id;
  std::optional<Grant> grant;
};

// The ids that no caller chose. They have a slash, which reservation ids may not have.
std::string TicketGrantId(const std::string& uid);
std::string OrderGrantId(const std::string& name);  // "<ns>/<name>"
// The name of the Order that the grant was made for, if it was for one.
std::optional<std::string> HeldOrder(const Grant& grant);

class GrantTable {
 public:
  enum class Need {
    kPromised,  // somebody is told of it, and relies on it
    kUseful,    // may be written down later
  };
  // REQUIRES: there is no grant with this id, nor one of this ticket.
  void Add(Grant grant, Need need = Need::kPromised);
  // REQUIRES: there is a grant with this id.
  Grant Take(const std::string& id);

  // Valid until the next change; nullptr when there is none.
  const Grant* Find(const std::string& id) const;
  const Grant* FindByTicket(const std::string& uid) const;
  std::vector<Grant> All() const;
  size_t size() const { return grants_.size(); }

  // Those whose time has come and that were given out to be written down. Others were promised to
  // somebody who still waits for that: a clock that is set forward must not take them away before.
  // None waits longer than `longest` from now, so that a clock that was set back delays nothing.
  std::vector<Grant> Due(absl::Time now, absl::Duration longest);
  void Postpone(const std::string& id, absl::Time until);

  // Makes it the ticket's without a change to write down. REQUIRES: there is a grant with this id
  // that no ticket has, and it names the ticket.
  void Bind(const std::string& id, const std::string& uid);

  // Grows with every change that has to be written down, which a postponement has not, and when
  // something is promised although nothing changed.
  uint64_t revision() const { return revision_; }
  void Touch() { ++revision_; }
  // What became different since the last call, oldest first, each id once.
  std::vector<GrantChange> TakeChanges();
  bool HasChanges() const { return !changed_.empty(); }
  // More than grants that went: somebody may be waiting to be told of it.
  bool HasNew() const { return has_new_; }
  // What all of them take at most when they are written down, each with its claim; and with more.
  size_t bytes() const { return bytes_; }
  size_t BytesWith(const std::vector<Grant>& more) const;

 private:
  void Changed(const std::string& id, bool is_new);

  absl::flat_hash_map<std::string, Grant> grants_;
  absl::flat_hash_map<std::string, std::string> by_ticket_;  // uid -> id
  std::vector<std::string> changed_;
  absl::flat_hash_set<std::string> in_changed_;
  bool has_new_ = false;
  size_t bytes_ = 0;
  uint64_t revision_ = 0;
};

}  // namespace korder::quota
