#include "cli/preview_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/value/cron.h"
#include "cli/denial_view.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

using order_pb::PreviewResponse;
using order_pb::PreviewWindow;

bool Fits(const PreviewWindow& window) {
  return !window.has_quota() ||
         (window.quota().order_fits() && window.quota().fitting_tickets() >= window.tickets());
}

absl::TimeZone ZoneOf(const PreviewResponse& response) {
  return api::FindTimeZone(response.time_zone()).value_or(absl::UTCTimeZone());
}

std::string Heading(const OrderPreview& preview, const Style& style) {
  const PreviewResponse& response = preview.response;
  std::string text =
      absl::StrCat(Painted(absl::StrCat("order ", preview.ns, "/", preview.name), "1", style.color),
                   ": ", response.strategy());
  if (!response.schedule().empty()) {
    absl::StrAppend(&text, " \"", response.schedule(), "\" in ", response.time_zone());
  }
  absl::StrAppend(
      &text, ", refresh ", response.refresh_policy(), "\n  ",
      response.daemon_set() ? "one ticket for each eligible node" : "each ticket", ": ",
      ClaimText(response.requests(), response.has_duration() ? &response.duration() : nullptr),
      "\n");
  return text;
}

std::string QuotaCell(const PreviewWindow& window, const Style& style) {
  if (window.skipped()) {
    return "";
  }
  if (!window.has_quota()) {
    return "unknown";
  }
  if (Fits(window)) {
    return window.quota().quotas().empty() ? "no quota" : Painted("fits", "32", style.color);
  }
  const int32_t fitting = window.quota().fitting_tickets();
  return Painted(fitting >= window.tickets() ? std::string("order does not fit")
                                             : absl::StrCat(fitting, " of ", window.tickets(),
                                                            fitting == 1 ? " fits" : " fit"),
                 "31", style.color);
}

// "skipped", "runs now", "guardians 10m before".
std::string NoteCell(const PreviewWindow& window, absl::Time now) {
  if (window.skipped()) {
    return "skipped";
  }
  std::vector<std::string> notes;
  if (window.running() && FromProto(window.start()) + absl::Seconds(1) < now) {
    notes.push_back("runs now");
  }
  const absl::Duration lead = FromProto(window.start()) - FromProto(window.prepare_time());
  if (lead > absl::ZeroDuration()) {
    notes.push_back(absl::StrCat("guardians ", ShortDuration(lead), " before"));
  }
  return absl::StrJoin(notes, ", ");
}

std::string WindowTable(const PreviewResponse& response, const Style& style, absl::Time now) {
  const absl::TimeZone zone = ZoneOf(response);
  const bool wide = style.format == Format::kWide;
  std::vector<Table::Column> columns = {{"#", Align::kRight},       {"START"}, {"WHEN"}, {"END"},
                                        {"TICKETS", Align::kRight}, {"QUOTA"}, {"NOTE"}};
  if (wide) {
    columns.insert(columns.end(), {{"START-UTC"}, {"GUARDIANS-UTC"}, {"COUNTED-BY"}});
  }
  Table table(std::move(columns));
  int number = 0;
  for (const PreviewWindow& window : response.windows()) {
    const absl::Time start = FromProto(window.start());
    std::vector<std::string> row = {
        absl::StrCat(++number),
        LocalText(start, zone),
        RelativeText(start, now),
        window.has_end() ? LocalText(FromProto(window.end()), zone) : "never",
        absl::StrCat(window.tickets()),
        QuotaCell(window, style),
        NoteCell(window, now)};
    if (wide) {
      row.push_back(TimeText(start));
      row.push_back(TimeText(FromProto(window.prepare_time())));
      row.push_back(absl::StrJoin(window.quota().quotas(), ","));
    }
    table.AddRow(std::move(row));
  }
  return table.empty() ? "" : table.Render("  ");
}

// Windows that the same limits deny.
struct DeniedWindows {
  std::vector<int> numbers;
  std::vector<pb::Denied> denials;
};

bool SameLimits(const std::vector<pb::Denied>& a, const std::vector<pb::Denied>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const pb::Denied& x, const pb::Denied& y) {
                      return x.SerializeAsString() == y.SerializeAsString();
                    });
}

std::vector<DeniedWindows> Group(const PreviewResponse& response) {
  std::vector<DeniedWindows> groups;
  for (int i = 0; i < response.windows_size(); ++i) {
    const auto& denials = response.windows(i).quota().denials();
    if (denials.empty()) {
      continue;
    }
    const std::vector<pb::Denied> list(denials.begin(), denials.end());
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const DeniedWindows& g) { return SameLimits(g.denials, list); });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {.numbers = {}, .denials = list});
    }
    group->numbers.push_back(i + 1);
  }
  return groups;
}

// "1-3, 5".
std::string Ranges(const std::vector<int>& numbers) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < numbers.size();) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) {
      ++last;
    }
    parts.push_back(last == i ? absl::StrCat(numbers[i])
                              : absl::StrCat(numbers[i], "-", numbers[last]));
    i = last + 1;
  }
  return absl::StrJoin(parts, ", ");
}

std::string DenialText(const PreviewResponse& response, absl::Time now) {
  std::string text;
  for (const DeniedWindows& group : Group(response)) {
    absl::StrAppend(&text, "  denied in ", group.numbers.size() == 1 ? "window " : "windows ",
                    Ranges(group.numbers), ":\n", DenialTable(group.denials, now, "    "));
  }
  return text;
}

