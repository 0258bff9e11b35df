#include "cli/quota_commands.h"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/core/daemon_nodes.h"
#include "api/core/node.h"
#include "api/v1alpha1/calendar.h"
#include "api/value/duration.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"
#include "cli/check_view.h"
#include "cli/order_file.h"
#include "cli/quota_view.h"
#include "cli/read_input.h"
#include "cli/text.h"
#include "cli/usage_view.h"
#include "cli/watch_view.h"

namespace korder::cli {
namespace {

bool IsText(Format format) { return format == Format::kTable || format == Format::kWide; }

pb::QueryRequest Question(const Session& session, const std::vector<std::string>& names) {
  pb::QueryRequest request;
  request.mutable_quotas()->Assign(names.begin(), names.end());
  request.set_namespace_(session.options.ns);
  return request;
}

// Says which of the names have no quota, if any.
absl::Status AllFound(const Session& session, const std::vector<std::string>& names,
                      const pb::QueryResponse& response) {
  std::set<std::string> missing(names.begin(), names.end());
  for (const pb::QuotaUsage& quota : response.quotas()) {
    missing.erase(quota.quota());
  }
  if (missing.empty()) {
    return absl::OkStatus();
  }
  const std::string where =
      session.options.ns.empty()
          ? ""
          : absl::StrCat(" that counts something in namespace ", session.options.ns);
  return NotFoundError(absl::StrCat("there is no quota ", absl::StrJoin(missing, ", "), where,
                                    "; to see which there are: korderctl quota list"));
}

void SayThatThereIsNone(const Session& session) {
  session.io.err << (session.options.ns.empty()
                         ? "no quotas: nothing bounds what may be reserved\n"
                         : absl::StrCat("no quota counts anything in namespace ",
                                        session.options.ns, "\n"));
}

// Fills in how many tickets are asked for, where the file does not say.
absl::Status CountTickets(Session& session, const CheckOptions& options, CheckItem& item) {
  if (options.tickets && item.request.order()) {
    item.request.set_tickets(*options.tickets);
    return absl::OkStatus();
  }
  if (!item.daemon_set) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  const auto nodes =
      kube::ListAll<api::Node>(*client, "", {}, {.timeout = session.options.timeout});
  if (!nodes.ok()) {
    return Annotate(nodes.status(),
                    absl::StrCat(item.Title(),
                                 " takes one ticket for each node, and the nodes "
                                 "cannot be counted (say how many with --tickets)"));
  }
  item.request.set_tickets(static_cast<int32_t>(std::count_if(
      nodes->items.begin(), nodes->items.end(),
      [&](const api::Node& node) { return api::IsEligibleForDaemon(item.spec, node); })));
  return absl::OkStatus();
}

// What the objects of the report ask for together; nothing to say for times to come.
absl::Status AddTogether(QuotaClient& client, CheckReport& report) {
  if (report.results.size() < 2 || report.at) {
    return absl::OkStatus();
  }
  pb::QueryRequest request;
  std::set<std::string> quotas;
  for (const CheckResult& result : report.results) {
    quotas.insert(result.response.quotas().begin(), result.response.quotas().end());
  }
  if (quotas.empty()) {
    return absl::OkStatus();
  }
  request.mutable_quotas()->Assign(quotas.begin(), quotas.end());
  ASSIGN_OR_RETURN(const pb::QueryResponse usage, client.Query(request));
  report.together = TogetherDenials(report.results, usage);
  return absl::OkStatus();
}

}  // namespace

QuotaClient Session::Client() const {
  return QuotaClient(connector, clock,
                     {.timeout = options.timeout, .system_namespace = options.system_namespace});
}

absl::StatusOr<absl::Time> ParseMoment(const std::string& text, absl::Time now,
                                       const std::string& flag) {
  if (text.starts_with('+')) {
    int days = 0;
    if (text.ends_with('d') && absl::SimpleAtoi(text.substr(1, text.size() - 2), &days) &&
        days >= 0) {
      return now + days * absl::Hours(24);
    }
    if (const auto ahead = api::ParseDuration(text.substr(1)); ahead.ok()) {
      return now + *ahead;
    }
  }
  if (const auto day = api::ParseSkipEntry(text);
      day.ok() && std::holds_alternative<absl::CivilDay>(*day)) {
    return absl::FromCivil(std::get<absl::CivilDay>(*day), absl::UTCTimeZone());
  }
  absl::Time time;
  std::string problem;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &problem)) {
    return time;
  }
  return InvalidArgumentError(absl::StrCat(flag, ": ", api::Quoted(text),
                                           ": must be a time as 2026-05-04T18:00:00Z, a day as "
                                           "2026-05-04, or +2h for two hours from now"));
}

