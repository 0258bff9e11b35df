// Orders over time on a real control plane: every strategy with every refresh policy on a schedule
// of minutes, lead time, renewal, downtime, one ticket for each node, rollouts and a change of
// leaders.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "cluster.h"

namespace korder::integration {
namespace {

using api::TicketPhase;

constexpr absl::Duration kWindow = absl::Seconds(35);

void SleepUntil(absl::Time time) {
  const absl::Duration left = time - absl::Now();
  if (left > absl::ZeroDuration()) {
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(left));
  }
}

// The first whole minute that is at least `least` away.
absl::Time NextMinute(absl::Duration least) {
  const int64_t seconds = absl::ToUnixSeconds(absl::Now() + least);
  return absl::FromUnixSeconds((seconds / 60 + 1) * 60);
}

// A schedule that fires at these minutes of the hour, in UTC.
std::string At(const std::vector<absl::Time>& ticks) {
  std::vector<std::string> minutes;
  for (const absl::Time tick : ticks) {
    minutes.push_back(absl::FormatTime("%M", tick, absl::UTCTimeZone()));
  }
  return absl::StrJoin(minutes, ",") + " * * * *";
}

std::string OrderYaml(const std::string& ns, const std::string& name, const std::string& strategy,
                      absl::Duration duration, int replicas = 2) {
  return absl::StrCat(
      "---\n{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: ", name,
      ", namespace: ", ns, "}, spec: {replicas: ", replicas, ", strategy: {", strategy,
      "}, template: {spec: {duration: ", absl::ToInt64Seconds(duration),
      "s, lifecycle: {ttlSecondsAfterFinished: 600}, resources: {requests: {cpu: 50m}}}}}}\n");
}

std::string PodYaml(const std::string& ns, const std::string& order) {
  return absl::StrCat(
      "---\n{apiVersion: v1, kind: Pod, metadata: {name: takes-", order, ", namespace: ", ns,
      ", annotations: {korder.dev/required: 'true', ", "korder.dev/order: ", order,
      ", korder.dev/fallback: wait}}, spec: {terminationGracePeriodSeconds: 0, "
      "containers: [{name: app, image: nginx, resources: {requests: {cpu: 50m}}}]}}\n");
}

// The tickets of one order, by name.
std::map<std::string, api::Ticket> TicketsOf(Cluster& cluster, const std::string& ns,
                                             const std::string& order) {
  std::map<std::string, api::Ticket> found;
  for (api::Ticket& ticket : cluster.Tickets(ns)) {
    if (api::ValueOf(ticket.metadata.labels, api::kLabelOrder) == order) {
      found[ticket.metadata.name] = std::move(ticket);
    }
  }
  return found;
}

int Count(const std::map<std::string, api::Ticket>& tickets, TicketPhase phase) {
  return static_cast<int>(std::count_if(tickets.begin(), tickets.end(), [&](const auto& entry) {
    return entry.second.status.phase == phase;
  }));
}

std::string Phases(Cluster& cluster, const std::string& ns, const std::string& order) {
  std::string text = order + ":";
  for (const auto& [name, ticket] : TicketsOf(cluster, ns, order)) {
    absl::StrAppend(&text, " ", name, "=", std::string(api::Name(ticket.status.phase)));
  }
  return text;
}

api::Order Get(Cluster& cluster, const std::string& ns, const std::string& name) {
  const auto order = cluster.client().Get<api::Order>({ns, name});
  INFO(ToString(order.status()));
  REQUIRE(order.ok());
  return *order;
}

std::string ReadyReason(Cluster& cluster, const std::string& ns, const std::string& name) {
  const api::Order order = Get(cluster, ns, name);
  const api::Condition* ready = api::FindCondition(order.status.conditions, api::kConditionReady);
  return ready == nullptr ? "" : ready->reason;
}

// One cell of the table of strategies and refresh policies. All have two tickets; one is claimed
// and one is deleted, and this is what has been made in their place.
struct Cell {
  std::string type;
  std::string policy;
  int replaced;        // soon after, before any tick
  int after_tick = 0;  // Recurring: Ready tickets after the next tick

