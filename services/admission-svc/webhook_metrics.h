// korder_webhook_duration_seconds{webhook,operation,result} and
// korder_webhook_errors_total{webhook,operation,error_type}.
//
//   WebhookMetrics metrics(registry, {"pods", "orders"});
//   metrics.Reviewed("orders", "CREATE", "allowed", took);
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "runtime/labeled.h"

namespace prometheus {
class Registry;
}

namespace korder::admission {

// Results of a review. kError: there was no verdict.
inline constexpr std::string_view kResultAllowed = "allowed";
inline constexpr std::string_view kResultDenied = "denied";
inline constexpr std::string_view kResultError = "error";
// Error types beside those of verdict.h.
inline constexpr std::string_view kBadRequest = "bad_request";
inline constexpr std::string_view kInternal = "internal";
// The operation of a body that could not be read, and of those that no webhook is registered for.
inline constexpr std::string_view kOtherOperation = "OTHER";

// Thread-safe. The number of series is fixed, whatever callers send.
class WebhookMetrics {
 public:
  // Creates every series at zero.
  WebhookMetrics(prometheus::Registry& registry, const std::vector<std::string>& webhooks);

  void Reviewed(std::string_view webhook, std::string_view operation, std::string_view result,
                absl::Duration took);
  void Error(std::string_view webhook, std::string_view operation, std::string_view error_type);

 private:
  runtime::Labeled<prometheus::Histogram, 3> duration_;
  runtime::Labeled<prometheus::Counter, 3> errors_;
};

}  // namespace korder::admission
