#include "quota-svc/quota_book.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace korder::quota {
namespace {

using Nanos = api::Quantity::Nanos;

constexpr std::string_view kTicketCharges = "ticket/";  // of a ticket's charge (grant_table.h)
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

Nanos ValueOf(const Amounts& amounts, const std::string& key) {
  const auto it = amounts.find(key);
  return it == amounts.end() ? 0 : it->second.nanos();
}

// Sums have no zero entries, so two that mean the same are equal.
void AddTo(Amounts& sum, const Amounts& amounts, int sign) {
  for (const auto& [key, amount] : amounts) {
    api::Quantity& total = sum[key];
    const auto format = total.IsZero() ? amount.format() : total.format();
    total = api::Quantity::FromNanos(total.nanos() + sign * amount.nanos(), format);
    if (total.IsZero()) {
      sum.erase(key);
    }
  }
}

}  // namespace

QuotaBook::ChargeKey::ChargeKey(std::string_view id)
    : of_ticket(id.starts_with(kTicketCharges)),
      rest(id.substr(of_ticket ? kTicketCharges.size() : 0)) {}

Denial QuotaBook::MakeDenial(const Level& level, std::string_view key) {
  const std::string name = level.quota->terms.name;
  Denial denial;
  denial.quota = name;
  denial.resource = key;
  denial.message = absl::StrCat("quota ", name, ": ", level.ns == nullptr ? "" : "namespace ",
                                level.ns == nullptr ? "" : *level.ns,
                                level.ns == nullptr ? "" : ": ", denial.resource, ": ");
  denial.next_change = level.next_change;
  return denial;
}

QuotaBook::NamespaceState& QuotaBook::At(const std::string& ns) {
  const auto [it, added] = namespaces_.try_emplace(ns);
  if (added) {
    RecomputeCover(ns, it->second);
  }
  return it->second;
}

void QuotaBook::RecomputeCover(const std::string& ns, NamespaceState& state) {
  std::vector<QuotaState*> covering;
  for (auto& [name, quota] : quotas_) {
    if (CoversNamespace(quota.terms, ns, state.known ? &state.labels : nullptr)) {
      covering.push_back(&quota);
    }
  }
  for (QuotaState* quota : state.quotas) {
    if (std::find(covering.begin(), covering.end(), quota) == covering.end()) {
      AddTo(quota->used, state.used, -1);
      changed_.insert(quota->terms.name);
    }
  }
  for (QuotaState* quota : covering) {
    if (std::find(state.quotas.begin(), state.quotas.end(), quota) == state.quotas.end()) {
      AddTo(quota->used, state.used, 1);
      changed_.insert(quota->terms.name);
    }
  }
  state.quotas = std::move(covering);
}

void QuotaBook::CountObject(QuotaState& quota, const Claim& claim, int sign) {
  if (!quota.terms.selector.Matches(claim.labels)) {
    return;
  }
  AddTo(quota.used, claim.amounts, sign);
  Amounts& here = quota.used_in[claim.ns];
  AddTo(here, claim.amounts, sign);
  if (here.empty()) {
    quota.used_in.erase(claim.ns);
  }
  changed_.insert(quota.terms.name);
}

void QuotaBook::PutQuota(QuotaTerms terms, absl::Time now) {
  const std::string name = terms.name;
  EraseQuota(name);
  QuotaState& quota = quotas_[name];
  quota.limits = LimitsAt(terms, now);
  quota.limits_since = now;
  quota.terms = std::move(terms);
  if (SelectsObjects(quota.terms)) {
    selecting_objects_.push_back(&quota);
    for (const auto& [id, claim] : charges_) {
      CountObject(quota, *claim, 1);
    }
  } else {
    for (auto& [ns, state] : namespaces_) {
      RecomputeCover(ns, state);
    }
  }
  changed_.insert(name);
}

void QuotaBook::EraseQuota(const std::string& name) {
  const auto it = quotas_.find(name);
  if (it == quotas_.end()) {
    return;
  }
  for (auto& [ns, state] : namespaces_) {
    std::erase(state.quotas, &it->second);
  }
  std::erase(selecting_objects_, &it->second);
  quotas_.erase(it);
  changed_.insert(name);
}

