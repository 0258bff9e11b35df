#include "workload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "kube/testing/fake/json_patch.h"
#include "kube/testing/fake/json_value.h"

namespace korder::simulation {
namespace {

constexpr char kPeople[] = "people";
constexpr char kHarm[] = "harm";
constexpr char kApp[] = "app";  // label of the pods that people make
const std::vector<std::string> kNamespaces = {"default", "team-b"};

api::ResourceList Requests(const char* cpu) {
  return {{"cpu", *api::Quantity::Parse(cpu)}, {"memory", *api::Quantity::Parse("1Gi")}};
}

api::Pod BarePod(const std::string& ns, const std::string& name, const char* cpu) {
  api::Pod pod;
  pod.metadata.ns = ns;
  pod.metadata.name = name;
  pod.metadata.labels = {{kApp, "shop"}};
  pod.spec.scheduler_name = "default-scheduler";
  api::Container container;
  container.name = "app";
  container.image = "app";
  container.resources.requests = Requests(cpu);
  pod.spec.containers = {container};
  return pod;
}

bool IsOfPeople(const api::Pod& pod) { return pod.metadata.labels.contains(kApp); }

kube::DeleteOptions AtOnce() {
  return {.uid = "", .resource_version = "", .grace_period_seconds = 0, .propagation_policy = ""};
}

}  // namespace

Workload::Workload(Parts parts, uint64_t seed)
    : parts_(std::move(parts)), act_dice_(seed, "people"), harm_dice_(seed, "harm") {}

template <class T>
const T* Workload::Some(const Shelf<T>& shelf, const std::function<bool(const T&)>& that) {
  std::vector<const T*> found;
  for (const auto& [key, object] : shelf.all()) {
    if (that(*object)) {
      found.push_back(object.get());
    }
  }
  return found.empty() ? nullptr : act_dice_.Pick(found);
}

// --- the beginning

void Workload::MakeNode(const std::string& name) {
  api::Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"node-type", "compute"}, {"kubernetes.io/hostname", name}};
  node.status.allocatable = {{"cpu", *api::Quantity::Parse("2")},
                             {"memory", *api::Quantity::Parse("16Gi")},
                             {"pods", *api::Quantity::Parse("20")}};
  node.status.conditions = {{.type = "Ready",
                             .status = "True",
                             .last_transition_time = parts_.machine.Wall(),
                             .reason = "",
                             .message = ""}};
  parts_.world.Create("kubelet", node);
  parts_.world.Patch<api::Node>("kubelet", {"", name},
                                absl::StrCat(R"({"status":)", json::Print(node.status), "}"),
                                "status");
}

void Workload::SetUp() {
  World& world = parts_.world;
  for (const std::string& ns : {std::string(kSystemNamespace), std::string("kube-system"),
                                kNamespaces[0], kNamespaces[1]}) {
    api::Namespace object;
    object.metadata.name = ns;
    object.metadata.labels = {{"kubernetes.io/metadata.name", ns}};
    world.Create(kPeople, object);
  }
  api::Lease lease;
  lease.metadata.ns = "kube-system";
  lease.metadata.name = "kube-scheduler";
  lease.spec.holder_identity = "scheduler-0";
  world.Create(kPeople, lease);
  const int nodes = act_dice_.Between(2, 3);
  for (int i = 0; i < nodes; ++i) {
    node_names_.push_back(absl::StrCat("node-", i));
    MakeNode(node_names_.back());
  }
  api::Quota quota;
  quota.metadata.name = "everybody";
  quota.spec.scope.type = api::ScopeType::kCluster;
  quota.spec.hard["tickets"].text = absl::StrCat(act_dice_.Between(2, 8));
  world.Create(kPeople, quota);
  if (act_dice_.Chance(0.3)) {
    TogglePolicy();
  }
  if (act_dice_.Chance(0.5)) {
    api::Quota team;
    team.metadata.name = "team";
    team.spec.scope.type = api::ScopeType::kNamespaceList;
    team.spec.scope.namespaces = {kNamespaces[0]};
    team.spec.hard["reserved.cpu"].text = absl::StrCat(act_dice_.Between(1, 3));
    world.Create(kPeople, team);
  }
  const int orders = act_dice_.Between(1, 3);
  for (int i = 0; i < orders; ++i) {
    MakeOrder();
  }
}

