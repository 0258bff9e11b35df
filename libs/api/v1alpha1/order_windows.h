// When an Order's windows open and close, from its spec alone.
//
//   ASSIGN_OR_RETURN(const OrderWindows windows, OrderWindows::Of(order.spec));
//   for (const Window& window : windows.OpenAt(now)) { ... }          // those that tickets are for
//   now std::optional<Window> next = windows.Next(now);
//
// Scheduled: every tick of the schedule opens a window of the template's duration, or without one
// until the next tick; windows may overlap. Recurring: tickets are held all the time, and a window
// lasts from one tick to the next. OneTime: the one window from the template's startTime; none
// without a startTime.
//
// Ticks that spec.strategy.skip names open no window. Pure; an immutable value. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/order.h"
#include "api/value/cron.h"
#include "base/status.h"

namespace korder::api {

// [start, end); `end` is InfiniteFuture for a window that does not end.
struct Window {
  absl::Time start;
  absl::Time end;

  bool operator==(const Window&) const = default;
};

class OrderWindows {
 public:
  // INVALID_ARGUMENT for a spec that Validate(order) refuses.
  static absl::StatusOr<OrderWindows> Of(const OrderSpec& spec);

  // --- ticks of the schedule, whether skipped or not; nothing for OneTime ---

  std::optional<absl::Time> NextTick(absl::Time after) const;
  std::optional<absl::Time> PreviousTick(absl::Time at_or_before) const;
  // The schedule fires at this very instant.
  bool IsTick(absl::Time time) const;
  // The order leaves this tick out.
  bool Skips(absl::Time tick) const { return SkippedUntil(tick).has_value(); }

  // --- windows ---

  // The window that this tick opens.
  Window At(absl::Time tick) const;
  // Those that have opened, or open within leadTime, and are not over; skipped ones, too. The
  // oldest first; at most the newest `limit`.
  std::vector<Window> OpenAt(absl::Time now, size_t limit = 1000) const;
  // The first that opens after `after` and is not skipped; nullopt when there is none any more.
  std::optional<Window> Next(absl::Time after) const;
  // Those that overlap [from, to), skipped ones too; the oldest first; at most the first `limit`.
  std::vector<Window> Between(absl::Time from, absl::Time to, size_t limit) const;

  StrategyType type() const { return type_; }
  absl::Duration lead_time() const { return lead_time_; }
  // Of each ticket; InfiniteDuration without one.
  absl::Duration duration() const { return duration_; }
  // In which the schedule is meant; UTC for OneTime.
  absl::TimeZone zone() const { return cron_ ? cron_->zone() : absl::UTCTimeZone(); }

 private:
  OrderWindows() = default;

  // The last moment that the order leaves out together with this tick: the tick itself, or the end
  // of its day. nullopt when it leaves the tick in.
  std::optional<absl::Time> SkippedUntil(absl::Time tick) const;

  StrategyType type_ = StrategyType::kOneTime;
  std::optional<Cron> cron_;
  std::optional<absl::Time> start_time_;
  absl::Duration duration_;
  absl::Duration lead_time_;
  std::vector<SkipEntry> skip_;
};

}  // namespace korder::api
