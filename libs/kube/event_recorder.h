// Writes Kubernetes Events in the background: what `kubectl describe` shows under an object.
//
//   events.Normal(RefTo(ticket), "TicketReady", "guardian my-order-0-1 holds the room on node-3");
//
// Events are for people and best effort: the same event about the same object within the
// aggregation window raises a count instead of making a new one, and budgets keep events from
// competing with real work, and those of one reason in one namespace from silencing the others;
// what is over them is dropped and counted. Thread-safe; never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

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

// Tokens: `burst` at once, then so many a second.
struct EventBudget {
  double per_second = 0;
  double burst = 0;
};

struct EventRecorderOptions {
  std::string component;  // "order-svc"
  std::string instance;   // this process
  // Of each reason in each namespace. A write of an event costs the API server as much as one of a
  // ticket, so what goes well is told of few when there are thousands.
  EventBudget warnings = {.per_second = 2, .burst = 25};
  EventBudget normals = {.per_second = 0.5, .burst = 25};
  // Of them all.
  EventBudget total = {.per_second = 10, .burst = 200};
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
  // Something to tell, as often as it happened since it was last told.
  struct Note {
    api::ObjectReference about;
    std::string type;
    std::string reason;
    std::string message;
    int32_t count = 0;
    absl::Time first;
    absl::Time last;
    int64_t serial = 0;  // tells notes of the same instant apart

    // What makes two notes the same event.
    std::string Id() const;
    api::Event ToEvent(const EventRecorderOptions& options) const;
  };
  // The Event object that stands for the notes of one id.
  struct Sent {
    ObjectKey key;
    int32_t count = 0;
    absl::Time last;
  };

  void Record(const api::ObjectReference& about, std::string_view type, std::string_view reason,
              std::string_view message);
  // Adds the note to one that waits, or puts it in line; a reason why not, or "".
  std::string_view Enqueue(Note note) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Waits for the next note; nullopt when stop is requested and none is left.
  std::optional<Note> Take(std::stop_token stop);
  void PutBack(const Note& note);
  // CANCELLED when the note is to be sent again.
  absl::Status Send(const Note& note, const CallOptions& call);
  absl::Status SendAgain(const Note& note, Sent& sent, const CallOptions& call);
  void ForgetOld(absl::Time now);

  // What is left of a budget.
  struct Tokens {
    double count = 0;
    MonoTime refilled;
    void Refill(const EventBudget& budget, MonoTime now);
  };

  Client& client_;
  const Clock& clock_;
  const EventRecorderOptions options_;

  Mutex mu_;
  CondVar changed_;
  // The same notes, in order.
  std::deque<std::string> line_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Note> pending_ ABSL_GUARDED_BY(mu_);
  // By reason and namespace.
  absl::flat_hash_map<std::pair<std::string, std::string>, Tokens> tokens_ ABSL_GUARDED_BY(mu_);
  Tokens total_ ABSL_GUARDED_BY(mu_);
  int64_t serial_ ABSL_GUARDED_BY(mu_) = 0;
  // Only Run touches it.
  absl::flat_hash_map<std::string, Sent> sent_;
};

}  // namespace korder::kube