void Workload::Begin(bool harm) {
  acting_ = true;
  harming_ = harm;
  PlanAct();
  PlanHarm();
}

void Workload::End() {
  ended_ = true;
  acting_ = false;
  harming_ = false;
  // Tickets that expire and are replaced for ever would be no rest.
  for (const auto& [key, order] : Shelf<api::Order>::Objects(parts_.world.orders.all())) {
    const auto& duration = order->spec.ticket_template.spec.duration;
    if (duration && duration->value() < absl::Hours(1) &&
        order->spec.strategy.type == api::StrategyType::kOneTime) {
      parts_.world.Patch<api::Order>(kPeople, key, R"({"spec":{"replicas":0}})");
    }
  }
  for (const std::string& name : node_names_) {
    if (parts_.world.nodes.Find({"", name}) == nullptr) {
      MakeNode(name);
    } else {
      SetReady(name, true);
    }
  }
}

// --- what people do

void Workload::PlanAct() {
  parts_.machine.After(act_dice_.Between(absl::Milliseconds(5), absl::Milliseconds(220)), [this] {
    if (acting_) {
      ++acts_;
      Act();
      PlanAct();
    }
  });
}

void Workload::Act() {
  const int what = act_dice_.Between(0, 99);
  if (what < 42) {
    MakeClaimingPod();
  } else if (what < 58) {
    EndSomePod(false);
  } else if (what < 68) {
    EndSomePod(true);
  } else if (what < 76) {
    MakeBarePod(0);
  } else if (what < 84) {
    ScaleOrder();
  } else if (what < 88) {
    MakeOrder();
  } else if (what < 91) {
    DeleteSomeOrder();
  } else if (what < 94) {
    EditQuota();
  } else if (what < 97) {
    MakeTicket();
  } else if (what < 99) {
    DeleteSomeTicket();
  } else {
    TogglePolicy();
  }
}

void Workload::MakeOrder() {
  if (parts_.world.orders.all().size() >= 4) {
    return;
  }
  api::Order order;
  order.metadata.ns = act_dice_.Pick(kNamespaces);
  order.metadata.name = absl::StrCat("order-", act_dice_.Between(0, 2));
  order.spec.replicas = act_dice_.Between(1, 3);
  const bool brief = act_dice_.Chance(0.3);  // its tickets expire in the run
  order.spec.strategy.refresh_policy =
      brief || act_dice_.Chance(0.3) ? api::RefreshPolicy::kAlways : api::RefreshPolicy::kOnClaim;
  order.spec.ticket_template.spec.resources.requests =
      Requests(act_dice_.Chance(0.7) ? "500m" : "250m");
  order.spec.ticket_template.spec.duration =
      brief ? absl::Seconds(act_dice_.Between(2, 15)) : absl::Hours(4);
  if (act_dice_.Chance(0.3)) {
    GiveSchedule(order);
  } else if (!brief && act_dice_.Chance(0.2)) {
    order.spec.daemon_set = true;
  }
  Admit(order, &admission::Validator::Order);
}

// A tick in the next minute or two, once a day, so that there is rest afterwards; or one in every
// minute, which renews.
void Workload::GiveSchedule(api::Order& order) {
  api::OrderStrategy& strategy = order.spec.strategy;
  if (act_dice_.Chance(0.4)) {
    strategy.type = api::StrategyType::kRecurring;
    strategy.schedule = "* * * * *";
    order.spec.ticket_template.spec.duration = absl::Seconds(90);
    return;
  }
  strategy.type = api::StrategyType::kScheduled;
  strategy.schedule = absl::FormatTime(
      "%M %H * * *", parts_.machine.Wall() + absl::Minutes(act_dice_.Chance(0.8) ? 1 : 2),
      absl::UTCTimeZone());
  if (act_dice_.Chance(0.6)) {
    strategy.lead_time = absl::Seconds(act_dice_.Between(1, 20));
  }
}

