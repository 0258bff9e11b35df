#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <sstream>

#include <prometheus/text_serializer.h>

#include "absl/strings/str_cat.h"
#include "runtime/labeled.h"
#include "runtime/version.h"

namespace korder::runtime {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;
using Buckets = Histogram::BucketBoundaries;

// From what a cache answers to what a person notices; in seconds.
const Buckets& CallBuckets() {
  static const Buckets kBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                   0.25,  0.5,    1,     2.5,  5,     10,   30};
  return kBuckets;
}

prometheus::Family<Counter>& CounterFamily(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<Gauge>& GaugeFamily(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<Histogram>& HistogramFamily(Registry& registry, const char* name,
                                               const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

class KubeMetrics final : public kube::Observer {
 public:
  KubeMetrics(Registry& registry, Gauge& leader)
      : leader_(leader),
        requests_(CounterFamily(registry, "korder_api_requests_total",
                                "Requests to the API server by outcome; code 0 is no answer."),
                  {"verb", "resource", "code"}),
        request_duration_(HistogramFamily(registry, "korder_api_request_duration_seconds",
                                          "Time of requests to the API server."),
                          {"verb", "resource"}, CallBuckets()),
        watch_restarts_(CounterFamily(registry, "korder_watch_restarts_total",
                                      "Watches that ended and were begun anew."),
                        {"resource", "reason"}),
        queue_depth_(GaugeFamily(registry, "korder_workqueue_depth", "Items that wait."), {"name"}),
        queue_adds_(CounterFamily(registry, "korder_workqueue_adds_total", "Items added."),
                    {"name"}),
        queue_retries_(CounterFamily(registry, "korder_workqueue_retries_total",
                                     "Items added again after a failure."),
                       {"name"}),
        queue_wait_(HistogramFamily(registry, "korder_workqueue_queue_duration_seconds",
                                    "From the moment an item was due until a worker took it."),
                    {"name"}, CallBuckets()),
        reconciles_(HistogramFamily(registry, "korder_reconciliation_duration_seconds",
                                    "Time of one reconciliation."),
                    {"controller", "result"}, CallBuckets()),
        reconcile_errors_(CounterFamily(registry, "korder_reconciliation_errors_total",
                                        "Reconciliations that failed, by status code."),
                          {"controller", "error_type"}),
        events_dropped_(CounterFamily(registry, "korder_events_dropped_total",
                                      "Kubernetes Events that were not written."),
                        {"reason"}) {
    for (const char* reason : {"budget", "queue", "error"}) {
      events_dropped_.With({reason});
    }
  }

  // Every series of a controller at zero, so that a dashboard or an alert has no holes.
  void ExpectController(std::string_view name) {
    queue_depth_.With({name});
    queue_adds_.With({name});
    queue_retries_.With({name});
    queue_wait_.With({name});
    for (const char* result : {"success", "requeue", "error"}) {
      reconciles_.With({name, result});
    }
    for (const char* error :
         {"ABORTED", "DEADLINE_EXCEEDED", "FAILED_PRECONDITION", "INTERNAL", "INVALID_ARGUMENT",
          "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}) {
      reconcile_errors_.With({name, error});
    }
  }

  void Request(std::string_view verb, std::string_view resource, int code,
               absl::Duration took) override {
    requests_.With({verb, resource, std::to_string(code)}).Increment();
    request_duration_.With({verb, resource}).Observe(absl::ToDoubleSeconds(took));
  }
  void WatchRestart(std::string_view resource, std::string_view reason) override {
    watch_restarts_.With({resource, reason}).Increment();
  }
  void QueueDepth(std::string_view queue, int depth) override {
    queue_depth_.With({queue}).Set(depth);
  }
  void QueueAdd(std::string_view queue) override { queue_adds_.With({queue}).Increment(); }
  void QueueRetry(std::string_view queue) override { queue_retries_.With({queue}).Increment(); }
  void QueueWait(std::string_view queue, absl::Duration waited) override {
    queue_wait_.With({queue}).Observe(absl::ToDoubleSeconds(waited));
  }
  void Reconciled(std::string_view controller, std::string_view result, std::string_view error_type,
                  absl::Duration took) override {
    reconciles_.With({controller, result}).Observe(absl::ToDoubleSeconds(took));
    if (!error_type.empty()) {
      reconcile_errors_.With({controller, error_type}).Increment();
    }
  }
  void Leading(std::string_view, bool leading) override { leader_.Set(leading ? 1 : 0); }
  void EventDropped(std::string_view reason) override {
    events_dropped_.With({reason}).Increment();
  }

 private:
  Gauge& leader_;
  Labeled<Counter, 3> requests_;
  Labeled<Histogram, 2> request_duration_;
  Labeled<Counter, 2> watch_restarts_;
  Labeled<Gauge, 1> queue_depth_;
  Labeled<Counter, 1> queue_adds_;
  Labeled<Counter, 1> queue_retries_;
  Labeled<Histogram, 1> queue_wait_;
  Labeled<Histogram, 2> reconciles_;
  Labeled<Counter, 2> reconcile_errors_;
  Labeled<Counter, 1> events_dropped_;
};

}  // namespace

struct Metrics::Impl {
  explicit Impl(const std::string& service)
      : kube(registry, GaugeFamily(registry, "korder_leader", "1 while this process leads.")
                           .Add({{"service", service}})),
        certificate_expiry(GaugeFamily(registry, "korder_certificate_expiry_seconds",
                                       "When the service's certificate ends, in Unix time.")
                               .Add({{"service", service}})),
        grpc_requests(CounterFamily(registry, "korder_grpc_requests_total",
                                    "gRPC calls served, by status code."),
                      {"service", "method", "code"}) {
    GaugeFamily(registry, "korder_build_info", "Always 1; the labels say what runs.")
        .Add({{"service", service}, {"version", std::string(Version())}})
        .Set(1);
  }

  Registry registry;
  KubeMetrics kube;
  Gauge& certificate_expiry;
  Labeled<Counter, 3> grpc_requests;
};

Metrics::Metrics(const std::string& service) : impl_(std::make_unique<Impl>(service)) {}

Metrics::~Metrics() = default;

prometheus::Registry& Metrics::registry() { return impl_->registry; }

kube::Observer& Metrics::kube_observer() { return impl_->kube; }

void Metrics::ExpectController(std::string_view name) { impl_->kube.ExpectController(name); }

void Metrics::CertificateExpiry(absl::Time at) {
  impl_->certificate_expiry.Set(static_cast<double>(absl::ToUnixSeconds(at)));
}

void Metrics::GrpcRequest(std::string_view service, std::string_view method,
                          std::string_view code) {
  impl_->grpc_requests.With({service, method, code}).Increment();
}

std::string Metrics::Text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, impl_->registry.Collect());
  return out.str();
}

}  // namespace korder::runtime
