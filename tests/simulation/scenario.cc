#include "scenario.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "json/fields.h"

namespace korder::simulation {
namespace {

using api::TicketPhase;

constexpr char kPeople[] = "people";
constexpr char kShop[] = "default";
constexpr char kTeam[] = "team-b";
constexpr char kGuest[] = "guests";  // a namespace that is deleted
constexpr char kCompute[] = "compute";
constexpr char kSpecial[] = "special";
// The machine's clock begins at a full hour. The tick comes when the story is told up to there.
constexpr absl::Duration kUntilTick = absl::Seconds(30);
constexpr char kOnceADay[] = "1 9 * * *";

api::ResourceList Requests(const char* cpu) {
  return {{"cpu", *api::Quantity::Parse(cpu)}, {"memory", *api::Quantity::Parse("1Gi")}};
}

api::Order MakeOrder(const char* ns, const char* name, int replicas, const char* cpu) {
  api::Order order;
  order.metadata.ns = ns;
  order.metadata.name = name;
  order.spec.replicas = replicas;
  api::TicketSpec& ticket = order.spec.ticket_template.spec;
  ticket.resources.requests = Requests(cpu);
  ticket.duration = absl::Hours(4);
  ticket.node_selector = {{"node-type", kCompute}};
  return order;
}

api::Ticket MakeTicket(const char* name) {
  api::Ticket ticket;
  ticket.metadata.ns = kShop;
  ticket.metadata.name = name;
  ticket.spec.resources.requests = Requests("250m");
  ticket.spec.duration = absl::Hours(1);
  ticket.spec.node_selector = {{"node-type", kCompute}};
  return ticket;
}

api::Pod MakePod(const char* ns, const char* name, const char* cpu) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = name;
  pod.metadata.labels = {{"app", "shop"}};
  pod.spec.scheduler_name = "default-scheduler";
  pod.spec.node_selector = {{"node-type", kCompute}};  // the other nodes come and go
  api::Container container;
  container.name = "app";
  container.image = "app";
  container.resources.requests = Requests(cpu);
  pod.spec.containers = {container};
  return pod;
}

api::Pod Asking(api::Pod pod, std::string_view what, const char* which,
                std::string_view fallback = api::kFallbackWait) {
  pod.metadata.annotations[std::string(api::kAnnotationRequired)] = "true";
  pod.metadata.annotations[std::string(what)] = which;
  pod.metadata.annotations[std::string(api::kAnnotationFallback)] = std::string(fallback);
  return pod;
}

kube::ObjectKey KeyIn(const std::string& path) {  // "ns/name"
  const size_t slash = path.find('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool IsOf(const api::Ticket& ticket, const kube::ObjectKey& order) {
  return ticket.metadata.ns == order.ns &&
         api::ValueOf(ticket.metadata.labels, api::kLabelOrder) == order.name;
}

kube::DeleteOptions AtOnce() {
  return {.uid = "", .resource_version = "", .grace_period_seconds = 0, .propagation_policy = ""};
}

}  // namespace

// --- the stage

void Scenario::MakeNode(const std::string& name, const char* type, const char* cpu) {
  api::Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"node-type", type}, {"kubernetes.io/hostname", name}};
  node.status.allocatable = {{"cpu", *api::Quantity::Parse(cpu)},
                             {"memory", *api::Quantity::Parse("32Gi")},
                             {"pods", *api::Quantity::Parse("20")}};
  node.status.conditions = {{.type = "Ready",
                             .status = "True",
                             .last_transition_time = machine_.Wall(),
                             .reason = "",
                             .message = ""}};
  world_.Create("kubelet", node);
  world_.Patch<api::Node>("kubelet", {"", name},
                          absl::StrCat(R"({"status":)", json::Print(node.status), "}"), "status");
}

void Scenario::MakeNamespace(const std::string& name) {
  api::Namespace object;
  object.metadata.name = name;
  object.metadata.labels = {{"kubernetes.io/metadata.name", name}};
  world_.Create(kPeople, object);
}