// "Nodes" is plural unless it is one.
std::string_view Verb(int64_t count, std::string_view one, std::string_view many) {
  return count == 1 ? one : many;
}

std::string NodeText(const OrderPreview& preview) {
  const order_pb::NodeFit& nodes = preview.response.nodes();
  std::string text = absl::StrCat(
      "  nodes: ", nodes.eligible(), " of ", nodes.nodes(), " ",
      std::string(Verb(nodes.eligible(), "is", "are")), " eligible, ", nodes.large_enough(), " ",
      std::string(Verb(nodes.large_enough(), "is", "are")),
      " large enough; empty, they would hold ", Count(nodes.tickets(), "ticket"), "\n  free now: ");
  if (!preview.free) {
    return absl::StrCat(text, "not known: ", preview.no_free, "\n");
  }
  return absl::StrCat(text, "room for ", Count(preview.free->tickets, "ticket"), " on ",
                      preview.free->nodes, " of ", Count(preview.free->eligible, "eligible node"),
                      "\n");
}

std::string Text(const OrderPreview& preview, const Style& style, absl::Time now) {
  std::string text = Heading(preview, style) + WindowTable(preview.response, style, now) +
                     DenialText(preview.response, now) + NodeText(preview);
  for (const std::string& note : preview.response.notes()) {
    absl::StrAppend(&text, "  note: ", note, "\n");
  }
  return text;
}

void WriteTime(json::Writer& w, std::string_view key, const google::protobuf::Timestamp& time) {
  w.Key(key);
  w.String(TimeText(FromProto(time)));
}

template <class Texts>
void WriteTexts(json::Writer& w, std::string_view key, const Texts& texts) {
  w.Key(key);
  w.BeginArray();
  for (const std::string& text : texts) {
    w.String(text);
  }
  w.EndArray();
}

void WriteWindow(json::Writer& w, const PreviewWindow& window) {
  w.BeginObject();
  WriteTime(w, "start", window.start());
  if (window.has_end()) {
    WriteTime(w, "end", window.end());
  }
  WriteTime(w, "guardiansFrom", window.prepare_time());
  w.Key("tickets");
  w.Int64(window.tickets());
  w.Key("skipped");
  w.Bool(window.skipped());
  w.Key("running");
  w.Bool(window.running());
  if (window.has_quota()) {
    w.Key("quota");
    w.BeginObject();
    w.Key("fits");
    w.Bool(Fits(window));
    w.Key("fittingTickets");
    w.Int64(window.quota().fitting_tickets());
    w.Key("orderFits");
    w.Bool(window.quota().order_fits());
    w.Key("denials");
    WriteDenials(w, {window.quota().denials().begin(), window.quota().denials().end()});
    WriteTexts(w, "quotas", window.quota().quotas());
    w.EndObject();
  }
  w.EndObject();
}

void WriteNodes(json::Writer& w, const OrderPreview& preview) {
  const order_pb::NodeFit& nodes = preview.response.nodes();
  w.Key("nodes");
  w.BeginObject();
  w.Key("all");
  w.Int64(nodes.nodes());
  w.Key("eligible");
  w.Int64(nodes.eligible());
  w.Key("largeEnough");
  w.Int64(nodes.large_enough());
  w.Key("ticketsWhenEmpty");
  w.Int64(nodes.tickets());
  if (preview.free) {
    w.Key("ticketsFreeNow");
    w.Int64(preview.free->tickets);
    w.Key("nodesFreeNow");
    w.Int64(preview.free->nodes);
  }
  w.EndObject();
}

void Write(json::Writer& w, const OrderPreview& preview) {
  const PreviewResponse& response = preview.response;
  w.BeginObject();
  const std::pair<std::string_view, std::string_view> fields[] = {
      {"namespace", preview.ns},          {"name", preview.name},
      {"strategy", response.strategy()},  {"schedule", response.schedule()},
      {"timeZone", response.time_zone()}, {"refreshPolicy", response.refresh_policy()}};
  for (const auto& [name, value] : fields) {
    if (!value.empty()) {
      w.Key(name);
      w.String(value);
    }
  }
  w.Key("fits");
  w.Bool(preview.Fits());
  w.Key("windows");
  w.BeginArray();
  for (const PreviewWindow& window : response.windows()) {
    WriteWindow(w, window);
  }
  w.EndArray();
  WriteNodes(w, preview);
  WriteTexts(w, "notes", response.notes());
  w.EndObject();
}

}  // namespace

bool OrderPreview::Fits() const {
  return std::all_of(response.windows().begin(), response.windows().end(),
                     [](const PreviewWindow& window) { return cli::Fits(window); });
}

std::string PreviewText(const std::vector<OrderPreview>& previews, const Style& style,
                        absl::Time now) {
  if (style.format == Format::kJson || style.format == Format::kYaml) {
    json::Writer w;
    w.BeginObject();
    w.Key("orders");
    w.BeginArray();
    for (const OrderPreview& preview : previews) {
      Write(w, preview);
    }
    w.EndArray();
    w.EndObject();
    return Structured(w.Take(), style.format);
  }
  std::string text;
  for (const OrderPreview& preview : previews) {
    text += (text.empty() ? "" : "\n") + Text(preview, style, now);
  }
  if (previews.size() > 1) {
    text += "\neach order was judged as if it were alone\n";
  }
  return text;
}

}  // namespace korder::cli
