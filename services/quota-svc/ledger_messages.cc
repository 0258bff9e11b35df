#include "quota-svc/ledger_messages.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/meta/dns_name.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

constexpr size_t kMaxId = 63;
constexpr size_t kMaxName = 253;  // of an object
constexpr int kMaxBatch = 5000;

absl::Status Problem(std::string path, std::string value, std::string rule) {
  return InvalidArgumentError(
      api::Render(api::FieldError{std::move(path), std::move(value), std::move(rule)}));
}

bool IsIdChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}

absl::Status CheckId(const std::string& path, const std::string& id, size_t longest = kMaxId) {
  const bool good =
      !id.empty() && id.size() <= longest && std::all_of(id.begin(), id.end(), IsIdChar);
  return good ? absl::OkStatus()
              : Problem(path, id,
                        absl::StrCat("must be 1 to ", longest, " characters of [A-Za-z0-9._-]"));
}

absl::Status CheckNamespace(const std::string& ns) { return CheckId("namespace", ns); }

absl::Status CheckCount(const std::string& path, int count) {
  return count >= 1 && count <= kMaxBatch ? absl::OkStatus()
                                          : Problem(path, absl::StrCat(count, " items"),
                                                    absl::StrCat("must be 1 to ", kMaxBatch));
}

template <class Map>
absl::StatusOr<api::Labels> ParseLabels(const std::string& path, const Map& labels) {
  api::Labels parsed;
  for (const auto& [key, value] : labels) {
    if (std::string problem = api::LabelKeyProblem(key); !problem.empty()) {
      return Problem(path, key, std::move(problem));
    }
    if (std::string problem = api::LabelValueProblem(value); !problem.empty()) {
      return Problem(absl::StrCat(path, "[", key, "]"), value, std::move(problem));
    }
    parsed.emplace(key, value);
  }
  return parsed;
}

absl::StatusOr<api::ResourceList> ParseRequests(const std::string& path, const pb::Claim& claim) {
  api::ResourceList requests;
  for (const auto& [resource, text] : claim.requests()) {
    if (std::string problem = api::LabelKeyProblem(resource); !problem.empty()) {
      return Problem(path + ".requests", resource, std::move(problem));
    }
    const std::string at = absl::StrCat(path, ".requests[", resource, "]");
    const absl::StatusOr<api::Quantity> quantity = api::Quantity::Parse(text);
    if (!quantity.ok()) {
      return Problem(at, text, std::string(Message(quantity.status())));
    }
    if (quantity->IsNegative() || *quantity > kMaxAmount) {
      return Problem(at, text, absl::StrCat("must be 0 to ", kMaxAmount.ToString()));
    }
    requests.emplace(resource, *quantity);
  }
  return requests;
}

absl::StatusOr<absl::Duration> ParseDuration(const std::string& path,
                                             const google::protobuf::Duration& given) {
  // What the ledger object can hold: 64 bits of nanoseconds. google.protobuf.Duration goes further.
  constexpr int64_t kMostSeconds = 2'562'047 * int64_t{3600};
  const bool valid = given.seconds() >= 0 && given.nanos() >= 0 && given.nanos() <= 999'999'999 &&
                     given.seconds() < kMostSeconds;
  if (!valid) {
    return Problem(path, absl::StrCat(given.seconds(), "s ", given.nanos(), "ns"),
                   "must be a valid duration of 0 or more, at most 2562047h");
  }
  return absl::Seconds(given.seconds()) + absl::Nanoseconds(given.nanos());
}

absl::StatusOr<Claim> ParseClaim(const std::string& path, const std::string& ns,
                                 const pb::Claim& claim) {
  ASSIGN_OR_RETURN(const api::ResourceList requests, ParseRequests(path, claim));
  std::optional<absl::Duration> duration;
  if (claim.has_duration()) {
    ASSIGN_OR_RETURN(duration, ParseDuration(path + ".duration", claim.duration()));
  }
  ASSIGN_OR_RETURN(api::Labels labels, ParseLabels(path + ".labels", claim.labels()));
  return MakeTicketClaim(ns, std::move(labels), requests, duration);
}

absl::StatusOr<absl::Time> ParseTime(const std::string& path,
                                     const google::protobuf::Timestamp& time) {
  // The bounds of google.protobuf.Timestamp: the years 1 to 9999.
  const bool valid = time.seconds() >= -62'135'596'800 && time.seconds() <= 253'402'300'799 &&
                     time.nanos() >= 0 && time.nanos() <= 999'999'999;
  if (!valid) {
    return Problem(path, absl::StrCat(time.seconds(), "s ", time.nanos(), "ns"),
                   "must be a valid time");
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

void Fill(absl::Time from, google::protobuf::Timestamp& to) {
  const int64_t seconds = absl::ToUnixSeconds(from);  // rounded down
  to.set_seconds(seconds);
  to.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(from - absl::FromUnixSeconds(seconds))));
}

