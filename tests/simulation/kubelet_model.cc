#include "kubelet_model.h"

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "scheduler_model.h"

namespace korder::simulation {
namespace {

constexpr absl::Duration kCleaningPeriod = absl::Milliseconds(400);
constexpr absl::Duration kEviction = absl::Seconds(5);

}  // namespace

KubeletModel::KubeletModel(Machine& machine, World& world, uint64_t seed)
    : machine_(machine), world_(world), dice_(seed, "kubelet") {
  world_.pods.OnChange([this](const auto* was, const auto* is) { OnPod(was, is); });
  const auto gone = [this](const auto*, const auto* is) {
    litter_ = litter_ || is == nullptr || is->metadata.deleting();
  };
  world_.tickets.OnChange(gone);
  world_.orders.OnChange(gone);
  world_.nodes.OnChange([this](const auto*, const auto*) { litter_ = true; });
  Clean();
}

bool KubeletModel::IsUp(const std::string& node) const {
  const api::Node* const found = world_.nodes.Find({"", node});
  return found != nullptr && api::IsReady(*found);
}

void KubeletModel::OnPod(const api::Pod* was, const api::Pod* is) {
  litter_ = litter_ || is == nullptr || was == nullptr;  // its owner may have gone before
  if (is == nullptr) {
    return;
  }
  const bool starts = api::IsBound(*is) && is->status.phase == api::kPodPending &&
                      (was == nullptr || !api::IsBound(*was));
  const bool ends = is->metadata.deleting() && (was == nullptr || !was->metadata.deleting());
  if (starts || ends) {
    machine_.After(dice_.Between(absl::Milliseconds(3), absl::Milliseconds(60)),
                   [this, key = kube::KeyOf(*is), uid = is->metadata.uid] { Run(key, uid); });
  }
}

void KubeletModel::Run(const kube::ObjectKey& key, const std::string& uid) {
  const api::Pod* const pod = world_.pods.Find(key);
  if (pod == nullptr || pod->metadata.uid != uid) {
    return;
  }
  if (pod->metadata.deleting()) {
    world_.Delete<api::Pod>(
        "kubelet", key,
        {.uid = uid, .resource_version = "", .grace_period_seconds = 0, .propagation_policy = ""});
    return;
  }
  if (!IsUp(pod->spec.node_name)) {
    machine_.After(absl::Milliseconds(500), [this, key, uid] { Run(key, uid); });
    return;
  }
  if (pod->status.phase != api::kPodPending) {
    return;
  }
  // The kubelet's own check, with the pods that it has admitted.
  Amount free = AllocatableOf(*world_.nodes.Find({"", pod->spec.node_name}));
  for (const auto& [other_key, other] : world_.pods.all()) {
    if (other->spec.node_name == pod->spec.node_name && other->status.phase == api::kPodRunning) {
      free -= RequestsOf(*other);
    }
  }
  const bool fits = free.Holds(RequestsOf(*pod));
  world_.Patch<api::Pod>("kubelet", key,
                         fits ? R"({"status":{"phase":"Running"}})"
                              : R"({"status":{"phase":"Failed","reason":"OutOfcpu"}})",
                         "status");
}

void KubeletModel::Clean() {
  machine_.After(kCleaningPeriod, [this] { Clean(); });
  if (!litter_) {
    return;
  }
  litter_ = false;
  world_.CollectGarbage();
  std::vector<kube::ObjectKey> lost;
  for (const auto& [key, pod] : world_.pods.all()) {
    if (!api::IsBound(*pod)) {
      continue;
    }
    const api::Node* const node = world_.nodes.Find({"", pod->spec.node_name});
    if (node == nullptr) {
      lost.push_back(key);
    } else if (!api::IsReady(*node)) {
      litter_ = true;  // look again
      const absl::Time since = api::ReadySince(*node).value_or(machine_.Wall());
      if (machine_.Wall() - since > kEviction) {
        lost.push_back(key);
      }
    }
  }
  for (const kube::ObjectKey& key : lost) {
    world_.Delete<api::Pod>(
        "pod-gc", key,
        {.uid = "", .resource_version = "", .grace_period_seconds = 0, .propagation_policy = ""});
  }
}

}  // namespace korder::simulation
