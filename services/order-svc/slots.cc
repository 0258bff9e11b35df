#include "order-svc/slots.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "api/v1alpha1/reasons.h"
#include "order-svc/ticket_form.h"

namespace korder::order {
namespace {

using api::RefreshPolicy;
using api::StrategyType;
using api::TicketPhase;

// A template whose tickets all fail must not be tried in a tight loop.
constexpr absl::Duration kLongestFailureDelay = absl::Minutes(5);
constexpr absl::Duration kFailuresCount = absl::Minutes(10);

// Which slots are given up at once, so that others are made in their place.
struct Refresh {
  bool used = false;     // claimed, now or before
  bool lost = false;     // failed or deleted
  bool expired = false;  // where the window of an expired ticket is not over for all
};

Refresh RefreshOf(const api::Order& order) {
  const bool always = order.spec.strategy.refresh_policy == RefreshPolicy::kAlways;
  const bool one_end = order.spec.strategy.type == StrategyType::kScheduled ||
                       (order.spec.strategy.type == StrategyType::kOneTime &&
                        order.spec.ticket_template.spec.start_time.has_value());
  return {.used = order.spec.strategy.refresh_policy != RefreshPolicy::kNever,
          .lost = always,
          .expired = always && !one_end};
}

// How long until a failed ticket may be replaced: at once the first time, then later and later.
absl::Duration FailureDelay(const std::vector<Entry>& entries, absl::Time now) {
  std::set<int64_t> rounds;
  for (const Entry& entry : entries) {
    const OrderTicket& ticket = *entry.ticket;
    if (ticket.phase == TicketPhase::kFailed && ticket.finished_time &&
        now - *ticket.finished_time < kFailuresCount) {
      rounds.insert(absl::ToUnixSeconds(*ticket.finished_time));
    }
  }
  if (rounds.size() < 2) {
    return absl::ZeroDuration();
  }
  const absl::Duration delay = std::min(
      absl::Seconds(1) * (1 << std::min<size_t>(rounds.size() - 1, 12)), kLongestFailureDelay);
  return std::max(absl::FromUnixSeconds(*rounds.rbegin()) + delay - now, absl::ZeroDuration());
}

class Keeper {
 public:
  Keeper(const Situation& situation, absl::Time occurrence, Keeping keeping, Plan& plan)
      : situation_(situation),
        order_(situation.order()),
        occurrence_(occurrence),
        keeping_(keeping),
        entries_(situation.EntriesOf(occurrence)),
        plan_(plan),
        book_(plan.memory.books.at(occurrence)) {
    fresh_ = plan.memory.next_ordinal;
    for (const NewTicket& wanted : plan.create) {
      fresh_ = std::max(fresh_, wanted.ordinal + 1);
    }
    for (const auto& [ordinal, cell] : plan.memory.unsure) {
      unsure_[cell].push_back(ordinal);
    }
  }

  void Keep() {
    if (keeping_.may_create) {
      GiveUpSlots();
    }
    if (order_.spec.daemon_set) {
      SettleNodes();
    }
    if (order_.spec.paused) {
      return;
    }
    if (order_.spec.daemon_set) {
      KeepNodes();
    } else {
      KeepCount();
    }
  }

 private:
  // --- what both ways of counting share ---

  bool IsUnseen(int64_t ordinal) const { return plan_.memory.unseen.contains(ordinal); }
  bool IsPresent(int64_t ordinal) const {
    const auto it =
        std::lower_bound(entries_.begin(), entries_.end(), ordinal,
                         [](const Entry& entry, int64_t value) { return entry.ordinal < value; });
    return it != entries_.end() && it->ordinal == ordinal;
  }
  bool IsCounted(const Entry& entry) const { return book_.slots.Contains(entry.ordinal); }

  void GiveUpSlots() {
    const Refresh refresh = RefreshOf(order_);
    const absl::Duration failure_delay =
        refresh.lost ? FailureDelay(entries_, situation_.now()) : absl::ZeroDuration();
    for (const Entry& entry : entries_) {
      if (!IsCounted(entry) || entry.IsLive()) {
        continue;
      }
      const TicketPhase phase = entry.ticket->phase;
      bool give_up = keeping_.at_tick;
      if (entry.IsUsed()) {
        give_up = give_up || refresh.used;
      } else if (phase == TicketPhase::kExpired) {
        give_up = give_up || refresh.expired;
      } else if (refresh.lost && phase == TicketPhase::kFailed &&
                 failure_delay > absl::ZeroDuration()) {
        plan_.LookAgainIn(failure_delay);
      } else {
        give_up = give_up || refresh.lost;
      }
      if (give_up) {
        book_.slots.Remove(entry.ordinal);
      }
    }
    if (refresh.lost || keeping_.at_tick) {
      for (const int64_t ordinal : book_.slots.Values()) {
        if (!IsPresent(ordinal) && !IsUnseen(ordinal)) {
          book_.slots.Remove(ordinal);
        }
      }
      book_.used_nodes.clear();
    }
  }