  bool IsScheduled() const { return type == "Scheduled"; }
  std::string Name() const {
    std::string name = type + "-" + policy;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    return name;
  }
};

const std::vector<Cell>& Cells() {
  static const std::vector<Cell> cells = {
      {"OneTime", "Never", 0},      {"OneTime", "OnClaim", 1},      {"OneTime", "Always", 2},
      {"Scheduled", "Never", 0},    {"Scheduled", "OnClaim", 1},    {"Scheduled", "Always", 2},
      {"Recurring", "Never", 0, 2}, {"Recurring", "OnClaim", 1, 2}, {"Recurring", "Always", 2, 2}};
  return cells;
}

class Strategies {
 public:
  explicit Strategies(Cluster& cluster)
      : cluster_(cluster),
        ns_(cluster.NewNamespace("strategies")),
        first_(NextMinute(absl::Seconds(35))),
        second_(first_ + absl::Minutes(1)) {}

  void Run() {
    Make();
    BeforeTheWindow();
    SleepUntil(first_);
    InTheWindow();
    AfterTheTick();
    SleepUntil(first_ + kWindow);
    AfterTheWindow();
    SleepUntil(second_);
    InTheNextWindow();
  }

 private:
  void Make() {
    std::string yaml;
    for (const Cell& cell : Cells()) {
      const std::string schedule =
          cell.type == "OneTime" ? "" : absl::StrCat(", schedule: '", At({first_, second_}), "'");
      yaml +=
          OrderYaml(ns_, cell.Name(),
                    absl::StrCat("type: ", cell.type, ", refreshPolicy: ", cell.policy, schedule),
                    cell.IsScheduled() ? kWindow : absl::Hours(1));
    }
    // Guardians ten seconds before the window, for a pod that waits already.
    yaml += OrderYaml(
        ns_, "ahead",
        absl::StrCat("type: Scheduled, leadTime: 10s, schedule: '", At({first_}), "'"), kWindow, 1);
    // Ends half a minute after the first tick, if it is not renewed at it.
    const absl::Duration until_end = first_ + absl::Seconds(30) - absl::Now();
    renewed_duration_ = absl::Seconds(absl::ToInt64Seconds(until_end));
    yaml += OrderYaml(ns_, "renewed",
                      absl::StrCat("type: Recurring, schedule: '", At({first_, second_}), "'"),
                      renewed_duration_, 1);
    yaml += PodYaml(ns_, "ahead");
    REQUIRE(cluster_.Apply(yaml).exit_code == 0);
  }

  void BeforeTheWindow() {
    INFO("before the first window at " << first_);
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled()) {
        REQUIRE(Eventually(absl::Seconds(10), [&] {
          return ReadyReason(cluster_, ns_, cell.Name()) == api::kReasonOutsideWindow;
        }));
        CHECK(TicketsOf(cluster_, ns_, cell.Name()).empty());
        CHECK(Get(cluster_, ns_, cell.Name()).status.next_window->start == first_);
      } else {
        REQUIRE(Eventually(absl::Seconds(20), [&] {
          return Count(TicketsOf(cluster_, ns_, cell.Name()), TicketPhase::kReady) == 2;
        }));
      }
    }
    ClaimOneDeleteOne(/*scheduled=*/false);
    REQUIRE(Eventually(absl::Seconds(10), [&] {
      return Count(TicketsOf(cluster_, ns_, "renewed"), TicketPhase::kReady) == 1;
    }));
    renewed_guardian_ = TicketsOf(cluster_, ns_, "renewed").begin()->second.status.guardian_pod;

