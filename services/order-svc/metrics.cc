#include "order-svc/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>

namespace korder::order {

struct Metrics::Impl {
  prometheus::Family<prometheus::Counter>& total;
  prometheus::Family<prometheus::Gauge>& active;
  prometheus::Histogram& window_start_delay;

  static prometheus::Labels LabelsOf(const api::Order& order) {
    return {{"namespace", order.metadata.ns},
            {"strategy", std::string(api::Name(order.spec.strategy.type))}};
  }
};

Metrics::Metrics(prometheus::Registry& registry)
    : impl_(std::make_unique<Impl>(Impl{
          .total = prometheus::BuildCounter()
                       .Name("korder_orders_total")
                       .Help("Orders seen since the process started.")
                       .Register(registry),
          .active = prometheus::BuildGauge()
                        .Name("korder_orders_active")
                        .Help("Orders that exist and are not being deleted.")
                        .Register(registry),
          .window_start_delay =
              prometheus::BuildHistogram()
                  .Name("korder_window_start_delay_seconds")
                  .Help("How long after it was due (leadTime before its start, or the tick of a "
                        "Recurring order) a window was begun.")
                  .Register(registry)
                  .Add({}, prometheus::Histogram::BucketBoundaries{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
                                                                   10, 60, 300, 3600})})) {}

Metrics::~Metrics() = default;

void Metrics::OnOrder(const api::Order* was, const api::Order* is) {
  if (was == nullptr && is != nullptr) {
    impl_->total.Add(Impl::LabelsOf(*is)).Increment();
  }
  if (was != nullptr && !was->metadata.deleting()) {
    impl_->active.Add(Impl::LabelsOf(*was)).Decrement();
  }
  if (is != nullptr && !is->metadata.deleting()) {
    impl_->active.Add(Impl::LabelsOf(*is)).Increment();
  }
}

void Metrics::WindowStarted(absl::Duration delay) {
  impl_->window_start_delay.Observe(absl::ToDoubleSeconds(delay));
}

}  // namespace korder::order
