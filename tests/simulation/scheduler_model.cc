#include "scheduler_model.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "api/core/node_fit.h"
#include "api/core/pod_requests.h"
#include "api/v1alpha1/names.h"
#include "kube/request.h"

namespace korder::simulation {
namespace {

constexpr absl::Duration kLag = absl::Milliseconds(4);
constexpr absl::Duration kLongLag = absl::Milliseconds(60);
constexpr char kName[] = "scheduler";

Amount AmountOf(const api::ResourceList& list) {
  Amount amount;
  if (const auto it = list.find("cpu"); it != list.end()) {
    amount.cpu = it->second.MilliValue();
  }
  if (const auto it = list.find("memory"); it != list.end()) {
    amount.memory = it->second.MilliValue() / 1000;
  }
  return amount;
}

bool Waits(const api::Pod& pod) {
  return !api::IsBound(pod) && pod.spec.scheduling_gates.empty() && !pod.metadata.deleting() &&
         !api::IsTerminal(pod);
}

// A nomination that was set or changed and nothing else happened to where the pod is.
bool IsOnlyNomination(const api::Pod* was, const api::Pod* is) {
  return was != nullptr && is != nullptr && !is->spec.scheduling_gates.empty() &&
         was->status.nominated_node_name != is->status.nominated_node_name && was->spec == is->spec;
}

}  // namespace

Amount RequestsOf(const api::Pod& pod) { return AmountOf(api::PodRequests(pod.spec)); }
Amount AllocatableOf(const api::Node& node) { return AmountOf(node.status.allocatable); }

SchedulerModel::SchedulerModel(Machine& machine, World& world, int server_minor, uint64_t seed)
    : machine_(machine), world_(world), minor_(server_minor), dice_(seed, "scheduler") {
  world_.pods.OnChange([this](const auto* was, const auto* is) { OnPod(was, is); });
  world_.nodes.OnChange([this](const auto* was, const auto* is) { OnNode(was, is); });
}

// --- what it hears

void SchedulerModel::OnPod(const api::Pod* was, const api::Pod* is) {
  const bool apart = minor_ < 35 && IsOnlyNomination(was, is);
  MonoTime& last = apart ? last_nomination_ : last_;
  if (is != nullptr && api::ValueOf(is->metadata.labels, api::kLabelRole) == api::kRoleFence) {
    last = std::max(last, last_nomination_);  // it is looked at after all that was there before
  }
  last = std::max(last, machine_.Mono() + absl::ToChronoNanoseconds(dice_.Latency(kLag, kLongLag)));
  std::string uid = (is != nullptr ? *is : *was).metadata.uid;
  std::shared_ptr<const api::Pod> pod =
      is == nullptr ? nullptr : world_.pods.all().at(kube::KeyOf(*is));
  machine_.At(last, [this, life = life_, uid = std::move(uid), pod = std::move(pod)] {
    if (life == life_ && !down_) {
      Receive(uid, pod);
    }
  });
}

void SchedulerModel::Receive(std::string uid, std::shared_ptr<const api::Pod> pod) {
  if (!pod) {
    pods_.erase(uid);
    return SomethingMoved();
  }
  Seen& seen = pods_[uid];
  const auto version = [](const api::Pod& p) { return std::stoll(p.metadata.resource_version); };
  if (seen.pod && version(*seen.pod) > version(*pod)) {
    // Before 1.35, by the other way.
    return;
  }
  const bool placed_before = seen.pod && (api::IsBound(*seen.pod) || api::IsTerminal(*seen.pod));
  const bool changed = !seen.pod || seen.pod->spec != pod->spec ||
                       seen.pod->metadata.annotations != pod->metadata.annotations ||
                       seen.pod->status.nominated_node_name != pod->status.nominated_node_name;
  seen.pod = std::move(pod);
  seen.requests = RequestsOf(*seen.pod);
  seen.priority = seen.pod->spec.priority.value_or(0);
  seen.nominated = seen.pod->status.nominated_node_name;
  if (api::IsBound(*seen.pod)) {
    seen.assumed.clear();
  }
  if (changed) {
    seen.tried = false;
    seen.not_before = {};
  }
  if (placed_before && api::IsTerminal(*seen.pod)) {
    return SomethingMoved();
  }
  CycleSoon();
}

void SchedulerModel::OnNode(const api::Node* was, const api::Node* is) {
  std::string name = (is != nullptr ? *is : *was).metadata.name;
  std::shared_ptr<const api::Node> node =
      is == nullptr ? nullptr : world_.nodes.all().at({"", is->metadata.name});
  machine_.After(dice_.Latency(kLag, kLongLag),
                 [this, life = life_, name = std::move(name), node = std::move(node)] {
                   if (life != life_ || down_) {
                     return;
                   }
                   if (node) {
                     nodes_[name] = node;
                   } else {
                     nodes_.erase(name);
                   }
                   SomethingMoved();
                 });
}

void SchedulerModel::Restart() {
  ++life_;
  down_ = true;
  restarted_at_ = machine_.Mono();
  pods_.clear();
  nodes_.clear();
  cycle_planned_ = false;
  machine_.After(dice_.Between(absl::Milliseconds(300), absl::Seconds(3)), [this, life = life_] {
    if (life != life_) {
      return;
    }
    down_ = false;
    restarted_at_ = machine_.Mono();
    for (const auto& [key, node] : world_.nodes.all()) {
      nodes_[key.name] = node;
    }
    for (const auto& [key, pod] : world_.pods.all()) {
      Receive(pod->metadata.uid, pod);
      if (minor_ < 37 && !pod->spec.scheduling_gates.empty()) {
        pods_[pod->metadata.uid].nominated.clear();
      }
    }
    world_.Patch<api::Lease>(
        kName, {"kube-system", "kube-scheduler"},
        absl::StrCat(R"({"spec":{"holderIdentity":"scheduler-)", life_, R"("}})"));
  });
}

void SchedulerModel::Stall(absl::Duration time) {
  last_ = std::max(last_, machine_.Mono()) + absl::ToChronoNanoseconds(time);
  last_nomination_ = std::max(last_, last_nomination_);
}

// --- what it does

void SchedulerModel::SomethingMoved() {
  for (auto& [uid, seen] : pods_) {
    seen.tried = false;
  }
  CycleSoon();
}

void SchedulerModel::CycleSoon() {
  if (cycle_planned_) {
    return;
  }
  cycle_planned_ = true;
  machine_.After(dice_.Between(absl::Microseconds(200), absl::Milliseconds(2)),
                 [this, life = life_] {
                   if (life == life_ && !down_) {
                     cycle_planned_ = false;
                     Cycle();
                   }
                 });
}

SchedulerModel::Seen* SchedulerModel::Next() {
  Seen* best = nullptr;
  const auto rank = [](const Seen& seen) {
    return std::tuple(-seen.priority,
                      seen.pod->metadata.creation_timestamp.value_or(absl::InfinitePast()),
                      std::string_view(seen.pod->metadata.uid));
  };
  std::optional<MonoTime> soonest;
  for (auto& [uid, seen] : pods_) {
    if (!seen.pod || !seen.assumed.empty() || seen.tried || !Waits(*seen.pod)) {
      continue;
    }
    if (seen.not_before > machine_.Mono()) {
      soonest = std::min(soonest.value_or(seen.not_before), seen.not_before);
      continue;
    }
    if (best == nullptr || rank(seen) < rank(*best)) {
      best = &seen;
    }
  }
  if (best == nullptr && soonest) {
    machine_.At(*soonest, [this, life = life_] {
      if (life == life_ && !down_) {
        CycleSoon();
      }
    });
  }
  return best;
}

void SchedulerModel::Cycle() {
  Seen* const seen = Next();
  if (seen == nullptr) {
    return;
  }
  Schedule(seen->pod->metadata.uid, *seen);
  CycleSoon();
}

bool SchedulerModel::Fits(const std::string& uid, const Seen& seen, const api::Node& node,
                          bool without_lower) const {
  if (api::WhyNodeDoesNotFit(api::PlacementOf(seen.pod->spec), node)) {
    return false;
  }
  Amount free = AllocatableOf(node);
  for (const auto& [other_uid, other] : pods_) {
    if (other_uid == uid || !other.pod || api::IsTerminal(*other.pod)) {
      continue;
    }
    const bool here =
        other.pod->spec.node_name == node.metadata.name || other.assumed == node.metadata.name;
    const bool nominated = !here && !api::IsBound(*other.pod) && other.assumed.empty() &&
                           other.nominated == node.metadata.name &&
                           other.priority >= seen.priority && !other.pod->metadata.deleting();
    const bool counts = (here && !(without_lower && other.priority < seen.priority)) || nominated;
    if (counts) {
      free -= other.requests;
    }
  }
  return free.Holds(seen.requests);
}

void SchedulerModel::Schedule(const std::string& uid, Seen& seen) {
  if (const auto it = nodes_.find(seen.nominated);
      it != nodes_.end() && Fits(uid, seen, *it->second, false)) {
    return Bind(uid, seen, it->first);
  }
  std::vector<std::string> fitting;
  for (const auto& [name, node] : nodes_) {
    if (Fits(uid, seen, *node, false)) {
      fitting.push_back(name);
    }
  }
  if (!fitting.empty()) {
    return Bind(uid, seen, dice_.Pick(fitting));
  }
  if (seen.pod->spec.preemption_policy != "Never" && Preempt(uid, seen)) {
    return;
  }
  Refuse(uid, seen, "");
}

bool SchedulerModel::Preempt(const std::string& uid, Seen& seen) {
  for (const auto& [name, node] : nodes_) {
    if (!Fits(uid, seen, *node, true)) {
      continue;
    }
    // Those of the least priority first, until there is room.
    std::vector<const Seen*> victims;
    for (const auto& [other_uid, other] : pods_) {
      if (other.pod && other.pod->spec.node_name == name && other.priority < seen.priority &&
          !api::IsTerminal(*other.pod)) {
        victims.push_back(&other);
      }
    }
    std::sort(victims.begin(), victims.end(), [](const Seen* a, const Seen* b) {
      return std::tuple(a->priority, std::string_view(a->pod->metadata.uid)) <
             std::tuple(b->priority, std::string_view(b->pod->metadata.uid));
    });
    if (victims.empty()) {
      continue;
    }
    Amount needed = seen.requests;
    for (const Seen* victim : victims) {
      if (needed.cpu <= 0 && needed.memory <= 0) {
        break;
      }
      needed -= victim->requests;
      Send(kube::DeleteRequest(api::Pod::kResource, kube::KeyOf(*victim->pod),
                               {.uid = victim->pod->metadata.uid,
                                .resource_version = "",
                                .grace_period_seconds = 0,
                                .propagation_policy = ""}));
    }
    // Whoever is nominated there and of less priority has to look elsewhere.
    for (auto& [other_uid, other] : pods_) {
      if (other.pod && other.nominated == name && other.priority < seen.priority &&
          !api::IsBound(*other.pod)) {
        other.nominated.clear();
        Send(kube::PatchRequest(api::Pod::kResource, kube::KeyOf(*other.pod),
                                {.subresource = "status"},
                                R"({"status":{"nominatedNodeName":null}})"));
      }
    }
    Refuse(uid, seen, name);
    return true;
  }
  return false;
}

void SchedulerModel::Bind(const std::string& uid, Seen& seen, const std::string& node) {
  seen.assumed = node;
  const kube::ObjectKey key = kube::KeyOf(*seen.pod);
  Send({.method = "POST",
        .target = absl::StrCat("/api/v1/namespaces/", key.ns, "/pods/", key.name, "/binding"),
        .content_type = "application/json",
        .body = absl::StrCat(R"({"apiVersion":"v1","kind":"Binding","metadata":{"name":")",
                             key.name, R"(","uid":")", uid,
                             R"("},"target":{"kind":"Node","name":")", node, R"("}})")},
       [this, uid](bool done) {
         const auto it = pods_.find(uid);
         if (it == pods_.end() || done) {
           return;
         }
         it->second.assumed.clear();
         it->second.not_before = machine_.Mono() + std::chrono::milliseconds(50);
         SomethingMoved();
       });
}