void Scenario::SetUp() {
  machine_.StepWall(absl::Minutes(1) - kUntilTick);
  for (const char* ns : {kSystemNamespace, "kube-system", kShop, kTeam, kGuest}) {
    MakeNamespace(ns);
  }
  api::Lease lease;
  lease.metadata.ns = "kube-system";
  lease.metadata.name = "kube-scheduler";
  lease.spec.holder_identity = "scheduler-0";
  world_.Create(kPeople, lease);
  for (const char* name : {"node-0", "node-1", "node-2"}) {
    MakeNode(name, kCompute, "4");
  }
  for (const char* name : {"special-0", "special-1"}) {
    MakeNode(name, kSpecial, "2");
  }
  api::Quota all;
  all.metadata.name = "everybody";
  all.spec.scope.type = api::ScopeType::kCluster;
  all.spec.hard["tickets"].text = "40";
  all.spec.hard["orders"].text = "10";
  world_.Create(kPeople, all);
  api::Quota shop;
  shop.metadata.name = "shop";
  shop.spec.scope.type = api::ScopeType::kNamespaceList;
  shop.spec.scope.namespaces = {kShop};
  shop.spec.hard["reserved.cpu"].text = "1500m";
  world_.Create(kPeople, shop);
  api::ClaimPolicy policy;
  policy.metadata.ns = kTeam;
  policy.metadata.name = "workers";
  policy.spec.pod_selector.match_labels = {{"app", "worker"}};
  policy.spec.tickets = api::TicketChoice{.order = "always", .selector = {}};
  policy.spec.fallback = api::ClaimFallback::kWait;
  world_.Create(kPeople, policy);
}

// --- what people do

void Scenario::Patch(const std::string& order, const std::string& spec) {
  world_.Patch<api::Order>(kPeople, KeyIn(order), absl::StrCat(R"({"spec":{)", spec, "}}"));
}

void Scenario::Limit(const std::string& quota, const std::string& hard) {
  world_.Patch<api::Quota>(kPeople, {"", quota}, absl::StrCat(R"({"spec":{"hard":{)", hard, "}}}"));
}

void Scenario::Finish(const std::string& pod) {
  world_.Patch<api::Pod>("kubelet", KeyIn(pod), R"({"status":{"phase":"Succeeded"}})", "status");
}

void Scenario::HarmGuardian(const std::string& order, bool by_deletion) {
  for (const auto& [key, ticket] : world_.tickets.all()) {
    const std::string guardian = ticket->status.guardian_pod;
    if (IsOf(*ticket, KeyIn(order)) && ticket->status.phase == TicketPhase::kReady &&
        std::find(old_guardians_.begin(), old_guardians_.end(), guardian) == old_guardians_.end()) {
      old_guardians_.push_back(guardian);
      if (by_deletion) {
        world_.Delete<api::Pod>(kPeople, KeyIn(guardian), AtOnce());
      } else {
        world_.Patch<api::Pod>("kubelet", KeyIn(guardian), R"({"status":{"phase":"Failed"}})",
                               "status");
      }
      return;
    }
  }
}

void Scenario::EndNamespace(const std::string& name) {
  world_.ending_namespaces.insert(name);
  machine_.After(absl::Milliseconds(300), [this, name] {
    const auto clear = [&]<class T>(const Shelf<T>& shelf) {
      for (const auto& [key, object] : typename Shelf<T>::Objects(shelf.all())) {
        if (key.ns == name) {
          world_.Delete<T>("namespace-controller", key, AtOnce());
        }
      }
    };
    clear(world_.orders);
    clear(world_.pods);
    clear(world_.tickets);
    world_.Delete<api::Namespace>("namespace-controller", {"", name});
  });
}

// --- what people see

const api::Order& Scenario::Order(const std::string& name) const {
  static const api::Order kNone;
  const api::Order* const order = world_.orders.Find(KeyIn(name));
  return order == nullptr ? kNone : *order;
}

int Scenario::Tickets(const std::string& order, TicketPhase phase) const {
  return static_cast<int>(std::count_if(
      world_.tickets.all().begin(), world_.tickets.all().end(), [&](const auto& entry) {
        return IsOf(*entry.second, KeyIn(order)) && entry.second->status.phase == phase;
      }));
}

