#include "ticket-svc/testing/bench.h"

#include <algorithm>
#include <tuple>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/core/event.h"
#include "api/core/node_fit.h"
#include "api/core/pod_requests.h"
#include "json/fields.h"
#include "kube/testing/sync_store.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::ticket {
namespace {

const GuardianOptions kGuardianOptions{.image = "pause", .priority_class = "korder-guardian"};

template <class T>
T MustGet(kube::Client& client, const kube::ObjectKey& key) {
  absl::StatusOr<T> object = client.Get<T>(key);
  INFO(ToString(object.status()));
  REQUIRE(object.ok());
  return *std::move(object);
}

void Must(const absl::Status& status) {
  INFO(ToString(status));
  REQUIRE(status.ok());
}

template <class T>
std::vector<T> ListOf(kube::Client& client, const std::string& selector = "") {
  auto list = kube::ListAll<T>(client, "", {.label_selector = selector});
  Must(list.status());
  return list->items;
}

int64_t Cpu(const api::Pod& pod) {
  const api::ResourceList requests = api::PodRequests(pod.spec);
  const auto it = requests.find(api::kResourceCpu);
  return it == requests.end() ? 0 : it->second.MilliValue();
}

}  // namespace

bool IsWork(const kube::ServedCall& call) {
  const bool write = call.verb == "create" || call.verb == "update" || call.verb == "patch" ||
                     call.verb == "delete";
  return write && call.resource != "events";
}

Bench::Bench() { AddNode("n1", 1); }

void Bench::Quietly(const std::function<void()>& step) {
  for (const kube::ServedCall& call : server.Log()) {
    if (IsWork(call)) {
      writes_.push_back(call.verb + " " + call.resource);
    }
  }
  acting_ = true;
  step();
  acting_ = false;
  server.ClearLog();
}

void Bench::AddNode(const std::string& name, int cores) {
  Quietly([&] {
    api::Node node = MakeNode(name);
    node.status.allocatable = {{"cpu", api::Quantity::FromInt(cores)}};
    const api::NodeStatus status = node.status;
    auto made = admin.Create(node);
    Must(made.status());
    made->status = status;
    Must(admin.Update(*made, "status").status());
  });
}

void Bench::DropNode(const std::string& name) {
  Quietly([&] { Must(admin.Delete<api::Node>({"", name})); });
}

void Bench::Cordon(const std::string& name) {
  Quietly([&] {
    Must(admin.Patch<api::Node>({"", name}, {}, R"({"spec":{"unschedulable":true}})").status());
  });
}

void Bench::AddTicket(api::Ticket ticket) {
  Quietly([&] {
    ticket.metadata.uid.clear();
    ticket.metadata.resource_version.clear();
    ticket.metadata.creation_timestamp.reset();
    Must(admin.Create(ticket).status());
  });
}

void Bench::AddPod(api::Pod pod) {
  Quietly([&] {
    pod.metadata.uid.clear();
    pod.metadata.resource_version.clear();
    pod.metadata.creation_timestamp.reset();
    Must(admin.Create(pod).status());
  });
}

void Bench::AddThieves(int count) {
  for (int i = 0; i < count; ++i) {
    api::Pod pod = MakeClaimPod(absl::StrCat("thief-", i));
    pod.metadata.labels = {{"role", "thief"}};
    pod.metadata.annotations.clear();
    pod.spec.scheduling_gates.clear();
    AddPod(pod);
  }
}

void Bench::DeletePod(const std::string& name) {
  Quietly([&] { Must(admin.Delete<api::Pod>({"default", name}, {.grace_period_seconds = 0})); });
}

api::Ticket Bench::Ticket(const std::string& name) {
  return MustGet<api::Ticket>(admin, {"default", name});
}

api::Pod Bench::Pod(const std::string& name) { return MustGet<api::Pod>(admin, {"default", name}); }

std::optional<api::Pod> Bench::FindPod(const std::string& name) {
  absl::StatusOr<api::Pod> pod = admin.Get<api::Pod>({"default", name});
  return pod.ok() ? std::optional(*std::move(pod)) : std::nullopt;
}

std::vector<std::string> Bench::Guardians() {
  std::vector<std::string> names;
  for (const api::Pod& pod : ListOf<api::Pod>(admin, "korder.dev/role=guardian")) {
    names.push_back(pod.metadata.name);
  }
  return names;
}

std::vector<std::string> Bench::FencePods() {
  std::vector<std::string> names;
  for (const api::Pod& pod : ListOf<api::Pod>(admin, "korder.dev/role=fence")) {
    names.push_back(pod.metadata.name);
  }
  return names;
}