    INFO("the order with a lead time");
    SleepUntil(first_ - absl::Seconds(4));
    const auto ahead = TicketsOf(cluster_, ns_, "ahead");
    REQUIRE(ahead.size() == 1);
    CHECK(ahead.begin()->second.status.phase == TicketPhase::kReady);
    CHECK(ahead.begin()->second.status.activation_time == first_);
    CHECK(ReadyReason(cluster_, ns_, "ahead") == api::kReasonOutsideWindow);
  }

  // In each order of these strategies one ticket is claimed and another one deleted.
  void ClaimOneDeleteOne(bool scheduled) {
    std::string pods;
    for (const Cell& cell : Cells()) {
      pods += cell.IsScheduled() == scheduled ? PodYaml(ns_, cell.Name()) : "";
    }
    REQUIRE(cluster_.Apply(pods).exit_code == 0);
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled() == scheduled) {
        INFO(cell.Name());
        REQUIRE(Eventually(absl::Seconds(15), [&] {
          return Count(TicketsOf(cluster_, ns_, cell.Name()), TicketPhase::kClaimed) == 1;
        }));
        for (const auto& [name, ticket] : TicketsOf(cluster_, ns_, cell.Name())) {
          if (ticket.status.phase == TicketPhase::kReady) {  // the oldest
            REQUIRE(cluster_.client().Delete<api::Ticket>({ns_, name}).ok());
            break;
          }
        }
      }
    }
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled() == scheduled) {
        CheckReplaced(cell);
      }
    }
  }

  void CheckReplaced(const Cell& cell) {
    INFO(cell.Name());
    // One is claimed; of the other's place and its own, so many are Ready.
    const bool as_wanted = Eventually(absl::Seconds(15), [&] {
      return Count(TicketsOf(cluster_, ns_, cell.Name()), TicketPhase::kReady) == cell.replaced;
    });
    INFO(Phases(cluster_, ns_, cell.Name()));
    CHECK(as_wanted);
  }

  void InTheWindow() {
    INFO("in the window");
    std::optional<absl::Time> claimed;
    REQUIRE(Eventually(absl::Seconds(10), [&] {
      for (const auto& [name, ticket] : TicketsOf(cluster_, ns_, "ahead")) {
        claimed = ticket.status.claimed_time ? ticket.status.claimed_time : claimed;
      }
      return claimed.has_value();
    }));
    CHECK(*claimed >= first_);
    CHECK(*claimed < first_ + absl::Seconds(5));
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled()) {
        INFO(cell.Name());
        REQUIRE(Eventually(absl::Seconds(15), [&] {
          return Count(TicketsOf(cluster_, ns_, cell.Name()), TicketPhase::kReady) == 2;
        }));
        for (const auto& [name, ticket] : TicketsOf(cluster_, ns_, cell.Name())) {
          CHECK(ticket.status.expiration_time == first_ + kWindow);
        }
        CHECK(Get(cluster_, ns_, cell.Name()).status.current_window->start == first_);
      }
    }
    ClaimOneDeleteOne(/*scheduled=*/true);
  }

  void AfterTheTick() {
    for (const Cell& cell : Cells()) {
      if (cell.type == "Recurring") {
        INFO(cell.Name());
        CHECK(Eventually(absl::Seconds(15), [&] {
          return Count(TicketsOf(cluster_, ns_, cell.Name()), TicketPhase::kReady) ==
                 cell.after_tick;
        }));
        CHECK(Get(cluster_, ns_, cell.Name()).status.last_schedule_time == first_);
      }
    }
  }

  void AfterTheWindow() {
    INFO("after the window");
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled()) {
        INFO(cell.Name());
        CHECK(Eventually(absl::Seconds(10), [&] {
          const auto tickets = TicketsOf(cluster_, ns_, cell.Name());
          return Count(tickets, TicketPhase::kReady) + Count(tickets, TicketPhase::kPending) == 0 &&
                 Count(tickets, TicketPhase::kExpired) == cell.replaced &&
                 Count(tickets, TicketPhase::kCompleted) == 1 &&
                 ReadyReason(cluster_, ns_, cell.Name()) == api::kReasonOutsideWindow;
        }));
        for (const auto& [name, ticket] : TicketsOf(cluster_, ns_, cell.Name())) {
          if (ticket.status.phase == TicketPhase::kExpired) {
            CHECK(*ticket.status.finished_time >= first_ + kWindow);
            CHECK(*ticket.status.finished_time <= first_ + kWindow + absl::Seconds(1));
          }
        }
      }
    }
    INFO("the ticket that was renewed at the tick holds the same room beyond its old end");
    const auto renewed = TicketsOf(cluster_, ns_, "renewed");
    REQUIRE(renewed.size() == 1);
    const api::TicketStatus& status = renewed.begin()->second.status;
    CHECK(status.phase == TicketPhase::kReady);
    CHECK(status.guardian_pod == renewed_guardian_);
    CHECK(*status.expiration_time - first_ > renewed_duration_ - absl::Seconds(5));
  }

  void InTheNextWindow() {
    INFO("in the next window");
    for (const Cell& cell : Cells()) {
      if (cell.IsScheduled()) {
        INFO(cell.Name());
        CHECK(Eventually(absl::Seconds(20), [&] {
          int of_this_window = 0;
          for (const auto& [name, ticket] : TicketsOf(cluster_, ns_, cell.Name())) {
            of_this_window +=
                ticket.status.phase == TicketPhase::kReady && ticket.spec.start_time == second_ ? 1
                                                                                                : 0;
          }
          return of_this_window == 2;
        }));
        CHECK_THAT(cluster_.Shell("kubectl -n " + ns_ + " describe order " + cell.Name()),
                   Catch::Contains("WindowOpened") && Catch::Contains("WindowClosed"));
      }
    }
  }

  Cluster& cluster_;
  const std::string ns_;
  const absl::Time first_;
  const absl::Time second_;
  absl::Duration renewed_duration_;
  std::string renewed_guardian_;
};

