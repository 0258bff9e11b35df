#include "cli/order_commands.h"

#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/ticket.h"
#include "base/status_macros.h"
#include "cli/calendar_view.h"
#include "cli/free_now.h"
#include "cli/ics.h"
#include "cli/order_file.h"
#include "cli/orders_view.h"
#include "cli/planner_client.h"
#include "cli/preview_view.h"
#include "cli/read_input.h"
#include "cli/text.h"
#include "cli/tickets_view.h"
#include "json/fields.h"

namespace korder::cli {
namespace {

constexpr absl::Duration kCalendarSpan = absl::Hours(7 * 24);

bool IsText(Format format) { return format == Format::kTable || format == Format::kWide; }

PlannerClient Planner(const Session& session) {
  return PlannerClient(
      session.connector.To(kOrderSvc), session.clock,
      {.timeout = session.options.timeout, .system_namespace = session.options.system_namespace});
}

void Fill(absl::Time time, google::protobuf::Timestamp& out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

// What is on the nodes, for a closer look than order-svc can take.
struct Cluster {
  std::vector<api::Node> nodes;
  std::vector<api::Pod> pods;
};

absl::StatusOr<Cluster> LookAtCluster(Session& session) {
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  const kube::CallOptions call{.timeout = session.options.timeout};
  ASSIGN_OR_RETURN(auto nodes, kube::ListAll<api::Node>(*client, "", {}, call));
  ASSIGN_OR_RETURN(auto pods, kube::ListAll<api::Pod>(*client, "", {}, call));
  return Cluster{std::move(nodes.items), std::move(pods.items)};
}

std::string WhyNotFree(const absl::Status& status) {
  return absl::IsPermissionDenied(status)
             ? "you may not list nodes and the pods of all namespaces"
             : absl::StrCat("nodes and pods cannot be listed: ", std::string(Message(status)));
}

std::string ScopeText(const std::string& ns) {
  return ns.empty() ? "in any namespace" : absl::StrCat("in namespace ", ns);
}

}  // namespace

std::string NamespaceOf(Session& session) {
  if (!session.options.ns.empty()) {
    return session.options.ns;
  }
  const std::string ns = session.connector.DefaultNamespace();
  return ns.empty() ? "default" : ns;
}

absl::StatusOr<bool> PreviewOrders(Session& session, const PreviewOptions& options) {
  const absl::Time now = session.clock.Now();
  order_pb::PreviewRequest request;
  request.set_windows(options.windows);
  if (!options.from.empty()) {
    ASSIGN_OR_RETURN(const absl::Time from, ParseMoment(options.from, now, "--from"));
    Fill(from, *request.mutable_from());
  }
  OrderFileOptions reading{.source = options.file, .ns = session.options.ns};
  ASSIGN_OR_RETURN(const std::string text, ReadInput(session.io, options.file));
  if (session.options.ns.empty()) {
    reading.default_ns = session.connector.DefaultNamespace();
  }
  ASSIGN_OR_RETURN(const OrderFile file, ReadOrderFile(text, reading));
  for (const std::string& skipped : file.skipped) {
    session.io.err << "passed over: " << skipped << "\n";
  }
  PlannerClient planner = Planner(session);
  absl::StatusOr<Cluster> cluster = UnavailableError("not looked at");
  std::vector<OrderPreview> previews;
  for (const CheckItem& item : file.items) {
    if (!item.order) {
      session.io.err << "passed over: " << item.kind << " " << item.name
                     << " (only Orders have windows to come)\n";
      continue;
    }
    request.set_namespace_(item.ns);
    request.set_order_json(json::Print(*item.order));
    OrderPreview preview{
        .ns = item.ns, .name = item.name, .response = {}, .free = {}, .no_free = ""};
    ASSIGN_OR_RETURN(preview.response, planner.Preview(request));
    if (previews.empty()) {
      cluster = LookAtCluster(session);
    }
    if (cluster.ok()) {
      preview.free = CountFree(item.order->spec, cluster->nodes, cluster->pods);
    } else {
      preview.no_free = WhyNotFree(cluster.status());
    }
    previews.push_back(std::move(preview));
  }
  if (previews.empty()) {
    return InvalidArgumentError(absl::StrCat(options.file, ": there is no Order in it"));
  }
  session.io.out << PreviewText(previews, session.options.style, now);
  bool fits = true;
  for (const OrderPreview& preview : previews) {
    fits = fits && preview.Fits();
  }
  return fits;
}

absl::Status ShowCalendar(Session& session, const CalendarOptions& options) {
  const absl::Time now = session.clock.Now();
  CalendarSpan span{.from = now, .to = {}, .now = now};
  if (!options.from.empty()) {
    ASSIGN_OR_RETURN(span.from, ParseMoment(options.from, now, "--from"));
  }
  span.to = span.from + kCalendarSpan;
  if (!options.to.empty()) {
    ASSIGN_OR_RETURN(span.to, ParseMoment(options.to, now, "--to"));
  }
  if (span.to <= span.from) {
    return InvalidArgumentError("--to: must be later than --from");
  }
  order_pb::CalendarRequest request;
  request.set_namespace_(options.all_namespaces ? "" : NamespaceOf(session));
  request.set_order(options.order);
  request.set_limit(options.limit);
  Fill(span.from, *request.mutable_from());
  Fill(span.to, *request.mutable_to());
  ASSIGN_OR_RETURN(const order_pb::CalendarResponse response, Planner(session).Calendar(request));
  const Style& style = session.options.style;
  session.io.out << (style.format == Format::kIcs ? IcsText(response, now)
                                                  : CalendarText(response, span, style));
  for (const std::string& note : response.notes()) {
    session.io.err << "note: " << note << "\n";
  }
  if (response.truncated()) {
    session.io.err << "note: there are more windows; these are the first "
                   << response.windows_size() << " (see --limit, --to)\n";
  }
  return absl::OkStatus();
}

absl::Status ListOrders(Session& session, bool all_namespaces) {
  const std::string ns = all_namespaces ? "" : NamespaceOf(session);
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  ASSIGN_OR_RETURN(auto orders, kube::ListAll<api::Order>(*client, ns, {},
                                                          {.timeout = session.options.timeout}));
  if (orders.items.empty() && IsText(session.options.style.format)) {
    session.io.err << "no orders " << ScopeText(ns) << "\n";
    return absl::OkStatus();
  }
  session.io.out << OrdersText(std::move(orders.items),
                               {.all_namespaces = all_namespaces, .now = session.clock.Now()},
                               session.options.style);
  return absl::OkStatus();
}

absl::Status ListTickets(Session& session, const std::string& order, bool all_namespaces) {
  if (all_namespaces && !order.empty()) {
    return InvalidArgumentError("-A: an order is in one namespace; pass -n instead");
  }
  const std::string ns = all_namespaces ? "" : NamespaceOf(session);
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  const kube::CallOptions call{.timeout = session.options.timeout};
  kube::ListOptions list;
  if (!order.empty()) {
    list.label_selector = absl::StrCat(std::string(api::kLabelOrder), "=", order);
  }
  ASSIGN_OR_RETURN(auto tickets, kube::ListAll<api::Ticket>(*client, ns, list, call));
  if (tickets.items.empty() && !order.empty() &&
      absl::IsNotFound(client->Get<api::Order>({ns, order}, call).status())) {
    return NotFoundError(absl::StrCat("there is no order ", order, " in namespace ", ns,
                                      "; pass -n when it is in another one"));
  }
  if (tickets.items.empty() && IsText(session.options.style.format)) {
    session.io.err << "no tickets "
                   << (order.empty() ? ScopeText(ns) : absl::StrCat("of order ", ns, "/", order))
                   << "\n";
    return absl::OkStatus();
  }
  session.io.out << TicketsText(std::move(tickets.items),
                                {.all_namespaces = all_namespaces, .now = session.clock.Now()},
                                session.options.style);
  return absl::OkStatus();
}

}  // namespace korder::cli
