#include "order-svc/order_status.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/reasons.h"
#include "order-svc/books.h"

namespace korder::order {
namespace {

using api::ConditionStatus;
using api::TicketPhase;

void Set(const api::Order& order, std::string_view type, bool is_true, std::string_view reason,
         std::string message, absl::Time now, api::OrderStatus& status) {
  api::SetCondition(status.conditions,
                    {.type = std::string(type),
                     .status = is_true ? ConditionStatus::kTrue : ConditionStatus::kFalse,
                     .observed_generation = order.metadata.generation,
                     .reason = std::string(reason),
                     .message = std::move(message)},
                    now);
}

using Nodes = absl::flat_hash_set<std::string_view>;

// The tickets of the windows that are served, which is what Ready is about.
struct Served {
  int64_t wanted = 0;
  int64_t counted = 0;  // slots that are taken, by a live ticket or a used-up one
  int64_t live = 0;
  int64_t available = 0;
  int64_t claimed = 0;
  int64_t updated = 0;                   // of the live ones
  const OrderTicket* waiting = nullptr;  // the first that is not Ready
  const OrderTicket* failed = nullptr;   // the first that failed and is not replaced
};

class StatusMaker {
 public:
  StatusMaker(const Situation& situation, const Memory& memory)
      : situation_(situation), order_(situation.order()), memory_(memory) {}

  api::OrderStatus Make() {
    // What other parts wrote stays: conditions keep their transition times.
    status_.conditions = order_.status.conditions;
    status_.collision_count = order_.status.collision_count;
    status_.observed_generation = order_.metadata.generation;
    status_.selector = api::EffectiveSelector(order_).ToString();
    KeepInStatus(order_, memory_, status_);
    CountAll();
    SetWindows();
    const bool paused = order_.spec.paused;
    Set(order_, api::kConditionSuspended, paused,
        paused ? api::kReasonPaused : api::kReasonNotPaused,
        paused ? "no ticket is created or deleted while spec.paused is true" : "", now(), status_);
    SetReady();
    return std::move(status_);
  }

 private:
  absl::Time now() const { return situation_.now(); }
  bool IsScheduled() const { return order_.spec.strategy.type == api::StrategyType::kScheduled; }

  void CountAll() {
    status_.desired_replicas = static_cast<int32_t>(situation_.Desired());
    for (const auto& [occurrence, entries] : situation_.entries) {
      for (const Entry& entry : entries) {
        Count(entry);
      }
    }
    for (const Entry& entry : situation_.strays) {
      Count(entry);
    }
    if (order_.spec.daemon_set) {
      CountNodes();
    }
    CountServed();
    status_.unavailable_replicas =
        static_cast<int32_t>(std::max<int64_t>(0, served_.wanted - served_.available));
  }

  void Count(const Entry& entry) {
    const TicketPhase phase = entry.ticket->phase;
    if (api::IsFinished(phase)) {
      ++status_.terminal_replicas;
      return;
    }
    if (entry.ticket->deleting) {
      return;
    }
    ++status_.replicas;
    status_.updated_replicas += entry.outdated ? 0 : 1;
    status_.claimed_replicas += entry.IsClaimed() ? 1 : 0;
    status_.ready_replicas += phase == TicketPhase::kReady ? 1 : 0;
    status_.available_replicas += IsAvailable(order_, *entry.ticket, now()) ? 1 : 0;
  }

  void CountNodes() {
    Nodes ready;
    Nodes claimed;
    for (const auto& [occurrence, entries] : situation_.entries) {
      for (const Entry& entry : entries) {
        if (entry.IsClaimed()) {
          claimed.insert(entry.node);
        } else if (entry.ticket->phase == TicketPhase::kReady) {
          ready.insert(entry.node);
        }
      }
    }
    status_.nodes = api::OrderNodes{.eligible = status_.desired_replicas,
                                    .ready = static_cast<int32_t>(ready.size()),
                                    .claimed = static_cast<int32_t>(claimed.size())};
  }