TEST_CASE("order strategies: each keeps its tickets as its refresh policy says, by the clock",
          "[integration]") {
  Cluster cluster;
  Strategies(cluster).Run();
}

TEST_CASE(
    "order downtime: of the windows that passed none is replayed, and the one that runs is joined",
    "[integration]") {
  Cluster cluster;
  const std::string instance = std::getenv("KORDER_INSTANCE");
  const std::string ns = cluster.NewNamespace("downtime");
  const absl::Time first = NextMinute(absl::Seconds(6));
  const absl::Time second = first + absl::Minutes(1);
  REQUIRE(
      cluster
          .Apply(OrderYaml(ns, "web", "type: Scheduled, schedule: '" + At({first, second}) + "'",
                           absl::Seconds(40)))
          .exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(10),
                     [&] { return ReadyReason(cluster, ns, "web") == api::kReasonOutsideWindow; }));
  cluster.Shell("scripts/services kill order-svc --name " + instance);
  SleepUntil(second + absl::Seconds(5));
  CHECK(TicketsOf(cluster, ns, "web").empty());
  cluster.Shell("scripts/services start order-svc --name " + instance);
  REQUIRE(Eventually(absl::Seconds(30), [&] {
    return Count(TicketsOf(cluster, ns, "web"), TicketPhase::kReady) == 2;
  }));
  const auto tickets = TicketsOf(cluster, ns, "web");
  CHECK(tickets.size() == 2);
  for (const auto& [name, ticket] : tickets) {
    CHECK(ticket.spec.start_time == second);
    CHECK(ticket.status.expiration_time == second + absl::Seconds(40));
  }
}

