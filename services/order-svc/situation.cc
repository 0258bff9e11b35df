#include "order-svc/situation.h"

#include <algorithm>

#include "api/core/daemon_nodes.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/reasons.h"
#include "order-svc/ticket_form.h"

namespace korder::order {

using api::TicketPhase;

bool Entry::IsLive() const {
  return !ticket->metadata.deleting() && api::IsLive(ticket->status.phase);
}
bool Entry::IsFree() const { return IsLive() && !ticket->status.handoff; }
bool Entry::IsClaimed() const { return ticket->status.phase == TicketPhase::kClaimed; }
bool Entry::IsUsed() const {
  return IsClaimed() || ticket->status.phase == TicketPhase::kCompleted;
}

bool Situation::IsOpen(absl::Time occurrence) const {
  return std::any_of(open.begin(), open.end(),
                     [&](const api::Window& window) { return window.start == occurrence; });
}

bool Situation::IsAhead(absl::Time occurrence) const {
  return occurrence > now() && !IsOpen(occurrence) && windows.IsTick(occurrence) &&
         !windows.Skips(occurrence);
}

const std::vector<Entry>& Situation::EntriesOf(absl::Time occurrence) const {
  static const std::vector<Entry> kNone;
  const auto it = entries.find(occurrence);
  return it == entries.end() ? kNone : it->second;
}

std::string Situation::TimeText(absl::Time time) const {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, windows.zone());
}

int64_t Situation::Desired() const {
  return order().spec.daemon_set ? static_cast<int64_t>(eligible.size()) : order().spec.replicas;
}

Situation Examine(const Observed& observed) {
  const api::Order& order = *observed.order;
  absl::StatusOr<api::OrderWindows> windows = api::OrderWindows::Of(order.spec);
  if (!windows.ok()) {
    windows = api::OrderWindows::Of({});
  }
  Situation situation{.observed = observed, .windows = *std::move(windows)};
  if (order.spec.strategy.type == api::StrategyType::kScheduled) {
    situation.open = situation.windows.OpenAt(observed.now);
  }
  if (order.spec.daemon_set) {
    for (const NodePtr& node : observed.nodes) {
      if (!node->metadata.deleting() &&
          api::IsEligibleForDaemon(order.spec.ticket_template.spec, *node)) {
        situation.eligible.insert(node->metadata.name);
      }
    }
  }
  const TemplateMatcher matcher(order);
  for (const TicketPtr& ticket : observed.tickets) {
    const std::optional<Cell> cell = CellOf(order, *ticket);
    Entry entry{.ticket = ticket.get(), .ordinal = OrdinalOf(*ticket)};
    if (!cell || entry.ordinal < 0) {
      situation.strays.push_back(std::move(entry));
      continue;
    }
    entry.node = cell->node;
    entry.outdated = !api::IsFinished(ticket->status.phase) && !matcher.Matches(*ticket);
    situation.entries[cell->occurrence].push_back(std::move(entry));
  }
  for (auto& [occurrence, entries] : situation.entries) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.ordinal < b.ordinal; });
  }
  return situation;
}

std::optional<absl::Time> ReadySince(const api::Ticket& ticket) {
  if (ticket.status.phase != TicketPhase::kReady) {
    return std::nullopt;
  }
  const api::Condition* ready = api::FindCondition(ticket.status.conditions, api::kConditionReady);
  return ready != nullptr ? ready->last_transition_time : absl::InfinitePast();
}

bool IsAvailable(const api::Order& order, const api::Ticket& ticket, absl::Time now) {
  const std::optional<absl::Time> since = ReadySince(ticket);
  return since && *since + absl::Seconds(order.spec.min_ready_seconds) <= now;
}

}  // namespace korder::order
