#include "ticket-svc/guardian_pod.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"

namespace korder::ticket {
namespace {

constexpr size_t kMaxName = 63;
constexpr size_t kMaxSuffix = 12;  // "-g2147483647"
constexpr int64_t kNobody = 65532;

// FNV-1a: stable over processes and versions, unlike std::hash.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  }
  return hash;
}

std::string Stem(const std::string& ticket) {
  if (ticket.size() + kMaxSuffix <= kMaxName) {
    return ticket;
  }
  return absl::StrCat(ticket.substr(0, kMaxName - kMaxSuffix - 9), "-",
                      absl::Hex(Hash(ticket), absl::kZeroPad8));
}

// Writes the selectors of one ticket anew so that they select guardians as they select the pods
// that the room is for.
class SelectorRewriter {
 public:
  explicit SelectorRewriter(const GuardedTicket& ticket)
      : own_(LabelsOf(ticket)), order_(ticket.order()) {}

  void Rewrite(api::TopologySpreadConstraint& constraint) const {
    if (SelectsOwnKind(constraint.label_selector)) {
      constraint.label_selector = Guardians();
      constraint.match_label_keys.clear();
    }
  }
  void Rewrite(std::optional<api::PodAffinity>& affinity) const {
    if (!affinity) {
      return;
    }
    for (api::PodAffinityTerm& term : affinity->required) {
      Rewrite(term);
    }
    for (api::WeightedPodAffinityTerm& weighted : affinity->preferred) {
      Rewrite(weighted.pod_affinity_term);
    }
  }

 private:
  void Rewrite(api::PodAffinityTerm& term) const {
    if (SelectsOwnKind(term.label_selector)) {
      term.label_selector = Guardians();
      // They name labels of the pods to come, which guardians do not carry.
      term.match_label_keys.clear();
      term.mismatch_label_keys.clear();
    }
  }
  // Without an order there is no label that the kind shares.
  bool SelectsOwnKind(const std::optional<api::LabelSelector>& selector) const {
    return !order_.empty() && selector && selector->Matches(own_);
  }
  api::LabelSelector Guardians() const {
    return {.match_labels = {{std::string(api::kLabelOrder), std::string(order_)},
                             {std::string(api::kLabelRole), std::string(api::kRoleGuardian)}},
            .match_expressions = {}};
  }

  const api::Labels own_;
  const std::string_view order_;
};

api::ObjectMeta GuardianMeta(const GuardedTicket& ticket, int32_t incarnation) {
  api::ObjectMeta meta;
  meta.name = GuardianName(ticket.metadata.name, incarnation);
  meta.ns = ticket.metadata.ns;
  meta.labels = {{std::string(api::kLabelRole), std::string(api::kRoleGuardian)},
                 {std::string(api::kLabelTicket), ticket.metadata.name}};
  if (!ticket.order().empty()) {
    meta.labels.emplace(api::kLabelOrder, ticket.order());
  }
  meta.annotations = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"},
                      {"karpenter.sh/do-not-disrupt", "true"}};
  api::OwnerReference owner = api::ControllerReference(ticket);
  // To block the owner's deletion one may need to update its finalizers, which nobody here may.
  owner.block_owner_deletion.reset();
  meta.owner_references = {std::move(owner)};
  return meta;
}

api::Container GuardianContainer(const SharedForm& form, const std::string& image) {
  api::Container container = RestrictedContainer("guardian", image);
  container.resources.requests = form.requests;
  container.resources.limits = api::EffectiveLimits(form.spec);
  return container;
}

// What the name says; 0 when it is not that of a guardian of the ticket.
int32_t NumberIn(const std::string& name, const GuardedTicket& ticket) {
  const size_t at = name.rfind("-g");
  int32_t incarnation = 0;
  if (at == std::string::npos || !absl::SimpleAtoi(name.substr(at + 2), &incarnation) ||
      incarnation < 1 || name != GuardianName(ticket.metadata.name, incarnation)) {
    return 0;
  }
  return incarnation;
}

}  // namespace

std::string GuardianName(const std::string& ticket, int32_t incarnation) {
  return absl::StrCat(Stem(ticket), "-g", incarnation);
}

int32_t IncarnationOf(const GuardedTicket& ticket, const OwnPod& pod) {
  return pod.owner.uid == ticket.metadata.uid ? NumberIn(pod.metadata.name, ticket) : 0;
}

