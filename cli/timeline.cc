#include "cli/timeline.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

constexpr size_t kLongestName = 36;
constexpr std::string_view kGap = "  ";
// So far apart are labels of the axis at least.
constexpr size_t kLabelColumns = 8;
constexpr size_t kColumnsWithBorder = 4;

struct Signs {
  std::string_view skipped;
  std::string_view paused;
  std::string_view planned;
  std::string_view running;
  std::string_view border;  // where one window follows the other at once
  std::string_view tick;
};
constexpr Signs kUnicode = {"╌", "░", "▒", "█", "│", "┊"};
constexpr Signs kAscii = {"x", "-", "=", "#", "|", ":"};

std::string_view SignOf(const Signs& signs, Stretch::Kind kind) {
  switch (kind) {
    case Stretch::Kind::kSkipped:
      return signs.skipped;
    case Stretch::Kind::kPaused:
      return signs.paused;
    case Stretch::Kind::kPlanned:
      return signs.planned;
    case Stretch::Kind::kRunning:
      break;
  }
  return signs.running;
}

std::string_view ColorOf(Stretch::Kind kind) {
  switch (kind) {
    case Stretch::Kind::kRunning:
      return "32";
    case Stretch::Kind::kPlanned:
      return "36";
    default:
      return "33";
  }
}

std::string Shortened(const std::string& name, size_t width, const Style& style) {
  if (DisplayWidth(name) <= width) {
    return name;
  }
  return absl::StrCat(name.substr(0, width - 1), style.unicode ? "…" : "~");
}

}  // namespace

// The columns of the bars.
class Timeline::Canvas {
 public:
  Canvas(const Timeline& timeline, size_t columns) : t_(timeline), columns_(columns) {}

  size_t ColumnOf(absl::Time time) const {
    const double share = absl::FDivDuration(time - t_.from_, t_.to_ - t_.from_);
    const double column = share * static_cast<double>(columns_) + 1e-9;
    return static_cast<size_t>(std::clamp(column, 0.0, static_cast<double>(columns_)));
  }

  // How far apart the ticks of the axis are.
  absl::Duration Step() const {
    constexpr std::array<int, 10> kHours = {1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24};
    for (const int hours : kHours) {
      const double columns =
          absl::FDivDuration(absl::Hours(hours), t_.to_ - t_.from_) * static_cast<double>(columns_);
      if (columns >= static_cast<double>(kLabelColumns)) {
        return absl::Hours(hours);
      }
    }
    return absl::Hours(56 * 24);
  }

  std::vector<absl::Time> Ticks() const {
    const absl::Duration step = Step();
    // From a Monday, so that steps of weeks are weeks.
    const absl::Time monday = absl::FromCivil(absl::CivilDay(1970, 1, 5), absl::UTCTimeZone());
    absl::Time tick = monday + absl::Floor(t_.from_ - monday, step);
    if (tick < t_.from_) {
      tick += step;
    }
    std::vector<absl::Time> ticks;
    for (; tick < t_.to_; tick += step) {
      ticks.push_back(tick);
    }
    return ticks;
  }

  // Labels at the columns of times; one that would touch the label before it is left out.
  std::string Labels(const std::vector<std::pair<absl::Time, std::string>>& labels) const {
    std::string line;
    for (const auto& [time, label] : labels) {
      const size_t column = ColumnOf(time);
      if ((line.empty() || column > line.size()) && column + label.size() <= columns_) {
        line.resize(column, ' ');
        line += label;
      }
    }
    return line;
  }