bool Scenario::Settled(const std::string& order, int ready) const {
  const api::Order& it = Order(order);
  return Tickets(order, TicketPhase::kReady) == ready &&
         Tickets(order, TicketPhase::kPending) == 0 && it.status.ready_replicas == ready &&
         it.status.observed_generation == it.metadata.generation;
}

bool Scenario::Is(const std::string& order, const char* condition, const char* reason) const {
  const std::vector<api::Condition>& conditions = Order(order).status.conditions;
  return std::any_of(conditions.begin(), conditions.end(), [&](const api::Condition& c) {
    return c.type == condition && c.reason == reason;
  });
}

bool Scenario::RunsAsClaimed(const std::string& path) const {
  const api::Pod* const pod = world_.pods.Find(KeyIn(path));
  if (pod == nullptr || pod->status.phase != api::kPodRunning) {
    return false;
  }
  return std::any_of(world_.tickets.all().begin(), world_.tickets.all().end(),
                     [&](const auto& entry) {
                       const api::TicketStatus& status = entry.second->status;
                       return status.phase == TicketPhase::kClaimed && !status.handoff &&
                              status.claimed_pod_uid == pod->metadata.uid;
                     });
}

// --- the story

std::vector<Step> Scenario::Steps() {
  std::vector<Step> steps;
  for (std::vector<Step> part :
       {Beginning(), Growth(), Claims(), ByHand(), Losses(), Changes(), Ends()}) {
    std::move(part.begin(), part.end(), std::back_inserter(steps));
  }
  return steps;
}

std::vector<Step> Scenario::Beginning() {
  return {
      {"orders of every kind are made",
       [this] {
         people_.Apply(MakeOrder(kShop, "web", 2, "500m"));
         api::Order daily = MakeOrder(kTeam, "daily", 1, "250m");
         daily.spec.strategy.type = api::StrategyType::kRecurring;
         daily.spec.strategy.schedule = kOnceADay;
         people_.Apply(daily);
         api::Order nightly = MakeOrder(kTeam, "nightly", 1, "250m");
         nightly.spec.strategy.type = api::StrategyType::kScheduled;
         nightly.spec.strategy.schedule = kOnceADay;
         nightly.spec.strategy.lead_time = absl::Seconds(3);
         nightly.spec.ticket_template.spec.duration = absl::Seconds(15);
         people_.Apply(nightly);
         api::Order always = MakeOrder(kTeam, "always", 1, "250m");
         always.spec.strategy.refresh_policy = api::RefreshPolicy::kAlways;
         always.spec.ticket_template.spec.lifecycle.ttl_seconds_after_finished = 1;
         people_.Apply(always);
         api::Order brief = MakeOrder(kTeam, "brief", 1, "250m");
         brief.spec.strategy.refresh_policy = api::RefreshPolicy::kNever;
         brief.spec.ticket_template.spec.duration = absl::Seconds(4);
         brief.spec.ticket_template.spec.lifecycle.cleanup_policy = api::CleanupPolicy::kRetain;
         people_.Apply(brief);
         // Its replicas mean nothing to korder; what else looks at orders counts by them.
         api::Order each = MakeOrder(kTeam, "each", 2, "250m");
         each.spec.daemon_set = true;
         // Who is first when a node goes, order-svc or ticket-svc, leaves no trace.
         each.spec.ticket_template.spec.lifecycle.ttl_seconds_after_finished = 1;
         each.spec.ticket_template.spec.node_selector = {{"node-type", kSpecial}};
         people_.Apply(each);
         api::Order floating = MakeOrder(kTeam, "floating", 1, "500m");
         floating.spec.ticket_template.spec.node_selector = {{"node-type", kSpecial}};
         people_.Apply(floating);
         people_.Apply(MakeOrder(kGuest, "visit", 2, "250m"));
       },
       [this] {
         return Settled("default/web", 2) && Settled("team-b/daily", 1) &&
                Settled("team-b/always", 1) && Settled("team-b/each", 2) &&
                Settled("team-b/floating", 1) && Settled("guests/visit", 2);
       }},
  };
}

