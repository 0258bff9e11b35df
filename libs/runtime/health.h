// The HTTP port of a service: /healthz, /readyz, /metrics.
//
//   runtime::Manager manager(clock);
//   runtime::HealthServer health(common.http_listen, manager, metrics);
//   RETURN_IF_ERROR(health.Start());   // answers from here on
//   ... wait for certificates, make the parts, manager.Run(stop) ...
#pragma once

#include <string>
#include <thread>

#include "base/status.h"
#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/metrics.h"

namespace korder::runtime {

// /healthz: 200 while the process runs. /readyz: 200, or 503 with what is missing, one line each.
HttpHandler HealthAndMetrics(const Manager& manager, const Metrics& metrics);

// Serves them from Start until its own end, before and after the manager runs. A service may wait
// for its certificates for minutes; without an answer from /healthz it would be killed for that.
class HealthServer {
 public:
  // Borrows manager and metrics.
  HealthServer(const std::string& listen, const Manager& manager, const Metrics& metrics);

  // UNAVAILABLE with the address when it is taken.
  absl::Status Start();
  // REQUIRES: Start succeeded.
  int port() const { return http_.port(); }

 private:
  HttpServer http_;
  std::jthread serving_;  // ends before what it serves
};

}  // namespace korder::runtime