// The seed's fifth example. Leaves the nodes as they were.
TEST_CASE("order nodes: one ticket for each eligible node, as nodes come, go and change",
          "[integration]") {
  Cluster cluster;
  const std::string ns = "korder-system";
  struct CleanUp {
    ~CleanUp() {
      cluster.TryShell(
          "kubectl delete --ignore-not-found -f deploy/examples/daemonset-order.yaml; "
          "kubectl label nodes --all kubernetes.io/os=linux --overwrite; "
          "kubectl taint nodes --all dying- ; kubectl uncordon --selector=type=kwok; "
          "kubectl delete node joins-late --ignore-not-found");
      Eventually(absl::Seconds(30), [&] { return cluster.Guardians("korder-system").empty(); });
    }
    Cluster& cluster;
  } clean_up{cluster};
  const std::string order = "monitoring-agent-reservation";
  const auto nodes_held = [&] {
    std::set<std::string> held;
    for (const auto& [name, ticket] : TicketsOf(cluster, ns, order)) {
      if (ticket.status.phase == TicketPhase::kReady) {
        CHECK(ticket.status.node_name == api::ValueOf(ticket.metadata.labels, api::kLabelNode));
        held.insert(ticket.status.node_name);
      }
    }
    return held;
  };
  const std::string all =
      cluster.Shell("kubectl get nodes --no-headers -o custom-columns=N:.metadata.name");
  std::vector<std::string> names;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    names.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  REQUIRE(names.size() >= 10);

  cluster.Shell("kubectl apply -f deploy/examples/daemonset-order.yaml");
  REQUIRE(Eventually(absl::Seconds(60), [&] { return nodes_held().size() == names.size(); }));
  cluster.Shell("kubectl -n korder-system wait --for=condition=Ready order/" + order +
                " --timeout=30s");
  const api::Order whole = Get(cluster, ns, order);
  CHECK(whole.status.desired_replicas == static_cast<int>(names.size()));
  REQUIRE(whole.status.nodes.has_value());
  CHECK(whole.status.nodes->ready == static_cast<int>(names.size()));
  CHECK(TicketsOf(cluster, ns, order).size() == names.size());
  CHECK_THAT(cluster.Shell("kubectl -n korder-system get tickets -l korder.dev/order=" + order),
             Catch::Contains(names[0]));

  INFO("a cordoned node keeps its ticket; another label or a taint that is not tolerated loses it");
  cluster.Shell("kubectl cordon " + names[0]);
  cluster.Shell("kubectl label node --overwrite " + names[1] + " kubernetes.io/os=plan9");
  cluster.Shell("kubectl taint node " + names[2] + " dying=soon:NoExecute");
  cluster.Shell("kubectl get node " + names[3] +
                " -o json | jq '.metadata |= {name: \"joins-late\", "
                "labels: (.labels + {\"kubernetes.io/hostname\": \"joins-late\"}), annotations}' | "
                "kubectl create -f -");
  std::set<std::string> wanted(names.begin(), names.end());
  wanted.erase(names[1]);
  wanted.erase(names[2]);
  wanted.insert("joins-late");
  REQUIRE(Eventually(absl::Seconds(60), [&] { return nodes_held() == wanted; }));
  CHECK(Get(cluster, ns, order).status.desired_replicas == static_cast<int>(wanted.size()));

  INFO("a node that goes takes its ticket along");
  cluster.Shell("kubectl delete node joins-late");
  wanted.erase("joins-late");
  REQUIRE(Eventually(absl::Seconds(60), [&] {
    return nodes_held() == wanted &&
           Count(TicketsOf(cluster, ns, order), TicketPhase::kPending) == 0;
  }));
}

std::string Rollable(const std::string& ns, const std::string& version) {
  return absl::StrCat(
      "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: web, namespace: ", ns,
      "}, spec: {replicas: 30, template: {metadata: {labels: {version: ", version,
      "}}, spec: {duration: 1h, resources: {requests: {cpu: 100m}}}}}}");
}

TEST_CASE(
    "order failover: a leader that is killed in the middle of a rollout loses and doubles nothing",
    "[integration]") {
  Cluster cluster;
  const std::string instance = std::getenv("KORDER_INSTANCE");
  const std::string ns = cluster.NewNamespace("failover");
  struct CleanUp {
    ~CleanUp() {
      cluster.TryShell("scripts/services kill order-svc --replica 2 --name " + instance +
                       "; scripts/services start order-svc --name " + instance);
    }
    Cluster& cluster;
    const std::string& instance;
  } clean_up{cluster, instance};
  REQUIRE(cluster.Apply(Rollable(ns, "one")).exit_code == 0);
  REQUIRE(Eventually(absl::Seconds(60), [&] { return cluster.ReadyTickets(ns) == 30; }));
  cluster.Shell("scripts/services start order-svc --replica 2 --name " + instance);
  std::this_thread::sleep_for(std::chrono::seconds(2));

  REQUIRE(cluster.Apply(Rollable(ns, "two")).exit_code == 0);
  int fewest_ready = 30;
  int most_live = 0;
  const auto updated = [&] {
    int of_new_template = 0;
    int ready = 0;
    int live = 0;
    for (const api::Ticket& ticket : cluster.Tickets(ns)) {
      const bool is_ready = ticket.status.phase == TicketPhase::kReady;
      ready += is_ready ? 1 : 0;
      live += api::IsLive(ticket.status.phase) && !ticket.metadata.deleting() ? 1 : 0;
      of_new_template += is_ready && ticket.metadata.labels.at("version") == "two" ? 1 : 0;
    }
    fewest_ready = std::min(fewest_ready, ready);
    most_live = std::max(most_live, live);
    return of_new_template;
  };
  REQUIRE(Eventually(absl::Seconds(60), [&] { return updated() >= 5; }));
  CHECK(ReadyReason(cluster, ns, "web") == api::kReasonRollingOut);
  cluster.Shell("scripts/services kill order-svc --name " + instance);
  REQUIRE(Eventually(absl::Seconds(120), [&] { return updated() == 30; }));
  cluster.Shell("kubectl -n " + ns + " wait --for=condition=Ready order/web --timeout=30s");
  CHECK(cluster.Tickets(ns).size() == 30);
  CHECK(fewest_ready >= 29);  // between the deletion of a ticket and what a list shows of it
  CHECK(most_live <= 31);
  CHECK(Get(cluster, ns, "web").status.updated_replicas == 30);
}

