// What an Order's observed state means: which windows are served, which tickets are for which of
// them, which nodes are eligible. Computed once for each decision; pure.
//
//   const Situation situation = Examine(observed);
//   for (const Entry& entry : situation.EntriesOf(occurrence)) { ... }
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/v1alpha1/order_windows.h"
#include "order-svc/observed.h"

namespace korder::order {

// A ticket of the order; borrowed.
struct Entry {
  const OrderTicket* ticket = nullptr;
  int64_t ordinal = -1;
  std::string_view node;  // with daemonSet
  bool outdated = false;  // the template would give another one today

  // Pending or Ready, and there to stay.
  bool IsLive() const;
  // Live, and not in the middle of a handoff: it may be deleted.
  bool IsFree() const;
  bool IsClaimed() const;
  bool IsUsed() const;  // claimed, now or before
};

// It was pinned to a node, which ticket-svc saw deleted.
bool LostItsNode(const OrderTicket& ticket);

struct Situation {
  // Borrowed.
  const Observed& observed;
  const api::OrderWindows windows;
  // Of a Scheduled order: those whose tickets are kept now, by leadTime too; the oldest first.
  std::vector<api::Window> open;
  // By occurrence, and in it by ordinal. Tickets that belong nowhere are under `strays`.
  std::map<absl::Time, std::vector<Entry>> entries;
  std::vector<Entry> strays;
  // With daemonSet: by name; borrowed.
  std::set<std::string_view> eligible;
  // Until then nodes are left out that may only seem to be there.
  absl::Time nodes_known_at = absl::InfinitePast();

  const api::Order& order() const { return *observed.order; }
  absl::Time now() const { return observed.now; }
  bool IsOpen(absl::Time occurrence) const;
  // The window is still to come: it would be open, had the clock not been set back.
  bool IsAhead(absl::Time occurrence) const;
  const std::vector<Entry>& EntriesOf(absl::Time occurrence) const;
  // In the zone of the schedule: "2026-11-29T02:00:00+01:00".
  std::string TimeText(absl::Time time) const;
  // Tickets wanted in one window.
  int64_t Desired() const;
};

// An order whose schedule cannot be read has no windows.
Situation Examine(const Observed& observed);

// It has been Ready for minReadySeconds.
bool IsAvailable(const api::Order& order, const OrderTicket& ticket, absl::Time now);

}  // namespace korder::order
