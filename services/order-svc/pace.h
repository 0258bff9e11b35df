// How many tickets are under way at the same time: made, and not yet backed by a guardian that
// runs. Made all at once, thousands of tickets would keep the API server so busy that none of them
// gets its room, and every write of the ledger would carry the grants of all.
//
//   Pace pace(clock, [&](const kube::ObjectKey& order) { controller.Enqueue(order); });
//   const size_t now = pace.Take(ns, names);   // make the first `now` of them
//   pace.Settle({ns, name});                   // Ready, in trouble, over, or not made after all
//   pace.Wait(order);                          // it wants more, and nothing else hinders it
//
// Orders that wait are woken, in their turn, when there is room again. A ticket that nothing
// becomes of (the cluster is full) is waited for no longer than `patience`, so that it holds up
// nobody. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/object_key.h"
#include "order-svc/order_ticket.h"

namespace korder::order {

struct PaceLimits {
  size_t tickets = 256;
  absl::Duration patience = absl::Seconds(10);
};

class Pace {
 public:
  using Wake = std::function<void(const kube::ObjectKey& order)>;

  // Borrows the clock. `wake` is called without a lock held.
  Pace(const Clock& clock, Wake wake, PaceLimits limits = {});

  // How many of the tickets `names` may be made now: all, or some if they are many, or none. Those
  // are under way until they are settled.
  size_t Take(const std::string& ns, const std::vector<std::string>& names);
  // The order is woken when it may make more. As no ticket may become Ready, it looks again after
  // `patience` by itself.
  void Wait(const kube::ObjectKey& order);
  void Settle(const kube::ObjectKey& ticket);
  // An informer's handler.
  void OnTicket(const OrderTicket* was, const OrderTicket* is);
  // When leadership begins.
  void ForgetAll();

  absl::Duration patience() const { return limits_.patience; }

 private:
  void DropOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Half of all: to look at a large order costs something, and so does each call that reserves for
  // a few of its tickets, which quota-svc has to write down.
  size_t WorthTaking() const { return (limits_.tickets + 1) / 2; }
  // Whom to wake, if there is room that is worth it.
  std::optional<kube::ObjectKey> Next(size_t worth) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  const Wake wake_;
  const PaceLimits limits_;

  Mutex mu_;
  absl::flat_hash_map<kube::ObjectKey, MonoTime> under_way_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<MonoTime, kube::ObjectKey>> by_age_ ABSL_GUARDED_BY(mu_);
  std::deque<kube::ObjectKey> waiting_ ABSL_GUARDED_BY(mu_);  // orders, the longest first
  absl::flat_hash_set<kube::ObjectKey> in_waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::order