TEST_CASE("order commands: kubectl scale, wait and the scheduled example", "[integration]") {
  Cluster cluster;
  const std::string ns = cluster.NewNamespace("commands");
  REQUIRE(cluster.Apply(OrderYaml(ns, "web", "type: OneTime", absl::Hours(1), 1)).exit_code == 0);
  cluster.Shell("kubectl -n " + ns + " wait --for=condition=Ready order/web --timeout=30s");
  cluster.Shell("kubectl -n " + ns + " scale order/web --replicas=4");
  REQUIRE(Eventually(absl::Seconds(20), [&] { return cluster.ReadyTickets(ns) == 4; }));
  INFO("as an autoscaler does it");
  const std::string path = "/apis/core.korder.dev/v1alpha1/namespaces/" + ns + "/orders/web/scale";
  cluster.Shell("kubectl get --raw " + path +
                " | jq '.spec.replicas = 2' | kubectl replace --raw " + path + " -f -");
  REQUIRE(Eventually(absl::Seconds(20), [&] { return cluster.Tickets(ns).size() == 2; }));
  CHECK(Eventually(absl::Seconds(5), [&] {
    return cluster.Shell("kubectl get --raw " + path + " | jq -c .status") ==
           "{\"replicas\":2,\"selector\":\"korder.dev/order=web\"}\n";
  }));
  CHECK_THAT(cluster.Shell("kubectl -n " + ns + " get order web"), Catch::Contains("OneTime"));

  INFO("a template change is waited for by the condition");
  cluster.Shell(
      "kubectl -n " + ns +
      " patch order web --type=merge -p "
      "'{\"spec\":{\"template\":{\"spec\":{\"resources\":{\"requests\":{\"cpu\":\"60m\"}}}}}}'");
  REQUIRE(Eventually(absl::Seconds(5),
                     [&] { return ReadyReason(cluster, ns, "web") == api::kReasonRollingOut; }));
  cluster.Shell("kubectl -n " + ns + " wait --for=condition=Ready order/web --timeout=30s");
  for (const api::Ticket& ticket : cluster.Tickets(ns)) {
    CHECK(ticket.spec.resources.requests.at("cpu").MilliValue() == 60);
  }

  INFO("the seed's third example, whatever the time is");
  struct CleanUp {
    ~CleanUp() {
      cluster.TryShell("kubectl delete --ignore-not-found -f deploy/examples/scheduled-order.yaml");
    }
    Cluster& cluster;
  } clean_up{cluster};
  cluster.Shell("kubectl apply -f deploy/examples/scheduled-order.yaml");
  cluster.Shell("kubectl wait --for=condition=Ready order/scheduled-order --timeout=30s");
  const api::Order order = Get(cluster, "default", "scheduled-order");
  REQUIRE(order.status.next_window.has_value());
  CHECK(absl::ToCivilSecond(*order.status.next_window->start, absl::UTCTimeZone()).hour() == 2);
  CHECK(*order.status.next_window->end - *order.status.next_window->start == absl::Hours(8));
  const bool open = order.status.current_window.has_value();
  CHECK(TicketsOf(cluster, "default", "scheduled-order").size() == (open ? 2U : 0U));
}

}  // namespace
}  // namespace korder::integration