void Workload::TogglePolicy() {
  const kube::ObjectKey key{kNamespaces[0], "all"};
  if (parts_.world.Delete<api::ClaimPolicy>(kPeople, key)) {
    return;
  }
  api::ClaimPolicy policy;
  policy.metadata.ns = key.ns;
  policy.metadata.name = key.name;
  policy.spec.pod_selector.match_labels = {{kApp, "shop"}};
  policy.spec.fallback =
      act_dice_.Chance(0.6) ? api::ClaimFallback::kSchedule : api::ClaimFallback::kWait;
  policy.spec.mode = act_dice_.Chance(0.7) ? api::ClaimMode::kPreferred : api::ClaimMode::kRequired;
  policy.spec.claim_timeout = absl::Seconds(4);
  parts_.world.Create(kPeople, policy);
}

template <class T>
void Workload::Admit(const T& object, admission::Verdict (admission::Validator::*review)(
                                          const api::AdmissionRequest& request) const) {
  WebhookServer* const server = parts_.peers.PickAlive(parts_.peers.webhooks);
  // The webhook may be gone, or ignored while it does not answer: the limits hold all the same.
  if (server == nullptr || act_dice_.Chance(0.3)) {
    parts_.world.Create(kPeople, object);
    return;
  }
  ++server->calls;
  parts_.machine.Start(people_, [this, server, review, object] {
    api::AdmissionRequest request;
    request.operation = std::string(api::kOperationCreate);
    request.ns = object.metadata.ns;
    request.name = object.metadata.name;
    request.object.text = json::Print(object);
    const bool allowed = (server->validator.*review)(request).allowed();
    --server->calls;
    parts_.machine.WakeAll(server);
    if (allowed && !ended_) {
      parts_.world.Create(kPeople, object);
    }
  });
}

void Workload::MakeTicket() {
  api::Ticket ticket;
  ticket.metadata.ns = act_dice_.Pick(kNamespaces);
  ticket.metadata.name = absl::StrCat("by-hand-", ++names_);
  ticket.spec.resources.requests = Requests("500m");
  ticket.spec.duration = absl::Seconds(act_dice_.Between(3, 60));
  Admit(ticket, &admission::Validator::Ticket);
}

void Workload::MakeClaimingPod() {
  api::Pod pod = BarePod(act_dice_.Pick(kNamespaces), absl::StrCat("claim-", ++names_),
                         act_dice_.Chance(0.6) ? "500m" : "250m");
  if (parts_.by_preemption && act_dice_.Chance(0.8)) {
    pod.spec.priority = 2 * kGuardianPriority;
  }
  if (act_dice_.Chance(0.2)) {  // a policy may have it ask
    parts_.machine.Start(people_, [this, pod = std::move(pod)] { AskWebhook(pod); });
    return;
  }
  pod.metadata.annotations[std::string(api::kAnnotationRequired)] = "true";
  if (act_dice_.Chance(0.3)) {
    pod.metadata.annotations[std::string(api::kAnnotationOrder)] =
        absl::StrCat("order-", act_dice_.Between(0, 2));
  }
  if (act_dice_.Chance(0.4)) {
    pod.metadata.annotations[std::string(api::kAnnotationFallback)] = "wait";
  }
  if (act_dice_.Chance(0.3)) {
    pod.metadata.annotations[std::string(api::kAnnotationMode)] = "required";
  }
  parts_.machine.Start(people_, [this, pod = std::move(pod)] { AskWebhook(pod); });
}