absl::Status ListQuotas(Session& session) {
  QuotaClient client = session.Client();
  ASSIGN_OR_RETURN(const pb::QueryResponse response, client.Query(Question(session, {})));
  if (response.quotas().empty() && IsText(session.options.style.format)) {
    SayThatThereIsNone(session);
    return absl::OkStatus();
  }
  session.io.out << QuotaList(response, session.options.style, session.clock.Now());
  return absl::OkStatus();
}

absl::Status GetQuotas(Session& session, const std::vector<std::string>& names) {
  QuotaClient client = session.Client();
  ASSIGN_OR_RETURN(const pb::QueryResponse response, client.Query(Question(session, names)));
  if (!response.quotas().empty()) {
    const Style& style = session.options.style;
    const absl::Time now = session.clock.Now();
    session.io.out << (names.size() == 1 ? QuotaAlone(response.quotas(0), style, now)
                                         : QuotaList(response, style, now));
  }
  return AllFound(session, names, response);
}

absl::Status ShowUsage(Session& session, const std::vector<std::string>& names) {
  QuotaClient client = session.Client();
  ASSIGN_OR_RETURN(const pb::QueryResponse response, client.Query(Question(session, names)));
  const Style& style = session.options.style;
  if (!IsText(style.format)) {
    session.io.out << QuotaList(response, style, session.clock.Now());
  } else if (!response.quotas().empty()) {
    session.io.out << QuotaUsageBars(response, style, session.clock.Now());
  } else if (names.empty()) {
    SayThatThereIsNone(session);
  }
  return AllFound(session, names, response);
}

absl::StatusOr<bool> CheckOrders(Session& session, const CheckOptions& options) {
  const absl::Time now = session.clock.Now();
  OrderFileOptions reading{.source = options.file, .ns = session.options.ns};
  CheckReport report;
  if (!options.at.empty()) {
    ASSIGN_OR_RETURN(report.at, ParseMoment(options.at, now));
    reading.at = report.at;
  }
  ASSIGN_OR_RETURN(const std::string text, ReadInput(session.io, options.file));
  if (session.options.ns.empty()) {
    reading.default_ns = session.connector.DefaultNamespace();
  }
  ASSIGN_OR_RETURN(OrderFile file, ReadOrderFile(text, reading));
  for (const std::string& skipped : file.skipped) {
    session.io.err << "passed over: " << skipped << "\n";
  }
  QuotaClient client = session.Client();
  for (CheckItem& item : file.items) {
    RETURN_IF_ERROR(CountTickets(session, options, item));
    ASSIGN_OR_RETURN(pb::CheckResponse response, client.Check(item.request));
    report.results.push_back({std::move(item), std::move(response)});
  }
  RETURN_IF_ERROR(AddTogether(client, report));
  session.io.out << CheckText(report, session.options.style, now);
  return report.Fits();
}

absl::Status WatchQuotas(Session& session, const std::vector<std::string>& names,
                         std::stop_token stop) {
  pb::WatchRequest request;
  request.mutable_quotas()->Assign(names.begin(), names.end());
  request.set_namespace_(session.options.ns);
  WatchBook book;
  QuotaClient client = session.Client();
  std::stop_source done;  // by the caller, or because nobody reads us any more
  const std::stop_callback link(std::move(stop), [&done] { done.request_stop(); });
  std::string trouble;  // what people were told of; empty while all is well
  const absl::Status status = client.Watch(
      request, done.get_token(),
      [&](const pb::WatchResponse& message, bool first) {
        if (book.IsStale(message)) {
          return false;
        }
        if (!std::exchange(trouble, "").empty()) {
          session.io.err << "connected again\n";
        }
        for (const QuotaChange& change : book.Apply(message, first)) {
          session.io.out << ChangeText(change, session.options.style, session.clock.Now());
        }
        if (!session.io.out.flush()) {
          done.request_stop();
        }
        return true;
      },
      [&](std::string_view why) {
        if (std::exchange(trouble, why) != why) {  // once, however many tries it takes
          session.io.err << "connection lost, trying again: " << why << "\n";
        }
      });
  return session.io.out.good() ? status : FailedPreconditionError("the output cannot be written");
}

}  // namespace korder::cli
