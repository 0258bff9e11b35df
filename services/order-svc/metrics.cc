#include "order-svc/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <string>

namespace korder::order {

struct Metrics::Impl {
  prometheus::Family<prometheus::Counter>& total;
  prometheus::Family<prometheus::Gauge>& active;

  static prometheus::Labels LabelsOf(const api::Order& order) {
    return {{"namespace", order.metadata.ns},
            {"strategy", std::string(api::Name(order.spec.strategy.type))}};
  }
};

Metrics::Metrics(prometheus::Registry& registry)
    : impl_(std::make_unique<Impl>(
          Impl{.total = prometheus::BuildCounter()
                            .Name("korder_orders_total")
                            .Help("Orders seen since the process started.")
                            .Register(registry),
               .active = prometheus::BuildGauge()
                             .Name("korder_orders_active")
                             .Help("Orders that exist and are not being deleted.")
                             .Register(registry)})) {}

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

}  // namespace korder::order