void SchedulerModel::Refuse(const std::string& uid, Seen& seen, const std::string& nominate) {
  seen.tried = true;
  seen.failures = std::min(seen.failures + 1, 4);
  seen.not_before = machine_.Mono() + std::chrono::milliseconds(50 << seen.failures);
  // The scheduler tries again from time to time, whatever it has heard.
  machine_.After(absl::Seconds(10), [this, life = life_, uid] {
    if (const auto it = pods_.find(uid); life == life_ && it != pods_.end()) {
      it->second.tried = false;
      CycleSoon();
    }
  });
  const bool told = api::Unschedulable(*seen.pod) != nullptr;
  if (told && seen.pod->status.nominated_node_name == nominate) {
    return;
  }
  seen.nominated = nominate;
  const std::string nomination = nominate.empty() ? "null" : absl::StrCat("\"", nominate, "\"");
  Send(kube::PatchRequest(api::Pod::kResource, kube::KeyOf(*seen.pod),
                          {.type = kube::PatchType::kStrategicMerge, .subresource = "status"},
                          absl::StrCat(R"({"metadata":{"uid":")", uid,
                                       R"("},"status":{"nominatedNodeName":)", nomination,
                                       R"(,"conditions":[{"type":"PodScheduled","status":"False",)"
                                       R"("reason":"Unschedulable","message":"no room"}]}})")));
}

void SchedulerModel::Send(kube::HttpRequest request, std::function<void(bool)> then) {
  machine_.After(dice_.Latency(absl::Milliseconds(2), absl::Milliseconds(40)),
                 [this, life = life_, request = std::move(request), then = std::move(then)] {
                   const bool done = world_.Did(kName, request);
                   if (then && life == life_ && !down_) {
                     then(done);
                   }
                 });
}

}  // namespace korder::simulation
