// Reads the text of a cron expression into bit masks.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/value/cron_schedule.h"
#include "base/status_macros.h"

namespace korder::api {
namespace {

constexpr std::string_view kMonthNames[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                            "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kDayNames[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldRule {
  std::string_view name;
  std::string_view values;  // for messages
  int min;
  int max;
  std::span<const std::string_view> names = {};  // of min, min + 1...
  int alias_of_min = -1;                         // weekday 7 is Sunday, as 0 is

  int size() const { return max - min + 1; }
};

constexpr FieldRule kMinute{"minute", "0-59", 0, 59};
constexpr FieldRule kHour{"hour", "0-23", 0, 23};
constexpr FieldRule kDayOfMonth{"day of month", "1-31 (or L, L-3, LW, 15W)", 1, 31};
constexpr FieldRule kMonth{"month", "1-12 or JAN-DEC", 1, 12, kMonthNames};
constexpr FieldRule kDayOfWeek{"day of week", "0-7 or SUN-SAT (or 5L, MON#2)", 0, 6, kDayNames, 7};

struct Macro {
  std::string_view name;
  std::string_view fields;
};
constexpr Macro kMacros[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

absl::Status Refuse(const FieldRule& rule) {
  return InvalidArgumentError(
      absl::StrCat(std::string(rule.name), " must be ", std::string(rule.values)));
}

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool EqualsIgnoreCase(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(),
                    [](char x, char y) { return Upper(x) == y; });
}

// Up to four digits, which is more than any field needs.
std::optional<int> ParseNumber(std::string_view text) {
  if (text.empty() || text.size() > 4) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

// A number or a name. Weekday 7 stays 7, so that 5-7 is a range.
std::optional<int> ParseValue(std::string_view text, const FieldRule& rule) {
  for (size_t i = 0; i < rule.names.size(); ++i) {
    if (EqualsIgnoreCase(text, rule.names[i])) {
      return rule.min + static_cast<int>(i);
    }
  }
  const std::optional<int> value = ParseNumber(text);
  const bool valid =
      value && ((*value >= rule.min && *value <= rule.max) || *value == rule.alias_of_min);
  return valid ? value : std::nullopt;
}

// What one field selects.
struct Values {
  uint64_t mask = 0;
  bool any = false;  // has a * or ? that leaves nothing out
};

struct Range {
  int first = 0;
  int last = 0;  // below `first` when it wraps around; 7 is possible for weekdays
};

absl::StatusOr<Range> ParseRange(std::string_view text, bool has_step, const FieldRule& rule) {
  if (text == "*") {
    return Range{rule.min, rule.max};
  }
  const size_t dash = text.find('-');
  const std::optional<int> first = ParseValue(text.substr(0, dash), rule);
  if (!first) {
    return Refuse(rule);
  }
  const int from = *first == rule.alias_of_min ? rule.min : *first;
  if (dash == std::string_view::npos) {
    return Range{from, has_step ? rule.max : from};  // 5/15 means 5-59/15.
  }
  const std::optional<int> last = ParseValue(text.substr(dash + 1), rule);
  if (!last) {
    return Refuse(rule);
  }
  return Range{from, *first == rule.alias_of_min && *last == *first ? from : *last};
}

// "*", "5", "5-10", "18-8", each with or without "/2".
absl::Status AddItem(std::string_view item, const FieldRule& rule, Values& out) {
  const size_t slash = item.find('/');
  const bool has_step = slash != std::string_view::npos;
  ASSIGN_OR_RETURN(const Range range, ParseRange(item.substr(0, slash), has_step, rule));
  const std::optional<int> step = has_step ? ParseNumber(item.substr(slash + 1)) : 1;
  if (!step || *step < 1 || *step > rule.size()) {
    return InvalidArgumentError(
        absl::StrCat(std::string(rule.name), " step must be 1-", rule.size()));
  }
  const int distance = range.last - range.first + (range.last < range.first ? rule.size() : 0);
  for (int i = 0; i <= distance / *step; ++i) {
    const int value = range.first + i * *step;
    out.mask |= uint64_t{1} << (value > rule.max ? value - rule.size() : value);
  }
  out.any = out.any || (item.starts_with('*') && *step == 1);
  return absl::OkStatus();
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

absl::StatusOr<uint64_t> ParseField(std::string_view field, const FieldRule& rule) {
  Values values;
  for (const std::string_view item : Split(field, ",")) {
    RETURN_IF_ERROR(AddItem(item, rule, values));
  }
  return values.mask;
}

// L, L-3, LW or 15W; false when `item` is none of them.
bool AddSpecialDayOfMonth(std::string_view item, CronDays& days) {
  if (EqualsIgnoreCase(item, "LW")) {
    days.last_weekday = true;
    return true;
  }
  if (!item.empty() && Upper(item.back()) == 'W') {
    const std::optional<int> day = ParseValue(item.substr(0, item.size() - 1), kDayOfMonth);
    days.nearest_weekdays |= day ? uint32_t{1} << *day : 0;
    return day.has_value();
  }
  if (item.empty() || Upper(item.front()) != 'L' || (item.size() > 1 && item[1] != '-')) {
    return false;
  }
  const std::optional<int> before = item.size() == 1 ? 0 : ParseNumber(item.substr(2));
  const bool valid = before && *before < kDayOfMonth.max;
  days.days_before_last |= valid ? uint32_t{1} << *before : 0;
  return valid;
}

// 5L or MON#2; false when `item` is neither.
bool AddSpecialDayOfWeek(std::string_view item, CronDays& days) {
  const size_t hash = item.find('#');
  const bool last = hash == std::string_view::npos && !item.empty() && Upper(item.back()) == 'L';
  if (!last && hash == std::string_view::npos) {
    return false;
  }
  const std::string_view name = item.substr(0, last ? item.size() - 1 : hash);
  const std::optional<int> weekday = ParseValue(name, kDayOfWeek);
  if (!weekday) {
    return false;
  }
  const auto bit = static_cast<uint8_t>(1 << *weekday % 7);
  if (last) {
    days.last_days_of_week |= bit;
    return true;
  }
  const std::optional<int> nth = ParseNumber(item.substr(hash + 1));
  if (!nth || *nth < 1 || *nth > 5) {
    return false;
  }
  days.nth[static_cast<size_t>(*nth)] |= bit;
  return true;
}

absl::Status ParseDays(std::string_view of_month, std::string_view of_week, CronDays& days) {
  Values month_values;
  for (const std::string_view item : Split(of_month, ",")) {
    if (!AddSpecialDayOfMonth(item, days)) {
      RETURN_IF_ERROR(AddItem(item == "?" ? "*" : item, kDayOfMonth, month_values));
    }
  }
  Values week_values;
  for (const std::string_view item : Split(of_week, ",")) {
    if (!AddSpecialDayOfWeek(item, days)) {
      RETURN_IF_ERROR(AddItem(item == "?" ? "*" : item, kDayOfWeek, week_values));
    }
  }
  days.any_day_of_month = month_values.any;
  days.days_of_month = static_cast<uint32_t>(month_values.mask);
  days.any_day_of_week = week_values.any;
  days.days_of_week = static_cast<uint8_t>(week_values.mask);
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> ExpandMacro(std::string_view text) {
  for (const Macro& macro : kMacros) {
    if (macro.name == text) {
      return macro.fields;
    }
  }
  return InvalidArgumentError(
      "must be five fields or one of @hourly, @daily, @weekly, @monthly, @yearly");
}

}  // namespace

absl::StatusOr<CronSchedule> ParseCronSchedule(std::string_view text) {
  std::vector<std::string_view> fields = Split(text, " \t");
  std::erase(fields, "");
  if (fields.size() == 1 && fields[0].starts_with('@')) {
    ASSIGN_OR_RETURN(const std::string_view expanded, ExpandMacro(fields[0]));
    fields = Split(expanded, " ");
  }
  if (fields.size() != 5) {
    return InvalidArgumentError(
        absl::StrCat("must have five fields (minute, hour, day of month, month, day of week), not ",
                     fields.size()));
  }
  CronSchedule schedule;
  ASSIGN_OR_RETURN(schedule.minutes, ParseField(fields[0], kMinute));
  ASSIGN_OR_RETURN(const uint64_t hours, ParseField(fields[1], kHour));
  ASSIGN_OR_RETURN(const uint64_t months, ParseField(fields[3], kMonth));
  schedule.hours = static_cast<uint32_t>(hours);
  schedule.months = static_cast<uint32_t>(months);
  RETURN_IF_ERROR(ParseDays(fields[2], fields[4], schedule.days));
  if (!schedule.FirstAtOrAfter(absl::CivilMinute(2000, 1, 1))) {
    return InvalidArgumentError("never fires: no such day exists");
  }
  return schedule;
}

}  // namespace korder::api