  void Remove(const Entry& entry) {
    book_.slots.Remove(entry.ordinal);
    plan_.memory.node_of.erase(entry.ordinal);
    plan_.remove.push_back({kube::KeyOf(*entry.ticket), entry.ticket->metadata.uid, entry.ordinal});
  }

  // False when this plan is full.
  bool Create(std::string_view node) {
    if (plan_.create.size() >= kBatch) {
      plan_.more = true;
      return false;
    }
    const Cell cell{occurrence_, std::string(node)};
    const int64_t ordinal = NextOrdinal(cell);
    plan_.create.push_back({ordinal, cell});
    return true;
  }

  int64_t NextOrdinal(const Cell& cell) {
    if (const auto it = unsure_.find(cell); it != unsure_.end() && !it->second.empty()) {
      const int64_t ordinal = it->second.front();
      it->second.pop_front();
      return ordinal;
    }
    return fresh_++;
  }

  // A ticket of the present template that does not hold room yet.
  bool IsWaiting(const Entry& entry) const {
    return !IsAvailable(order_, *entry.ticket, situation_.now());
  }
  // It waits for room, or for the quota's: it may be the room of an older one that it needs.
  static bool LacksRoom(const Entry& entry) {
    const std::string& reason = entry.ticket->Why().reason;
    return entry.ticket->phase == TicketPhase::kPending &&
           (reason == api::kReasonUnschedulable || reason == api::kReasonQuotaDenied);
  }
  static bool HoldsNothing(const Entry& entry) {
    return entry.ticket->phase == TicketPhase::kPending;
  }
  // Pending before Ready, then those of an older template, among equals the newest.
  static bool GoesFirst(const Entry* a, const Entry* b) {
    if (HoldsNothing(*a) != HoldsNothing(*b)) {
      return HoldsNothing(*a);
    }
    if (a->outdated != b->outdated) {
      return a->outdated;
    }
    return a->ordinal > b->ordinal;
  }

  // --- spec.replicas tickets, anywhere ---

  void KeepCount() {
    const int64_t wanted = order_.spec.replicas;
    std::vector<const Entry*> free;
    std::vector<int64_t> holding;  // in ascending order
    for (const Entry& entry : entries_) {
      if (!IsCounted(entry)) {
        continue;
      }
      if (entry.IsFree() && entry.outdated && HoldsNothing(entry) && keeping_.may_create) {
        Remove(entry);
      } else if (entry.IsFree()) {
        free.push_back(&entry);
        holding.push_back(entry.ordinal);
      } else if (entry.IsClaimed() || entry.ticket->in_handoff) {
        holding.push_back(entry.ordinal);
      }
    }
    ScaleDown(wanted, holding, free);
    const bool surge = keeping_.may_create && RollOut(wanted, free);
    if (keeping_.may_create) {
      ScaleUp(wanted + (surge ? 1 : 0));
    }
  }

  static bool AnyOutdated(const std::vector<const Entry*>& free) {
    return std::any_of(free.begin(), free.end(), [](const Entry* e) { return e->outdated; });
  }

  void ScaleDown(int64_t wanted, const std::vector<int64_t>& holding,
                 std::vector<const Entry*>& free) {
    int64_t excess = book_.slots.size() - wanted;
    if (excess <= 0) {
      return;
    }
    // Slots that hold nothing any more cost nothing to give up.
    for (const int64_t ordinal : book_.slots.Values()) {
      if (excess > 0 && !std::binary_search(holding.begin(), holding.end(), ordinal) &&
          !IsUnseen(ordinal)) {
        book_.slots.Remove(ordinal);
        --excess;
      }
    }
    excess -= AnyOutdated(free) ? 1 : 0;  // the extra one of a rollout
    std::sort(free.begin(), free.end(), GoesFirst);
    auto it = free.begin();
    for (; it != free.end() && excess > 0; ++it, --excess) {
      Remove(**it);
    }
    free.erase(free.begin(), it);
  }

  // Replaces one ticket of an older template. True when an extra one is to be made first.
  bool RollOut(int64_t wanted, const std::vector<const Entry*>& free) {
    if (!AnyOutdated(free)) {
      plan_.memory.no_surge = false;
      return false;
    }
    bool waiting = false;
    bool lacks_room = false;
    const Entry* oldest = nullptr;
    for (const Entry* entry : free) {
      if (entry->outdated) {
        oldest = oldest == nullptr || entry->ordinal < oldest->ordinal ? entry : oldest;
      } else {
        waiting = waiting || IsWaiting(*entry);
        lacks_room = lacks_room || LacksRoom(*entry);
      }
    }
    for (const auto& [ordinal, cell] : plan_.memory.unseen) {
      waiting = waiting || cell.occurrence == occurrence_;
    }
    const int64_t excess = book_.slots.size() - wanted;
    if (excess > 0) {
      if (!waiting || lacks_room) {
        Remove(*oldest);
        replaced_ = 1;
      }
      return false;
    }
    if (excess < 0 || waiting) {
      return false;
    }
    if (plan_.memory.no_surge) {
      Remove(*oldest);
      replaced_ = 1;
      return false;
    }
    plan_.surging = plan_.create.empty();
    return true;
  }