void QuotaBook::PutNamespace(const std::string& ns, const api::Labels& labels) {
  NamespaceState& state = At(ns);
  state.known = true;
  state.labels = labels;
  RecomputeCover(ns, state);
}

void QuotaBook::EraseNamespace(const std::string& ns) {
  const auto it = namespaces_.find(ns);
  if (it == namespaces_.end()) {
    return;
  }
  it->second.known = false;
  it->second.labels.clear();
  RecomputeCover(ns, it->second);
  ForgetIfUnused(ns);
}

bool QuotaBook::KnowsNamespace(const std::string& ns) const {
  const auto it = namespaces_.find(ns);
  return it != namespaces_.end() && it->second.known;
}

void QuotaBook::ForgetIfUnused(const std::string& ns) {
  const auto it = namespaces_.find(ns);
  if (it != namespaces_.end() && !it->second.known && it->second.charges == 0) {
    namespaces_.erase(it);
  }
}

void QuotaBook::Advance(absl::Time now) {
  for (auto& [name, quota] : quotas_) {
    if (quota.terms.windows.empty() ||
        (quota.limits_since <= now &&
         now < quota.limits.next_transition.value_or(absl::InfiniteFuture()))) {
      continue;
    }
    LimitsInForce limits = LimitsAt(quota.terms, now);
    quota.limits_since = now;
    if (limits != quota.limits) {
      quota.limits = std::move(limits);
      changed_.insert(name);
    }
  }
}

void QuotaBook::Count(const Claim& claim, int sign) {
  NamespaceState& state = At(claim.ns);
  state.charges += sign;
  AddTo(state.used, claim.amounts, sign);
  for (QuotaState* quota : state.quotas) {
    AddTo(quota->used, claim.amounts, sign);
    changed_.insert(quota->terms.name);
  }
  for (QuotaState* quota : selecting_objects_) {
    CountObject(*quota, claim, sign);
  }
}

void QuotaBook::Put(const std::string& id, ClaimPtr claim) {
  Erase(id);
  Count(*claim, 1);
  charges_[ChargeKey(id)] = std::move(claim);
}

bool QuotaBook::Erase(const std::string& id) {
  const auto it = charges_.find(ChargeKey(id));
  if (it == charges_.end()) {
    return false;
  }
  const ClaimPtr claim = std::move(it->second);
  charges_.erase(it);
  Count(*claim, -1);
  ForgetIfUnused(claim->ns);
  return true;
}

ClaimPtr QuotaBook::Find(const std::string& id) const {
  const auto it = charges_.find(ChargeKey(id));
  return it == charges_.end() ? nullptr : it->second;
}

std::vector<const QuotaBook::QuotaState*> QuotaBook::Concerned(const Claim& claim) const {
  std::vector<const QuotaState*> concerned;
  if (const auto at = namespaces_.find(claim.ns); at != namespaces_.end()) {
    concerned.assign(at->second.quotas.begin(), at->second.quotas.end());
  } else {
    for (const auto& [name, quota] : quotas_) {
      if (CoversNamespace(quota.terms, claim.ns, nullptr)) {
        concerned.push_back(&quota);
      }
    }
  }
  for (const QuotaState* quota : selecting_objects_) {
    if (quota->terms.selector.Matches(claim.labels)) {
      concerned.push_back(quota);
    }
  }
  std::sort(concerned.begin(), concerned.end(),
            [](const QuotaState* a, const QuotaState* b) { return a->terms.name < b->terms.name; });
  return concerned;
}

const Amounts& QuotaBook::UsedIn(const QuotaState& quota, const std::string& ns) const {
  static const Amounts kNothing;
  if (SelectsObjects(quota.terms)) {
    const auto it = quota.used_in.find(ns);
    return it == quota.used_in.end() ? kNothing : it->second;
  }
  const auto it = namespaces_.find(ns);
  const bool covered = it != namespaces_.end() &&
                       std::find(it->second.quotas.begin(), it->second.quotas.end(), &quota) !=
                           it->second.quotas.end();
  return covered ? it->second.used : kNothing;
}

