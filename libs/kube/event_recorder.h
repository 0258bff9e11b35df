// Writes Kubernetes Events in the background: what `kubectl describe` shows under an object.
//
//   events.Normal(RefTo(ticket), "TicketReady", "guardian my-order-0-1 holds the room on node-3");
//
// Events are for people and best effort: the same event about the same object within the
// aggregation window raises a count instead of making a new one, and a service-wide budget (tokens)
// keeps events from competing with real work; what is over it is dropped and counted. Thread-safe;
// never blocks.
#pragma once

#include <deque>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "api/core/event.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"

namespace korder::kube {

template <class T>
api::ObjectReference RefTo(const T& object) {
  api::ObjectReference ref;
  ref.api_version = T::kResource.ApiVersion();
  ref.kind = T::kResource.kind;
  ref.ns = object.metadata.ns;
  ref.name = object.metadata.name;
  ref.uid = object.metadata.uid;
  return ref;
}

struct EventRecorderOptions {
  std::string component;  // "order-svc"
  std::string instance;   // this process
  double per_second = 10;
  double burst = 50;
  absl::Duration aggregation_window = absl::Minutes(10);
  int max_pending = 1000;
};

class EventRecorder {
 public:
  // Borrows client and clock.
  EventRecorder(Client& client, const Clock& clock, EventRecorderOptions options);

  void Normal(const api::ObjectReference& about, std::string_view reason,
              std::string_view message) {
    Record(about, "Normal", reason, message);
  }
  void Warning(const api::ObjectReference& about, std::string_view reason,
               std::string_view message) {
    Record(about, "Warning", reason, message);
  }

  // Sends what is recorded until stop, then what is left, for two seconds at most.
  void Run(std::stop_token stop);

 private:
  struct Pending {
    api::ObjectReference about;
    std::string type;
    std::string reason;
    std::string message;
    absl::Time at;
  };
  struct Seen {
    std::string event_name;
    int32_t count = 0;
    absl::Time first;
    absl::Time last;
  };

  void Record(const api::ObjectReference& about, std::string_view type, std::string_view reason,
              std::string_view message);
  void Send(const Pending& pending);

  Client& client_;
  const Clock& clock_;
  const EventRecorderOptions options_;

  Mutex mu_;
  CondVar changed_;
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mu_);
  double tokens_ ABSL_GUARDED_BY(mu_);
  MonoTime refilled_ ABSL_GUARDED_BY(mu_);
  // Only Run touches it.
  absl::flat_hash_map<std::string, Seen> seen_;
};

}  // namespace korder::kube
