#include "quota-svc/quota_windows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "base/status_macros.h"
#include "quota-svc/claim.h"

namespace korder::quota {
namespace {

using api::Quantity;

constexpr absl::Duration kDefaultDuration = absl::Hours(1);
// Ticks that carry a window on, and changes that change nothing, looked at in one go.
constexpr int kMaxTicks = 1000;
constexpr int kMaxChanges = 100;

// From begin on, up to but not including end.
struct Span {
  absl::Time begin;
  absl::Time end;
};

// --- windows by ticks ---

// The tick that keeps the window open at `now`.
std::optional<absl::Time> OpenSince(const TickWindow& window, absl::Time now) {
  const std::optional<absl::Time> tick = window.ticks.Previous(now);
  return tick && now < *tick + window.duration ? tick : std::nullopt;
}

bool IsOpen(const TickWindow& window, absl::Time now) { return OpenSince(window, now).has_value(); }

std::optional<absl::Time> NextChange(const TickWindow& window, absl::Time now) {
  std::optional<absl::Time> tick = OpenSince(window, now);
  if (!tick) {
    return window.ticks.Next(now);
  }
  for (int i = 0; i < kMaxTicks; ++i) {
    // The last tick before the end carries on, if there is a later one.
    const std::optional<absl::Time> last = window.ticks.Previous(*tick + window.duration);
    if (!last || *last <= *tick) {
      break;
    }
    tick = last;
  }
  return *tick + window.duration;
}

// --- windows by the local clock ---

api::Weekday WeekdayOf(absl::CivilDay day) {
  // Both begin with Monday.
  return static_cast<api::Weekday>(static_cast<int>(absl::GetWeekday(day)));
}

enum class Edge { kBegin, kEnd };

absl::Time InstantOf(absl::CivilDay day, int minutes, Edge edge, absl::TimeZone zone) {
  const absl::CivilSecond local = absl::CivilSecond(day) + 60 * int64_t{minutes};
  const absl::TimeZone::TimeInfo info = zone.At(local);
  switch (info.kind) {
    case absl::TimeZone::TimeInfo::SKIPPED:
      return info.trans;
    case absl::TimeZone::TimeInfo::REPEATED:
      return edge == Edge::kBegin ? info.pre : info.post;
    case absl::TimeZone::TimeInfo::UNIQUE:
      break;
  }
  return info.pre;
}

// The spans that begin on the days around `now`, in order; empty ones (a day without the hour) left
// out. Two weeks and a day ahead are enough: the clock does not skip an hour in two weeks on end,
// and then the week begins anew.
std::vector<Span> SpansAround(const DayWindow& window, absl::Time now) {
  std::vector<Span> spans;
  const absl::CivilDay today = absl::ToCivilDay(now, window.zone);
  for (absl::CivilDay day = today - 2; day <= today + 16; ++day) {
    if (!window.days.contains(WeekdayOf(day))) {
      continue;
    }
    const bool next_day = window.hours.end < window.hours.begin;
    const Span span{InstantOf(day, window.hours.begin, Edge::kBegin, window.zone),
                    InstantOf(next_day ? day + 1 : day, window.hours.end, Edge::kEnd, window.zone)};
    if (span.begin < span.end) {
      spans.push_back(span);
    }
  }
  return spans;
}

bool IsOpen(const DayWindow& window, absl::Time now) {
  const std::vector<Span> spans = SpansAround(window, now);
  return std::any_of(spans.begin(), spans.end(),
                     [now](const Span& span) { return span.begin <= now && now < span.end; });
}

std::optional<absl::Time> NextChange(const DayWindow& window, absl::Time now) {
  std::optional<absl::Time> open_until;
  for (const Span& span : SpansAround(window, now)) {
    if (open_until ? span.begin <= *open_until : span.begin <= now && now < span.end) {
      open_until = std::max(open_until.value_or(span.end), span.end);
    } else if (!open_until && span.begin > now) {
      return span.begin;
    }
  }
  // Open without a gap for more than a week: for ever, but for clock changes, which are looked at
  // when they come near.
  return open_until;
}

bool IsOpen(const TimeWindow& window, absl::Time now) {
  return std::visit([now](const auto& when) { return IsOpen(when, now); }, window.when);
}

std::optional<absl::Time> NextChange(const TimeWindow& window, absl::Time now) {
  return std::visit([now](const auto& when) { return NextChange(when, now); }, window.when);
}

std::optional<size_t> FirstOpen(const Windows& windows, absl::Time now) {
  for (size_t i = 0; i < windows.size(); ++i) {
    if (IsOpen(windows[i], now)) {
      return i;
    }
  }
  return std::nullopt;
}

// --- as written ---

absl::StatusOr<std::variant<TickWindow, DayWindow>> CompileWhen(
    const api::QuotaTimeWindow& window) {
  if (!window.schedule.empty()) {
    ASSIGN_OR_RETURN(const api::Cron ticks, api::Cron::Parse(window.schedule, window.time_zone));
    const absl::Duration duration = window.duration ? window.duration->value() : kDefaultDuration;
    if (duration <= absl::ZeroDuration()) {
      return InvalidArgumentError("duration must be more than 0");
    }
    return TickWindow{ticks, duration};
  }
  ASSIGN_OR_RETURN(const api::DayHours hours, api::ParseDayHours(window.hours));
  absl::TimeZone zone = absl::UTCTimeZone();
  if (!window.time_zone.empty()) {
    ASSIGN_OR_RETURN(zone, api::FindTimeZone(window.time_zone));
  }
  return DayWindow{{window.days.begin(), window.days.end()}, hours, zone};
}

}  // namespace

Windows CompileWindows(const std::vector<api::QuotaTimeWindow>& written,
                       std::vector<api::FieldError>& problems) {
  Windows windows;
  for (size_t i = 0; i < written.size(); ++i) {
    const std::string path = absl::StrCat("spec.timeWindows[", i, "]");
    const absl::StatusOr<Quantity> multiplier = Quantity::Parse(written[i].multiplier.text);
    if (!multiplier.ok() || multiplier->IsNegative()) {
      problems.push_back({path + ".multiplier", written[i].multiplier.text,
                          "must be a decimal number, 0 or more; the window is left out"});
      continue;
    }
    auto when = CompileWhen(written[i]);
    if (!when.ok()) {
      problems.push_back(
          {path, written[i].name,
           absl::StrCat(std::string(Message(when.status())), "; the window is left out")});
      continue;
    }
    windows.push_back({written[i].name, *multiplier, *std::move(when)});
  }
  return windows;
}

OpenWindow OpenAt(const Windows& windows, absl::Time now) {
  OpenWindow open{.index = FirstOpen(windows, now), .until = {}};
  // What comes after the first open one in the list does not matter as long as it is open.
  absl::Time at = now;
  for (int i = 0; i < kMaxChanges; ++i) {
    const std::optional<size_t> index = FirstOpen(windows, at);
    if (at > now && index != open.index) {
      break;
    }
    const size_t concerned = index ? *index + 1 : windows.size();
    std::optional<absl::Time> next;
    for (size_t w = 0; w < concerned; ++w) {
      const std::optional<absl::Time> change = NextChange(windows[w], at);
      if (change && (!next || *change < *next)) {
        next = change;
      }
    }
    if (!next) {
      return open;
    }
    at = *next;
  }
  open.until = at;
  return open;
}

Quantity Scaled(const Quantity& limit, const Quantity& multiplier, bool is_count) {
  constexpr Quantity::Nanos kOne = 1'000'000'000;
  const Quantity::Nanos most = kMaxAmount.nanos();
  const Quantity::Nanos whole = limit.nanos() / kOne;
  const Quantity::Nanos part = limit.nanos() % kOne;
  Quantity::Nanos product = 0;
  // part < 10^9 and the multiplier below 2^63 units: only the first product can overflow.
  const bool too_large = __builtin_mul_overflow(whole, multiplier.nanos(), &product);
  product = too_large ? most : std::min(most, product + part * multiplier.nanos() / kOne);
  if (is_count) {
    product -= product % kOne;
  }
  return Quantity::FromNanos(product, limit.format());
}

}  // namespace korder::quota
