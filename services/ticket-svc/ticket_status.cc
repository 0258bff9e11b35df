#include "ticket-svc/ticket_status.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "api/core/pod_requests.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/reasons.h"
#include "kube/object_key.h"
#include "ticket-svc/expiry.h"

namespace korder::ticket {
namespace {

using api::TicketPhase;

struct Verdict {
  bool is_true = false;
  std::string_view reason;
  std::string_view message = "";
};

void Set(std::string_view type, const Verdict& verdict, absl::Time now, api::TicketStatus& status) {
  api::SetCondition(
      status.conditions,
      {.type = std::string(type),
       .status = verdict.is_true ? api::ConditionStatus::kTrue : api::ConditionStatus::kFalse,
       .observed_generation = status.observed_generation,
       .reason = std::string(verdict.reason),
       .message = std::string(verdict.message)},
      now);
}

// Ready and GuardianReady are False for the same cause.
void SetNotReady(std::string_view reason, std::string_view message, absl::Time now,
                 api::TicketStatus& status) {
  Set(api::kConditionReady, {false, reason, message}, now, status);
  Set(api::kConditionGuardianReady, {false, reason}, now, status);
}

api::TicketStatus Next(const GuardedTicket& ticket, TicketPhase phase, std::string_view reason,
                       std::string message) {
  api::TicketStatus status = WholeStatus(ticket);
  status.phase = phase;
  status.reason = reason;
  status.message = std::move(message);
  status.observed_generation = ticket.metadata.generation;
  return status;
}

void ForgetClaim(api::TicketStatus& status) {
  status.handoff.reset();
  status.claimed_pod.clear();
  status.claimed_pod_uid.clear();
  status.utilization_rate.clear();
}

}  // namespace

api::TicketStatus PendingStatus(const GuardedTicket& ticket, std::string_view reason,
                                std::string message, absl::Time now) {
  api::TicketStatus status = Next(ticket, TicketPhase::kPending, reason, std::move(message));
  status.node_name.clear();
  status.guardian_pod.clear();
  SetNotReady(reason, status.message, now, status);
  Set(api::kConditionScheduled, {false, reason}, now, status);
  return status;
}

api::TicketStatus ReadyStatus(const GuardedTicket& ticket, const OwnPod& guardian,
                              int32_t incarnation, absl::Time now) {
  api::TicketStatus status = Next(ticket, TicketPhase::kReady, "", "");
  if (!status.activation_time) {
    status.activation_time = WindowStartWhenReady(ticket, now);
    status.expiration_time = WindowEndWhenReady(ticket, now);
  }
  status.node_name = guardian.node_name;
  status.guardian_pod = kube::KeyOf(guardian).ToString();
  status.incarnation = incarnation;
  Set(api::kConditionReady, {true, api::kReasonGuardianRunning}, now, status);
  Set(api::kConditionGuardianReady, {true, api::kReasonGuardianRunning}, now, status);
  Set(api::kConditionScheduled, {true, api::kReasonGuardianBound}, now, status);
  return status;
}

api::TicketStatus ProlongedStatus(const GuardedTicket& ticket, absl::Time end, absl::Time now) {
  api::TicketStatus status = WholeStatus(ticket);
  status.observed_generation = ticket.metadata.generation;
  status.expiration_time = end == absl::InfiniteFuture() ? std::nullopt : std::optional(end);
  api::WindowTerms longer = ticket;
  longer.expiration_time = status.expiration_time;
  const std::optional<absl::Time> expiring = ExpiringFrom(longer);
  if (!expiring || now < *expiring) {
    api::RemoveCondition(status.conditions, api::kConditionExpiring);
  }
  return status;
}

api::TicketStatus AssignedStatus(const GuardedTicket& ticket, const api::Pod& pod,
                                 api::TicketHandoff handoff, absl::Time now) {
  const std::string key = kube::KeyOf(pod).ToString();
  api::TicketStatus status = Next(ticket, TicketPhase::kClaimed, api::kReasonHandingOver,
                                  absl::StrCat("the room passes to pod ", key));
  status.handoff = std::move(handoff);
  status.claimed_pod = key;
  status.claimed_pod_uid = pod.metadata.uid;
  Set(api::kConditionReady, {false, api::kReasonHandingOver, status.message}, now, status);
  return status;
}

api::TicketStatus ReturnedStatus(const GuardedTicket& ticket, absl::Time now) {
  api::TicketStatus status = Next(ticket, TicketPhase::kReady, "", "");
  ForgetClaim(status);
  Set(api::kConditionReady, {true, api::kReasonGuardianRunning}, now, status);
  return status;
}

api::TicketStatus ClaimedStatus(const GuardedTicket& ticket, const api::Pod& pod, absl::Time now) {
  api::TicketStatus status = Next(ticket, TicketPhase::kClaimed, "", "");
  status.handoff.reset();
  status.guardian_pod.clear();
  status.claimed_time = now;
  status.utilization_rate = UtilizationRate(ticket, pod);
  SetNotReady(api::kReasonClaimed, absl::StrCat("pod ", status.claimed_pod, " has the room"), now,
              status);
  return status;
}

api::TicketStatus LostStatus(const GuardedTicket& ticket, std::string message, absl::Time now) {
  api::TicketStatus status = PendingStatus(ticket, api::kReasonHealing, std::move(message), now);
  ForgetClaim(status);
  return status;
}

api::TicketStatus FinishedStatus(const GuardedTicket& ticket, TicketPhase phase,
                                 std::string_view reason, std::string message, absl::Time now) {
  api::TicketStatus status = Next(ticket, phase, reason, std::move(message));
  status.handoff.reset();
  status.guardian_pod.clear();
  if (!status.finished_time) {
    status.finished_time = now;
  }
  SetNotReady(reason, status.message, now, status);
  api::RemoveCondition(status.conditions, api::kConditionExpiring);
  return status;
}

api::TicketStatus ExpiringStatus(const GuardedTicket& ticket, absl::Time now) {
  api::TicketStatus status = WholeStatus(ticket);
  Set(api::kConditionExpiring, {true, api::kReasonWindowEnding}, now, status);
  return status;
}

std::string UtilizationRate(const GuardedTicket& ticket, const api::Pod& pod) {
  const api::ResourceList asked = api::PodRequests(pod.spec);
  std::optional<double> least;
  for (const auto& [name, held] : ticket.form->requests) {
    if (held.IsZero()) {
      continue;
    }
    const auto it = asked.find(name);
    const double used = it == asked.end() ? 0 : static_cast<double>(it->second.nanos());
    const double rate = used / static_cast<double>(held.nanos());
    least = least ? std::min(*least, rate) : rate;
  }
  return absl::StrFormat("%.2f", least.value_or(0));
}

}  // namespace korder::ticket
