// Prometheus metrics of a service: the registry, what libs/kube observes, and the /metrics text.
//
//   runtime::Metrics metrics("order-svc");
//   kube::Client client(*transport, metrics.kube_observer());
//   auto& orders =
//   prometheus::BuildGauge().Name("korder_orders_active")...Register(metrics.registry());
#pragma once

#include <memory>
#include <string>

#include "kube/observer.h"

namespace prometheus {
class Registry;
}

namespace korder::runtime {

// Thread-safe.
class Metrics {
 public:
  // Registers korder_build_info and the metrics of libs/kube, with every fixed label value at 0.
  explicit Metrics(std::string service);
  ~Metrics();

  prometheus::Registry& registry();
  kube::Observer& kube_observer();
  // One gRPC call served or made; code is the status code's name ("OK", "UNAVAILABLE").
  void GrpcRequest(std::string_view service, std::string_view method, std::string_view code);
  // The text exposition format, version 0.0.4.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
