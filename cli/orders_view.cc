#include "cli/orders_view.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/order_windows.h"
#include "api/v1alpha1/reasons.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

struct Windows {
  std::optional<api::Window> current;
  std::optional<api::Window> next;
};

Windows WindowsOf(const api::Order& order, absl::Time now) {
  const auto windows = api::OrderWindows::Of(order.spec);
  if (!windows.ok()) {
    return {};
  }
  Windows found{.current = {}, .next = windows->Next(now)};
  for (const api::Window& window : windows->OpenAt(now)) {  // the newest counts
    if (window.start <= now && !windows->Skips(window.start)) {
      found.current = window;
    }
  }
  return found;
}

// "ends in 2h", "in 3h12m"; both where both are known and wanted.
std::string CurrentText(const Windows& windows, absl::Time now) {
  if (!windows.current) {
    return "";
  }
  return windows.current->end == absl::InfiniteFuture()
             ? "open"
             : absl::StrCat("ends ", RelativeText(windows.current->end, now));
}

std::string NextText(const Windows& windows, absl::Time now) {
  return windows.next ? RelativeText(windows.next->start, now) : "";
}

// Why it is not Ready, or what else there is to know; empty when all is well.
std::string Cause(const api::Order& order) {
  if (order.metadata.deleting()) {
    return "is being deleted";
  }
  const api::Condition* ready = api::FindCondition(order.status.conditions, api::kConditionReady);
  const std::string paused = order.spec.paused ? "paused" : "";
  if (ready == nullptr) {
    return paused.empty() ? "order-svc has not looked at it yet" : paused;
  }
  if (ready->status == api::ConditionStatus::kTrue) {
    return paused.empty() && ready->reason != api::kReasonAllTicketsReady ? ready->reason : paused;
  }
  const std::string why =
      ready->message.empty() ? ready->reason : absl::StrCat(ready->reason, ": ", ready->message);
  return paused.empty() ? why : absl::StrCat(paused, "; ", why);
}

std::string DesiredText(const api::Order& order) {
  return order.spec.daemon_set ? absl::StrCat(order.status.replicas, " (1/node)")
                               : absl::StrCat(order.spec.replicas);
}

std::string OrderTable(const std::vector<api::Order>& orders, const ListView& view, bool wide) {
  std::vector<Table::Column> columns;
  if (view.all_namespaces) {
    columns.push_back({"NAMESPACE"});
  }
  columns.insert(columns.end(), {{"NAME"},
                                 {"STRATEGY"},
                                 {"DESIRED", Align::kRight},
                                 {"READY", Align::kRight},
                                 {"CLAIMED", Align::kRight},
                                 {"WINDOW"},
                                 {"NEXT"}});
  if (wide) {
    columns.insert(columns.end(), {{"SCHEDULE"}, {"ZONE"}, {"REFRESH"}, {"NEXT-UTC"}, {"AGE"}});
  }
  columns.push_back({"STATUS"});  // the longest one stands last
  Table table(std::move(columns));
  for (const api::Order& order : orders) {
    const Windows windows = WindowsOf(order, view.now);
    const api::OrderStrategy& strategy = order.spec.strategy;
    std::vector<std::string> row;
    if (view.all_namespaces) {
      row.push_back(order.metadata.ns);
    }
    row.insert(row.end(), {order.metadata.name, std::string(api::Name(strategy.type)),
                           DesiredText(order), absl::StrCat(order.status.ready_replicas),
                           absl::StrCat(order.status.claimed_replicas),
                           CurrentText(windows, view.now), NextText(windows, view.now)});
    if (wide) {
      row.insert(row.end(), {strategy.schedule, strategy.time_zone,
                             std::string(api::Name(strategy.refresh_policy)),
                             windows.next ? TimeText(windows.next->start) : "",
                             order.metadata.creation_timestamp
                                 ? ShortDuration(view.now - *order.metadata.creation_timestamp)
                                 : ""});
    }
    row.push_back(Cause(order));
    table.AddRow(std::move(row));
  }
  return table.Render();
}

void WriteWindow(json::Writer& w, std::string_view key, const std::optional<api::Window>& window) {
  if (!window) {
    return;
  }
  w.Key(key);
  w.BeginObject();
  w.Key("start");
  w.String(TimeText(window->start));
  if (window->end != absl::InfiniteFuture()) {
    w.Key("end");
    w.String(TimeText(window->end));
  }
  w.EndObject();
}

void Write(json::Writer& w, const api::Order& order, absl::Time now) {
  const Windows windows = WindowsOf(order, now);
  const api::Condition* ready = api::FindCondition(order.status.conditions, api::kConditionReady);
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"namespace", order.metadata.ns},
      {"name", order.metadata.name},
      {"strategy", api::Name(order.spec.strategy.type)},
      {"schedule", order.spec.strategy.schedule},
      {"timeZone", order.spec.strategy.time_zone},
      {"refreshPolicy", api::Name(order.spec.strategy.refresh_policy)}};
  const std::pair<std::string_view, int64_t> numbers[] = {
      {"desired", order.spec.daemon_set ? order.status.replicas : order.spec.replicas},
      {"ready", order.status.ready_replicas},
      {"available", order.status.available_replicas},
      {"claimed", order.status.claimed_replicas}};
  w.BeginObject();
  for (const auto& [key, value] : texts) {
    if (!value.empty()) {
      w.Key(key);
      w.String(value);
    }
  }
  w.Key("paused");
  w.Bool(order.spec.paused);
  w.Key("daemonSet");
  w.Bool(order.spec.daemon_set);
  for (const auto& [key, value] : numbers) {
    w.Key(key);
    w.Int64(value);
  }
  WriteWindow(w, "currentWindow", windows.current);
  WriteWindow(w, "nextWindow", windows.next);
  if (ready != nullptr) {
    w.Key("readyStatus");
    w.String(api::Name(ready->status));
    w.Key("reason");
    w.String(ready->reason);
    w.Key("message");
    w.String(ready->message);
  }
  w.EndObject();
}

}  // namespace

std::string OrdersText(std::vector<api::Order> orders, const ListView& view, const Style& style) {
  std::sort(orders.begin(), orders.end(), [](const api::Order& a, const api::Order& b) {
    return std::tie(a.metadata.ns, a.metadata.name) < std::tie(b.metadata.ns, b.metadata.name);
  });
  if (style.format != Format::kJson && style.format != Format::kYaml) {
    return OrderTable(orders, view, style.format == Format::kWide);
  }
  json::Writer w;
  w.BeginObject();
  w.Key("orders");
  w.BeginArray();
  for (const api::Order& order : orders) {
    Write(w, order, view.now);
  }
  w.EndArray();
  w.EndObject();
  return Structured(w.Take(), style.format);
}

}  // namespace korder::cli
