#include "admission-svc/webhook_metrics.h"

#include <array>
#include <prometheus/registry.h>

#include "admission-svc/verdict.h"
#include "api/admission/admission_review.h"

namespace korder::admission {
namespace {

constexpr auto kOperations = std::to_array<std::string_view>(
    {api::kOperationCreate, api::kOperationUpdate, kOtherOperation});

// Most reviews take well under a millisecond; the API server waits three seconds.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 3};
  return kBuckets;
}

std::string_view Known(std::string_view operation) {
  for (const std::string_view known : kOperations) {
    if (known == operation) {
      return known;
    }
  }
  return kOtherOperation;
}

}  // namespace

WebhookMetrics::WebhookMetrics(prometheus::Registry& registry,
                               const std::vector<std::string>& webhooks)
    : duration_(prometheus::BuildHistogram()
                    .Name("korder_webhook_duration_seconds")
                    .Help("Time to answer an admission review.")
                    .Register(registry),
                {"webhook", "operation", "result"}, Buckets()),
      errors_(prometheus::BuildCounter()
                  .Name("korder_webhook_errors_total")
                  .Help("Admission reviews that could not be read, or decided as they should.")
                  .Register(registry),
              {"webhook", "operation", "error_type"}) {
  for (const std::string& webhook : webhooks) {
    for (const std::string_view operation : kOperations) {
      for (const std::string_view result : {kResultAllowed, kResultDenied, kResultError}) {
        duration_.With({webhook, operation, result});
      }
      for (const std::string_view error :
           {kBadRequest, kInternal, kQuotaUnavailable, kTicketUnavailable}) {
        errors_.With({webhook, operation, error});
      }
    }
  }
}

void WebhookMetrics::Reviewed(std::string_view webhook, std::string_view operation,
                              std::string_view result, absl::Duration took) {
  duration_.With({webhook, Known(operation), result}).Observe(absl::ToDoubleSeconds(took));
}

void WebhookMetrics::Error(std::string_view webhook, std::string_view operation,
                           std::string_view error_type) {
  errors_.With({webhook, Known(operation), error_type}).Increment();
}

}  // namespace korder::admission
