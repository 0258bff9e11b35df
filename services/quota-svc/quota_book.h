// Every quota with what is used of it: the sums behind the ledger's decisions.
//
//   QuotaBook book;
//   book.PutQuota(Compile(quota), now);
//   book.PutNamespace("default", labels);
//   if (!book.Check(claim)) book.Put("grant-1", std::make_shared<const Claim>(claim));
//
// Sums follow every change at once: a charge, a quota's scope, a namespace's labels. Whatever the
// order of changes, they equal the sums computed from scratch. Amounts are whole numbers of 10^-9
// units in 128 bits and bounded (kMaxAmount), so a sum cannot overflow before there are 10^10
// charges. Pure. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/compact_id.h"
#include "quota-svc/claim.h"
#include "quota-svc/quota_terms.h"

namespace korder::quota {

// A quota as others see it.
struct QuotaUsage {
  std::string quota;
  api::ScopeType scope = api::ScopeType::kCluster;
  int64_t generation = 0;
  LimitsInForce limits;
  Amounts used;
  std::map<std::string, Amounts, std::less<>> used_in;  // by namespace, for those with a cap
  std::vector<api::FieldError> problems;

  bool operator==(const QuotaUsage&) const = default;
};

struct CheckOptions {
  // How many times the claim is to fit.
  int64_t copies = 1;
  // A claim that is charged now and would be replaced. What did not grow is not refused, so that
  // lowered limits revoke nothing.
  const Claim* instead_of = nullptr;
  // Of a window that is made longer: what is still to come of it. For max-duration this counts, and
  // it counts whatever was charged before.
  std::optional<absl::Duration> remaining = std::nullopt;
};

class QuotaBook {
 public:
  QuotaBook() = default;
  // Movable only: it points into itself.
  QuotaBook(QuotaBook&&) = default;
  QuotaBook& operator=(QuotaBook&&) = default;

  // Replaces the quota of the same name.
  void PutQuota(QuotaTerms terms, absl::Time now);
  void EraseQuota(const std::string& name);
  void PutNamespace(const std::string& ns, const api::Labels& labels);
  void EraseNamespace(const std::string& ns);
  bool KnowsNamespace(const std::string& ns) const;
  // Puts the limits of `now` in force, also when the clock was set back.
  void Advance(absl::Time now);

  // Charges, or replaces the charge with the same id.
  void Put(const std::string& id, ClaimPtr claim);
  // False when there is no such charge.
  bool Erase(const std::string& id);
  // nullptr when there is no such charge.
  ClaimPtr Find(const std::string& id) const;
  size_t size() const { return charges_.size(); }

  // The first limit, by quota name and key, that the claim does not fit; nullopt when it fits all.
  std::optional<Denial> Check(const Claim& claim, const CheckOptions& options = {}) const;
  // How many times the claim fits.
  int64_t Room(const Claim& claim) const;
  // Whether a quota that counts the claim has a limit for `key`.
  bool HasLimit(const Claim& claim, std::string_view key) const;

  // --- what-if: by the limits in force at another time, and what is used now ---

  // Every limit that the claim does not fit, by quota name and key.
  std::vector<Denial> CheckAll(const Claim& claim, int64_t copies, absl::Time at) const;
  int64_t Room(const Claim& claim, absl::Time at) const;
  // The quotas that count the claim, by name.
  std::vector<std::string> Covering(const Claim& claim) const;

  // By name; nullopt when there is no such quota.
  std::optional<QuotaUsage> Usage(const std::string& quota) const;
  std::vector<QuotaUsage> Usage() const;
  // What is charged in each namespace, under whatever quota or none.
  std::map<std::string, Amounts> UsedByNamespace() const;

  // The quotas whose limits or use changed since the last call, including erased ones.
  std::set<std::string> TakeChanged();

 private:
  // An id, the commonest of which is "ticket/" with a UUID, in less memory.
  struct ChargeKey {
    ChargeKey(std::string_view id);  // NOLINT(google-explicit-constructor): stands in for an id
    bool operator==(const ChargeKey&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const ChargeKey& key) {
      return H::combine(std::move(h), key.rest, key.of_ticket);
    }

    bool of_ticket;
    CompactId rest;  // of the id, without the prefix when it is a ticket's
  };
  struct QuotaState {
    QuotaTerms terms;
    LimitsInForce limits;
    absl::Time limits_since;  // they hold from here to limits.next_transition
    Amounts used;
    // Only for quotas that select objects; the others count all that a namespace uses.
    std::map<std::string, Amounts, std::less<>> used_in;
  };
  struct NamespaceState {
    bool known = false;
    api::Labels labels;
    Amounts used;
    int64_t charges = 0;
    std::vector<QuotaState*> quotas;  // that cover the namespace, by name
  };
  // A quota, or the cap of one namespace inside it, with what is used there. Points into the book.
  struct Level {
    const QuotaState* quota = nullptr;
    const std::string* ns = nullptr;  // of a cap; null for the quota itself
    const Limits* limits = nullptr;
    const Amounts* used = nullptr;
    std::optional<absl::Time> next_change;  // of the limits
  };

  NamespaceState& At(const std::string& ns);
  // Adds (sign 1) or takes away (sign -1) a charge everywhere it counts.
  void Count(const Claim& claim, int sign);
  void CountObject(QuotaState& quota, const Claim& claim, int sign);
  void RecomputeCover(const std::string& ns, NamespaceState& state);
  void CountFromScratch(QuotaState& quota);
  void ForgetIfUnused(const std::string& ns);
  // By name.
  std::vector<const QuotaState*> Concerned(const Claim& claim) const;
  const Amounts& UsedIn(const QuotaState& quota, const std::string& ns) const;
  // Everything that the claim has to fit, by the limits that the function has for each quota.
  template <class LimitsFn>
  std::vector<Level> Levels(const Claim& claim, const LimitsFn& limits_of) const;
  std::vector<Level> Levels(const Claim& claim) const;
  // The limits of each quota that counts the claim.
  std::map<const QuotaState*, LimitsInForce> LimitsThen(const Claim& claim, absl::Time at) const;
  // What the claim does not fit; with `first_only`, at the first such level.
  std::vector<Denial> Denials(const std::vector<Level>& levels, const std::vector<Level>& replaced,
                              const Claim& claim, const CheckOptions& options,
                              bool first_only) const;
  static int64_t RoomIn(const std::vector<Level>& levels, const Claim& claim);
  // Without the numbers.
  static Denial MakeDenial(const Level& level, std::string_view key);
  static std::optional<Denial> CheckDuration(const Level& level, const Claim& claim,
                                             const Claim* before,
                                             std::optional<absl::Duration> remaining);
  static void CheckAmounts(const Level& level, const Claim& claim, const Claim* before,
                           int64_t copies, std::vector<Denial>& denials);
  QuotaUsage UsageOf(const QuotaState& quota) const;

  std::map<std::string, QuotaState> quotas_;
  std::vector<QuotaState*> selecting_objects_;
  std::map<std::string, NamespaceState> namespaces_;
  absl::flat_hash_map<ChargeKey, ClaimPtr> charges_;
  std::set<std::string> changed_;
};

}  // namespace korder::quota
