#include "kube/testing/fake/resource_rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "kube/testing/fake/pod_rules.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube::fake {
namespace {

const ResourceId kPods{"", "pods"};

bool IsBuiltIn(const std::string& group) {
  return group.find('.') == std::string::npos || absl::EndsWith(group, ".k8s.io");
}

std::string Name(const Json& object) { return object.TextAt({"metadata", "name"}); }

// The server alone decides on these; whatever a client sends in them is ignored.
constexpr std::array<std::string_view, 7> kServerOwned = {"creationTimestamp",
                                                          "deletionGracePeriodSeconds",
                                                          "deletionTimestamp",
                                                          "generation",
                                                          "managedFields",
                                                          "selfLink",
                                                          "uid"};

void DropEmptyMetadata(Json& object) {
  for (const std::string_view key : {"annotations", "finalizers", "labels", "ownerReferences"}) {
    const Json* member = object["metadata"].Find(key);
    if (member != nullptr && (member->IsNull() || member->IsEmpty())) {
      object["metadata"].Erase(key);
    }
  }
}

Refusal CheckIdentity(const ApiCall& call, const Json& was, const Json& is) {
  if (Name(is) != call.key.name) {
    return BadRequest(absl::StrCat("the name of the object (", Name(is),
                                   ") does not match the name on the URL (", call.key.name, ")"));
  }
  if (const std::string ns = is.TextAt({"metadata", "namespace"});
      !ns.empty() && ns != call.key.ns) {
    return BadRequest(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  const std::string uid = is.TextAt({"metadata", "uid"});
  const std::string own = was.TextAt({"metadata", "uid"});
  if (uid.empty() || uid == own) {
    return std::nullopt;
  }
  if (call.verb == "update") {
    return Conflict(call, absl::StrCat("Precondition failed: UID in precondition: ", uid,
                                       ", UID in object meta: ", own));
  }
  return Invalid(call, is.TextAt({"kind"}), call.key.name,
                 {{"FieldValueInvalid", "metadata.uid",
                   absl::StrCat("Invalid value: \"", uid, "\": field is immutable")}});
}

// A client cannot delete by writing; once an object is being deleted, what it sends is ignored.
Refusal CheckDeletionTime(const ApiCall& call, const Json& was, const Json& is) {
  const std::string time = is.TextAt({"metadata", "deletionTimestamp"});
  if (time.empty() || was.At({"metadata", "deletionTimestamp"}) != nullptr) {
    return std::nullopt;
  }
  return Invalid(call, was.TextAt({"kind"}), call.key.name,
                 {{"FieldValueInvalid", "metadata.deletionTimestamp",
                   absl::StrCat("Invalid value: \"", time, "\": field is immutable")}});
}

Refusal CheckVersion(const ApiCall& call, const Json& was, Json& is) {
  const std::string newest = was.TextAt({"metadata", "resourceVersion"});
  const std::string based_on = is.TextAt({"metadata", "resourceVersion"});
  if (based_on == newest) {
    return std::nullopt;
  }
  if (!based_on.empty()) {
    return StaleVersion(call);
  }
  if (call.verb == "update" && !TraitsOf(call.resource).unconditional_update) {
    return Invalid(call, call.resource.plural, call.key.name,
                   {{"FieldValueInvalid", "metadata.resourceVersion",
                     "Invalid value: 0: must be specified for an update"}});
  }
  is["metadata"]["resourceVersion"] = Json::String(newest);
  return std::nullopt;
}

// Keeps what the endpoint has no business with.
void KeepForeignParts(const ApiCall& call, const Json& was, Json& is) {
  for (const std::string_view key : kServerOwned) {
    is["metadata"].CopyMember(was["metadata"], key);
  }
  is["metadata"].CopyMember(was["metadata"], "namespace");
  is.CopyMember(was, "apiVersion");
  is.CopyMember(was, "kind");
  const Traits traits = TraitsOf(call.resource);
  if (call.subresource.empty()) {
    if (traits.has_status) {
      is.CopyMember(was, "status");
    }
    return;
  }
  // A built-in status endpoint also takes labels, annotations and finalizers.
  Json kept = was;
  kept.CopyMember(is, "status");
  if (!traits.custom) {
    Json& metadata = kept["metadata"];
    for (const std::string_view key : {"annotations", "finalizers", "labels"}) {
      metadata.CopyMember(is["metadata"], key);
    }
  }
  is = std::move(kept);
}

Refusal CheckFinalizers(const ApiCall& call, const Json& was, const Json& is) {
  if (was.At({"metadata", "deletionTimestamp"}) == nullptr) {
    return std::nullopt;
  }
  const Json::Array& before = was.ArrayAt({"metadata", "finalizers"});
  std::vector<std::string> added;
  for (const Json& finalizer : is.ArrayAt({"metadata", "finalizers"})) {
    if (std::find(before.begin(), before.end(), finalizer) == before.end()) {
      added.push_back(absl::StrCat("\"", finalizer.Text(), "\""));
    }
  }
  if (added.empty()) {
    return std::nullopt;
  }
  return Invalid(call, is.TextAt({"kind"}), call.key.name,
                 {{"FieldValueForbidden", "metadata.finalizers",
                   absl::StrCat("Forbidden: no new finalizers can be added if the object is being "
                                "deleted, found new finalizers []string{",
                                absl::StrJoin(added, ", "), "}")}});
}

// What counts for the generation: a pod's spec; of everything else all but metadata and status.
bool SpecChanged(const Json& was, const Json& is) {
  Json before = was;
  Json after = is;
  for (const std::string_view key : {"metadata", "status"}) {
    before.Erase(key);
    after.Erase(key);
  }
  return before != after;
}

}  // namespace

Traits TraitsOf(const ResourceId& resource) {
  if (!IsBuiltIn(resource.group)) {
    return {.custom = true, .has_status = true, .has_generation = true};
  }
  if (resource.group.empty()) {
    const bool pods = resource.plural == "pods";
    return {.has_status = pods || resource.plural == "nodes" || resource.plural == "namespaces",
            .has_generation = pods,
            .unconditional_update = true,
            .create_on_update = resource.plural == "events"};
  }
  if (resource.group == "coordination.k8s.io") {
    return {.create_on_update = true};
  }
  const bool bare =
      resource.group == "admissionregistration.k8s.io" || resource.group == "scheduling.k8s.io";
  return {.has_status = !bare, .has_generation = true, .unconditional_update = !bare};
}

Json TimeValue(absl::Time time) {
  return Json::String(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()));
}

Refusal PrepareCreate(const ApiCall& call, const Birth& birth, Json& object) {
  Json& metadata = object["metadata"];
  if (!metadata.TextAt({"resourceVersion"}).empty()) {
    return InternalServerError("resourceVersion should not be set on objects to be created");
  }
  if (const std::string ns = metadata.TextAt({"namespace"}); !ns.empty() && ns != call.key.ns) {
    return BadRequest(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (metadata.TextAt({"name"}).empty()) {
    const std::string stem = metadata.TextAt({"generateName"});
    if (stem.empty()) {
      return Invalid(call, object.TextAt({"kind"}), "",
                     {{"FieldValueRequired", "metadata.name",
                       "Required value: name or generateName is required"}});
    }
    metadata["name"] = Json::String(stem + birth.name_suffix);
  }
  for (const std::string_view key : kServerOwned) {
    metadata.Erase(key);
  }
  if (!call.key.ns.empty()) {
    metadata["namespace"] = Json::String(call.key.ns);
  }
  metadata["uid"] = Json::String(birth.uid);
  metadata["creationTimestamp"] = TimeValue(birth.now);
  const Traits traits = TraitsOf(call.resource);
  if (traits.has_generation) {
    metadata["generation"] = Json::Int(1);
  }
  if (traits.has_status && call.resource != ResourceId{"", "nodes"}) {
    object.Erase("status");
  }
  DropEmptyMetadata(object);
  return call.resource == kPods ? PreparePodCreate(call, object) : std::nullopt;
}

Refusal PrepareUpdate(const ApiCall& call, const Json& was, Json& is) {
  if (Refusal refusal = CheckIdentity(call, was, is)) {
    return refusal;
  }
  if (Refusal refusal = CheckVersion(call, was, is)) {
    return refusal;
  }
  if (Refusal refusal = CheckDeletionTime(call, was, is)) {
    return refusal;
  }
  KeepForeignParts(call, was, is);
  DropEmptyMetadata(is);
  if (Refusal refusal = CheckFinalizers(call, was, is)) {
    return refusal;
  }
  if (call.resource == kPods) {
    if (Refusal refusal = CheckPodUpdate(call, was, is)) {
      return refusal;
    }
  }
  if (TraitsOf(call.resource).has_generation && SpecChanged(was, is)) {
    is["metadata"]["generation"] = Json::Int(was.IntAt({"metadata", "generation"}) + 1);
  }
  return std::nullopt;
}

bool IsReadyToGo(const ResourceId& resource, const Json& object) {
  if (object.At({"metadata", "deletionTimestamp"}) == nullptr ||
      !object.ArrayAt({"metadata", "finalizers"}).empty()) {
    return false;
  }
  return resource != kPods || object.IntAt({"metadata", "deletionGracePeriodSeconds"}) == 0;
}

}  // namespace korder::kube::fake
