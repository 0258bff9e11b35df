#include "api/v1alpha1/order_windows.h"

#include <algorithm>

#include "base/status_macros.h"

namespace korder::api {
namespace {

absl::Duration ValueOr(const std::optional<DurationField>& field, absl::Duration otherwise) {
  return field ? field->value() : otherwise;
}

}  // namespace

absl::StatusOr<OrderWindows> OrderWindows::Of(const OrderSpec& spec) {
  OrderWindows windows;
  const OrderStrategy& strategy = spec.strategy;
  windows.type_ = strategy.type;
  windows.duration_ = ValueOr(spec.ticket_template.spec.duration, absl::InfiniteDuration());
  windows.lead_time_ = ValueOr(strategy.lead_time, absl::ZeroDuration());
  if (strategy.type == StrategyType::kOneTime) {
    windows.start_time_ = spec.ticket_template.spec.start_time;
    return windows;
  }
  ASSIGN_OR_RETURN(windows.cron_, Cron::Parse(strategy.schedule, strategy.time_zone));
  for (const std::string& text : strategy.skip) {
    ASSIGN_OR_RETURN(SkipEntry entry, ParseSkipEntry(text));
    windows.skip_.push_back(entry);
  }
  return windows;
}

std::optional<absl::Time> OrderWindows::NextTick(absl::Time after) const {
  return cron_ ? cron_->Next(after) : std::nullopt;
}

std::optional<absl::Time> OrderWindows::PreviousTick(absl::Time at_or_before) const {
  return cron_ ? cron_->Previous(at_or_before) : std::nullopt;
}

bool OrderWindows::IsTick(absl::Time time) const {
  return PreviousTick(time) == std::optional(time);
}

std::optional<absl::Time> OrderWindows::SkippedUntil(absl::Time tick) const {
  const absl::CivilDay day(absl::ToCivilSecond(tick, zone()));
  std::optional<absl::Time> until;
  for (const SkipEntry& entry : skip_) {
    if (const auto* instant = std::get_if<absl::Time>(&entry)) {
      until = *instant == tick ? std::max(until, std::optional(tick)) : until;
    } else if (std::get<absl::CivilDay>(entry) == day) {
      // The day's last moment is not before the tick, even when midnight comes twice.
      until = std::max(tick, absl::FromCivil(day + 1, zone()) - absl::Nanoseconds(1));
    }
  }
  return until;
}

Window OrderWindows::At(absl::Time tick) const {
  const bool until_next =
      type_ == StrategyType::kRecurring ||
      (type_ == StrategyType::kScheduled && duration_ == absl::InfiniteDuration());
  if (until_next) {
    return {tick, NextTick(tick).value_or(absl::InfiniteFuture())};
  }
  return {tick, tick + duration_};
}

std::vector<Window> OrderWindows::OpenAt(absl::Time now, size_t limit) const {
  std::vector<Window> open;
  if (type_ == StrategyType::kOneTime) {
    if (start_time_ && *start_time_ - lead_time_ <= now && now < *start_time_ + duration_) {
      open.push_back(At(*start_time_));
    }
    return open;
  }
  // From the newest back: a window that is over has only such before it.
  std::optional<absl::Time> tick = PreviousTick(now + lead_time_);
  while (tick && open.size() < limit) {
    const Window window = At(*tick);
    if (window.end <= now) {
      break;
    }
    open.push_back(window);
    tick = PreviousTick(*tick - absl::Nanoseconds(1));
  }
  std::reverse(open.begin(), open.end());
  return open;
}

std::optional<Window> OrderWindows::Next(absl::Time after) const {
  if (type_ == StrategyType::kOneTime) {
    return start_time_ && *start_time_ > after ? std::optional(At(*start_time_)) : std::nullopt;
  }
  std::optional<absl::Time> tick = NextTick(after);
  while (tick) {
    const std::optional<absl::Time> skipped = SkippedUntil(*tick);
    if (!skipped) {
      break;
    }
    tick = NextTick(*skipped);
  }
  return tick ? std::optional(At(*tick)) : std::nullopt;
}

std::vector<Window> OrderWindows::Between(absl::Time from, absl::Time to, size_t limit) const {
  std::vector<Window> found;
  if (type_ == StrategyType::kOneTime) {
    if (start_time_ && *start_time_<to&& * start_time_ + duration_> from) {
      found.push_back(At(*start_time_));
    }
    return found;
  }
  std::vector<Window> begun;  // before `from`, and not over then
  for (std::optional<absl::Time> tick = PreviousTick(from - absl::Nanoseconds(1));
       tick && begun.size() < limit && At(*tick).end > from;
       tick = PreviousTick(*tick - absl::Nanoseconds(1))) {
    begun.push_back(At(*tick));
  }
  found.assign(begun.rbegin(), begun.rend());
  for (std::optional<absl::Time> tick = NextTick(from - absl::Nanoseconds(1));
       tick && *tick < to && found.size() < limit; tick = NextTick(*tick)) {
    found.push_back(At(*tick));
  }
  return found;
}

}  // namespace korder::api