template <class LimitsFn>
std::vector<QuotaBook::Level> QuotaBook::Levels(const Claim& claim,
                                                const LimitsFn& limits_of) const {
  std::vector<Level> levels;
  for (const QuotaState* quota : Concerned(claim)) {
    const LimitsInForce& limits = limits_of(*quota);
    levels.push_back({quota, nullptr, &limits.hard, &quota->used, limits.next_transition});
    const auto cap = limits.allocation.find(claim.ns);
    if (cap != limits.allocation.end()) {
      levels.push_back(
          {quota, &cap->first, &cap->second, &UsedIn(*quota, claim.ns), limits.next_transition});
    }
  }
  return levels;
}

std::vector<QuotaBook::Level> QuotaBook::Levels(const Claim& claim) const {
  return Levels(claim,
                [](const QuotaState& quota) -> const LimitsInForce& { return quota.limits; });
}

std::map<const QuotaBook::QuotaState*, LimitsInForce> QuotaBook::LimitsThen(const Claim& claim,
                                                                            absl::Time at) const {
  std::map<const QuotaState*, LimitsInForce> limits;
  for (const QuotaState* quota : Concerned(claim)) {
    limits.emplace(quota, LimitsAt(quota->terms, at));
  }
  return limits;
}

std::optional<Denial> QuotaBook::CheckDuration(const Level& level, const Claim& claim,
                                               const Claim* before,
                                               std::optional<absl::Duration> remaining) {
  const std::optional<absl::Duration>& most = level.limits->max_duration;
  const std::optional<absl::Duration> wanted = remaining ? remaining : claim.duration;
  const absl::Duration asked = wanted.value_or(absl::InfiniteDuration());
  const bool grew =
      remaining || before == nullptr || asked > before->duration.value_or(absl::InfiniteDuration());
  if (!most || asked <= *most || !grew || !claim.amounts.contains(api::kQuotaTickets)) {
    return std::nullopt;
  }
  Denial denial = MakeDenial(level, api::kQuotaMaxDuration);
  // What is still to come is never a round number; people need not read that.
  denial.requested =
      wanted ? DurationText(remaining ? absl::Ceil(*wanted, absl::Seconds(1)) : *wanted) : "no end";
  denial.limit = DurationText(*most);
  absl::StrAppend(&denial.message, "requested ", denial.requested, ", at most ", denial.limit);
  return denial;
}

void QuotaBook::CheckAmounts(const Level& level, const Claim& claim, const Claim* before,
                             int64_t copies, std::vector<Denial>& denials) {
  for (const auto& [key, limit] : level.limits->amounts) {
    const Nanos asked = ValueOf(claim.amounts, key) * copies;
    const Nanos replaced = before == nullptr ? 0 : ValueOf(before->amounts, key);
    const Nanos used = ValueOf(*level.used, key) - replaced;
    if (asked <= replaced || asked <= limit.nanos() - used) {
      continue;
    }
    // All in the format of the limit: "used 20 of 20", whatever the charges were written in.
    const auto text = [format = limit.format()](Nanos nanos) {
      return api::Quantity::FromNanos(nanos, format).ToString();
    };
    Denial denial = MakeDenial(level, key);
    denial.requested = text(asked);
    denial.used = text(used);
    denial.limit = limit.ToString();
    absl::StrAppend(&denial.message, "requested ", denial.requested, ", used ", denial.used, " of ",
                    denial.limit);
    denials.push_back(std::move(denial));
  }
}

std::vector<Denial> QuotaBook::Denials(const std::vector<Level>& levels,
                                       const std::vector<Level>& replaced, const Claim& claim,
                                       const CheckOptions& options, bool first_only) const {
  std::vector<Denial> denials;
  for (const Level& level : levels) {
    const bool counted = std::any_of(replaced.begin(), replaced.end(), [&](const Level& other) {
      return other.quota == level.quota && other.ns == level.ns;
    });
    const Claim* before = counted ? options.instead_of : nullptr;
    if (std::optional<Denial> denial = CheckDuration(level, claim, before, options.remaining)) {
      denials.push_back(*std::move(denial));
    }
    CheckAmounts(level, claim, before, options.copies, denials);
    if (first_only && !denials.empty()) {
      break;
    }
  }
  return denials;
}

