#include "order-svc/planner_service.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "api/meta/enum_names.h"
#include "api/v1alpha1/names.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "runtime/grpc_call_namespace.h"
#include "runtime/grpc_client.h"
#include "runtime/ledger_claim.h"

namespace korder::order {
namespace {

constexpr int kDefaultWindows = 5;
constexpr int kMostWindows = 100;
constexpr int kDefaultLimit = 1000;
constexpr int kHighestLimit = 10'000;
constexpr absl::Duration kDefaultSpan = absl::Hours(7 * 24);
constexpr absl::Duration kLongestSpan = absl::Hours(366 * 24);

absl::Status Problem(std::string path, std::string value, std::string rule) {
  return InvalidArgumentError(
      api::Render(api::FieldError{std::move(path), std::move(value), std::move(rule)}));
}

// 0 stands for the usual number.
absl::StatusOr<size_t> Number(std::string_view path, int value, int usual, int most) {
  if (value < 0 || value > most) {
    return Problem(std::string(path), absl::StrCat(value), absl::StrCat("must be 1 to ", most));
  }
  return static_cast<size_t>(value == 0 ? usual : value);
}

absl::StatusOr<absl::Time> ParseTime(std::string_view path,
                                     const google::protobuf::Timestamp& time) {
  // The years 1 to 9999, as protobuf demands.
  const bool valid = time.seconds() >= -62'135'596'800 && time.seconds() <= 253'402'300'799 &&
                     time.nanos() >= 0 && time.nanos() <= 999'999'999;
  if (!valid) {
    return Problem(std::string(path), absl::StrCat(time.seconds(), "s ", time.nanos(), "ns"),
                   "must be a valid time");
  }
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

void Fill(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

// Of a window in a preview or in the calendar.
template <class Message>
void Fill(const api::Window& window, Message& out) {
  Fill(window.start, *out.mutable_start());
  if (window.end != absl::InfiniteFuture()) {
    Fill(window.end, *out.mutable_end());
  }
}

absl::StatusOr<api::Order> ParseOrder(const pb::PreviewRequest& request) {
  if (request.namespace_().empty()) {
    return InvalidArgumentError("namespace: is required");
  }
  api::Order order;
  if (const absl::Status bad = json::Parse(request.order_json(), order); !bad.ok()) {
    return InvalidArgumentError(absl::StrCat("order_json: ", std::string(Message(bad))));
  }
  if (!order.metadata.ns.empty() && order.metadata.ns != request.namespace_()) {
    return Problem("metadata.namespace", order.metadata.ns,
                   absl::StrCat("must be ", request.namespace_(), ", which the request is about"));
  }
  order.metadata.ns = request.namespace_();
  return order;
}

void RenderOrder(const api::Order& order, const OrderPreview& preview, pb::PreviewResponse& out) {
  const api::OrderStrategy& strategy = order.spec.strategy;
  out.set_strategy(std::string(api::Name(strategy.type)));
  out.set_schedule(strategy.schedule);
  out.set_time_zone(preview.zone.name());
  out.set_refresh_policy(std::string(api::Name(strategy.refresh_policy)));
  out.set_daemon_set(order.spec.daemon_set);
  const runtime::LedgerClaim claim = runtime::ClaimOf(order);
  for (const auto& [resource, amount] : claim.requests) {
    (*out.mutable_requests())[resource] = amount.ToString();
  }
  if (claim.duration) {
    absl::Duration rest;
    out.mutable_duration()->set_seconds(
        absl::IDivDuration(*claim.duration, absl::Seconds(1), &rest));
    out.mutable_duration()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  }
  for (const PlannedWindow& planned : preview.windows) {
    pb::PreviewWindow& window = *out.add_windows();
    Fill(planned.window, window);
    Fill(planned.prepared, *window.mutable_prepare_time());
    window.set_tickets(planned.tickets);
    window.set_skipped(planned.skipped);
    window.set_running(planned.running);
  }
  pb::NodeFit& nodes = *out.mutable_nodes();
  nodes.set_nodes(preview.nodes.nodes);
  nodes.set_eligible(preview.nodes.eligible);
  nodes.set_large_enough(preview.nodes.large_enough);
  nodes.set_tickets(preview.nodes.tickets);
  out.mutable_notes()->Assign(preview.notes.begin(), preview.notes.end());
}

void Render(const runtime::LedgerForecast& forecast, pb::QuotaVerdict& out) {
  out.set_fitting_tickets(forecast.fitting_tickets);
  out.set_order_fits(forecast.order_fits);
  for (const runtime::LedgerDenial& denial : forecast.denials) {
    quota::v1::Denied& denied = *out.add_denials();
    denied.set_quota(denial.quota);
    denied.set_resource(denial.resource);
    denied.set_requested(denial.requested);
    denied.set_used(denial.used);
    denied.set_limit(denial.limit);
    denied.set_message(denial.message);
    if (denial.next_change) {
      Fill(*denial.next_change, *denied.mutable_next_change_time());
    }
  }
  out.mutable_quotas()->Assign(forecast.quotas.begin(), forecast.quotas.end());
}

pb::CalendarWindow Render(const CalendarEntry& entry) {
  pb::CalendarWindow window;
  window.set_namespace_(entry.ns);
  window.set_order(entry.order);
  Fill(entry.window, window);
  window.set_tickets(entry.tickets);
  window.set_strategy(std::string(api::Name(entry.strategy)));
  window.set_skipped(entry.skipped);
  window.set_paused(entry.paused);
  window.set_running(entry.running);
  return window;
}

absl::StatusOr<CalendarQuestion> Parse(const pb::CalendarRequest& request, absl::Time now) {
  CalendarQuestion question{
      .ns = request.namespace_(), .order = request.order(), .now = now, .from = now};
  if (!question.order.empty() && question.ns.empty()) {
    return InvalidArgumentError("namespace: is required where an order is named");
  }
  if (request.has_from()) {
    ASSIGN_OR_RETURN(question.from, ParseTime("from", request.from()));
  }
  question.to = question.from + kDefaultSpan;
  if (request.has_to()) {
    ASSIGN_OR_RETURN(question.to, ParseTime("to", request.to()));
  }
  if (question.to <= question.from) {
    return InvalidArgumentError("to: must be later than from");
  }
  if (question.to - question.from > kLongestSpan) {
    return InvalidArgumentError("to: must be at most 366 days after from");
  }
  ASSIGN_OR_RETURN(question.limit, Number("limit", request.limit(), kDefaultLimit, kHighestLimit));
  return question;
}

}  // namespace

runtime::AllowList PlannerAllowList() {
  return {{"/korder.order.v1.OrderPlanner/Preview", {}},
          {"/korder.order.v1.OrderPlanner/Calendar", {}}};
}

std::set<std::string> PlannerUserMethods() {
  return {"/korder.order.v1.OrderPlanner/Preview", "/korder.order.v1.OrderPlanner/Calendar"};
}

runtime::UserAccessOptions PlannerUserAccess() {
  return {.access = {.verb = "list",
                     .group = std::string(api::Order::kResource.group),
                     .resource = std::string(api::Order::kResource.plural),
                     .ns = "",
                     .name = ""},
          .in_namespace = true};
}

grpc::Status PlannerService::Preview(grpc::ServerContext* context,
                                     const pb::PreviewRequest* request,
                                     pb::PreviewResponse* response) {
  return runtime::ToGrpcStatus(Preview(*context, *request, *response));
}

grpc::Status PlannerService::Calendar(grpc::ServerContext* context,
                                      const pb::CalendarRequest* request,
                                      pb::CalendarResponse* response) {
  const absl::Status named = runtime::CheckCallNamespace(*context, request->namespace_());
  return runtime::ToGrpcStatus(named.ok() ? Calendar(*request, *response) : named);
}

absl::Status PlannerService::Preview(const grpc::ServerContext& context,
                                     const pb::PreviewRequest& request,
                                     pb::PreviewResponse& response) const {
  RETURN_IF_ERROR(runtime::CheckCallNamespace(context, request.namespace_()));
  ASSIGN_OR_RETURN(const api::Order order, ParseOrder(request));
  PreviewQuestion question{
      .now = clock_.Now(),
      .exists = orders_.Get({order.metadata.ns, order.metadata.name}) != nullptr};
  ASSIGN_OR_RETURN(question.windows,
                   Number("windows", request.windows(), kDefaultWindows, kMostWindows));
  if (request.has_from()) {
    ASSIGN_OR_RETURN(question.from, ParseTime("from", request.from()));
  }
  ASSIGN_OR_RETURN(const OrderPreview preview, PreviewOrder(order, nodes_(), question));
  RenderOrder(order, preview, response);
  Judge(context, order, question.exists, preview, response);
  return absl::OkStatus();
}

void PlannerService::Judge(const grpc::ServerContext& context, const api::Order& order, bool exists,
                           const OrderPreview& preview, pb::PreviewResponse& response) const {
  runtime::LedgerQuestion question{.ns = order.metadata.ns, .claim = runtime::ClaimOf(order)};
  if (!exists) {
    question.order_labels = order.metadata.labels;
  }
  const absl::Time now = clock_.Now();
  for (size_t i = 0; i < preview.windows.size() && !context.IsCancelled(); ++i) {
    const PlannedWindow& planned = preview.windows[i];
    if (planned.skipped) {
      continue;
    }
    question.tickets = planned.tickets;
    // The tickets of a window that runs are taken now.
    question.time = std::max(planned.window.start, now);
    const auto forecast = ask_(question, {});
    if (!forecast.ok()) {
      // The next one would not be answered either, and somebody waits.
      response.add_notes(
          absl::StrCat("quota-svc does not answer, so it is not known whether the tickets fit: ",
                       std::string(Message(forecast.status()))));
      return;
    }
    Render(*forecast, *response.mutable_windows(static_cast<int>(i))->mutable_quota());
  }
}

absl::Status PlannerService::Calendar(const pb::CalendarRequest& request,
                                      pb::CalendarResponse& response) const {
  ASSIGN_OR_RETURN(const CalendarQuestion question, Parse(request, clock_.Now()));
  if (!question.order.empty() && orders_.Get({question.ns, question.order}) == nullptr) {
    return NotFoundError(
        absl::StrCat("there is no order ", question.order, " in namespace ", question.ns));
  }
  const OrderCalendar calendar = PlanCalendar(orders_.List(), nodes_(), question);
  for (const CalendarEntry& entry : calendar.entries) {
    *response.add_windows() = Render(entry);
  }
  response.set_truncated(calendar.truncated);
  response.mutable_notes()->Assign(calendar.notes.begin(), calendar.notes.end());
  return absl::OkStatus();
}

}  // namespace korder::order
