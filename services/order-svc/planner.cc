#include "order-svc/planner.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/daemon_nodes.h"
#include "api/core/node_fit.h"
#include "api/core/room.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/validation.h"
#include "api/value/duration.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"

namespace korder::order {
namespace {

using api::RefreshPolicy;
using api::StrategyType;

constexpr size_t kMostNotes = 20;

bool IsEligible(const api::OrderSpec& spec, const api::Node& node) {
  const api::TicketSpec& ticket = spec.ticket_template.spec;
  return spec.daemon_set ? api::IsEligibleForDaemon(ticket, node)
                         : !api::WhyNodeDoesNotFit(api::PlacementOf(ticket), node).has_value();
}

// INVALID_ARGUMENT with everything that is wrong with the order.
absl::StatusOr<api::OrderWindows> ReadWindows(const api::Order& order) {
  if (const auto errors = api::Validate(order); !errors.empty()) {
    return InvalidArgumentError(api::JoinErrors(errors));
  }
  return api::OrderWindows::Of(order.spec);
}

int32_t TicketsOf(const api::OrderSpec& spec, const std::vector<NodePtr>& nodes) {
  return spec.daemon_set ? static_cast<int32_t>(std::count_if(
                               nodes.begin(), nodes.end(),
                               [&](const NodePtr& node) { return IsEligible(spec, *node); }))
                         : spec.replicas;
}

// The one window of a OneTime order whose tickets are made at `made`, or at its startTime.
api::Window OnlyWindow(const api::OrderSpec& spec, absl::Time made) {
  const api::TicketSpec& ticket = spec.ticket_template.spec;
  const absl::Time start = std::max(ticket.start_time.value_or(made), made);
  // With Always one ticket follows the other for as long as the order is there.
  const bool ends = ticket.duration && spec.strategy.refresh_policy != RefreshPolicy::kAlways;
  return {start, ends ? start + ticket.duration->value() : absl::InfiniteFuture()};
}

bool Contains(const api::Window& window, absl::Time now) {
  return window.start <= now && now < window.end;
}

bool LooksAtOtherPods(const api::TicketSpec& spec) {
  return !spec.topology_spread_constraints.empty() ||
         (spec.affinity && (spec.affinity->pod_affinity || spec.affinity->pod_anti_affinity));
}

std::vector<PlannedWindow> WindowsOf(const api::OrderSpec& spec, const api::OrderWindows& windows,
                                     const PreviewQuestion& question) {
  const absl::Time from = question.from.value_or(question.now);
  std::vector<PlannedWindow> planned;
  if (windows.type() == StrategyType::kOneTime) {
    const api::Window only = OnlyWindow(spec, question.now);
    if (only.end > from) {
      planned.push_back({.window = only});
    }
  } else {
    for (const api::Window& window :
         windows.Between(from, absl::InfiniteFuture(), question.windows)) {
      planned.push_back({.window = window, .skipped = windows.Skips(window.start)});
    }
  }
  for (PlannedWindow& entry : planned) {
    const absl::Time prepared = entry.window.start - windows.lead_time();
    // What is due already is done now.
    entry.prepared =
        entry.window.start >= question.now ? std::max(prepared, question.now) : prepared;
    entry.running = Contains(entry.window, question.now);
  }
  return planned;
}

// An order that is made now does not join a window that began too long ago.
void SkipTheLate(const api::OrderSpec& spec, const PreviewQuestion& question,
                 OrderPreview& preview) {
  const auto& deadline = spec.strategy.starting_deadline;
  if (question.exists || !deadline || spec.strategy.type != StrategyType::kScheduled) {
    return;
  }
  bool late = false;
  for (PlannedWindow& entry : preview.windows) {
    if (entry.running && !entry.skipped && question.now > entry.window.start + deadline->value()) {
      entry.skipped = true;
      late = true;
    }
  }
  if (late) {
    preview.notes.push_back(absl::StrCat("a window that runs began more than startingDeadline (",
                                         api::PrintDuration(deadline->value()),
                                         ") ago: the order leaves it out"));
  }
}

void AddNotes(const api::Order& order, const PreviewQuestion& question, OrderPreview& preview) {
  std::vector<std::string>& notes = preview.notes;
  const api::OrderSpec& spec = order.spec;
  if (question.exists) {
    notes.push_back(
        absl::StrCat("there is an order ", order.metadata.name,
                     " already: what its tickets hold now counts as used beside what is "
                     "asked for here"));
  }
  if (spec.paused) {
    notes.push_back("the order is paused: it makes no tickets until it is resumed");
  }
  if (preview.windows.empty()) {
    notes.push_back(spec.strategy.type == StrategyType::kOneTime
                        ? "its window is over by then"
                        : "the schedule has no occurrence from then on");
  } else if (std::all_of(preview.windows.begin(), preview.windows.end(),
                         [](const PlannedWindow& entry) { return entry.skipped; })) {
    notes.push_back("every window shown is skipped");
  }
  if (spec.strategy.type == StrategyType::kOneTime &&
      spec.strategy.refresh_policy == RefreshPolicy::kAlways &&
      spec.ticket_template.spec.duration) {
    notes.push_back(absl::StrCat("refreshPolicy Always: a ticket that ends after ",
                                 api::PrintDuration(spec.ticket_template.spec.duration->value()),
                                 " is replaced, for as long as the order is there"));
  }
  if (spec.daemon_set && preview.nodes.eligible == 0) {
    notes.push_back("no node is eligible: there would be no ticket");
  } else if (preview.nodes.large_enough == 0 && (spec.replicas > 0 || spec.daemon_set)) {
    notes.push_back(preview.nodes.eligible == 0
                        ? "no node suits the tickets: they would wait for one"
                        : "no eligible node is large enough for a ticket, even if it is empty");
  }
  if (LooksAtOtherPods(spec.ticket_template.spec)) {
    notes.push_back("the nodes were counted without affinity to pods and topology spread");
  }
}

}  // namespace

NodeFit FitOnNodes(const api::OrderSpec& spec, const std::vector<NodePtr>& nodes) {
  const api::ResourceList requests = api::EffectiveRequests(spec.ticket_template.spec);
  NodeFit fit{.nodes = static_cast<int32_t>(nodes.size())};
  for (const NodePtr& node : nodes) {
    if (!IsEligible(spec, *node)) {
      continue;
    }
    ++fit.eligible;
    const int64_t tickets = api::TicketsThatFit(requests, node->status.allocatable);
    fit.large_enough += tickets > 0 ? 1 : 0;
    fit.tickets += spec.daemon_set ? std::min<int64_t>(tickets, 1) : tickets;
  }
  return fit;
}

absl::StatusOr<OrderPreview> PreviewOrder(const api::Order& order,
                                          const std::vector<NodePtr>& nodes,
                                          const PreviewQuestion& question) {
  ASSIGN_OR_RETURN(const api::OrderWindows windows, ReadWindows(order));
  OrderPreview preview{.zone = windows.zone(),
                       .windows = WindowsOf(order.spec, windows, question),
                       .nodes = FitOnNodes(order.spec, nodes),
                       .notes = {}};
  const int32_t tickets = order.spec.daemon_set ? preview.nodes.eligible : order.spec.replicas;
  for (PlannedWindow& entry : preview.windows) {
    entry.tickets = tickets;
  }
  SkipTheLate(order.spec, question, preview);
  AddNotes(order, question, preview);
  return preview;
}

namespace {

// Gathers the earliest windows of many orders without keeping many more than it may.
class Earliest {
 public:
  Earliest(absl::Time to, size_t limit) : to_(to), limit_(limit) {}