  void CountServed() {
    for (const auto& [occurrence, book] : memory_.books) {
      if (!book.skipped.empty() || situation_.IsAhead(occurrence)) {
        continue;
      }
      served_.wanted += situation_.Desired();
      served_.counted +=
          order_.spec.daemon_set ? CountServedNodes(occurrence, book) : book.slots.size();
      for (const Entry& entry : situation_.EntriesOf(occurrence)) {
        CountServed(entry, book);
      }
    }
  }
  // Eligible nodes that have had their ticket.
  int64_t CountServedNodes(absl::Time occurrence, const Book& book) const {
    Nodes nodes(book.used_nodes.begin(), book.used_nodes.end());
    for (const Entry& entry : situation_.EntriesOf(occurrence)) {
      if (book.slots.Contains(entry.ordinal)) {
        nodes.insert(entry.node);
      }
    }
    for (const auto& [ordinal, cell] : memory_.unseen) {
      if (cell.occurrence == occurrence) {
        nodes.insert(cell.node);
      }
    }
    return std::count_if(situation_.eligible.begin(), situation_.eligible.end(),
                         [&](std::string_view node) { return nodes.contains(node); });
  }
  void CountServed(const Entry& entry, const Book& book) {
    if (entry.IsClaimed()) {
      ++served_.claimed;
    } else if (entry.IsLive() && !book.slots.Contains(entry.ordinal)) {
      return;  // about to be deleted
    } else if (entry.IsLive()) {
      ++served_.live;
      served_.updated += entry.outdated ? 0 : 1;
      if (IsAvailable(order_, *entry.ticket, now())) {
        ++served_.available;
      } else if (served_.waiting == nullptr) {
        served_.waiting = entry.ticket;
      }
    } else if (entry.ticket->phase == TicketPhase::kFailed &&
               (book.slots.Contains(entry.ordinal) || book.used_nodes.contains(entry.node)) &&
               served_.failed == nullptr) {
      served_.failed = entry.ticket;
    }
  }

  void SetWindows() {
    const auto shown = [](const api::Window& window) {
      api::TimeWindow text{.start = window.start};
      if (window.end != absl::InfiniteFuture()) {
        text.end = window.end;
      }
      return text;
    };
    if (const auto next = situation_.windows.Next(now())) {
      status_.next_window = shown(*next);
    }
    if (IsScheduled()) {
      for (const auto& [start, book] : memory_.books) {
        if (book.skipped.empty() && start <= now() && situation_.IsOpen(start)) {
          status_.current_window = shown(situation_.windows.At(start));
        }
      }
      return;
    }
    for (const api::Window& window : situation_.windows.OpenAt(now())) {
      if (window.start <= now()) {
        status_.current_window = shown(window);
      }
    }
  }

  void Ready(bool ready, std::string_view reason, std::string message) {
    Set(order_, api::kConditionReady, ready, reason, std::move(message), now(), status_);
  }

  // Between windows nothing is wanted, and that is as it should be.
  bool SetOutsideWindow() {
    if (!IsScheduled() || status_.current_window) {
      return false;
    }
    std::string message = "no window is open";
    for (const auto& [start, book] : memory_.books) {
      if (!book.skipped.empty() && start <= now()) {
        message = absl::StrCat("the window of ", situation_.TimeText(start),
                               " is left out: ", book.skipped);
      }
    }
    if (status_.next_window) {
      absl::StrAppend(&message, "; the next one opens at ",
                      situation_.TimeText(*status_.next_window->start));
      if (served_.live > 0) {
        absl::StrAppend(&message, ", ", served_.available, " of ", served_.wanted,
                        " tickets hold room for it");
      }
    }
    // A window that is running and was not begun is what a pause leaves out.
    const bool kept_shut =
        order_.spec.paused &&
        std::any_of(situation_.open.begin(), situation_.open.end(), [&](const api::Window& window) {
          return window.start <= now() && !memory_.books.contains(window.start);
        });
    if (kept_shut) {
      Ready(false, api::kReasonPaused,
            "a window is open, and spec.paused keeps it without tickets");
    } else {
      Ready(true, api::kReasonOutsideWindow, std::move(message));
    }
    return true;
  }

  void SetReady() {
    if (SetOutsideWindow()) {
      return;
    }
    // Slots that are counted but hold nothing live were used up, and the policy does not replace
    // them.
    const bool filled = served_.counted >= served_.wanted;
    if (filled && served_.failed != nullptr) {
      return Ready(false, api::kReasonTicketsFailed,
                   absl::StrCat("ticket ", served_.failed->metadata.name, " failed: ",
                                served_.failed->Why().reason, ": ", served_.failed->Why().message));
    }
    if (order_.spec.daemon_set && served_.wanted == 0) {
      return Ready(true, api::kReasonNoEligibleNode,
                   "no node matches the selector, affinity and tolerations of the template");
    }
    if (filled && served_.live + served_.claimed == 0 && served_.wanted > 0) {
      return Ready(true, api::kReasonCompleted,
                   IsScheduled() ? "all tickets of the window are finished and are not replaced"
                                 : "all tickets are finished and are not replaced");
    }
    const OrderTicket* waiting = served_.waiting;
    if (served_.updated < served_.live && (waiting == nullptr || waiting->Why().reason.empty())) {
      return Ready(false, api::kReasonRollingOut,
                   absl::StrCat(served_.updated, " of ", served_.wanted,
                                " tickets are of the present template, ", served_.available,
                                " are available"));
    }
    if (filled && served_.available >= served_.live) {
      return Ready(
          true, api::kReasonAllTicketsReady,
          absl::StrCat(served_.available, " tickets hold room, ", served_.claimed, " are claimed"));
    }
    SetNotReady(filled);
  }