void AddEntries(const Limits& limits, const Amounts& used_amounts,
                google::protobuf::RepeatedPtrField<pb::QuotaUsage::Entry>& entries) {
  for (const auto& [key, limit] : limits.amounts) {
    const auto it = used_amounts.find(key);
    const auto used = it == used_amounts.end() ? 0 : it->second.nanos();
    const auto left = std::max<api::Quantity::Nanos>(limit.nanos() - used, 0);
    pb::QuotaUsage::Entry& entry = *entries.Add();
    entry.set_resource(key);
    entry.set_hard(limit.ToString());
    entry.set_used(api::Quantity::FromNanos(used, limit.format()).ToString());
    entry.set_available(api::Quantity::FromNanos(left, limit.format()).ToString());
    if (limit.nanos() > 0) {
      entry.set_ratio(static_cast<double>(used) / static_cast<double>(limit.nanos()));
    }
  }
  if (limits.max_duration) {
    pb::QuotaUsage::Entry& entry = *entries.Add();
    entry.set_resource(std::string(api::kQuotaMaxDuration));
    entry.set_hard(DurationText(*limits.max_duration));
  }
}

pb::Granted Render(const Granted& granted) {
  pb::Granted out;
  if (granted.expire_time) {
    Fill(*granted.expire_time, *out.mutable_expire_time());
  }
  return out;
}

}  // namespace

absl::StatusOr<Reservation> Parse(const pb::ReserveRequest& request) {
  RETURN_IF_ERROR(CheckNamespace(request.namespace_()));
  RETURN_IF_ERROR(CheckCount("reservation_ids", request.reservation_ids_size()));
  if (!request.has_claim()) {
    return Problem("claim", "", "is required");
  }
  Reservation reservation;
  ASSIGN_OR_RETURN(reservation.claim, ParseClaim("claim", request.namespace_(), request.claim()));
  std::set<std::string_view> seen;
  for (int i = 0; i < request.reservation_ids_size(); ++i) {
    const std::string& id = request.reservation_ids(i);
    const std::string path = absl::StrCat("reservation_ids[", i, "]");
    RETURN_IF_ERROR(CheckId(path, id));
    if (!seen.insert(id).second) {
      return Problem(path, id, "occurs twice");
    }
    reservation.ids.push_back(id);
  }
  if (request.ticket_names_size() != 0 &&
      request.ticket_names_size() != request.reservation_ids_size()) {
    return Problem("ticket_names", absl::StrCat(request.ticket_names_size(), " items"),
                   "must be as many as reservation_ids");
  }
  for (int i = 0; i < request.ticket_names_size(); ++i) {
    const std::string& name = request.ticket_names(i);
    if (std::string problem = api::DnsSubdomainProblem(name); !problem.empty()) {
      return Problem(absl::StrCat("ticket_names[", i, "]"), name, problem);
    }
    reservation.ticket_names.push_back(name);
  }
  reservation.all_or_nothing = request.all_or_nothing();
  return reservation;
}

absl::StatusOr<std::vector<TicketRequest>> Parse(const pb::ConfirmRequest& request) {
  RETURN_IF_ERROR(CheckCount("items", request.items_size()));
  std::vector<TicketRequest> tickets;
  for (int i = 0; i < request.items_size(); ++i) {
    const pb::ConfirmRequest::Item& item = request.items(i);
    const std::string path = absl::StrCat("items[", i, "]");
    TicketRequest ticket{.uid = item.ticket().uid(), .reservation_id = "", .claim = {}};
    RETURN_IF_ERROR(Annotate(CheckNamespace(item.ticket().namespace_()), path + ".ticket"));
    RETURN_IF_ERROR(CheckId(path + ".ticket.uid", ticket.uid));
    // Whatever stands in the annotation is no reason to refuse: an id that cannot be is unknown.
    if (CheckId("", item.reservation_id()).ok()) {
      ticket.reservation_id = item.reservation_id();
    }
    ticket.name = item.ticket().name();
    ASSIGN_OR_RETURN(ticket.claim,
                     ParseClaim(path + ".claim", item.ticket().namespace_(), item.claim()));
    if (item.has_remaining()) {
      ASSIGN_OR_RETURN(ticket.remaining, ParseDuration(path + ".remaining", item.remaining()));
    }
    tickets.push_back(std::move(ticket));
  }
  return tickets;
}

absl::StatusOr<std::vector<std::string>> Parse(const pb::ReleaseRequest& request) {
  RETURN_IF_ERROR(CheckCount("reservation_ids", request.reservation_ids_size()));
  std::vector<std::string> ids;
  for (int i = 0; i < request.reservation_ids_size(); ++i) {
    RETURN_IF_ERROR(CheckId(absl::StrCat("reservation_ids[", i, "]"), request.reservation_ids(i)));
    ids.push_back(request.reservation_ids(i));
  }
  return ids;
}

