// Which change wakes the controller for which order: the handlers of order-svc's informers.
//
//   tickets.OnChange([&](auto* was, auto* is) { wake_ups.OnTicket(was, is); });
#pragma once

#include <string_view>

#include "kube/controller.h"
#include "kube/store.h"
#include "order-svc/reconciler.h"

namespace korder::order {

// The index of the order store that finds orders with one ticket for each node.
inline constexpr std::string_view kDaemonIndex = "daemonSet";
kube::IndexValues DaemonIndex(const api::Order& order);

// Thread-safe.
class WakeUps {
 public:
  // Borrows everything. REQUIRES: `orders` has the index kDaemonIndex.
  WakeUps(const kube::Store<api::Order>& orders, Reconciler& reconciler, Pace& pace,
          kube::Controller& controller)
      : orders_(orders), reconciler_(reconciler), pace_(pace), controller_(controller) {}

  void OnOrder(const api::Order* was, const api::Order* is);
  void OnTicket(const OrderTicket* was, const OrderTicket* is);
  void OnNode(const api::Node* was, const api::Node* is);
  // The order may make more tickets.
  void MayGoOn(const kube::ObjectKey& order) { controller_.Enqueue(order); }
  // When leadership begins, or the clock was set.
  void Everything();

 private:
  const kube::Store<api::Order>& orders_;
  Reconciler& reconciler_;
  Pace& pace_;
  kube::Controller& controller_;
};

}  // namespace korder::order
