#include "runtime/health.h"

#include <string_view>

#include "base/log.h"
#include "runtime/thread_name.h"

namespace korder::runtime {
namespace {

// Prometheus asks for exactly this.
constexpr char kExpositionType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kText[] = "text/plain; charset=utf-8";

HttpServerResponse Ready(const Manager& manager) {
  const absl::Status ready = manager.Ready();
  if (ready.ok()) {
    return {200, kText, "ok\n"};
  }
  return {503, kText, std::string(Message(ready)) + "\n"};
}

}  // namespace

HttpHandler HealthAndMetrics(const Manager& manager, const Metrics& metrics) {
  return [&manager, &metrics](const HttpServerRequest& request) -> HttpServerResponse {
    if (request.method != "GET" && request.method != "HEAD") {
      return {405, kText, "only GET and HEAD\n"};
    }
    const std::string_view target = request.target;
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/healthz") {
      return {200, kText, "ok\n"};
    }
    if (path == "/readyz") {
      return Ready(manager);
    }
    if (path == "/metrics") {
      return {200, kExpositionType, metrics.Text()};
    }
    return {404, kText, "not found: try /healthz, /readyz or /metrics\n"};
  };
}

HealthServer::HealthServer(const std::string& listen, const Manager& manager,
                           const Metrics& metrics)
    : http_({.listen = listen}, HealthAndMetrics(manager, metrics)) {}

absl::Status HealthServer::Start() {
  absl::Status started = http_.Start();
  if (started.ok()) {
    serving_ = std::jthread([this](std::stop_token stop) {
      SetThreadName("http");
      if (const absl::Status ended = http_.Run(std::move(stop)); !ended.ok()) {
        log::Error("health is not served any more", {{"error", ToString(ended)}});
      }
    });
  }
  return started;
}

}  // namespace korder::runtime
