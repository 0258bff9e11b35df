#include "cli/skip_list.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "api/v1alpha1/calendar.h"
#include "api/v1alpha1/order_windows.h"
#include "base/status_macros.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

struct Parts {
  api::OrderWindows windows;
  std::vector<std::string> left;     // entries that may still mean a window
  std::vector<std::string> dropped;  // past ones
};

// Past means: no window of it can begin any more.
bool IsPast(const api::SkipEntry& entry, absl::Time now, absl::TimeZone zone) {
  const auto* instant = std::get_if<absl::Time>(&entry);
  return instant != nullptr ? *instant <= now
                            : absl::FromCivil(std::get<absl::CivilDay>(entry) + 1, zone) <= now;
}

absl::StatusOr<Parts> Take(const api::OrderSpec& spec, absl::Time now) {
  if (spec.strategy.type == api::StrategyType::kOneTime) {
    return FailedPreconditionError(
        "its strategy is OneTime: it has no windows that come again, so there is none to skip; to "
        "keep it from making tickets: korderctl pause");
  }
  ASSIGN_OR_RETURN(api::OrderWindows windows, api::OrderWindows::Of(spec));
  Parts parts{.windows = std::move(windows), .left = {}, .dropped = {}};
  for (const std::string& text : spec.strategy.skip) {
    ASSIGN_OR_RETURN(const api::SkipEntry entry, api::ParseSkipEntry(text));
    (IsPast(entry, now, parts.windows.zone()) ? parts.dropped : parts.left).push_back(text);
  }
  return parts;
}

// What comes next once the order says `skip`.
absl::StatusOr<std::optional<absl::Time>> NextWith(api::OrderSpec spec,
                                                   const std::vector<std::string>& skip,
                                                   absl::Time now) {
  spec.strategy.skip = skip;
  ASSIGN_OR_RETURN(const api::OrderWindows windows, api::OrderWindows::Of(spec));
  const std::optional<api::Window> next = windows.Next(now);
  return next ? std::optional(next->start) : std::nullopt;
}

// The first window after `now` that the entry leaves out.
std::optional<absl::Time> FirstOf(const api::SkipEntry& entry, const api::OrderWindows& windows,
                                  absl::Time now) {
  const auto* instant = std::get_if<absl::Time>(&entry);
  const absl::Time begin = instant != nullptr
                               ? *instant
                               : absl::FromCivil(std::get<absl::CivilDay>(entry), windows.zone());
  const absl::Time after = std::max(begin - absl::Nanoseconds(1), now);
  const std::optional<absl::Time> tick = windows.NextTick(after);
  if (!tick) {
    return std::nullopt;
  }
  const bool meant = instant != nullptr
                         ? *tick == *instant
                         : absl::CivilDay(absl::ToCivilSecond(*tick, windows.zone())) ==
                               std::get<absl::CivilDay>(entry);
  return meant ? tick : std::nullopt;
}

}  // namespace

absl::StatusOr<SkipChange> SkipNext(const api::OrderSpec& spec, absl::Time now) {
  ASSIGN_OR_RETURN(Parts parts, Take(spec, now));
  const std::optional<api::Window> window = parts.windows.Next(now);
  if (!window) {
    return FailedPreconditionError("there is no window to come that is not skipped already");
  }
  SkipChange change{.skip = std::move(parts.left),
                    .window = window->start,
                    .next = {},
                    .dropped = std::move(parts.dropped),
                    .day = "",
                    .zone = parts.windows.zone()};
  change.skip.push_back(TimeText(window->start));
  ASSIGN_OR_RETURN(change.next, NextWith(spec, change.skip, now));
  return change;
}

absl::StatusOr<SkipChange> UnskipNext(const api::OrderSpec& spec, absl::Time now) {
  ASSIGN_OR_RETURN(Parts parts, Take(spec, now));
  std::optional<absl::Time> first;
  for (const std::string& text : parts.left) {
    ASSIGN_OR_RETURN(const api::SkipEntry entry, api::ParseSkipEntry(text));
    const std::optional<absl::Time> window = FirstOf(entry, parts.windows, now);
    if (window && (!first || *window < *first)) {
      first = window;
    }
  }
  if (!first) {
    return FailedPreconditionError("no window to come is skipped");
  }
  SkipChange change{.skip = {},
                    .window = *first,
                    .next = {},
                    .dropped = std::move(parts.dropped),
                    .day = "",
                    .zone = parts.windows.zone()};
  // Every entry that leaves it out: it may be named by its instant and by its day.
  for (std::string& text : parts.left) {
    ASSIGN_OR_RETURN(const api::SkipEntry entry, api::ParseSkipEntry(text));
    if (FirstOf(entry, parts.windows, now) != first) {
      change.skip.push_back(std::move(text));
    } else if (std::holds_alternative<absl::CivilDay>(entry)) {
      change.day = text;
    }
  }
  ASSIGN_OR_RETURN(change.next, NextWith(spec, change.skip, now));
  return change;
}

}  // namespace korder::cli
