// Metrics of order-svc beside those of libs/runtime.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "kube/store.h"

namespace prometheus {
class Registry;
}

namespace korder::order {

// korder_orders_total (orders seen) and korder_orders_active (orders not being deleted), by
// namespace and strategy; korder_window_start_delay_seconds. Thread-safe.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  // An informer's handler: `was` is null for a new order, `is` for a removed one.
  void OnOrder(const api::Order* was, const api::Order* is);
  // A window was begun this long after it was due.
  void WindowStarted(absl::Duration delay);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::order