int32_t IncarnationOf(const GuardedTicket& ticket, const api::Pod& pod) {
  const api::OwnerReference* owner = api::ControllerOf(pod.metadata);
  return owner != nullptr && owner->kind == api::Ticket::kResource.kind &&
                 owner->uid == ticket.metadata.uid
             ? NumberIn(pod.metadata.name, ticket)
             : 0;
}

void RestrictPod(api::PodSpec& spec) {
  spec.termination_grace_period_seconds = 0;
  spec.automount_service_account_token = false;
  spec.enable_service_links = false;
  api::PodSecurityContext& security = spec.security_context.emplace();
  security.run_as_non_root = true;
  security.run_as_user = kNobody;
  security.run_as_group = kNobody;
  security.seccomp_profile = api::SeccompProfile{.type = "RuntimeDefault"};
}

api::Container RestrictedContainer(std::string name, std::string image) {
  api::Container container;
  container.name = std::move(name);
  container.image = std::move(image);
  container.image_pull_policy = "IfNotPresent";
  api::SecurityContext& security = container.security_context.emplace();
  security.allow_privilege_escalation = false;
  security.capabilities = api::Capabilities{.add = {}, .drop = {"ALL"}};
  security.read_only_root_filesystem = true;
  return container;
}

namespace {

// Terms are alternatives: each gets the requirement.
void RequireField(const api::NodeSelectorRequirement& field, Boxed<api::Affinity>& affinity) {
  if (!affinity) {
    affinity.emplace();
  }
  if (!affinity->node_affinity) {
    affinity->node_affinity.emplace();
  }
  std::optional<api::NodeSelector>& required = affinity->node_affinity->required;
  if (!required) {
    required.emplace().terms.emplace_back().match_fields = {field};
    return;
  }
  for (api::NodeSelectorTerm& term : required->terms) {
    // An empty term matches no node; with the field in it, it would match some.
    if (!term.match_expressions.empty() || !term.match_fields.empty()) {
      term.match_fields.push_back(field);
    }
  }
}

}  // namespace

void PinToNode(const std::string& node, Boxed<api::Affinity>& affinity) {
  RequireField({.key = std::string(api::kFieldNodeName), .op = "In", .values = {node}}, affinity);
}

void AvoidNodes(const std::set<std::string>& nodes, Boxed<api::Affinity>& affinity) {
  for (const std::string& node : nodes) {
    RequireField({.key = std::string(api::kFieldNodeName), .op = "NotIn", .values = {node}},
                 affinity);
  }
}

void AddPullSecrets(const GuardianOptions& options, api::PodSpec& spec) {
  for (const std::string& name : options.pull_secrets) {
    spec.image_pull_secrets.push_back({.name = name});
  }
}

api::Pod GuardianPod(const GuardedTicket& ticket, int32_t incarnation,
                     const GuardianOptions& options, const std::set<std::string>& avoid) {
  const api::TicketSpec& spec = ticket.form->spec;
  api::Pod pod;
  pod.metadata = GuardianMeta(ticket, incarnation);
  pod.spec.containers = {GuardianContainer(*ticket.form, options.image)};
  pod.spec.scheduler_name = spec.scheduler_name;
  pod.spec.priority_class_name =
      spec.priority_class_name.empty() ? options.priority_class : spec.priority_class_name;
  pod.spec.node_selector = spec.node_selector;
  pod.spec.affinity = spec.affinity;
  pod.spec.tolerations = spec.tolerations;
  pod.spec.topology_spread_constraints = spec.topology_spread_constraints;
  RestrictPod(pod.spec);
  AddPullSecrets(options, pod.spec);

  const SelectorRewriter rewriter(ticket);
  for (api::TopologySpreadConstraint& constraint : pod.spec.topology_spread_constraints) {
    rewriter.Rewrite(constraint);
  }
  if (pod.spec.affinity) {
    rewriter.Rewrite(pod.spec.affinity->pod_affinity);
    rewriter.Rewrite(pod.spec.affinity->pod_anti_affinity);
  }
  if (!ticket.node_name.empty()) {
    PinToNode(ticket.node_name, pod.spec.affinity);
  }
  if (!avoid.empty()) {
    AvoidNodes(avoid, pod.spec.affinity);
    pod.metadata.annotations[std::string(api::kAnnotationAvoids)] = absl::StrJoin(avoid, ",");
  }
  return pod;
}

}  // namespace korder::ticket