  void SetNotReady(bool filled) {
    std::string cause =
        absl::StrCat(served_.available, " of ", served_.wanted, " tickets are available");
    if (!filled && order_.spec.paused) {
      return Ready(false, api::kReasonPaused,
                   absl::StrCat(cause, "; spec.paused keeps the others from being created"));
    }
    const OrderTicket* waiting = served_.waiting;
    if (waiting != nullptr && !waiting->Why().reason.empty()) {
      absl::StrAppend(&cause, "; ticket ", waiting->metadata.name, ": ", waiting->Why().reason,
                      waiting->Why().message.empty() ? "" : ": ", waiting->Why().message);
    }
    Ready(false, api::kReasonTicketsNotReady, std::move(cause));
  }

  const Situation& situation_;
  const api::Order& order_;
  const Memory& memory_;
  api::OrderStatus status_;
  Served served_;
};

}  // namespace

api::OrderStatus ComputeStatus(const Situation& situation, const Memory& memory) {
  return StatusMaker(situation, memory).Make();
}

void SetProgress(const api::Order& order, const Plan& plan, const Outcome& outcome, absl::Time now,
                 api::OrderStatus& status) {
  if (!plan.serves) {
    return;  // SetFailure has said why.
  }
  const api::Condition* ready = api::FindCondition(status.conditions, api::kConditionReady);
  const bool failed = ready != nullptr && ready->reason == api::kReasonTicketsFailed;
  Set(order, api::kConditionFailure, failed,
      failed ? api::kReasonTicketsFailed : api::kReasonNoFailure, failed ? ready->message : "", now,
      status);
  // A rollout that is denied its extra ticket goes on without it.
  const bool denied = !outcome.denied.empty() && !plan.surging;
  Set(order, api::kConditionQuotaLimited, denied,
      denied ? api::kReasonQuotaDenied : api::kReasonWithinQuota, denied ? outcome.denied : "", now,
      status);
  if (denied) {
    Set(order, api::kConditionReady, false, api::kReasonQuotaDenied, outcome.denied, now, status);
  }
  const bool pending = status.ready_replicas + status.claimed_replicas < status.replicas;
  const bool busy = !plan.create.empty() || !plan.remove.empty() || pending || plan.outdated > 0;
  Set(order, api::kConditionProgressing, busy && !denied,
      plan.outdated > 0      ? api::kReasonRollingOut
      : !plan.remove.empty() ? api::kReasonDeletingTickets
      : busy                 ? api::kReasonCreatingTickets
                             : api::kReasonUpToDate,
      plan.outdated > 0 ? absl::StrCat(plan.outdated, " tickets are of an older template") : "",
      now, status);
}

bool OnItsWay(const api::OrderStatus& status) {
  const api::Condition* ready = api::FindCondition(status.conditions, api::kConditionReady);
  const api::Condition* progressing =
      api::FindCondition(status.conditions, api::kConditionProgressing);
  const bool some_made = !status.slots.empty() && status.collision_count == 0;
  return some_made && status.occurrences.empty() && ready != nullptr &&
         ready->status == ConditionStatus::kFalse && ready->reason == api::kReasonTicketsNotReady &&
         progressing != nullptr && progressing->status == ConditionStatus::kTrue;
}

void SetNoLedger(const api::Order& order, const std::string& why, absl::Time now,
                 api::OrderStatus& status) {
  Set(order, api::kConditionReady, false, api::kReasonQuotaUnavailable,
      absl::StrCat("quota-svc cannot be asked, so no ticket is created: ", why), now, status);
}

void SetFailure(const api::Order& order, std::string_view reason, const std::string& message,
                absl::Time now, api::OrderStatus& status) {
  Set(order, api::kConditionFailure, true, reason, message, now, status);
  Set(order, api::kConditionReady, false, reason, message, now, status);
  Set(order, api::kConditionProgressing, false, reason, "", now, status);
}

std::optional<absl::Duration> UntilNextAvailable(const Observed& observed) {
  const absl::Duration min_ready = absl::Seconds(observed.order->spec.min_ready_seconds);
  std::optional<absl::Duration> soonest;
  for (const auto& ticket : observed.tickets) {
    if (ticket->ready_since) {
      const absl::Duration left = *ticket->ready_since + min_ready - observed.now;
      if (left > absl::ZeroDuration() && (!soonest || left < *soonest)) {
        soonest = left;
      }
    }
  }
  return soonest;
}

}  // namespace korder::order