std::optional<Denial> QuotaBook::Check(const Claim& claim, const CheckOptions& options) const {
  const std::vector<Level> replaced =
      options.instead_of == nullptr ? std::vector<Level>() : Levels(*options.instead_of);
  std::vector<Denial> denials = Denials(Levels(claim), replaced, claim, options, true);
  return denials.empty() ? std::nullopt : std::optional(std::move(denials.front()));
}

std::vector<Denial> QuotaBook::CheckAll(const Claim& claim, int64_t copies, absl::Time at) const {
  const auto then = LimitsThen(claim, at);
  const auto limits_of = [&](const QuotaState& quota) -> const LimitsInForce& {
    return then.at(&quota);
  };
  return Denials(Levels(claim, limits_of), {}, claim, {.copies = copies}, false);
}

int64_t QuotaBook::RoomIn(const std::vector<Level>& levels, const Claim& claim) {
  Nanos room = kNoLimit;
  for (const Level& level : levels) {
    if (CheckDuration(level, claim, nullptr, std::nullopt)) {
      return 0;
    }
    for (const auto& [key, limit] : level.limits->amounts) {
      if (const Nanos asked = ValueOf(claim.amounts, key); asked > 0) {
        const Nanos left = limit.nanos() - ValueOf(*level.used, key);
        room = std::min(room, std::max<Nanos>(left, 0) / asked);
      }
    }
  }
  return static_cast<int64_t>(room);
}

int64_t QuotaBook::Room(const Claim& claim) const { return RoomIn(Levels(claim), claim); }

bool QuotaBook::HasLimit(const Claim& claim, std::string_view key) const {
  const std::vector<Level> levels = Levels(claim);
  return std::any_of(levels.begin(), levels.end(),
                     [&](const Level& level) { return level.limits->amounts.contains(key); });
}

int64_t QuotaBook::Room(const Claim& claim, absl::Time at) const {
  const auto then = LimitsThen(claim, at);
  const auto limits_of = [&](const QuotaState& quota) -> const LimitsInForce& {
    return then.at(&quota);
  };
  return RoomIn(Levels(claim, limits_of), claim);
}

std::vector<std::string> QuotaBook::Covering(const Claim& claim) const {
  std::vector<std::string> names;
  for (const QuotaState* quota : Concerned(claim)) {
    names.push_back(quota->terms.name);
  }
  return names;
}

QuotaUsage QuotaBook::UsageOf(const QuotaState& quota) const {
  QuotaUsage usage{.quota = quota.terms.name,
                   .scope = quota.terms.scope,
                   .generation = quota.terms.generation,
                   .limits = quota.limits,
                   .used = quota.used,
                   .used_in = {},
                   .problems = quota.terms.problems};
  for (const auto& [ns, limits] : quota.limits.allocation) {
    usage.used_in[ns] = UsedIn(quota, ns);
  }
  return usage;
}

std::optional<QuotaUsage> QuotaBook::Usage(const std::string& quota) const {
  const auto it = quotas_.find(quota);
  return it == quotas_.end() ? std::nullopt : std::optional(UsageOf(it->second));
}

std::vector<QuotaUsage> QuotaBook::Usage() const {
  std::vector<QuotaUsage> all;
  all.reserve(quotas_.size());
  for (const auto& [name, quota] : quotas_) {
    all.push_back(UsageOf(quota));
  }
  return all;
}

std::map<std::string, Amounts> QuotaBook::UsedByNamespace() const {
  std::map<std::string, Amounts> used;
  for (const auto& [ns, state] : namespaces_) {
    if (!state.used.empty()) {
      used[ns] = state.used;
    }
  }
  return used;
}

std::set<std::string> QuotaBook::TakeChanged() { return std::exchange(changed_, {}); }

}  // namespace korder::quota
