#include "decisions.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admission-svc/pod_gate.h"
#include "admission-svc/verdict.h"
#include "quota-svc/testing/builders.h"
#include "ticket-svc/handoff_batch.h"
#include "ticket-svc/testing/make.h"

namespace korder::bench {
namespace {

void Expect(bool as_expected, const char* what) {
  if (!as_expected) {
    throw std::runtime_error(what);
  }
}

}  // namespace

LedgerCase::LedgerCase(Size size)
    : asked_{.claim = quota::testing::MakeClaim().With("cpu", "500m").With("memory", "1Gi"),
             .ids = {"5ffb0b586931c26e718fd2b4359d0fd0"}} {
  ledger_.PutNamespace("default", {});
  for (int i = 0; i < size.quotas; ++i) {
    ledger_.PutQuota(quota::Compile(quota::testing::MakeQuota(absl::StrCat("team-", i))
                                        .Hard("tickets", "1000")
                                        .Hard("reserved.cpu", "500")
                                        .Hard("reserved.memory", "1Ti")
                                        .ForNamespaces({"default", absl::StrCat("other-", i)})),
                     quota::testing::kNow);
  }
}

void LedgerCase::Decide() {
  const auto outcomes = ledger_.Reserve(asked_, quota::testing::kNow);
  Expect(outcomes.ok() && std::holds_alternative<quota::Granted>(outcomes->front().verdict),
         "a reservation with room was not granted");
  ledger_.Release(asked_.ids);
  (void)ledger_.TakeGrantChanges();
  (void)ledger_.TakeChangedQuotas();
}

ClaimCase::ClaimCase(Size size) : most_(static_cast<size_t>(size.nodes) * ticket::kMaxBatch) {
  observed_.now = ticket::kNow + absl::Minutes(1);
  for (int node = 0; node < size.nodes; ++node) {
    for (int i = 0; i < size.tickets_per_node; ++i) {
      observed_.rooms.push_back(ticket::MakeRoomOn(
          absl::StrCat("node-", node), ticket::MakeTicket(absl::StrCat("web-", node, "-", i))));
    }
  }
  for (int i = 0; i < size.waiting; ++i) {
    observed_.pods.push_back(ticket::Share(ticket::MakeClaimPod(absl::StrCat("shop-", i))));
  }
}

void ClaimCase::Decide() const {
  const ticket::ClaimsPlan plan = DecideClaims(observed_);
  Expect(
      plan.assignments.size() == std::min({observed_.pods.size(), observed_.rooms.size(), most_}),
      "a pod got no ticket although there are enough");
}

AdmissionCase::AdmissionCase() {
  api::Pod pod = ticket::MakeClaimPod("shop");
  pod.metadata.uid.clear();
  pod.metadata.resource_version.clear();
  pod.metadata.labels.clear();
  pod.spec.scheduling_gates.clear();
  api::AdmissionReview review;
  review.request.emplace();
  review.request->uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
  review.request->kind = {"", "v1", "Pod"};
  review.request->resource = {"", "v1", "pods"};
  review.request->ns = "default";
  review.request->operation = api::kOperationCreate;
  review.request->object.text = json::Print(pod);
  review_ = json::Print(review);
}

void AdmissionCase::Decide() const {
  api::AdmissionReview review;
  api::Pod pod;
  Expect(json::Parse(review_, review).ok() && json::Parse(review.request->object.text, pod).ok(),
         "a review cannot be read");
  admission::GateDecision gate = admission::DecideGate(pod, {});
  Expect(gate.gates && !gate.patch.empty(), "a pod that asks was not gated");
  admission::Verdict verdict;
  verdict.patch = std::move(gate.patch);
  api::AdmissionReview answer;
  answer.response = admission::ToResponse(*review.request, verdict);
  Expect(json::Print(answer).size() > 100, "there is no answer");
}

}  // namespace korder::bench