// As the API server does: the webhook, the other webhooks, then the object.
void Workload::AskWebhook(api::Pod pod) {
  WebhookServer* const server = parts_.peers.PickAlive(parts_.peers.webhooks);
  if (server == nullptr) {
    return;
  }
  api::AdmissionRequest request;
  request.operation = std::string(api::kOperationCreate);
  request.ns = pod.metadata.ns;
  request.name = pod.metadata.name;
  request.object.text = json::Print(pod);
  request.dry_run = act_dice_.Chance(0.1);
  ++server->calls;
  const int64_t before = parts_.world.requests();
  const int64_t calls = parts_.peers.calls;
  absl::StatusOr<admission::Verdict> verdict = server->pods.Review(request);
  kube::fake::Json object;
  json::Parse(request.object.text, object).IgnoreError();
  if (verdict.ok() && !verdict->patch.empty()) {
    kube::fake::Json patch;
    json::Parse(verdict->patch, patch).IgnoreError();
    if (!kube::fake::JsonPatch(object, patch).ok()) {
      parts_.fail("I10", "the webhook's patch does not fit its own pod");
    }
    request.object.text = json::Print(object);
    const absl::StatusOr<admission::Verdict> again = server->pods.Review(request);
    if (!again.ok() || !again->patch.empty()) {
      parts_.fail("I10", "asked again about what it made of a pod, the webhook changes it again");
    }
  }
  if (parts_.world.requests() != before || parts_.peers.calls != calls) {
    parts_.fail("I10", "the webhook for pods asked or wrote something");
  }
  --server->calls;
  parts_.machine.WakeAll(server);
  const bool refused_by_others = act_dice_.Chance(0.05);
  if (!verdict.ok() || !verdict->allowed() || refused_by_others || request.dry_run) {
    return;
  }
  parts_.world.Did(kPeople,
                   kube::CreateRequest(api::Pod::kResource, request.ns, request.object.text));
}

void Workload::MakeBarePod(int32_t priority) {
  api::Pod pod = BarePod(act_dice_.Pick(kNamespaces),
                         absl::StrCat(priority > 0 ? "vip-" : "bare-", ++names_), "500m");
  if (priority > 0) {
    pod.spec.priority = priority;
  }
  parts_.world.Create(kPeople, pod);
}

void Workload::ScaleOrder() {
  if (const auto* order = Some<api::Order>(parts_.world.orders, [](const auto&) { return true; })) {
    parts_.world.Patch<api::Order>(
        kPeople, kube::KeyOf(*order),
        absl::StrCat(R"({"spec":{"replicas":)", act_dice_.Between(0, 4), "}}"));
  }
}

void Workload::EditQuota() {
  parts_.world.Patch<api::Quota>(
      kPeople, {"", "everybody"},
      absl::StrCat(R"({"spec":{"hard":{"tickets":")", act_dice_.Between(1, 8), R"("}}})"));
}

void Workload::DeleteSomeOrder() {
  if (const auto* order = Some<api::Order>(parts_.world.orders, [](const auto&) { return true; })) {
    parts_.world.Delete<api::Order>(kPeople, kube::KeyOf(*order));
  }
}

void Workload::DeleteSomeTicket() {
  if (const auto* ticket =
          Some<api::Ticket>(parts_.world.tickets, [](const auto&) { return true; })) {
    parts_.world.Delete<api::Ticket>(kPeople, kube::KeyOf(*ticket));
  }
}

void Workload::EndSomePod(bool by_deletion) {
  const auto* pod = Some<api::Pod>(parts_.world.pods, [by_deletion](const api::Pod& p) {
    return IsOfPeople(p) &&
           (by_deletion || (api::IsBound(p) && p.status.phase == api::kPodRunning));
  });
  if (pod == nullptr) {
    return;
  }
  if (by_deletion) {
    parts_.world.Delete<api::Pod>(kPeople, kube::KeyOf(*pod), AtOnce());
  } else {
    parts_.world.Patch<api::Pod>("kubelet", kube::KeyOf(*pod),
                                 R"({"status":{"phase":"Succeeded"}})", "status");
  }
}

// --- what happens to the cluster

void Workload::PlanHarm() {
  parts_.machine.After(harm_dice_.Between(absl::Milliseconds(20), absl::Milliseconds(900)), [this] {
    if (harming_) {
      Harm();
      PlanHarm();
    }
  });
}

