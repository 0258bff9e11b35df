#include "cli/resolution.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/names.h"

namespace korder::cli {
namespace {

using korder::admission::v1::ResolveResponse;
using korder::admission::v1::Wish;

std::string WhoAsks(const ResolveResponse& response) {
  switch (response.asked_by()) {
    case ResolveResponse::POD:
      return "it asks itself";
    case ResolveResponse::POLICY:
      return absl::StrCat("ClaimPolicy ", response.policy(), " matches it");
    default:
      return absl::StrCat("it does not say ", std::string(api::kAnnotationRequired),
                          ": \"true\", and no ClaimPolicy of its namespace matches it");
  }
}

std::string Wanted(const Wish& wish) {
  std::string text = wish.ticket().empty() ? "a ticket" : "ticket " + wish.ticket();
  if (!wish.order().empty()) {
    absl::StrAppend(&text, " of order ", wish.order());
  }
  if (!wish.ticket_selector().empty()) {
    absl::StrAppend(&text, " with ", wish.ticket_selector());
  }
  if (wish.mode() == api::kModeRequired) {
    absl::StrAppend(&text, ", and never runs elsewhere");
  }
  if (wish.fallback() == api::kFallbackWait) {
    return text + "; waits until there is one";
  }
  if (wish.fallback() == api::kFallbackDeny) {
    return text + "; is refused without one";
  }
  return absl::StrCat(text, "; goes on without one after ",
                      wish.claim_timeout().empty() ? "korder's usual time" : wish.claim_timeout());
}

const char* StateOf(const ResolveResponse& response) {
  if (response.asked_by() == ResolveResponse::NOBODY) {
    return kWouldNotAsk;
  }
  if (response.refusals_size() > 0) {
    return kWouldBeRefused;
  }
  if (!response.gated()) {
    return kWouldBeUnseen;
  }
  return response.has_ticket() ? kWouldClaim : kWouldWait;
}

}  // namespace

Explanation ExplainResolution(const PodItem& item, const ResolveResponse& response) {
  Explanation explained{.kind = item.kind, .ns = item.ns, .name = item.name};
  explained.state = StateOf(response);
  if (response.has_wish()) {
    explained.waits_for = Wanted(response.wish());
  }
  std::vector<std::string> why = {WhoAsks(response)};
  why.insert(why.end(), response.warnings().begin(), response.warnings().end());
  why.insert(why.end(), response.refusals().begin(), response.refusals().end());
  if (response.has_ticket()) {
    why.push_back(absl::StrCat("ticket ", response.ticket().name(), " on node ",
                               response.ticket().node(), " fits now"));
  } else if (response.offer_case() == ResolveResponse::kUnknown) {
    why.push_back(
        absl::StrCat("ticket-svc, which knows the tickets, does not answer: ", response.unknown()));
  } else if (response.has_none()) {
    if (response.refusals_size() == 0) {
      why.push_back(response.none().message());
    }
    explained.help = {response.none().help().begin(), response.none().help().end()};
  }
  explained.why = absl::StrJoin(why, "; ");
  return explained;
}

}  // namespace korder::cli
