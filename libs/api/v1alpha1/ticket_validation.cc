#include <string>

#include "api/v1alpha1/ticket_spec_validation.h"
#include "api/v1alpha1/ticket_window.h"
#include "api/v1alpha1/validation.h"

namespace korder::api {
namespace {

constexpr size_t kMaxName = 63;

// True when `now` lasts at least as long as `old`; without a duration a ticket lasts for ever.
bool LastsAsLong(const std::optional<DurationField>& now, const std::optional<DurationField>& old) {
  return !now.has_value() || (old.has_value() && now->value() >= old->value());
}

std::string TextOf(const std::optional<DurationField>& duration) {
  return duration.has_value() ? duration->text() : "";
}

void ValidateWindowChange(const Ticket& old, const Ticket& now, const FieldPath& path,
                          Problems& problems) {
  const TicketPhase phase = old.status.phase;
  // A ticket that lost its guardian is Pending again, and its window goes on.
  if (phase == TicketPhase::kPending && !HasBegun(old)) {
    return;
  }
  if (now.spec.start_time != old.spec.start_time) {
    problems.Missing(path / "startTime", "can change only before the ticket is Ready");
  }
  const bool prolonged = IsLive(phase) && LastsAsLong(now.spec.duration, old.spec.duration);
  if (now.spec.duration != old.spec.duration && !prolonged) {
    problems.Add(path / "duration", TextOf(now.spec.duration),
                 "can change only before the ticket is Ready, and be made longer until it is "
                 "claimed");
  }
}

// One field of the spec that never changes.
template <class T>
void ValidateUnchanged(const T& old, const T& now, const FieldPath& path, Problems& problems) {
  if (!(old == now)) {
    problems.Missing(path, "is immutable; make a new ticket");
  }
}

}  // namespace

std::vector<FieldError> Validate(const Ticket& ticket) {
  Problems problems;
  if (ticket.metadata.name.size() > kMaxName) {
    problems.Add(FieldPath("metadata.name"), ticket.metadata.name,
                 "can have at most 63 characters: it is also the value of the label "
                 "korder.dev/ticket");
  }
  ValidateTicketSpec(ticket.spec, FieldPath("spec"), problems);
  return problems.Take();
}

std::vector<FieldError> ValidateUpdate(const Ticket& old, const Ticket& now) {
  if (now.metadata.deleting()) {
    return {};
  }
  Problems problems;
  problems.Append(Validate(now));
  const FieldPath spec("spec");
  ValidateWindowChange(old, now, spec, problems);
  ValidateUnchanged(old.spec.lifecycle, now.spec.lifecycle, spec / "lifecycle", problems);
  ValidateUnchanged(old.spec.scheduler_name, now.spec.scheduler_name, spec / "schedulerName",
                    problems);
  ValidateUnchanged(old.spec.priority_class_name, now.spec.priority_class_name,
                    spec / "priorityClassName", problems);
  ValidateUnchanged(old.spec.resources, now.spec.resources, spec / "resources", problems);
  ValidateUnchanged(old.spec.node_name, now.spec.node_name, spec / "nodeName", problems);
  ValidateUnchanged(old.spec.node_selector, now.spec.node_selector, spec / "nodeSelector",
                    problems);
  ValidateUnchanged(old.spec.affinity, now.spec.affinity, spec / "affinity", problems);
  ValidateUnchanged(old.spec.tolerations, now.spec.tolerations, spec / "tolerations", problems);
  ValidateUnchanged(old.spec.topology_spread_constraints, now.spec.topology_spread_constraints,
                    spec / "topologySpreadConstraints", problems);
  return problems.Take();
}

}  // namespace korder::api