absl::StatusOr<OrderRequest> ParseOrder(const pb::AdmitRequest& request) {
  const pb::AdmitRequest::Order& given = request.order();
  RETURN_IF_ERROR(CheckNamespace(request.namespace_()));
  RETURN_IF_ERROR(CheckId("order.name", given.name(), kMaxName));
  OrderRequest order{.ns = request.namespace_(),
                     .name = given.name(),
                     .labels = {},
                     .replicas = given.replicas(),
                     .claim = {},
                     .create = given.create(),
                     .dry_run = request.dry_run()};
  ASSIGN_OR_RETURN(order.labels, ParseLabels("order.labels", given.labels()));
  ASSIGN_OR_RETURN(order.claim, ParseClaim("order.claim", order.ns, given.claim()));
  return order;
}

absl::StatusOr<TicketRequest> ParseTicket(const pb::AdmitRequest& request) {
  const pb::AdmitRequest::Ticket& given = request.ticket();
  RETURN_IF_ERROR(CheckNamespace(request.namespace_()));
  if (!request.dry_run()) {
    RETURN_IF_ERROR(CheckId("ticket.uid", given.uid()));
  }
  TicketRequest ticket{.uid = given.uid(), .reservation_id = "", .claim = {}, .name = given.name()};
  ASSIGN_OR_RETURN(ticket.claim, ParseClaim("ticket.claim", request.namespace_(), given.claim()));
  if (given.has_remaining()) {
    ASSIGN_OR_RETURN(ticket.remaining, ParseDuration("ticket.remaining", given.remaining()));
  }
  return ticket;
}

absl::StatusOr<ForecastRequest> Parse(const pb::CheckRequest& request) {
  constexpr int32_t kMaxTickets = 1'000'000;
  RETURN_IF_ERROR(CheckNamespace(request.namespace_()));
  if (request.tickets() < 0 || request.tickets() > kMaxTickets) {
    return Problem("tickets", absl::StrCat(request.tickets()), "must be 0 to 1000000");
  }
  if (request.tickets() == 0 && !request.order()) {
    return Problem("tickets", "0", "must be 1 or more, or `order` must be set");
  }
  ForecastRequest asked{.ticket = {}, .tickets = request.tickets(), .order = {}, .time = {}};
  ASSIGN_OR_RETURN(asked.ticket, ParseClaim("claim", request.namespace_(), request.claim()));
  if (request.order()) {
    ASSIGN_OR_RETURN(api::Labels labels, ParseLabels("order_labels", request.order_labels()));
    asked.order = MakeOrderClaim(request.namespace_(), std::move(labels));
  }
  if (request.has_time()) {
    ASSIGN_OR_RETURN(asked.time, ParseTime("time", request.time()));
  }
  return asked;
}

pb::Denied Render(const Denial& denial) {
  pb::Denied out;
  out.set_quota(denial.quota);
  out.set_resource(denial.resource);
  out.set_requested(denial.requested);
  out.set_used(denial.used);
  out.set_limit(denial.limit);
  out.set_message(denial.message);
  if (denial.next_change) {
    Fill(*denial.next_change, *out.mutable_next_change_time());
  }
  return out;
}

pb::Outcome Render(const Outcome& outcome) {
  pb::Outcome out;
  out.set_id(outcome.id);
  if (const auto* denial = std::get_if<Denial>(&outcome.verdict)) {
    *out.mutable_denied() = Render(*denial);
  } else {
    *out.mutable_granted() = Render(std::get<Granted>(outcome.verdict));
  }
  return out;
}

void Render(const Verdict& verdict, pb::AdmitResponse& response) {
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    *response.mutable_denied() = Render(*denial);
  } else {
    *response.mutable_granted() = Render(std::get<Granted>(verdict));
  }
}

pb::CheckResponse Render(const Forecast& forecast) {
  pb::CheckResponse out;
  out.set_fitting_tickets(static_cast<int32_t>(forecast.fitting_tickets));
  out.set_order_fits(forecast.order_fits);
  for (const Denial& denial : forecast.denials) {
    *out.add_denials() = Render(denial);
  }
  out.mutable_quotas()->Assign(forecast.quotas.begin(), forecast.quotas.end());
  return out;
}

pb::QuotaUsage Render(const QuotaUsage& usage) {
  pb::QuotaUsage out;
  out.set_quota(usage.quota);
  out.set_scope(std::string(api::Name(usage.scope)));
  out.set_generation(usage.generation);
  AddEntries(usage.limits.hard, usage.used, *out.mutable_entries());
  for (const auto& [ns, limits] : usage.limits.allocation) {
    pb::QuotaUsage::Allocation& allocation = *out.add_allocations();
    allocation.set_namespace_(ns);
    const auto used = usage.used_in.find(ns);
    AddEntries(limits, used == usage.used_in.end() ? Amounts() : used->second,
               *allocation.mutable_entries());
  }
  out.set_active_time_window(usage.limits.window);
  if (usage.limits.next_transition) {
    Fill(*usage.limits.next_transition, *out.mutable_next_transition_time());
  }
  return out;
}

}  // namespace korder::quota
