#include "ticket-svc/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "api/v1alpha1/defaults.h"
#include "ticket-svc/handoff_step.h"

namespace korder::ticket {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                              2.5,  5,     10,   30,  60,   300};

std::string UnitOf(const std::string& resource) {
  return resource == "cpu" ? "cores" : resource == "memory" ? "bytes" : "units";
}

}  // namespace

struct Metrics::Impl {
  Family<Counter>& tickets_total;
  Family<Gauge>& tickets_active;
  Family<Gauge>& guardians;
  Family<Gauge>& claimed;
  Histogram& ready_wait;
  Family<Histogram>& handoffs;
  Family<Counter>& failures;

  void Count(const api::Ticket& ticket, double sign) {
    const std::string& ns = ticket.metadata.ns;
    tickets_active.Add({{"namespace", ns}, {"phase", std::string(api::Name(ticket.status.phase))}})
        .Increment(sign);
    if (ticket.status.phase != api::TicketPhase::kClaimed) {
      return;
    }
    for (const auto& [resource, quantity] : api::EffectiveRequests(ticket.spec)) {
      claimed.Add({{"namespace", ns}, {"resource_type", resource}, {"unit", UnitOf(resource)}})
          .Increment(sign * static_cast<double>(quantity.nanos()) / 1e9);
    }
  }
};

Metrics::Metrics(prometheus::Registry& registry)
    : impl_(std::make_unique<Impl>(
          Impl{.tickets_total = prometheus::BuildCounter()
                                    .Name("korder_tickets_total")
                                    .Help("Tickets that entered a phase since the process started.")
                                    .Register(registry),
               .tickets_active = prometheus::BuildGauge()
                                     .Name("korder_tickets_active")
                                     .Help("Tickets that exist, by phase.")
                                     .Register(registry),
               .guardians = prometheus::BuildGauge()
                                .Name("korder_guardian_pods_total")
                                .Help("Guardian pods that exist.")
                                .Register(registry),
               .claimed = prometheus::BuildGauge()
                              .Name("korder_claimed_resources")
                              .Help("Room of tickets that business pods have, in base units.")
                              .Register(registry),
               .ready_wait = prometheus::BuildHistogram()
                                 .Name("korder_ticket_ready_wait_seconds")
                                 .Help("From a ticket's creation until it was Ready.")
                                 .Register(registry)
                                 .Add({}, kSeconds),
               .handoffs = prometheus::BuildHistogram()
                               .Name("korder_handoff_duration_seconds")
                               .Help("From the promise of a room to the end of its handoff.")
                               .Register(registry),
               .failures = prometheus::BuildCounter()
                               .Name("korder_handoff_failures_total")
                               .Help("Handoffs that did not succeed, by reason.")
                               .Register(registry)})) {
  impl_->handoffs.Add({{"result", "claimed"}}, kSeconds);
  impl_->handoffs.Add({{"result", "failed"}}, kSeconds);
  for (const std::string_view reason : EnumNames(HandoffReason{})) {
    impl_->failures.Add({{"reason", std::string(reason)}});
  }
}

Metrics::~Metrics() = default;

void Metrics::OnTicket(const api::Ticket* was, const api::Ticket* is) {
  if (was != nullptr) {
    impl_->Count(*was, -1);
  }
  if (is == nullptr) {
    return;
  }
  impl_->Count(*is, 1);
  if (was == nullptr || was->status.phase != is->status.phase) {
    impl_->tickets_total
        .Add({{"namespace", is->metadata.ns}, {"phase", std::string(api::Name(is->status.phase))}})
        .Increment();
  }
}

void Metrics::OnGuardian(const api::Pod* was, const api::Pod* is) {
  if ((was == nullptr) != (is == nullptr)) {
    const api::Pod& pod = is != nullptr ? *is : *was;
    impl_->guardians.Add({{"namespace", pod.metadata.ns}}).Increment(is != nullptr ? 1 : -1);
  }
}

void Metrics::HandoffEnded(const std::string& result, absl::Duration took) {
  impl_->handoffs.Add({{"result", result}}, kSeconds).Observe(absl::ToDoubleSeconds(took));
}

void Metrics::HandoffFailed(const std::string& reason) {
  impl_->failures.Add({{"reason", reason}}).Increment();
}

void Metrics::ReadyAfter(absl::Duration waited) {
  impl_->ready_wait.Observe(absl::ToDoubleSeconds(waited));
}

}  // namespace korder::ticket
