#include "cli/calendar_view.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/timeline.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

using order_pb::CalendarResponse;
using order_pb::CalendarWindow;

std::string NameOf(const CalendarWindow& window) {
  return absl::StrCat(window.namespace_(), "/", window.order());
}

absl::Time EndOf(const CalendarWindow& window) {
  return window.has_end() ? FromProto(window.end()) : absl::InfiniteFuture();
}

std::string StateOf(const CalendarWindow& window, absl::Time now, bool color) {
  if (window.skipped()) {
    return Painted("skipped", "33", color);
  }
  if (window.paused()) {
    return Painted("paused", "33", color);
  }
  if (window.running()) {
    return Painted("runs now", "32", color);
  }
  return EndOf(window) <= now ? "over" : "";
}

std::string WindowTable(const CalendarResponse& response, absl::Time now, const Style& style) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const bool wide = style.format == Format::kWide;
  std::vector<Table::Column> columns = {
      {"ORDER"}, {"START"}, {"WHEN"}, {"END"}, {"TICKETS", Align::kRight}, {"STATE"}};
  if (wide) {
    columns.insert(columns.end(), {{"STRATEGY"}, {"LENGTH"}});
  }
  Table table(std::move(columns));
  for (const CalendarWindow& window : response.windows()) {
    const absl::Time start = FromProto(window.start());
    std::vector<std::string> row = {
        NameOf(window),
        LocalText(start, utc),
        RelativeText(start, now),
        window.has_end() ? LocalText(FromProto(window.end()), utc) : "never",
        absl::StrCat(window.tickets()),
        StateOf(window, now, style.color)};
    if (wide) {
      row.push_back(window.strategy());
      row.push_back(window.has_end() ? ShortDuration(EndOf(window) - start) : "");
    }
    table.AddRow(std::move(row));
  }
  return table.Render();
}

Stretch::Kind KindOf(const CalendarWindow& window) {
  return window.skipped()   ? Stretch::Kind::kSkipped
         : window.paused()  ? Stretch::Kind::kPaused
         : window.running() ? Stretch::Kind::kRunning
                            : Stretch::Kind::kPlanned;
}

std::string Picture(const CalendarResponse& response, const CalendarSpan& span,
                    const Style& style) {
  // By name: the order of the table changes with the time.
  std::map<std::string, std::vector<Stretch>> by_order;
  for (const CalendarWindow& window : response.windows()) {
    by_order[NameOf(window)].push_back(
        {.start = FromProto(window.start()), .end = EndOf(window), .kind = KindOf(window)});
  }
  Timeline timeline(span.from, span.to, style.width, style);
  for (auto& [name, stretches] : by_order) {
    timeline.AddRow(name, std::move(stretches));
  }
  return timeline.Render();
}

std::string Json(const CalendarResponse& response, const CalendarSpan& span) {
  json::Writer w;
  const auto text = [&w](std::string_view key, std::string_view value) {
    w.Key(key);
    w.String(value);
  };
  w.BeginObject();
  text("from", TimeText(span.from));
  text("to", TimeText(span.to));
  w.Key("truncated");
  w.Bool(response.truncated());
  w.Key("windows");
  w.BeginArray();
  for (const CalendarWindow& window : response.windows()) {
    w.BeginObject();
    text("namespace", window.namespace_());
    text("order", window.order());
    text("start", TimeText(FromProto(window.start())));
    if (window.has_end()) {
      text("end", TimeText(FromProto(window.end())));
    }
    w.Key("tickets");
    w.Int64(window.tickets());
    text("strategy", window.strategy());
    for (const auto& [key, value] :
         {std::pair{"skipped", window.skipped()}, std::pair{"paused", window.paused()},
          std::pair{"running", window.running()}}) {
      w.Key(key);
      w.Bool(value);
    }
    w.EndObject();
  }
  w.EndArray();
  w.EndObject();
  return w.Take();
}

}  // namespace

std::string CalendarText(const CalendarResponse& response, const CalendarSpan& span,
                         const Style& style) {
  if (style.format == Format::kJson || style.format == Format::kYaml) {
    return Structured(Json(response, span), style.format);
  }
  if (response.windows().empty()) {
    return absl::StrCat("no window from ", LocalText(span.from, absl::UTCTimeZone()), " to ",
                        LocalText(span.to, absl::UTCTimeZone()), " UTC\n");
  }
  return absl::StrCat(WindowTable(response, span.now, style), "\n", Picture(response, span, style));
}

}  // namespace korder::cli