std::vector<std::string> Bench::LuckyThieves() {
  std::vector<std::string> names;
  for (const api::Pod& pod : ListOf<api::Pod>(admin, "role=thief")) {
    if (api::IsBound(pod)) {
      names.push_back(pod.metadata.name);
    }
  }
  return names;
}

std::vector<std::string> Bench::EventsAbout(const std::string& name) {
  std::vector<std::string> reasons;
  for (const api::Event& event : ListOf<api::Event>(admin)) {
    if (event.involved_object.name == name) {
      reasons.insert(reasons.end(), static_cast<size_t>(event.count), event.reason);
    }
  }
  std::sort(reasons.begin(), reasons.end());
  return reasons;
}

bool Bench::Fits(const api::Pod& pod, const api::Node& node) {
  if (api::WhyNodeDoesNotFit(api::PlacementOf(pod.spec), node)) {
    return false;
  }
  int64_t free = node.status.allocatable.at("cpu").MilliValue();
  for (const api::Pod& other : pods_) {
    const bool here = other.spec.node_name == node.metadata.name && !api::IsTerminal(other);
    const bool nominated =
        !api::IsBound(other) && other.status.nominated_node_name == node.metadata.name &&
        other.metadata.uid != pod.metadata.uid && !ignore_nominations && !IsOverlooked(other);
    free -= here || nominated ? Cpu(other) : 0;
  }
  return free >= Cpu(pod);
}

bool Bench::IsOverlooked(const api::Pod& pod) const {
  const auto it = overlooked_.find(pod.metadata.uid);
  return it != overlooked_.end() && it->second == pod.metadata.resource_version;
}

void Bench::RestartScheduler() {
  for (const api::Pod& pod : ListOf<api::Pod>(admin)) {
    if (!pod.spec.scheduling_gates.empty()) {
      overlooked_[pod.metadata.uid] = pod.metadata.resource_version;
    }
  }
}

void Bench::Place(const api::Pod& pod) {
  const std::string path =
      absl::StrCat("/api/v1/namespaces/", pod.metadata.ns, "/pods/", pod.metadata.name, "/binding");
  std::vector<const api::Node*> order;
  for (const api::Node& node : nodes_) {
    order.push_back(&node);
  }
  std::stable_partition(order.begin(), order.end(), [&](const api::Node* node) {
    return !ignore_nominations && node->metadata.name == pod.status.nominated_node_name;
  });
  for (const api::Node* node : order) {
    if (Fits(pod, *node)) {
      Must(admin
               .Raw({.method = "POST",
                     .target = path,
                     .content_type = "application/json",
                     .body =
                         absl::StrCat(R"({"apiVersion":"v1","kind":"Binding","metadata":{"name":")",
                                      pod.metadata.name, R"("},"target":{"name":")",
                                      node->metadata.name, R"("}})")})
               .status());
      return;
    }
  }
  if (api::Unschedulable(pod) == nullptr || !pod.status.nominated_node_name.empty()) {
    Must(admin
             .Patch<api::Pod>(
                 kube::KeyOf(pod),
                 {.type = kube::PatchType::kStrategicMerge, .subresource = "status"},
                 R"({"status":{"nominatedNodeName":null,"conditions":[{"type":"PodScheduled",)"
                 R"("status":"False","reason":"Unschedulable","message":"no room"}]}})")
             .status());
  }
}

void Bench::Schedule() {
  Quietly([&] {
    nodes_ = ListOf<api::Node>(admin);
    std::vector<api::Pod> queue = ListOf<api::Pod>(admin);
    std::stable_sort(queue.begin(), queue.end(), [](const api::Pod& a, const api::Pod& b) {
      return std::tie(*a.metadata.creation_timestamp, a.metadata.name) <
             std::tie(*b.metadata.creation_timestamp, b.metadata.name);
    });
    for (const api::Pod& pod : queue) {
      if (!api::IsBound(pod) && pod.spec.scheduling_gates.empty() && !pod.metadata.deleting() &&
          !api::IsTerminal(pod)) {
        pods_ = ListOf<api::Pod>(admin);
        Place(pod);
      }
    }
  });
}

void Bench::RunPods() {
  Quietly([&] {
    for (const api::Pod& pod : ListOf<api::Pod>(admin)) {
      if (api::IsBound(pod) && pod.status.phase == api::kPodPending) {
        Must(admin
                 .Patch<api::Pod>(kube::KeyOf(pod), {.subresource = "status"},
                                  R"({"status":{"phase":"Running"}})")
                 .status());
      }
    }
  });
}

std::vector<std::string> Bench::Writes() {
  Quietly([] {});
  return writes_;
}

void Bench::ForgetWrites() {
  Quietly([] {});
  writes_.clear();
}

