// Prometheus metrics of a service: the registry, what libs/kube observes, and the /metrics text.
//
//   runtime::Metrics metrics("order-svc");
//   kube::Client client(*transport, metrics.kube_observer());
//   auto& orders =
//   prometheus::BuildGauge().Name("korder_orders_active")...Register(metrics.registry());
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "kube/observer.h"

namespace prometheus {
class Registry;
}

namespace korder::runtime {

// Thread-safe.
class Metrics {
 public:
  // Registers korder_build_info, korder_leader (at 0) and the families of libs/kube.
  explicit Metrics(const std::string& service);
  ~Metrics();

  prometheus::Registry& registry();
  kube::Observer& kube_observer();
  // Creates the series of a controller and its queue, at zero. Call once per kube::Controller.
  void ExpectController(std::string_view name);
  // korder_certificate_expiry_seconds: when the certificate in use ends.
  void CertificateExpiry(absl::Time at);
  // One gRPC call served; code is the status code's name ("OK", "UNAVAILABLE").
  void GrpcRequest(std::string_view service, std::string_view method, std::string_view code);
  // The text exposition format, version 0.0.4.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
