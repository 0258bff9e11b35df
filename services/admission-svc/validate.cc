#include "admission-svc/validate.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/meta/problems.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/ticket_window.h"
#include "api/v1alpha1/validation.h"
#include "api/v1alpha1/warnings.h"
#include "runtime/ledger_claim.h"

namespace korder::admission {
namespace {

// A reviewed object, with the one it replaces, if any.
template <class T>
struct Reviewed {
  std::optional<T> old;
  T now;
};

// An object that does not even fit its type. The reader's message begins with the path.
Verdict Unreadable(const absl::Status& status) {
  Verdict verdict = Invalid({{"", "", std::string(Message(status))}});
  verdict.refusal->problems.clear();
  return verdict;
}

// Reads the object and, for an update, the old one, and checks the fields. Returns the refusal, or
// nullopt with `out` filled.
template <class T>
std::optional<Verdict> CheckFields(const api::AdmissionRequest& request, Reviewed<T>& out) {
  if (absl::Status bad = json::Parse(request.object.text, out.now); !bad.ok()) {
    return Unreadable(bad);
  }
  std::vector<api::FieldError> problems;
  if (request.operation == api::kOperationUpdate) {
    // What is stored and cannot be read may be replaced by anything valid.
    if (json::Parse(request.old_object.text, out.old.emplace()).ok()) {
      problems = ValidateUpdate(*out.old, out.now);
    } else {
      out.old.reset();
      problems = Validate(out.now);
    }
  } else {
    problems = Validate(out.now);
  }
  if (!problems.empty()) {
    return Invalid(std::move(problems));
  }
  return std::nullopt;
}

bool IsReviewed(const api::AdmissionRequest& request) {
  return request.sub_resource.empty() &&
         (request.operation == api::kOperationCreate || request.operation == api::kOperationUpdate);
}

bool SameClaim(const runtime::LedgerClaim& a, const runtime::LedgerClaim& b) {
  return a.requests == b.requests && a.duration == b.duration && a.labels == b.labels;
}

std::string Unasked(const absl::Status& status) {
  return "quota-svc could not be asked (" + std::string(Message(status)) + ")";
}

// quota-svc decides again before it lets anything be reserved, so this is no hole.
Verdict AllowUnasked(const absl::Status& status) {
  Verdict verdict;
  verdict.warnings.push_back(Unasked(status) + "; the quotas are checked when room is reserved");
  verdict.error_type = kQuotaUnavailable;
  return verdict;
}

Verdict FromAnswer(runtime::AdmitAnswer answer) {
  Verdict verdict;
  if (answer.denied) {
    verdict = Forbidden(std::move(answer.denied->message));
  }
  verdict.warnings = std::move(answer.warnings);
  return verdict;
}

void AddWarnings(Verdict& verdict, const std::vector<std::string>& warnings) {
  verdict.warnings.insert(verdict.warnings.end(), warnings.begin(), warnings.end());
}

// The Quota other than `quota` that is for the whole cluster, or nullptr.
std::shared_ptr<const api::Quota> OtherClusterQuota(const kube::Store<api::Quota>& quotas,
                                                    const api::Quota& quota) {
  for (auto& other : quotas.List()) {
    if (other->spec.scope.type == api::ScopeType::kCluster && !other->metadata.deleting() &&
        other->metadata.name != quota.metadata.name) {
      return other;
    }
  }
  return nullptr;
}

}  // namespace

Verdict Validator::Order(const api::AdmissionRequest& request) const {
  if (!IsReviewed(request)) {
    return {};
  }
  Reviewed<api::Order> order;
  if (std::optional<Verdict> refusal = CheckFields(request, order)) {
    return *std::move(refusal);
  }
  if (order.now.metadata.deleting()) {
    return {};
  }
  // Scaling and pausing stay possible when a quota has shrunk below what the order asks for.
  const bool same =
      order.old && SameClaim(runtime::ClaimOf(*order.old), runtime::ClaimOf(order.now));
  Verdict verdict = same ? Verdict{} : AskForOrder(request, order.now);
  AddWarnings(verdict, api::Warnings(order.now));
  AddWarnings(verdict,
              sizes_.Exceeded(api::EffectiveRequests(order.now.spec.ticket_template.spec)));
  return verdict;
}

Verdict Validator::AskForOrder(const api::AdmissionRequest& request,
                               const api::Order& order) const {
  runtime::LedgerOrder subject;
  subject.ns = request.ns;
  subject.name = order.metadata.name;
  // How many nodes are eligible is not known here.
  subject.replicas = order.spec.daemon_set ? 0 : order.spec.replicas;
  subject.labels = order.metadata.labels;
  subject.create = request.operation == api::kOperationCreate;
  absl::StatusOr<runtime::AdmitAnswer> answer =
      desk_.AdmitOrder(subject, runtime::ClaimOf(order), request.dry_run);
  return answer.ok() ? FromAnswer(*std::move(answer)) : AllowUnasked(answer.status());
}

Verdict Validator::Ticket(const api::AdmissionRequest& request) const {
  if (!IsReviewed(request)) {
    return {};
  }
  Reviewed<api::Ticket> ticket;
  if (std::optional<Verdict> refusal = CheckFields(request, ticket)) {
    return *std::move(refusal);
  }
  if (ticket.now.metadata.deleting() ||
      (ticket.old && SameClaim(runtime::ClaimOf(*ticket.old), runtime::ClaimOf(ticket.now)))) {
    return {};
  }
  Verdict verdict = AskForTicket(request, ticket.old ? &*ticket.old : nullptr, ticket.now);
  if (!ticket.old) {
    AddWarnings(verdict, sizes_.Exceeded(api::EffectiveRequests(ticket.now.spec)));
  }
  return verdict;
}

Verdict Validator::AskForTicket(const api::AdmissionRequest& request, const api::Ticket* old,
                                const api::Ticket& ticket) const {
  const runtime::LedgerTicket subject{
      .ns = request.ns, .name = ticket.metadata.name, .uid = ticket.metadata.uid};
  const bool begun = old != nullptr && api::HasBegun(*old);
  runtime::LedgerClaim claim = runtime::ClaimOf(ticket);
  if (begun && claim.duration) {
    // As ticket-svc is going to ask: a window that began long ago may go on for a while.
    claim.remaining = std::min(
        *claim.duration,
        std::max(absl::ZeroDuration(), *api::WindowStart(*old) + *claim.duration - clock_.Now()));
  }
  absl::StatusOr<runtime::AdmitAnswer> answer = desk_.AdmitTicket(subject, claim, request.dry_run);
  if (answer.ok()) {
    return FromAnswer(*std::move(answer));
  }
  // Between its guardian and its window nobody asks again how long the ticket lasts.
  if (old != nullptr && old->status.incarnation > 0 && !begun) {
    return Undecided(kQuotaUnavailable,
                     Unasked(answer.status()) + " whether the ticket may last longer; try again");
  }
  return AllowUnasked(answer.status());
}

Verdict Validator::Quota(const api::AdmissionRequest& request) const {
  if (!IsReviewed(request)) {
    return {};
  }
  Reviewed<api::Quota> quota;
  if (std::optional<Verdict> refusal = CheckFields(request, quota)) {
    return *std::move(refusal);
  }
  const bool was_for_cluster = quota.old && quota.old->spec.scope.type == api::ScopeType::kCluster;
  if (quota.now.spec.scope.type == api::ScopeType::kCluster && !was_for_cluster) {
    if (const auto other = OtherClusterQuota(quotas_, quota.now)) {
      return Invalid({{"spec.scope.type", "Cluster",
                       "at most one Quota may be for the whole cluster, and " +
                           other->metadata.name + " is"}});
    }
  }
  Verdict verdict;
  verdict.warnings = api::Warnings(quota.now);
  return verdict;
}

Verdict Validator::ClaimPolicy(const api::AdmissionRequest& request) const {
  if (!IsReviewed(request)) {
    return {};
  }
  Reviewed<api::ClaimPolicy> policy;
  if (std::optional<Verdict> refusal = CheckFields(request, policy)) {
    return *std::move(refusal);
  }
  Verdict verdict;
  AddWarnings(verdict, api::Warnings(policy.now));
  return verdict;
}

}  // namespace korder::admission
