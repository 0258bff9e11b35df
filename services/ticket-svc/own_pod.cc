#include "ticket-svc/own_pod.h"

#include "absl/strings/str_split.h"
#include "api/core/pod_requests.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/ticket.h"
#include "base/shared_pool.h"
#include "json/fields.h"

namespace korder::ticket {
namespace {

OwnRole RoleOf(const api::ObjectMeta& meta) {
  const std::string_view role = api::ValueOf(meta.labels, api::kLabelRole);
  return role == api::kRoleGuardian ? OwnRole::kGuardian
         : role == api::kRoleFence  ? OwnRole::kFence
                                    : OwnRole::kNone;
}

OwnPod::Owner OwnerOf(const api::ObjectMeta& meta) {
  const api::OwnerReference* owner = api::ControllerOf(meta);
  if (owner == nullptr || owner->kind != api::Ticket::kResource.kind) {
    return {};
  }
  return {.ticket = owner->name, .uid = owner->uid};
}

std::set<std::string> AvoidedNodes(const api::ObjectMeta& meta) {
  const std::string names(api::ValueOf(meta.annotations, api::kAnnotationAvoids));
  return absl::StrSplit(names, ',', absl::SkipEmpty());
}

}  // namespace

OwnPod Reduced(api::Pod pod) {
  api::ObjectMeta& meta = pod.metadata;
  OwnPod own;
  own.owner = OwnerOf(meta);
  own.role = RoleOf(meta);
  own.ask = SharedInProcess(OwnPod::Ask{.scheduler_name = std::move(pod.spec.scheduler_name),
                                        .priority = pod.spec.priority.value_or(0),
                                        .requests = api::PodRequests(pod.spec)});
  if (!api::IsBound(pod)) {
    own.where = OwnPod::Where{.node_selector = std::move(pod.spec.node_selector),
                              .affinity = std::move(pod.spec.affinity),
                              .tolerations = std::move(pod.spec.tolerations),
                              .avoided = AvoidedNodes(meta)};
    if (const api::PodCondition* refused = api::Unschedulable(pod)) {
      own.unschedulable = *refused;
    }
  }
  if (!pod.status.reason.empty() || !pod.status.message.empty()) {
    own.end = OwnPod::End{.reason = std::move(pod.status.reason),
                          .message = std::move(pod.status.message)};
  }
  own.node_name = pod.spec.node_name;
  own.phase = pod.status.phase;
  own.metadata = {api::TakeIdentity(meta), meta.creation_timestamp, meta.deletion_timestamp};
  return own;
}

void ReadJson(json::Reader& r, OwnPod& out) {
  api::Pod pod;
  json::ReadJson(r, pod);
  out = Reduced(std::move(pod));
}

bool IsBound(const OwnPod& pod) { return !pod.node_name.empty(); }

bool IsTerminal(const OwnPod& pod) { return api::IsTerminalPhase(pod.phase); }

}  // namespace korder::ticket
