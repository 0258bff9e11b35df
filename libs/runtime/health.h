// The handler of a service's HTTP port: /healthz, /readyz, /metrics.
#pragma once

#include "runtime/http_server.h"
#include "runtime/manager.h"
#include "runtime/metrics.h"

namespace korder::runtime {

// /healthz: 200 while the process runs. /readyz: 200, or 503 with what is missing, one line each.
HttpHandler HealthAndMetrics(const Manager& manager, const Metrics& metrics);

}  // namespace korder::runtime
