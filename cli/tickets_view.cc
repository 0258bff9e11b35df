#include "cli/tickets_view.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

std::string_view OrderOf(const api::Ticket& ticket) {
  return api::ValueOf(ticket.metadata.labels, api::kLabelOrder);
}

// Without the namespace where it is the ticket's own.
std::string_view PodOf(const api::Ticket& ticket, std::string_view pod) {
  const std::string own = ticket.metadata.ns + "/";
  return pod.starts_with(own) ? pod.substr(own.size()) : pod;
}

// Numbers sort by value: a longer name of the same order is a larger number.
auto Rank(const api::Ticket& ticket) {
  return std::tuple<std::string_view, std::string_view, size_t, std::string_view>(
      ticket.metadata.ns, OrderOf(ticket), ticket.metadata.name.size(), ticket.metadata.name);
}

std::string EndText(const api::Ticket& ticket, absl::Time now) {
  const api::TicketStatus& status = ticket.status;
  if (status.expiration_time) {
    return RelativeText(*status.expiration_time, now);
  }
  return ticket.spec.duration ? "" : "never";
}

std::string RequestText(const api::Ticket& ticket) {
  return absl::StrJoin(api::EffectiveRequests(ticket.spec), ",",
                       [](std::string* out, const auto& entry) {
                         absl::StrAppend(out, entry.first, "=", entry.second.ToString());
                       });
}

std::string TicketTable(const std::vector<api::Ticket>& tickets, const ListView& view, bool wide) {
  std::vector<Table::Column> columns;
  if (view.all_namespaces) {
    columns.push_back({"NAMESPACE"});
  }
  columns.insert(columns.end(),
                 {{"NAME"}, {"PHASE"}, {"REASON"}, {"NODE"}, {"CLAIMED-BY"}, {"ENDS"}, {"AGE"}});
  if (wide) {
    columns.insert(columns.end(), {{"ORDER"}, {"GUARDIAN"}, {"REQUESTS"}, {"USED"}, {"MESSAGE"}});
  }
  Table table(std::move(columns));
  for (const api::Ticket& ticket : tickets) {
    const api::TicketStatus& status = ticket.status;
    std::vector<std::string> row;
    if (view.all_namespaces) {
      row.push_back(ticket.metadata.ns);
    }
    row.insert(row.end(),
               {ticket.metadata.name, std::string(api::Name(status.phase)), status.reason,
                status.node_name, std::string(PodOf(ticket, status.claimed_pod)),
                EndText(ticket, view.now),
                ticket.metadata.creation_timestamp
                    ? ShortDuration(view.now - *ticket.metadata.creation_timestamp)
                    : ""});
    if (wide) {
      row.insert(row.end(),
                 {std::string(OrderOf(ticket)), std::string(PodOf(ticket, status.guardian_pod)),
                  RequestText(ticket), status.utilization_rate, status.message});
    }
    table.AddRow(std::move(row));
  }
  return table.Render();
}

void Write(json::Writer& w, const api::Ticket& ticket) {
  const api::TicketStatus& status = ticket.status;
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"namespace", ticket.metadata.ns},  {"name", ticket.metadata.name},
      {"order", OrderOf(ticket)},         {"phase", api::Name(status.phase)},
      {"reason", status.reason},          {"message", status.message},
      {"node", status.node_name},         {"guardianPod", status.guardian_pod},
      {"claimedPod", status.claimed_pod}, {"utilizationRate", status.utilization_rate}};
  const std::pair<std::string_view, std::optional<absl::Time>> times[] = {
      {"created", ticket.metadata.creation_timestamp},
      {"activated", status.activation_time},
      {"claimed", status.claimed_time},
      {"ends", status.expiration_time},
      {"finished", status.finished_time}};
  w.BeginObject();
  for (const auto& [key, value] : texts) {
    if (!value.empty()) {
      w.Key(key);
      w.String(value);
    }
  }
  for (const auto& [key, time] : times) {
    if (time) {
      w.Key(key);
      w.String(TimeText(*time));
    }
  }
  w.Key("requests");
  w.BeginObject();
  for (const auto& [resource, amount] : api::EffectiveRequests(ticket.spec)) {
    w.Key(resource);
    w.String(amount.ToString());
  }
  w.EndObject();
  w.EndObject();
}

}  // namespace

std::string TicketsText(std::vector<api::Ticket> tickets, const ListView& view,
                        const Style& style) {
  std::sort(tickets.begin(), tickets.end(),
            [](const api::Ticket& a, const api::Ticket& b) { return Rank(a) < Rank(b); });
  if (style.format != Format::kJson && style.format != Format::kYaml) {
    return TicketTable(tickets, view, style.format == Format::kWide);
  }
  json::Writer w;
  w.BeginObject();
  w.Key("tickets");
  w.BeginArray();
  for (const api::Ticket& ticket : tickets) {
    Write(w, ticket);
  }
  w.EndArray();
  w.EndObject();
  return Structured(w.Take(), style.format);
}

}  // namespace korder::cli
