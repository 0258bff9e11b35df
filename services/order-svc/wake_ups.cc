#include "order-svc/wake_ups.h"

#include <algorithm>

namespace korder::order {
namespace {

// Changes that come together are looked at together: the more tickets an order has, the longer a
// look takes, and the more of them change at the same time.
constexpr absl::Duration kLookPerTicket = absl::Microseconds(20);
constexpr absl::Duration kLongestLook = absl::Milliseconds(500);
constexpr absl::Duration kLookAtNodes = absl::Milliseconds(200);

// Whether orders with one ticket for each node may look at the node in another way.
bool IsOtherPlace(const api::Node* was, const api::Node* is) {
  return was == nullptr || is == nullptr || was->metadata.labels != is->metadata.labels ||
         !(was->spec == is->spec) || was->metadata.deleting() != is->metadata.deleting();
}

}  // namespace

kube::IndexValues DaemonIndex(const api::Order& order) {
  return order.spec.daemon_set ? kube::IndexValues{"true"} : kube::IndexValues();
}

void WakeUps::OnOrder(const api::Order* was, const api::Order* is) {
  controller_.Enqueue(kube::KeyOf(is != nullptr ? *is : *was));
}

void WakeUps::OnTicket(const OrderTicket* was, const OrderTicket* is) {
  if (is == nullptr) {
    reconciler_.Gone(*was);
  }
  pace_.OnTicket(was, is);
  const OrderTicket& ticket = is != nullptr ? *is : *was;
  const auto& owner = ticket.form->owner;
  if (!owner || owner->kind != api::Order::kResource.kind) {
    return;
  }
  const kube::ObjectKey key{ticket.metadata.ns, owner->name};
  const auto order = orders_.Get(key);
  const absl::Duration delay =
      std::min(kLookPerTicket * (order ? order->status.replicas : 0), kLongestLook);
  if (delay < absl::Milliseconds(1)) {
    controller_.Enqueue(key);
  } else {
    controller_.EnqueueAfter(key, delay);
  }
}

void WakeUps::OnNode(const api::Node* was, const api::Node* is) {
  if (IsOtherPlace(was, is)) {
    for (const auto& order : orders_.ByIndex(kDaemonIndex, "true")) {
      controller_.EnqueueAfter(kube::KeyOf(*order), kLookAtNodes);
    }
  }
}

void WakeUps::Everything() {
  for (const auto& order : orders_.List()) {
    controller_.Enqueue(kube::KeyOf(*order));
  }
}

}  // namespace korder::order
