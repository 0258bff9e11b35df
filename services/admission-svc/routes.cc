#include "admission-svc/routes.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/pod.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"

namespace korder::admission {
namespace {

template <class T, class Review>
Route RouteFor(std::string_view verb, Review review) {
  return {.path = absl::StrCat("/", std::string(verb), "/", std::string(T::kResource.plural)),
          .group = std::string(T::kResource.group),
          .resource = std::string(T::kResource.plural),
          .review = std::move(review)};
}

}  // namespace

std::vector<Route> Routes(const PodWebhook& pods, const Validator& validator) {
  using Request = api::AdmissionRequest;
  return {
      RouteFor<api::Pod>("mutate", [&pods](const Request& r) { return pods.Review(r); }),
      RouteFor<api::Order>("validate",
                           [&validator](const Request& r) { return validator.Order(r); }),
      RouteFor<api::Ticket>("validate",
                            [&validator](const Request& r) { return validator.Ticket(r); }),
      RouteFor<api::Quota>("validate",
                           [&validator](const Request& r) { return validator.Quota(r); }),
      RouteFor<api::ClaimPolicy>(
          "validate", [&validator](const Request& r) { return validator.ClaimPolicy(r); }),
  };
}

}  // namespace korder::admission
