#include "cli/check_view.h"

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/value/duration.h"
#include "cli/denial_view.h"
#include "cli/structured.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

std::string Verdict(const CheckResult& result, bool color) {
  const int32_t tickets = result.item.request.tickets();
  const int32_t fitting = result.response.fitting_tickets();
  if (result.Fits()) {
    return absl::StrCat(Painted("fits", "32", color), ": ",
                        tickets == 1 ? "the ticket" : absl::StrCat("all ", tickets, " tickets"));
  }
  std::string text = absl::StrCat(Painted("does not fit", "31", color), ": ", fitting, " of ",
                                  Count(tickets, "ticket"), fitting == 1 ? " fits" : " fit");
  if (result.item.request.order() && !result.response.order_fits()) {
    text += ", and the order itself does not";
  }
  return text;
}

std::string ResultText(const CheckResult& result, const Style& style, absl::Time now) {
  const pb::CheckResponse& response = result.response;
  std::string text = absl::StrCat(
      Painted(result.item.Title(), "1", style.color), ": ",
      Count(result.item.request.tickets(), "ticket"), result.item.daemon_set ? ", one a node," : "",
      " of ",
      ClaimText(result.item.request.claim().requests(),
                result.item.request.claim().has_duration() ? &result.item.request.claim().duration()
                                                           : nullptr),
      "\n  ", Verdict(result, style.color), "\n");
  if (!response.denials().empty()) {
    text += DenialTable({response.denials().begin(), response.denials().end()}, now);
  }
  if (response.quotas().empty()) {
    text += "  no quota counts it\n";
  } else if (result.Fits() || style.format == Format::kWide) {
    absl::StrAppend(&text, "  counted by: ", absl::StrJoin(response.quotas(), ", "), "\n");
  }
  for (const std::string& note : result.item.notes) {
    absl::StrAppend(&text, "  note: ", note, "\n");
  }
  return text;
}

void WriteResult(json::Writer& w, const CheckResult& result) {
  w.BeginObject();
  w.Key("kind");
  w.String(result.item.kind);
  w.Key("namespace");
  w.String(result.item.ns);
  w.Key("name");
  w.String(result.item.name);
  w.Key("fits");
  w.Bool(result.Fits());
  w.Key("tickets");
  w.Int64(result.item.request.tickets());
  w.Key("fittingTickets");
  w.Int64(result.response.fitting_tickets());
  if (result.item.request.order()) {
    w.Key("orderFits");
    w.Bool(result.response.order_fits());
  }
  w.Key("denials");
  WriteDenials(w, {result.response.denials().begin(), result.response.denials().end()});
  w.Key("quotas");
  w.BeginArray();
  for (const std::string& quota : result.response.quotas()) {
    w.String(quota);
  }
  w.EndArray();
  w.EndObject();
}

std::string ReportJson(const CheckReport& report) {
  json::Writer w;
  w.BeginObject();
  w.Key("fits");
  w.Bool(report.Fits());
  if (report.at) {
    w.Key("at");
    w.String(TimeText(*report.at));
  }
  w.Key("objects");
  w.BeginArray();
  for (const CheckResult& result : report.results) {
    WriteResult(w, result);
  }
  w.EndArray();
  if (!report.together.empty()) {
    w.Key("together");
    WriteDenials(w, report.together);
  }
  w.EndObject();
  return w.Take();
}

}  // namespace

std::string CheckText(const CheckReport& report, const Style& style, absl::Time now) {
  if (style.format == Format::kJson || style.format == Format::kYaml) {
    return Structured(ReportJson(report), style.format);
  }
  std::string text;
  if (report.at) {
    absl::StrAppend(&text, "by the limits at ", WhenText(*report.at, now), ", with today's use:\n");
  }
  for (const CheckResult& result : report.results) {
    text += ResultText(result, style, now);
  }
  if (!report.together.empty()) {
    absl::StrAppend(&text, Painted("together", "1", style.color), ": ",
                    Painted("does not fit", "31", style.color), ": ",
                    Count(static_cast<int64_t>(report.results.size()), "object"),
                    " ask for more than is left\n", DenialTable(report.together, now));
  }
  if (report.results.size() > 1 && report.at) {
    text += "each object was judged as if it were alone: with --at they are not added up\n";
  }
  return text;
}

}  // namespace korder::cli
