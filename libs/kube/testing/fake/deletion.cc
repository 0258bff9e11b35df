#include "kube/testing/fake/deletion.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kube/testing/fake/pod_rules.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube::fake {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

std::optional<int64_t> AskedGrace(const ApiCall& call, const Json& options) {
  int64_t seconds = 0;
  if (absl::SimpleAtoi(call.Query("gracePeriodSeconds"), &seconds)) {
    return seconds;
  }
  return options.Find("gracePeriodSeconds") == nullptr
             ? std::nullopt
             : std::optional<int64_t>(options.IntAt({"gracePeriodSeconds"}));
}

Refusal CheckPreconditions(const ApiCall& call, const Json& options, const Json& object) {
  const std::string kind = object.TextAt({"kind"});
  const std::string uid = options.TextAt({"preconditions", "uid"});
  const std::string own_uid = object.TextAt({"metadata", "uid"});
  if (!uid.empty() && uid != own_uid) {
    return PreconditionFailed(
        call, kind,
        absl::StrCat("the UID in the precondition (", uid, ") does not match the UID in record (",
                     own_uid, "). The object might have been deleted and then recreated"));
  }
  const std::string version = options.TextAt({"preconditions", "resourceVersion"});
  const std::string own_version = object.TextAt({"metadata", "resourceVersion"});
  if (!version.empty() && version != own_version) {
    return PreconditionFailed(call, kind,
                              absl::StrCat("the ResourceVersion in the precondition (", version,
                                           ") does not match the ResourceVersion in record (",
                                           own_version, "). The object might have been modified"));
  }
  return std::nullopt;
}

bool HasFinalizer(const Json& object, std::string_view finalizer) {
  const Json::Array& all = object.ArrayAt({"metadata", "finalizers"});
  return std::find(all.begin(), all.end(), Json::String(finalizer)) != all.end();
}

void AddFinalizer(Json& object, std::string_view finalizer) {
  if (!HasFinalizer(object, finalizer)) {
    Json all = Json::Of(object.ArrayAt({"metadata", "finalizers"}));
    all.array().push_back(Json::String(finalizer));
    object["metadata"]["finalizers"] = std::move(all);
  }
}

void RemoveFinalizer(Json& object, std::string_view finalizer) {
  std::erase(object["metadata"]["finalizers"].array(), Json::String(finalizer));
}

Json Marked(Json object, absl::Time now, int64_t grace) {
  Json& metadata = object["metadata"];
  if (metadata.Find("deletionTimestamp") == nullptr && metadata.IntAt({"generation"}) > 0) {
    metadata["generation"] = Json::Int(metadata.IntAt({"generation"}) + 1);
  }
  metadata["deletionTimestamp"] = TimeValue(now + absl::Seconds(grace));
  metadata["deletionGracePeriodSeconds"] = Json::Int(grace);
  return object;
}

// A pod that is on its way already: the time may only get shorter.
DeletePlan HastenPod(const Json& pod, std::optional<int64_t> asked_for, absl::Time now) {
  if (!asked_for || *asked_for >= pod.IntAt({"metadata", "deletionGracePeriodSeconds"})) {
    return {};
  }
  return {.mark = Marked(pod, now, *asked_for),
          .remove = *asked_for == 0 && pod.ArrayAt({"metadata", "finalizers"}).empty()};
}

DeletePlan PlanPodDelete(const Json& pod, std::optional<int64_t> asked_for, absl::Time now) {
  if (pod.At({"metadata", "deletionTimestamp"}) != nullptr) {
    return HastenPod(pod, asked_for, now);
  }
  const int64_t grace = GracePeriod(pod, asked_for);
  return {.mark = Marked(pod, now, grace),
          .remove = grace == 0 && pod.ArrayAt({"metadata", "finalizers"}).empty()};
}

// --- garbage ---

ObjectKey KeyOfObject(const Json& object) {
  return {object.TextAt({"metadata", "namespace"}), object.TextAt({"metadata", "name"})};
}

std::set<std::string> LivingUids(const ObjectStore& store) {
  std::set<std::string> uids;
  for (const ResourceId& resource : store.Resources()) {
    for (const ObjectPtr& object : store.List(resource)) {
      uids.insert(object->TextAt({"metadata", "uid"}));
    }
  }
  return uids;
}

// UIDs of owners that are being deleted with one of the two finalizers.
std::set<std::string> Leaving(const ObjectStore& store, std::string_view finalizer) {
  std::set<std::string> uids;
  for (const ResourceId& resource : store.Resources()) {
    for (const ObjectPtr& object : store.List(resource)) {
      if (object->At({"metadata", "deletionTimestamp"}) != nullptr &&
          HasFinalizer(*object, finalizer)) {
        uids.insert(object->TextAt({"metadata", "uid"}));
      }
    }
  }
  return uids;
}

