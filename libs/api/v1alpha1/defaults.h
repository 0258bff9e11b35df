// What the schema cannot default, as functions: what is stored stays as the user wrote it.
//
//   ticket.spec.resources.requests = EffectiveRequests(order.spec.ticket_template.spec);
#pragma once

#include <string>

#include "api/core/resources.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket_spec.h"
#include "api/value/label_selector.h"

namespace korder::api {

inline constexpr absl::Duration kDefaultQuotaWindow = absl::Hours(1);

// What a ticket reserves: its requests, completed from its limits.
ResourceList EffectiveRequests(const TicketSpec& spec);

// The limits a guardian must carry: the ticket's own, and one equal to the request for every
// resource that Kubernetes refuses to overcommit (hugepages, nvidia.com/gpu...).
ResourceList EffectiveLimits(const TicketSpec& spec);

// The selector of an Order's tickets: its own, or korder.dev/order=<name>.
LabelSelector EffectiveSelector(const Order& order);

// How long a Quota's window stays open after a tick of its schedule.
absl::Duration EffectiveDuration(const QuotaTimeWindow& window);

}  // namespace korder::api