  std::string Bar(const std::vector<Stretch>& stretches,
                  const std::vector<absl::Time>& ticks) const {
    struct Cell {
      std::optional<Stretch::Kind> kind;
      bool border = false;
    };
    std::vector<Cell> cells(columns_);
    for (const Stretch& stretch : stretches) {
      const size_t first = std::min(ColumnOf(stretch.start), columns_ - 1);
      const size_t last = std::clamp(ColumnOf(stretch.end), first + 1, columns_);
      // Where windows are short, borders would be all there is to see.
      if (stretch.start > t_.from_ && first > 0 && cells[first - 1].kind &&
          last - first >= kColumnsWithBorder) {
        cells[first].border = true;
      }
      for (size_t i = first; i < last; ++i) {
        cells[i].kind = std::max(cells[i].kind.value_or(stretch.kind), stretch.kind);
      }
    }
    std::vector<char> is_tick(columns_);
    for (const absl::Time tick : ticks) {
      is_tick[std::min(ColumnOf(tick), columns_ - 1)] = 1;
    }
    const Signs& signs = t_.style_.unicode ? kUnicode : kAscii;
    std::string line;
    for (size_t i = 0; i < columns_; ++i) {
      const Cell& cell = cells[i];
      if (!cell.kind) {
        line += is_tick[i] != 0 ? signs.tick : std::string_view(" ");
      } else {
        line += Painted(cell.border ? signs.border : SignOf(signs, *cell.kind), ColorOf(*cell.kind),
                        t_.style_.color);
      }
    }
    return line;
  }

 private:
  const Timeline& t_;
  const size_t columns_;
};

Timeline::Timeline(absl::Time from, absl::Time to, size_t width, Style style)
    : from_(from), to_(to), width_(width), style_(style) {}

void Timeline::AddRow(std::string name, std::vector<Stretch> stretches) {
  std::sort(stretches.begin(), stretches.end(),
            [](const Stretch& a, const Stretch& b) { return a.start < b.start; });
  rows_.push_back({std::move(name), std::move(stretches)});
}

std::string Timeline::Render() const {
  size_t names = 0;
  for (const Row& row : rows_) {
    names = std::max(names, DisplayWidth(row.name));
  }
  names = std::min({names, kLongestName, width_ / 2});
  const Canvas canvas(*this, width_ - names - kGap.size());
  const std::vector<absl::Time> ticks = canvas.Ticks();
  const bool hours = canvas.Step() < absl::Hours(24);

  // The days above, the hours below them.
  std::vector<std::pair<absl::Time, std::string>> days;
  std::vector<std::pair<absl::Time, std::string>> times;
  const std::string_view day_format = hours                              ? "%a %m-%d"
                                      : canvas.Step() == absl::Hours(24) ? "%a %d"
                                                                         : "%m-%d";
  const auto day = [&](absl::Time time) {
    return absl::FormatTime({day_format.data(), day_format.size()}, time, absl::UTCTimeZone());
  };
  for (const absl::Time tick : ticks) {
    const absl::CivilSecond civil = absl::ToCivilSecond(tick, absl::UTCTimeZone());
    if (civil.hour() == 0) {
      days.emplace_back(tick, day(tick));
    }
    times.emplace_back(tick, absl::FormatTime("%H:%M", tick, absl::UTCTimeZone()));
  }
  // The day that has begun already is named, too, where there is room before the next.
  if (hours && (days.empty() || canvas.ColumnOf(days.front().first) > day(from_).size() + 1)) {
    days.emplace(days.begin(), from_, day(from_));
  }
  std::string text;
  const auto add = [&](const std::string& name, const std::string& rest) {
    std::string line = absl::StrCat(Padded(name, names), std::string(kGap), rest);
    absl::StripTrailingAsciiWhitespace(&line);
    text += line + "\n";
  };
  add("", canvas.Labels(days));
  if (hours) {
    add("", canvas.Labels(times));
  }
  for (const Row& row : rows_) {
    add(Shortened(row.name, names, style_), canvas.Bar(row.stretches, ticks));
  }
  const Signs& signs = style_.unicode ? kUnicode : kAscii;
  std::string legend;
  for (const auto& [kind, meaning] :
       {std::pair{Stretch::Kind::kRunning, "runs now"},
        std::pair{Stretch::Kind::kPlanned, "window"}, std::pair{Stretch::Kind::kPaused, "paused"},
        std::pair{Stretch::Kind::kSkipped, "skipped"}}) {
    absl::StrAppend(&legend, legend.empty() ? "" : "   ",
                    Painted(SignOf(signs, kind), ColorOf(kind), style_.color), " ", meaning);
  }
  return text + legend + "   (times in UTC)\n";
}

}  // namespace korder::cli
