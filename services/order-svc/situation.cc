#include "order-svc/situation.h"

#include <algorithm>

#include "api/core/daemon_nodes.h"
#include "api/v1alpha1/reasons.h"
#include "order-svc/ticket_form.h"

namespace korder::order {

using api::TicketPhase;

bool Entry::IsLive() const { return !ticket->deleting && api::IsLive(ticket->phase); }
bool Entry::IsFree() const { return IsLive() && !ticket->in_handoff; }
bool Entry::IsClaimed() const { return ticket->phase == TicketPhase::kClaimed; }
bool Entry::IsUsed() const { return IsClaimed() || ticket->phase == TicketPhase::kCompleted; }

bool LostItsNode(const OrderTicket& ticket) {
  return ticket.phase == TicketPhase::kFailed && ticket.Why().reason == api::kReasonNodeDeleted;
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

namespace {

// How far the view of nodes may lag behind what ticket-svc has seen of them.
constexpr absl::Duration kLateView = absl::Seconds(30);

// Nodes of which ticket-svc saw the end are not eligible, though our own view of them may be late:
// noted as used up, one that comes back before we look again would never have a ticket. A node that
// was made since (the server's times are whole seconds) is another one.
void LeaveOutDeletedNodes(Situation& situation) {
  std::map<std::string_view, absl::Time> deleted;
  for (const TicketPtr& ticket : situation.observed.tickets) {
    if (LostItsNode(*ticket) && ticket->finished_time) {
      absl::Time& last =
          deleted.try_emplace(ticket->node_name.str(), absl::InfinitePast()).first->second;
      last = std::max(last, *ticket->finished_time);
    }
  }
  if (deleted.empty()) {
    return;
  }
  for (const NodePtr& node : situation.observed.nodes) {
    const auto it = deleted.find(node->metadata.name);
    if (it == deleted.end() || it->second + kLateView <= situation.now()) {
      continue;
    }
    const absl::Time made = node->metadata.creation_timestamp.value_or(absl::InfinitePast());
    if (made < absl::FromUnixSeconds(absl::ToUnixSeconds(it->second)) &&
        situation.eligible.erase(it->first) > 0) {
      situation.nodes_known_at = std::max(situation.nodes_known_at, it->second + kLateView);
    }
  }
}

}  // namespace

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
        // The store gives them by name.
        situation.eligible.insert(situation.eligible.end(), node->metadata.name);
      }
    }
    LeaveOutDeletedNodes(situation);
  }
  TemplateMatcher matcher(order);
  for (const TicketPtr& ticket : observed.tickets) {
    const std::optional<absl::Time> occurrence = OccurrenceOf(order, *ticket);
    Entry entry{.ticket = ticket.get(), .ordinal = OrdinalOf(ticket->metadata.name)};
    if (!occurrence || entry.ordinal < 0) {
      situation.strays.push_back(entry);
      continue;
    }
    if (order.spec.daemon_set) {
      entry.node = ticket->node_name;
    }
    entry.outdated = !api::IsFinished(ticket->phase) && !matcher.Matches(*ticket);
    situation.entries[*occurrence].push_back(entry);
  }
  for (auto& [occurrence, entries] : situation.entries) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.ordinal < b.ordinal; });
  }
  return situation;
}

bool IsAvailable(const api::Order& order, const OrderTicket& ticket, absl::Time now) {
  return ticket.ready_since &&
         *ticket.ready_since + absl::Seconds(order.spec.min_ready_seconds) <= now;
}

}  // namespace korder::order
