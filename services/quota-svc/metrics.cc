#include "quota-svc/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <set>
#include <utility>

#include "api/v1alpha1/quota.h"
#include "base/mutex.h"
#include "runtime/labeled.h"

namespace korder::quota {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using SeriesLabels = std::map<std::string, std::string>;

double ToDouble(const api::Quantity& amount) { return static_cast<double>(amount.nanos()) / 1e9; }

std::string_view UnitOf(std::string_view resource) {
  if (resource == api::kResourceCpu) {
    return "cores";
  }
  const bool bytes = resource == api::kResourceMemory ||
                     resource == api::kResourceEphemeralStorage ||
                     resource.starts_with("hugepages-");
  return bytes ? "bytes" : "count";
}

// Gauges that come and go together: setting a group removes what it does not name any more. Not
// thread-safe.
class GaugeGroups {
 public:
  explicit GaugeGroups(prometheus::Family<Gauge>& family) : family_(family) {}

  void Set(const std::string& group, const std::map<SeriesLabels, double>& values) {
    std::map<SeriesLabels, Gauge*>& series = groups_[group];
    for (const auto& [labels, value] : values) {
      Gauge*& gauge = series[labels];
      if (gauge == nullptr) {
        gauge = &family_.Add(labels);
      }
      gauge->Set(value);
    }
    std::erase_if(series, [&](const auto& entry) {
      const bool stale = !values.contains(entry.first);
      if (stale) {
        family_.Remove(entry.second);
      }
      return stale;
    });
  }
  void Forget(const std::string& group) {
    Set(group, {});
    groups_.erase(group);
  }
  void ForgetAll() {
    while (!groups_.empty()) {
      Forget(std::string(groups_.begin()->first));
    }
  }

 private:
  prometheus::Family<Gauge>& family_;
  std::map<std::string, std::map<SeriesLabels, Gauge*>> groups_;
};

prometheus::Family<Gauge>& GaugeFamily(prometheus::Registry& registry, const char* name,
                                       const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::Impl {
  explicit Impl(prometheus::Registry& registry)
      : decisions(prometheus::BuildCounter()
                      .Name("korder_quota_decisions_total")
                      .Help("Decisions by result and, when it was not granted, why.")
                      .Register(registry),
                  {"result", "reason"}),
        duration(prometheus::BuildHistogram()
                     .Name("korder_quota_decision_duration_seconds")
                     .Help("From a call to its durable answer.")
                     .Register(registry)
                     .Add({}, Histogram::BucketBoundaries{0.0001, 0.0005, 0.001, 0.0025, 0.005,
                                                          0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5})),
        damaged(prometheus::BuildCounter()
                    .Name("korder_quota_ledger_damaged_total")
                    .Help("Times that the ledger object was found missing or damaged.")
                    .Register(registry)
                    .Add({})),
        pending(GaugeFamily(registry, "korder_quota_pending_grants",
                            "Charges that only the ledger object proves.")
                    .Add({})),
        ratio(GaugeFamily(registry, "korder_quota_usage_ratio",
                          "Used share of a quota's limit; above 1 when the limit was lowered.")),
        limits(GaugeFamily(registry, "korder_quota_limits", "Limits in force.")),
        reserved(GaugeFamily(registry, "korder_reserved_resources",
                             "Charged in a namespace, under whatever quota or none.")) {}

  runtime::Labeled<Counter, 2> decisions;
  Histogram& duration;
  Counter& damaged;
  Gauge& pending;

  Mutex mu;
  GaugeGroups ratio ABSL_GUARDED_BY(mu);
  GaugeGroups limits ABSL_GUARDED_BY(mu);
  GaugeGroups reserved ABSL_GUARDED_BY(mu);
};

Metrics::Metrics(prometheus::Registry& registry) : impl_(std::make_unique<Impl>(registry)) {
  impl_->decisions.With({"granted", ""});
  for (const char* kind : {"orders", "tickets", "reserved", "max-duration"}) {
    impl_->decisions.With({"denied", kind});
  }
  for (const char* code : {"UNAVAILABLE", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "OTHER"}) {
    impl_->decisions.With({"error", code});
  }
}

Metrics::~Metrics() = default;

void Metrics::Decision(std::string_view result, std::string_view reason) {
  impl_->decisions.With({result, reason}).Increment();
}

void Metrics::DecisionTook(absl::Duration took) {
  impl_->duration.Observe(absl::ToDoubleSeconds(took));
}

void Metrics::LedgerDamaged() { impl_->damaged.Increment(); }

void Metrics::SetQuota(const QuotaUsage& usage) {
  std::map<SeriesLabels, double> ratio;
  std::map<SeriesLabels, double> limits;
  for (const auto& [key, limit] : usage.limits.hard.amounts) {
    const SeriesLabels labels = {{"quota_name", usage.quota}, {"resource_type", key}};
    const auto used = usage.used.find(key);
    const double amount = used == usage.used.end() ? 0 : ToDouble(used->second);
    limits[labels] = ToDouble(limit);
    // Of nothing, nothing is used; or all of it, and more.
    ratio[labels] = limit.IsZero() ? (amount > 0 ? 1 : 0) : amount / ToDouble(limit);
  }
  if (const auto& longest = usage.limits.hard.max_duration) {
    limits[{{"quota_name", usage.quota}, {"resource_type", std::string(api::kQuotaMaxDuration)}}] =
        absl::ToDoubleSeconds(*longest);
  }
  const MutexLock lock(impl_->mu);
  impl_->ratio.Set(usage.quota, ratio);
  impl_->limits.Set(usage.quota, limits);
}

void Metrics::ForgetQuota(const std::string& quota) {
  const MutexLock lock(impl_->mu);
  impl_->ratio.Forget(quota);
  impl_->limits.Forget(quota);
}

void Metrics::SetReserved(const std::map<std::string, Amounts>& used_by_namespace) {
  std::map<SeriesLabels, double> values;
  for (const auto& [ns, used] : used_by_namespace) {
    for (const auto& [key, amount] : used) {
      if (key.starts_with(api::kQuotaReservedPrefix)) {
        const std::string resource = key.substr(api::kQuotaReservedPrefix.size());
        values[{{"namespace", ns},
                {"resource_type", resource},
                {"unit", std::string(UnitOf(resource))}}] = ToDouble(amount);
      }
    }
  }
  const MutexLock lock(impl_->mu);
  impl_->reserved.Set("", values);
}

void Metrics::SetPendingGrants(size_t count) { impl_->pending.Set(static_cast<double>(count)); }

void Metrics::ForgetAll() {
  impl_->pending.Set(0);
  const MutexLock lock(impl_->mu);
  impl_->ratio.ForgetAll();
  impl_->limits.ForgetAll();
  impl_->reserved.ForgetAll();
}

std::string_view KindOfLimit(std::string_view key) {
  return key.starts_with(api::kQuotaReservedPrefix) ? "reserved" : key;
}

}  // namespace korder::quota