struct Owners {
  std::set<std::string> living;
  std::set<std::string> foreground;
  std::set<std::string> orphaning;
};

bool IsSolid(const Owners& owners, const Json& reference) {
  const std::string uid = reference.TextAt({"uid"});
  return owners.living.contains(uid) && !owners.foreground.contains(uid);
}

// What is to do about an object because of its owners. REQUIRES: it has some.
std::optional<Chore> ChoreOf(const ResourceId& resource, const Json& object, const Owners& owners) {
  const Json::Array& references = object.ArrayAt({"metadata", "ownerReferences"});
  Json::Array kept = references;
  const bool orphaned = std::erase_if(kept, [&](const Json& reference) {
                          return owners.orphaning.contains(reference.TextAt({"uid"}));
                        }) > 0;
  if (!orphaned) {
    std::erase_if(kept, [&](const Json& reference) { return !IsSolid(owners, reference); });
    if (kept.empty()) {
      const bool going = object.At({"metadata", "deletionTimestamp"}) != nullptr;
      return going ? std::nullopt
                   : std::optional(Chore{resource, KeyOfObject(object), std::nullopt});
    }
  }
  if (kept.size() == references.size()) {
    return std::nullopt;
  }
  Json update = object;
  update["metadata"]["ownerReferences"] = Json::Of(std::move(kept));
  return Chore{resource, KeyOfObject(object), std::move(update)};
}

// Whether anything names the owner.
bool HasDependents(const ObjectStore& store, const std::string& uid) {
  for (const ResourceId& resource : store.Resources()) {
    for (const ObjectPtr& object : store.List(resource)) {
      for (const Json& reference : object->ArrayAt({"metadata", "ownerReferences"})) {
        if (reference.TextAt({"uid"}) == uid) {
          return true;
        }
      }
    }
  }
  return false;
}

// An owner that waits for its dependents to go or to be orphaned, and has none any more.
std::optional<Chore> ReleaseOwner(const ObjectStore& store, const ResourceId& resource,
                                  const Json& object) {
  if (object.At({"metadata", "deletionTimestamp"}) == nullptr ||
      !(HasFinalizer(object, kForeground) || HasFinalizer(object, kOrphan)) ||
      HasDependents(store, object.TextAt({"metadata", "uid"}))) {
    return std::nullopt;
  }
  Json update = object;
  RemoveFinalizer(update, kForeground);
  RemoveFinalizer(update, kOrphan);
  return Chore{resource, KeyOfObject(object), std::move(update)};
}

}  // namespace

DeletePlan PlanDelete(const ApiCall& call, const Json& object, absl::Time now) {
  Json options;
  if (!call.body.empty() && !json::Parse(call.body, options).ok()) {
    return {.refusal = BadRequest("the body is no DeleteOptions")};
  }
  if (Refusal refusal = CheckPreconditions(call, options, object)) {
    return {.refusal = std::move(refusal)};
  }
  Json changed = object;
  const std::string policy =
      call.Query("propagationPolicy") + options.TextAt({"propagationPolicy"});
  if (policy == "Foreground" || policy == "Orphan") {
    AddFinalizer(changed, policy == "Orphan" ? kOrphan : kForeground);
  }
  if (call.resource == ResourceId{"", "pods"}) {
    return PlanPodDelete(changed, AskedGrace(call, options), now);
  }
  if (changed.ArrayAt({"metadata", "finalizers"}).empty()) {
    return {.remove = true};
  }
  if (object.At({"metadata", "deletionTimestamp"}) != nullptr) {
    return {};
  }
  return {.mark = Marked(changed, now, 0)};
}

std::vector<Chore> FindGarbage(const ObjectStore& store) {
  const Owners owners{LivingUids(store), Leaving(store, kForeground), Leaving(store, kOrphan)};
  std::vector<Chore> chores;
  for (const ResourceId& resource : store.Resources()) {
    for (const ObjectPtr& object : store.List(resource)) {
      std::optional<Chore> chore;
      if (!object->ArrayAt({"metadata", "ownerReferences"}).empty()) {
        chore = ChoreOf(resource, *object, owners);
      }
      if (!chore) {
        chore = ReleaseOwner(store, resource, *object);
      }
      if (chore) {
        chores.push_back(*std::move(chore));
      }
    }
  }
  return chores;
}

}  // namespace korder::kube::fake