void Bench::Settle(Service& service) {
  const auto all = [this] {
    return json::Print(ListOf<api::Pod>(admin)) + json::Print(ListOf<api::Ticket>(admin));
  };
  for (int i = 0; i < 50; ++i) {
    const std::string before = all();
    Schedule();
    RunPods();
    service.Sync();
    service.Work();
    if (service.dead()) {
      return;
    }
    if (all() == before) {
      return;
    }
  }
  FAIL("the cluster never comes to rest");
}

absl::StatusOr<runtime::LedgerDecision> FakeCharges::Confirm(
    const runtime::LedgerConfirmation& asked, std::stop_token, absl::Duration at_most) {
  ++times_asked;
  last_reservation = asked.reservation_id;
  last_claim = asked.claim;
  last_at_most = at_most;
  if (meanwhile) {
    meanwhile();
  }
  if (mood == Mood::kUnreachable) {
    return UnavailableError("connection refused");
  }
  runtime::LedgerDecision decision{.id = asked.ticket.uid, .denied = {}};
  if (mood == Mood::kDenies) {
    decision.denied = runtime::LedgerDenial{.quota = "team",
                                            .resource = "tickets",
                                            .message = "quota team: no",
                                            .next_change = next_change};
  }
  return decision;
}

void MortalTransport::DieAt(int write, Moment moment) {
  moment_ = moment;
  left_ = write;
}

absl::StatusOr<kube::HttpResponse> MortalTransport::Do(const kube::HttpRequest& request,
                                                       const kube::CallOptions& options) {
  const bool work = request.method != "GET" && !absl::StrContains(request.target, "/events");
  const bool last = work && left_-- == 0;
  if (dead_ || (last && moment_ == Moment::kBefore)) {
    dead_ = true;
    return UnavailableError("killed");
  }
  absl::StatusOr<kube::HttpResponse> response = next_.Do(request, options);
  if (last) {
    dead_ = true;
    return UnavailableError("killed");
  }
  return response;
}

absl::StatusOr<kube::StreamResponse> MortalTransport::Open(const kube::HttpRequest& request,
                                                           const kube::CallOptions& options) {
  return next_.Open(request, options);
}

Service::Service(Bench& bench, HandoffOptions options)
    : transport(bench.server),
      disturbance(kube::NoObserver(), bench.clock),
      client(transport, disturbance),
      world({ticket_store_, guardian_store_, claim_pod_store_, node_store_}, bench.clock),
      metrics(registry_),
      events(client, bench.clock, {.component = "korder-ticket-svc", .instance = "test"}),
      traffic(bench.clock),
      pulse(bench.clock),
      reconciler({client, world, charges, events, metrics, traffic, bench.clock}, kGuardianOptions),
      tickets("ticket", reconciler, bench.clock),
      fences(client, "korder-system", kGuardianOptions),
      fence_queue("fence", fences, bench.clock),
      handoff_reconciler(
          {client, world, locks, fences, traffic, pulse, disturbance, events, metrics, bench.clock},
          options, [this](const std::string& node) { wake_ups.NodeFreed(node); }),
      handoffs("handoff", handoff_reconciler, bench.clock),
      claim_reconciler({client, world, locks, events, bench.clock}, {.method = options.method},
                       [this](const std::string& node) { handoffs.Enqueue(NodeKey(node)); }),
      claims("claims", claim_reconciler, bench.clock),
      wake_ups(world, locks, fences, pulse, metrics, {tickets, claims, handoffs}) {
  fences.Connect([this](const kube::ObjectKey& key) { fence_queue.Enqueue(key); },
                 [this] { wake_ups.AllHandoffs(); });
}

void Service::SyncTickets() {
  kube::SyncStore(client, "", ticket_store_,
                  [this](auto* was, auto* is) { wake_ups.OnTicket(was, is); });
}
void Service::SyncGuardians() {
  kube::SyncStore(client, "korder.dev/role in (guardian,fence)", guardian_store_,
                  [this](auto* was, auto* is) { wake_ups.OnGuardian(was, is); });
}
void Service::SyncClaimPods() {
  kube::SyncStore(client, "korder.dev/claim", claim_pod_store_,
                  [this](auto* was, auto* is) { wake_ups.OnClaimPod(was, is); });
}
void Service::SyncNodes() {
  kube::SyncStore(client, "", node_store_,
                  [this](auto* was, auto* is) { wake_ups.OnNode(was, is); });
}
void Service::Sync() {
  SyncNodes();
  SyncTickets();
  SyncGuardians();
  SyncClaimPods();
}

void Service::Work() {
  const std::stop_token never;
  while (!dead() && (tickets.ProcessDue(never) || claims.ProcessDue(never) ||
                     handoffs.ProcessDue(never) || fence_queue.ProcessDue(never))) {
  }
}

void Service::TellEvents() {
  std::stop_source stop;
  stop.request_stop();
  events.Run(stop.get_token());
}

}  // namespace korder::ticket