std::vector<Step> Scenario::Growth() {
  return {
      {"an order is scaled up to more than its quota allows",
       [this] { Patch("default/web", R"("replicas":4)"); },
       [this] {
         return Settled("default/web", 3) && Is("default/web", "QuotaLimited", "QuotaDenied");
       }},
      {"the limit is raised", [this] { Limit("shop", R"("reserved.cpu":"4")"); },
       [this] { return Settled("default/web", 4); }},
  };
}

std::vector<Step> Scenario::Claims() {
  return {
      {"pods ask for tickets",
       [this] {
         api::Pod strict = Asking(MakePod(kShop, "strict", "500m"), api::kAnnotationOrder, "web");
         strict.metadata.annotations[std::string(api::kAnnotationMode)] = api::kModeRequired;
         people_.Apply(strict);
         api::Pod by_label = MakePod(kShop, "by-label", "500m");
         by_label.metadata.labels[std::string(api::kAnnotationRequired)] = "true";
         by_label.metadata.labels[std::string(api::kAnnotationFallback)] = api::kFallbackWait;
         people_.Apply(by_label);
         api::Pod picky = Asking(MakePod(kShop, "picky", "250m"), api::kAnnotationOrder, "web",
                                 api::kFallbackDeny);
         picky.metadata.annotations[std::string(api::kAnnotationClaimTimeout)] = "10m";
         people_.Apply(picky);
         people_.Apply(Asking(MakePod(kShop, "hopeless", "250m"), api::kAnnotationOrder, "nothing",
                              api::kFallbackSchedule));
         api::Pod worker = MakePod(kTeam, "worker", "250m");
         worker.metadata.labels = {{"app", "worker"}};
         people_.Apply(worker);
         people_.Apply(Asking(MakePod(kGuest, "guest", "250m"), api::kAnnotationOrder, "visit"));
       },
       [this] {
         const api::Pod* const hopeless = world_.pods.Find({kShop, "hopeless"});
         return RunsAsClaimed("default/strict") && RunsAsClaimed("default/by-label") &&
                RunsAsClaimed("default/picky") && RunsAsClaimed("team-b/worker") &&
                RunsAsClaimed("guests/guest") && Settled("default/web", 4) &&
                Settled("team-b/always", 1) && hopeless != nullptr &&
                hopeless->status.phase == api::kPodRunning;
       }},
      {"pods end, by themselves and by force",
       [this] {
         Finish("default/strict");
         Finish("team-b/worker");
         world_.Delete<api::Pod>(kPeople, {kShop, "by-label"}, AtOnce());
       },
       [this] {
         return Tickets("default/web", TicketPhase::kCompleted) == 2 &&
                Tickets("team-b/always", TicketPhase::kClaimed) == 0;
       }},
  };
}

std::vector<Step> Scenario::ByHand() {
  const auto ready = [this](const char* name) {
    const api::Ticket* const ticket = world_.tickets.Find({kShop, name});
    return ticket != nullptr && ticket->status.phase == TicketPhase::kReady;
  };
  return {
      {"tickets are made by hand",
       [this] {
         people_.Apply(MakeTicket("mine"));
         people_.Apply(MakeTicket("spare"));
       },
       [ready] { return ready("mine") && ready("spare"); }},
      {"one is wanted for longer, the other no more",
       [this] {
         world_.Patch<api::Ticket>(kPeople, {kShop, "mine"}, R"({"spec":{"duration":"2h"}})");
         world_.Delete<api::Ticket>(kPeople, {kShop, "spare"});
       },
       [this] {
         const api::TicketStatus& status = world_.tickets.Find({kShop, "mine"})->status;
         return *status.expiration_time - *status.activation_time == absl::Hours(2) &&
                world_.tickets.Find({kShop, "spare"}) == nullptr;
       }},
      {"a pod asks for the one by its name",
       [this] {
         people_.Apply(Asking(MakePod(kShop, "named", "250m"), api::kAnnotationTicket, "mine"));
       },
       [this] { return RunsAsClaimed("default/named"); }},
  };
}