  void ScaleUp(int64_t wanted) {
    // What is being replaced in this turn is made in the next, when its room and charge are free.
    const int64_t owed = wanted - book_.slots.size() - replaced_;
    for (int64_t i = 0; i < owed && Create(""); ++i) {
    }
  }

  // --- one ticket for each eligible node ---

  // Nodes whose ticket is finished or gone, and not replaced, are noted by name: a ticket that is
  // deleted takes the knowledge of its node along.
  void SettleNodes() {
    std::map<int64_t, std::string>& node_of = plan_.memory.node_of;
    const bool replaces = RefreshOf(order_).lost;
    for (const Entry& entry : entries_) {
      if (!IsCounted(entry)) {
        continue;
      }
      node_of[entry.ordinal] = entry.node;
      if (!replaces && api::IsFinished(entry.ticket->phase)) {
        if (!LostItsNode(*entry.ticket)) {
          book_.used_nodes.emplace(entry.node);
        }
        book_.slots.Remove(entry.ordinal);
        node_of.erase(entry.ordinal);
      }
    }
    for (const int64_t ordinal : book_.slots.Values()) {
      if (IsPresent(ordinal) || IsUnseen(ordinal)) {
        continue;
      }
      book_.slots.Remove(ordinal);
      if (const auto it = node_of.find(ordinal); it != node_of.end()) {
        book_.used_nodes.insert(it->second);
        node_of.erase(it);
      }
    }
    // One that comes back is a new node.
    std::erase_if(book_.used_nodes,
                  [&](const std::string& node) { return !situation_.eligible.contains(node); });
  }

  struct OnNode {
    absl::InlinedVector<const Entry*, 1> free;
    bool counted = false;
  };

  void KeepNodes() {
    absl::flat_hash_map<std::string_view, OnNode> nodes;
    nodes.reserve(situation_.eligible.size());
    for (const std::string_view node : situation_.eligible) {
      nodes[node].counted = book_.used_nodes.contains(node);
    }
    bool busy = false;  // a new one has yet to become Ready
    for (const Entry& entry : entries_) {
      if (!IsCounted(entry)) {
        continue;
      }
      const auto node = nodes.find(entry.node);
      if (entry.IsFree() &&
          (node == nodes.end() || (entry.outdated && HoldsNothing(entry) && keeping_.may_create))) {
        Remove(entry);
      } else if (node != nodes.end()) {
        node->second.counted = true;
        if (entry.IsFree()) {
          node->second.free.push_back(&entry);
          busy = busy || (!entry.outdated && IsWaiting(entry) && !LacksRoom(entry));
        }
      }
    }
    for (const auto& [ordinal, cell] : plan_.memory.unseen) {
      const auto node = nodes.find(cell.node);
      if (cell.occurrence == occurrence_ && node != nodes.end()) {
        node->second.counted = true;
        busy = true;
      }
    }
    bool outdated = false;
    for (const std::string_view node : situation_.eligible) {
      KeepOneOn(node, nodes[node], busy, outdated);
    }
    if (!outdated) {
      plan_.memory.no_surge = false;
    }
  }

  void KeepOneOn(std::string_view name, OnNode& node, bool& busy, bool& outdated) {
    std::sort(node.free.begin(), node.free.end(), GoesFirst);
    const auto old = std::find_if(node.free.begin(), node.free.end(),
                                  [](const Entry* entry) { return entry->outdated; });
    if (old == node.free.end()) {
      for (size_t i = 1; i < node.free.size(); ++i) {
        Remove(*node.free[i - 1]);
      }
      if (!node.counted && keeping_.may_create) {
        Create(name);
      }
      return;
    }
    outdated = true;
    if (!keeping_.may_create) {
      return;
    }
    const auto fresh = std::find_if(node.free.begin(), node.free.end(),
                                    [](const Entry* entry) { return !entry->outdated; });
    if (fresh != node.free.end()) {
      if (!IsWaiting(**fresh) || LacksRoom(**fresh)) {
        Remove(**old);
      }
    } else if (!busy && plan_.memory.no_surge) {
      Remove(**old);
      busy = true;
    } else if (!busy && plan_.create.size() < kBatch) {
      plan_.surging = plan_.create.empty();
      Create(name);
      busy = true;
    }
  }

  const Situation& situation_;
  const api::Order& order_;
  const absl::Time occurrence_;
  const Keeping keeping_;
  const std::vector<Entry>& entries_;
  Plan& plan_;
  Book& book_;
  int64_t fresh_ = 0;
  std::map<Cell, std::deque<int64_t>> unsure_;
  int64_t replaced_ = 0;
};

}  // namespace

void KeepTickets(const Situation& situation, absl::Time occurrence, Keeping keeping, Plan& plan) {
  Keeper(situation, occurrence, keeping, plan).Keep();
}

void RemoveFree(const std::vector<Entry>& entries, Plan& plan) {
  for (const Entry& entry : entries) {
    if (entry.IsFree() && !plan.memory.deleted.contains(entry.ordinal)) {
      plan.remove.push_back(
          {kube::KeyOf(*entry.ticket), entry.ticket->metadata.uid, entry.ordinal});
    }
  }
}

}  // namespace korder::order