void Workload::Harm() {
  const int what = harm_dice_.Between(0, 99);
  if (what < 30) {
    KillGuardian();
  } else if (what < 42) {
    FailNode();
  } else if (what < 46) {
    RemoveNode();
  } else if (what < 58) {
    MakeBarePod(2 * kGuardianPriority);
  } else if (what < 76) {
    for (int i = 0; i < 3; ++i) {
      MakeBarePod(0);
    }
  } else if (what < 84) {
    parts_.scheduler.Restart();
  } else if (what < 96) {
    parts_.scheduler.Stall(harm_dice_.Between(absl::Milliseconds(20), absl::Seconds(2)));
  } else {
    EndNamespace();
  }
}

void Workload::KillGuardian() {
  const auto* pod = Some<api::Pod>(parts_.world.pods, [](const api::Pod& p) {
    return api::ValueOf(p.metadata.labels, api::kLabelRole) == api::kRoleGuardian;
  });
  if (pod != nullptr && harm_dice_.Chance(0.5)) {
    parts_.world.Delete<api::Pod>(kHarm, kube::KeyOf(*pod), AtOnce());
  } else if (pod != nullptr && api::IsBound(*pod)) {
    parts_.world.Patch<api::Pod>(kHarm, kube::KeyOf(*pod), R"({"status":{"phase":"Failed"}})",
                                 "status");
  }
}

void Workload::SetReady(const std::string& node, bool ready) {
  const api::Node* const object = parts_.world.nodes.Find({"", node});
  if (object == nullptr || api::IsReady(*object) == ready) {
    return;
  }
  api::NodeStatus status = object->status;
  status.conditions[0].status = ready ? "True" : "Unknown";
  status.conditions[0].last_transition_time = parts_.machine.Wall();
  parts_.world.Patch<api::Node>(kHarm, {"", node},
                                absl::StrCat(R"({"status":)", json::Print(status), "}"), "status");
  parts_.world.Patch<api::Node>(
      kHarm, {"", node},
      ready
          ? R"({"spec":{"taints":null}})"
          : R"({"spec":{"taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoSchedule"}]}})");
}

void Workload::FailNode() {
  const std::string name = harm_dice_.Pick(node_names_);
  SetReady(name, false);
  parts_.machine.After(harm_dice_.Between(absl::Milliseconds(200), absl::Seconds(9)),
                       [this, name] { SetReady(name, true); });
}

void Workload::RemoveNode() {
  const std::string name = harm_dice_.Pick(node_names_);
  parts_.world.Delete<api::Node>(kHarm, {"", name});
  parts_.machine.After(harm_dice_.Between(absl::Milliseconds(200), absl::Seconds(9)), [this, name] {
    if (parts_.world.nodes.Find({"", name}) == nullptr) {
      MakeNode(name);
    }
  });
}

void Workload::EndNamespace() {
  const std::string ns = kNamespaces[1];
  World& world = parts_.world;
  if (!world.ending_namespaces.insert(ns).second) {
    return;
  }
  const auto clear = [this, ns, &world] {
    const auto doom = [&](const auto& shelf) {
      std::vector<kube::ObjectKey> keys;
      for (const auto& [key, object] : shelf.all()) {
        if (key.ns == ns) {
          keys.push_back(key);
        }
      }
      return keys;
    };
    for (const auto& key : doom(world.orders)) {
      world.Delete<api::Order>("namespace-controller", key);
    }
    for (const auto& key : doom(world.pods)) {
      world.Delete<api::Pod>("namespace-controller", key, AtOnce());
    }
    for (const auto& key : doom(world.tickets)) {
      world.Delete<api::Ticket>("namespace-controller", key);
    }
  };
  parts_.machine.After(absl::Milliseconds(30), clear);
  parts_.machine.After(absl::Milliseconds(600), [this, clear, ns, &world] {
    clear();
    world.Delete<api::Namespace>("namespace-controller", {"", ns});
    parts_.machine.After(absl::Milliseconds(300), [ns, &world] {
      world.ending_namespaces.erase(ns);
      api::Namespace object;
      object.metadata.name = ns;
      object.metadata.labels = {{"kubernetes.io/metadata.name", ns}};
      world.Create(kPeople, object);
    });
  });
}

}  // namespace korder::simulation