std::vector<Step> Scenario::Losses() {
  return {
      {"guardians are deleted and evicted",
       [this] {
         HarmGuardian("default/web", true);
         HarmGuardian("default/web", false);
       },
       [this] {
         return Settled("default/web", 4) &&
                std::all_of(old_guardians_.begin(), old_guardians_.end(),
                            [this](const std::string& name) {
                              return world_.pods.Find(KeyIn(name)) == nullptr;
                            });
       }},
      {"a node is gone",
       [this] {
         for (const auto& [key, ticket] : world_.tickets.all()) {
           if (IsOf(*ticket, {kTeam, "floating"})) {
             lost_node_ = ticket->status.node_name;
           }
         }
         world_.Delete<api::Node>("kubelet", {"", lost_node_});
       },
       [this] {
         return Settled("team-b/each", 1) && Settled("team-b/floating", 1) &&
                std::none_of(world_.tickets.all().begin(), world_.tickets.all().end(),
                             [this](const auto& entry) {
                               return entry.second->status.node_name == lost_node_;
                             });
       }},
      {"the node comes back", [this] { MakeNode(lost_node_, kSpecial, "2"); },
       [this] { return Settled("team-b/each", 2); }},
  };
}

std::vector<Step> Scenario::Changes() {
  return {
      {"the template changes",
       [this] {
         Patch("default/web", R"("template":{"spec":{"resources":{"requests":{"cpu":"250m"}}}})");
       },
       [this] {
         // The claimed one stays as it is.
         return Settled("default/web", 4) && Order("default/web").status.updated_replicas >= 4;
       }},
      {"an order is paused and scaled down",
       [this] { Patch("default/web", R"("paused":true,"replicas":2)"); },
       [this] { return Is("default/web", "Suspended", "Paused") && Settled("default/web", 4); }},
      {"and goes on", [this] { Patch("default/web", R"("paused":false)"); },
       [this] { return Settled("default/web", 2); }},
  };
}

std::vector<Step> Scenario::Ends() {
  return {
      {"an order and a namespace are deleted",
       [this] {
         world_.Delete<api::Order>(kPeople, {kTeam, "always"});
         EndNamespace(kGuest);
       },
       [this] {
         const auto gone = [](const auto& shelf, const kube::ObjectKey& order) {
           return std::none_of(shelf.all().begin(), shelf.all().end(), [&](const auto& entry) {
             return entry.first.ns == order.ns &&
                    api::ValueOf(entry.second->metadata.labels, api::kLabelOrder) == order.name;
           });
         };
         return gone(world_.tickets, {kTeam, "always"}) && gone(world_.pods, {kTeam, "always"}) &&
                gone(world_.tickets, {kGuest, "visit"}) && gone(world_.pods, {kGuest, "visit"});
       }},
      {"windows open and close", [] {},
       [this] {
         const bool renewed = std::any_of(world_.tickets.all().begin(), world_.tickets.all().end(),
                                          [](const auto& entry) {
                                            return IsOf(*entry.second, {kTeam, "daily"}) &&
                                                   entry.second->metadata.annotations.contains(
                                                       std::string(api::kAnnotationRenewed));
                                          });
         return renewed && Tickets("team-b/brief", TicketPhase::kExpired) == 1 &&
                Tickets("team-b/nightly", TicketPhase::kExpired) == 1;
       }},
      {"a limit shrinks below what is used", [this] { Limit("everybody", R"("tickets":"3")"); },
       [this] {
         const std::vector<api::Condition>& conditions =
             world_.quotas.Find({"", "everybody"})->status.conditions;
         return std::any_of(conditions.begin(), conditions.end(), [](const api::Condition& c) {
           return c.type == "Exceeded" && c.status == api::ConditionStatus::kTrue;
         });
       }},
      {"an order asks for more all the same", [this] { Patch("default/web", R"("replicas":3)"); },
       [this] {
         return Settled("default/web", 2) && Is("default/web", "QuotaLimited", "QuotaDenied");
       }},
  };
}

}  // namespace korder::simulation
