#include "api/value/cron.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"

namespace korder::api {
namespace {

constexpr std::string_view kBlanks = " \t";
// The longest name in the database has half as many.
constexpr size_t kMaxZoneName = 64;

// The loader would open any path it is given.
bool IsZoneName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxZoneName && name.front() != '/' &&
         name != "localtime" && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '/' || c == '_' || c == '-' || c == '+';
         });
}

// Takes "TZ=<zone> " or "CRON_TZ=<zone> " from the front; the zone, or nullopt without a prefix.
std::optional<std::string_view> TakeZonePrefix(std::string_view& expression) {
  expression.remove_prefix(std::min(expression.find_first_not_of(kBlanks), expression.size()));
  for (const std::string_view prefix : {"TZ=", "CRON_TZ="}) {
    if (expression.starts_with(prefix)) {
      const size_t end = std::min(expression.find_first_of(kBlanks), expression.size());
      const std::string_view zone = expression.substr(prefix.size(), end - prefix.size());
      expression.remove_prefix(end);
      return zone;
    }
  }
  return std::nullopt;
}

// The instant at which a local minute fires.
absl::Time FiringOf(absl::CivilMinute minute, const absl::TimeZone& zone) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(minute));
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

// The latest local minute whose firing has come at `time`. Firings keep the order of their local
// minutes, so all earlier minutes have come too, and all later ones are still ahead.
absl::CivilMinute LatestCome(absl::Time time, const absl::TimeZone& zone) {
  const absl::CivilSecond local = absl::ToCivilSecond(time, zone);
  const absl::TimeZone::TimeInfo info = zone.At(local);
  if (info.kind == absl::TimeZone::TimeInfo::REPEATED && time >= info.trans) {
    // The second pass through local times that have all come in the first.
    return absl::ToCivilMinute(info.trans - absl::Nanoseconds(1), zone);
  }
  return absl::CivilMinute(local);
}

bool IsFinite(absl::Time time) {
  return time != absl::InfiniteFuture() && time != absl::InfinitePast();
}

}  // namespace

absl::StatusOr<absl::TimeZone> FindTimeZone(std::string_view name) {
  absl::TimeZone zone;
  if (!IsZoneName(name) ||
      !absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone)) {
    return InvalidArgumentError(absl::StrCat("unknown time zone ", Quoted(name)));
  }
  return zone;
}

absl::StatusOr<Cron> Cron::Parse(std::string_view expression, std::string_view time_zone) {
  const std::optional<std::string_view> prefix = TakeZonePrefix(expression);
  if (prefix && !time_zone.empty() && *prefix != time_zone) {
    return InvalidArgumentError(absl::StrCat("the time zone ", Quoted(*prefix),
                                             " differs from the timeZone ", Quoted(time_zone)));
  }
  ASSIGN_OR_RETURN(const absl::TimeZone zone, FindTimeZone(prefix              ? *prefix
                                                           : time_zone.empty() ? "UTC"
                                                                               : time_zone));
  ASSIGN_OR_RETURN(const CronSchedule schedule, ParseCronSchedule(expression));
  return Cron(schedule, zone);
}

std::optional<absl::Time> Cron::Next(absl::Time after) const {
  if (!IsFinite(after)) {
    return std::nullopt;
  }
  const auto minute = schedule_.FirstAtOrAfter(LatestCome(after, zone_) + 1);
  const absl::Time firing = minute ? FiringOf(*minute, zone_) : absl::InfiniteFuture();
  return IsFinite(firing) ? std::optional(firing) : std::nullopt;
}

std::optional<absl::Time> Cron::Previous(absl::Time at_or_before) const {
  if (!IsFinite(at_or_before)) {
    return std::nullopt;
  }
  const auto minute = schedule_.LastAtOrBefore(LatestCome(at_or_before, zone_));
  const absl::Time firing = minute ? FiringOf(*minute, zone_) : absl::InfinitePast();
  return IsFinite(firing) ? std::optional(firing) : std::nullopt;
}

}  // namespace korder::api
