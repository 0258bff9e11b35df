#include "ticket-svc/leader_work.h"

#include "base/backoff.h"
#include "base/thread.h"

namespace korder::ticket {
namespace {

const BackoffPolicy kBackoff{.max = absl::Seconds(3)};

}  // namespace

// The reconcilers wake queues that are made after them: none does before it is run.
LeaderWork::LeaderWork(const Parts& parts, const Options& options)
    : traffic_(parts.clock),
      pulse_(parts.clock),
      fences_(parts.client, options.fence_namespace, options.guardian),
      ticket_reconciler_({parts.client, parts.world, parts.charges, parts.events, parts.metrics,
                          traffic_, parts.clock},
                         options.guardian, options.node_grace),
      handoff_reconciler_({parts.client, parts.world, locks_, fences_, traffic_, pulse_,
                           parts.disturbance, parts.events, parts.metrics, parts.clock},
                          options.handoffs,
                          [this](const std::string& node) { wake_ups_.NodeFreed(node); }),
      claim_reconciler_({parts.client, parts.world, locks_, parts.events, parts.clock},
                        options.claims,
                        [this](const std::string& node) { handoffs_.Enqueue(NodeKey(node)); }),
      tickets_("ticket", ticket_reconciler_, parts.clock,
               {.workers = options.ticket_workers, .backoff = kBackoff}, parts.disturbance),
      fence_queue_("fence", fences_, parts.clock, {.workers = 1, .backoff = kBackoff},
                   parts.disturbance),
      handoffs_("handoff", handoff_reconciler_, parts.clock,
                {.workers = options.handoff_workers, .backoff = kBackoff}, parts.disturbance),
      claims_("claims", claim_reconciler_, parts.clock, {.workers = 2, .backoff = kBackoff},
              parts.disturbance),
      wake_ups_(parts.world, locks_, fences_, pulse_, parts.metrics,
                {tickets_, claims_, handoffs_}) {
  fences_.Connect([this](const kube::ObjectKey& key) { fence_queue_.Enqueue(key); },
                  [this] { wake_ups_.AllHandoffs(); });
}

std::vector<std::string> LeaderWork::QueueNames() const {
  return {tickets_.name(), claims_.name(), handoffs_.name(), fence_queue_.name()};
}

void LeaderWork::Run(std::stop_token stop) {
  ticket_reconciler_.ForgetAll();
  handoff_reconciler_.ForgetAll();
  claim_reconciler_.ForgetAll();
  wake_ups_.Everything();
  const Thread claim_thread([this, stop] { claims_.Run(stop); });
  const Thread handoff_thread([this, stop] { handoffs_.Run(stop); });
  const Thread fence_thread([this, stop] { fence_queue_.Run(stop); });
  tickets_.Run(stop);
}

}  // namespace korder::ticket
