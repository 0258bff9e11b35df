// A Ticket: one reservation, backed by one guardian pod until a business pod takes its room.
//
//   api::Ticket ticket;
//   ticket.spec = order.spec.ticket_template.spec;
//   if (IsFinished(ticket.status.phase)) { ... }
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/meta/condition.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/ticket_spec.h"
#include "base/boxed.h"
#include "json/fields.h"

namespace korder::api {

enum class TicketPhase { kPending, kReady, kClaimed, kCompleted, kExpired, kFailed };
constexpr auto EnumNames(TicketPhase) {
  return std::to_array<std::string_view>(
      {"Pending", "Ready", "Claimed", "Completed", "Expired", "Failed"});
}

// Pending or Ready: it counts towards an order's replicas.
constexpr bool IsLive(TicketPhase phase) {
  return phase == TicketPhase::kPending || phase == TicketPhase::kReady;
}
// Completed, Expired or Failed: it holds nothing any more and never will again.
constexpr bool IsFinished(TicketPhase phase) {
  return !IsLive(phase) && phase != TicketPhase::kClaimed;
}

// The intent of a handoff under way; written before anything that cannot be undone.
struct TicketHandoff {
  std::string id;
  std::string step;
  std::string pod_uid;
  std::string guardian_uid;
  std::string node;
  std::optional<absl::Time> started_at;

  bool operator==(const TicketHandoff&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("id", self.id);
    v("step", self.step);
    v("podUID", self.pod_uid);
    v("guardianUID", self.guardian_uid);
    v("node", self.node);
    v("startedAt", self.started_at);
  }
};

struct TicketStatus {
  TicketPhase phase = TicketPhase::kPending;
  std::string reason;
  std::string message;
  std::string node_name;
  std::string guardian_pod;  // "namespace/name"
  std::string claimed_pod;   // "namespace/name"
  std::string claimed_pod_uid;
  std::optional<absl::Time> activation_time;
  std::optional<absl::Time> expiration_time;
  std::optional<absl::Time> claimed_time;
  std::optional<absl::Time> finished_time;
  std::string utilization_rate;  // "0.80"
  Boxed<TicketHandoff> handoff;
  int32_t incarnation = 0;  // of the newest guardian; 0 before the first
  int64_t observed_generation = 0;
  std::vector<Condition> conditions;

  bool operator==(const TicketStatus&) const = default;
  friend bool IsEmptyJson(const TicketStatus& status) { return status == TicketStatus{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("phase", self.phase);
    v("reason", self.reason);
    v("message", self.message);
    v("nodeName", self.node_name);
    v("guardianPod", self.guardian_pod);
    v("claimedPod", self.claimed_pod);
    v("claimedPodUID", self.claimed_pod_uid);
    v("activationTime", self.activation_time);
    v("expirationTime", self.expiration_time);
    v("claimedTime", self.claimed_time);
    v("finishedTime", self.finished_time);
    v("utilizationRate", self.utilization_rate);
    v("handoff", self.handoff);
    v("incarnation", self.incarnation);
    v("observedGeneration", self.observed_generation);
    v("conditions", self.conditions);
  }
};

struct Ticket {
  static constexpr ResourceType kResource{
      .group = kGroup, .version = kVersion, .plural = "tickets", .kind = "Ticket"};

  ObjectMeta metadata;
  TicketSpec spec;
  TicketStatus status;

  bool operator==(const Ticket&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", kApiVersion);
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("spec", self.spec);
    v("status", self.status);
  }
};

}  // namespace korder::api
