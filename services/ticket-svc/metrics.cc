#include "ticket-svc/metrics.h"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "runtime/labeled.h"

namespace korder::ticket {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

constexpr std::array kResults = {HandoffAct::kClaimed, HandoffAct::kAbort, HandoffAct::kMissed,
                                 HandoffAct::kLost};

std::string_view ResultName(HandoffAct act) {
  switch (act) {
    case HandoffAct::kClaimed:
      return "claimed";
    case HandoffAct::kAbort:
      return "aborted";
    case HandoffAct::kMissed:
      return "missed";
    default:
      return "lost";
  }
}

std::string_view UnitOf(std::string_view resource) {
  if (resource == api::kResourceCpu) {
    return "cores";
  }
  const bool bytes = resource == api::kResourceMemory ||
                     resource == api::kResourceEphemeralStorage ||
                     resource.starts_with("hugepages-");
  return bytes ? "bytes" : "count";
}

}  // namespace

struct Metrics::Impl {
  explicit Impl(prometheus::Registry& registry)
      : total(prometheus::BuildCounter()
                  .Name("korder_tickets_total")
                  .Help("Tickets that were seen to enter a phase.")
                  .Register(registry),
              {"namespace", "phase"}),
        active(prometheus::BuildGauge()
                   .Name("korder_tickets_active")
                   .Help("Tickets that exist, by phase.")
                   .Register(registry),
               {"namespace", "phase"}),
        guardians(prometheus::BuildCounter()
                      .Name("korder_guardian_pods_total")
                      .Help("Guardian pods made.")
                      .Register(registry),
                  {"namespace"}),
        reserved(prometheus::BuildGauge()
                     .Name("korder_reserved_resources")
                     .Help("Room held by Ready tickets.")
                     .Register(registry),
                 {"namespace", "resource_type", "unit"}),
        claimed(prometheus::BuildGauge()
                    .Name("korder_claimed_resources")
                    .Help("Room of tickets that a business pod has claimed.")
                    .Register(registry),
                {"namespace", "resource_type", "unit"}),
        idle_seconds(
            prometheus::BuildCounter()
                .Name("korder_idle_resource_seconds_total")
                .Help("Room held by Ready tickets that no pod has claimed, times how long: core "
                      "seconds, byte seconds.")
                .Register(registry),
            {"namespace", "resource_type"}),
        ready_wait(prometheus::BuildHistogram()
                       .Name("korder_ticket_ready_wait_seconds")
                       .Help("From a ticket's creation until its first guardian held the room.")
                       .Register(registry)
                       .Add({}, Buckets{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800})),
        handoffs(prometheus::BuildHistogram()
                     .Name("korder_handoff_duration_seconds")
                     .Help("From the decision until the pod was bound or the handoff given up.")
                     .Register(registry),
                 {"result"}, Buckets{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20}),
        failures(prometheus::BuildCounter()
                     .Name("korder_handoff_failures_total")
                     .Help("Handoffs after which the pod did not have the ticket's room.")
                     .Register(registry),
                 {"reason"}) {
    for (const HandoffAct result : kResults) {
      handoffs.With({ResultName(result)});
    }
    for (const std::string_view reason : EnumNames(HandoffReason{})) {
      if (reason != api::Name(HandoffReason::kNone)) {
        failures.With({reason});
      }
    }
  }

  // Adds the ticket to the gauges, or takes it out.
  void Count(const GuardedTicket& ticket, double sign) {
    const api::TicketPhase phase = ticket.status.phase;
    active.With({ticket.metadata.ns, api::Name(phase)}).Increment(sign);
    const bool holds = phase == api::TicketPhase::kReady;
    if (!holds && phase != api::TicketPhase::kClaimed) {
      return;
    }
    for (const auto& [name, amount] : ticket.form->requests) {
      const double value = sign * static_cast<double>(amount.nanos()) / 1e9;
      (holds ? reserved : claimed).With({ticket.metadata.ns, name, UnitOf(name)}).Increment(value);
      if (holds) {
        idle_seconds.With({ticket.metadata.ns, name});
        const MutexLock lock(mu);
        idle[{ticket.metadata.ns, name}] += value;
      }
    }
  }

  runtime::Labeled<prometheus::Counter, 2> total;
  runtime::Labeled<prometheus::Gauge, 2> active;
  runtime::Labeled<prometheus::Counter, 1> guardians;
  runtime::Labeled<prometheus::Gauge, 3> reserved;
  runtime::Labeled<prometheus::Gauge, 3> claimed;
  runtime::Labeled<prometheus::Counter, 2> idle_seconds;
  prometheus::Histogram& ready_wait;
  runtime::Labeled<prometheus::Histogram, 1> handoffs;
  runtime::Labeled<prometheus::Counter, 1> failures;

  Mutex mu;
  // Namespace and resource -> the room that is held and not claimed.
  std::map<std::pair<std::string, std::string>, double> idle ABSL_GUARDED_BY(mu);
  std::optional<MonoTime> counted ABSL_GUARDED_BY(mu);
};

Metrics::Metrics(prometheus::Registry& registry) : impl_(std::make_unique<Impl>(registry)) {}

Metrics::~Metrics() = default;

void Metrics::OnTicket(const GuardedTicket* was, const GuardedTicket* is) {
  if (was != nullptr) {
    impl_->Count(*was, -1);
  }
  if (is != nullptr) {
    impl_->Count(*is, 1);
    if (was == nullptr || was->status.phase != is->status.phase) {
      impl_->total.With({is->metadata.ns, api::Name(is->status.phase)}).Increment();
    }
  }
}

void Metrics::CountIdle(MonoTime now) {
  const MutexLock lock(impl_->mu);
  if (impl_->counted) {
    const double seconds = std::chrono::duration<double>(now - *impl_->counted).count();
    for (const auto& [key, amount] : impl_->idle) {
      if (amount > 0) {
        impl_->idle_seconds.With({key.first, key.second}).Increment(amount * seconds);
      }
    }
  }
  impl_->counted = now;
}

void Metrics::StopIdle() {
  const MutexLock lock(impl_->mu);
  impl_->counted.reset();
}

void Metrics::GuardianCreated(std::string_view ns) { impl_->guardians.With({ns}).Increment(); }

void Metrics::BecameReady(absl::Duration waited) {
  impl_->ready_wait.Observe(absl::ToDoubleSeconds(waited));
}

void Metrics::HandoffEnded(HandoffAct act, HandoffReason reason, absl::Duration took) {
  impl_->handoffs.With({ResultName(act)}).Observe(absl::ToDoubleSeconds(took));
  if (GivesUp(act)) {
    impl_->failures.With({api::Name(reason)}).Increment();
  }
}

}  // namespace korder::ticket