  // No window that begins then or later will be among them.
  absl::Time to() const { return to_; }
  // So many of one order are enough: one more than the limit shows that something is left out.
  size_t enough() const { return limit_ + 1; }
  void Add(CalendarEntry entry) {
    entries_.push_back(std::move(entry));
    if (entries_.size() > 4 * (limit_ + 1)) {
      Cut(limit_ + 1);
      to_ = std::min(to_, entries_.back().window.start + absl::Nanoseconds(1));
    }
  }
  OrderCalendar Take() {
    OrderCalendar calendar{.truncated = entries_.size() > limit_};
    Cut(limit_);
    calendar.entries = std::move(entries_);
    return calendar;
  }

 private:
  static auto Rank(const CalendarEntry& entry) {
    return std::tie(entry.window.start, entry.ns, entry.order);
  }
  // Leaves the first `count` of them, sorted.
  void Cut(size_t count) {
    std::sort(entries_.begin(), entries_.end(),
              [](const CalendarEntry& a, const CalendarEntry& b) { return Rank(a) < Rank(b); });
    entries_.resize(std::min(entries_.size(), count));
  }

  absl::Time to_;
  const size_t limit_;
  std::vector<CalendarEntry> entries_;
};

// Those that overlap [from, to), skipped ones, too.
std::vector<api::Window> StoredWindows(const api::Order& order, const api::OrderWindows& windows,
                                       absl::Time from, absl::Time to, size_t limit) {
  if (windows.type() != StrategyType::kOneTime) {
    return windows.Between(from, to, limit);
  }
  // Of an order of the past its own time counts, not ours.
  const api::Window only =
      OnlyWindow(order.spec, order.metadata.creation_timestamp.value_or(absl::InfinitePast()));
  return only.start < to && only.end > from ? std::vector{only} : std::vector<api::Window>();
}

}  // namespace

OrderCalendar PlanCalendar(const std::vector<OrderPtr>& orders, const std::vector<NodePtr>& nodes,
                           const CalendarQuestion& question) {
  Earliest earliest(question.to, question.limit);
  std::vector<std::string> notes;
  for (const OrderPtr& order : orders) {
    const api::ObjectMeta& meta = order->metadata;
    if (meta.deleting() || (!question.ns.empty() && meta.ns != question.ns) ||
        (!question.order.empty() && meta.name != question.order)) {
      continue;
    }
    // One that slipped past admission is served by nobody.
    const auto windows = ReadWindows(*order);
    if (!windows.ok()) {
      notes.push_back(absl::StrCat("order ", meta.ns, "/", meta.name,
                                   " is left out: ", std::string(Message(windows.status()))));
      continue;
    }
    const std::vector<api::Window> found =
        StoredWindows(*order, *windows, question.from, earliest.to(), earliest.enough());
    const int32_t tickets = found.empty() ? 0 : TicketsOf(order->spec, nodes);
    for (const api::Window& window : found) {
      const bool skipped = windows->Skips(window.start);
      earliest.Add({.ns = meta.ns,
                    .order = meta.name,
                    .window = window,
                    .tickets = tickets,
                    .strategy = windows->type(),
                    .skipped = skipped,
                    .paused = order->spec.paused,
                    .running = !skipped && Contains(window, question.now)});
    }
  }
  OrderCalendar calendar = earliest.Take();
  std::sort(notes.begin(), notes.end());
  if (notes.size() > kMostNotes) {
    const size_t more = notes.size() - kMostNotes;
    notes.resize(kMostNotes);
    notes.push_back(absl::StrCat("and ", more, " more that cannot be read"));
  }
  calendar.notes = std::move(notes);
  return calendar;
}

}  // namespace korder::order
