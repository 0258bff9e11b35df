#include "ticket_copy.h"

#include <map>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "ticket-svc/guarded_ticket.h"

namespace korder::bench {
namespace {

constexpr int32_t kFirst = 1;  // incarnation of a guardian

using Members = std::map<std::string, json::RawValue>;

Members MembersOf(const std::string& text) {
  Members members;
  if (const absl::Status bad = json::Parse(text, members); !bad.ok()) {
    throw std::runtime_error(ToString(bad));
  }
  return members;
}

// What somebody sent to make it, but for labels and annotations.
Members AsMade(const std::string& text, std::string_view name) {
  Members members = MembersOf(text);
  members.erase("status");
  members["metadata"].text = json::Print(Members{{"name", {json::Print(std::string(name))}}});
  return members;
}

}  // namespace

TicketCopies::TicketCopies(const api::Ticket& ticket, const api::Pod& guardian)
    : as_made_{.metadata = {}, .spec = ticket.spec, .status = {}}, ready_(ticket.status) {
  const api::OwnerReference* owner = api::ControllerOf(ticket.metadata);
  if (ready_.phase != api::TicketPhase::kReady || owner == nullptr ||
      guardian.spec.containers.empty()) {
    throw std::runtime_error("not a Ready ticket of an Order, with its guardian");
  }
  as_made_.metadata.name = owner->name;
  as_made_.metadata.labels = ticket.metadata.labels;
  as_made_.metadata.annotations = ticket.metadata.annotations;
  as_made_.metadata.owner_references = {*owner};
  guardian_ = {.image = guardian.spec.containers.front().image,
               .priority_class = std::string(kCopiedPriorityClass),
               .pull_secrets = {}};
  for (const api::LocalObjectReference& secret : guardian.spec.image_pull_secrets) {
    guardian_.pull_secrets.push_back(secret.name);
  }
}

TicketCopy TicketCopies::Ticket(const std::string& ns, const std::string& order_uid,
                                int number) const {
  TicketCopy copy{as_made_};
  copy.metadata.ns = ns;
  absl::StrAppend(&copy.metadata.name, "-", number);
  copy.metadata.owner_references.front().uid = order_uid;
  return copy;
}

api::Pod TicketCopies::Guardian(const TicketCopy& made) const {
  api::Pod pod = ticket::GuardianPod(ticket::Reduced(made), kFirst, guardian_);
  pod.metadata.labels.erase(std::string(api::kLabelRole));
  pod.metadata.labels.emplace(kLabelCopy, api::kRoleGuardian);
  pod.metadata.owner_references.front().api_version = TicketCopy::kResource.ApiVersion();
  return pod;
}

TicketCopy TicketCopies::Ready(TicketCopy made, const std::string& node) const {
  made.status = ready_;
  made.status.node_name = node;
  made.status.guardian_pod =
      absl::StrCat(made.metadata.ns, "/", ticket::GuardianName(made.metadata.name, kFirst));
  return made;
}

std::string KindText(const std::string& tickets_kind) {
  Members kind = AsMade(tickets_kind, kCopiedKind);
  Members spec = MembersOf(kind["spec"].text);
  spec["group"].text = json::Print(std::string(TicketCopy::kResource.group));
  kind["spec"].text = json::Print(spec);
  return json::Print(kind);
}

std::string PriorityClassText(const std::string& guardians_class) {
  return json::Print(AsMade(guardians_class, kCopiedPriorityClass));
}

}  // namespace korder::bench
