// The untyped half of an informer: drives the pure WatchState over a transport and hands what
// arrives to a typed Sink. Lists in pages with a quorum read, watches with bookmarks, resumes from
// the last version seen, relists on 410 and when a watch goes back in time, backs off on errors,
// and gives up a connection that is silent too long.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/backoff.h"
#include "base/mutex.h"
#include "base/status.h"
#include "json/reader.h"
#include "kube/client.h"
#include "kube/watch_state.h"

namespace korder::kube {

struct ListWatchOptions {
  std::string ns;  // empty = all namespaces
  std::string label_selector;
  std::string field_selector;
  int page_size = 500;
  // The server ends a watch in good order after this.
  absl::Duration watch_timeout = absl::Minutes(5);
  // A watch silent for longer is given up as half-open: bookmarks come about every minute.
  absl::Duration idle_limit = absl::Seconds(90);
  BackoffPolicy backoff;
  // Waits between attempts; returns early on stop. Tests bring one that does not wait.
  std::function<void(absl::Duration, std::stop_token)> wait;
};

struct ListPage {
  std::string resource_version;
  std::string continue_token;
};

enum class EventType { kAdded, kModified, kDeleted, kBookmark };

class ListWatcher {
 public:
  // Receives objects as text; called on the thread that runs Run.
  class Sink {
   public:
    virtual ~Sink() = default;
    // One page of a list; `first` when it begins a new list. On an error the list begins anew.
    virtual absl::StatusOr<ListPage> Page(std::string body, bool first) = 0;
    // The list is complete: what it did not name is gone.
    virtual void ListDone() = 0;
    // One watch event whose object is next in the reader; returns the object's resourceVersion. On
    // an error the event is logged and left out. One that goes back behind `after`, the newest
    // version known, must not be put in: DATA_LOSS, which ends the watch.
    virtual absl::StatusOr<std::string> Event(EventType type, std::string_view after,
                                              json::Reader& object) = 0;
  };

  // Borrows everything.
  ListWatcher(Client& client, const api::ResourceType& resource, ListWatchOptions options,
              Sink& sink);

  void Run(std::stop_token stop);
  bool synced() const { return synced_.load(std::memory_order_acquire); }
  bool WaitForSync(std::stop_token stop);
  // Ends the watch, lists with a quorum read and returns once that is in the sink: what anybody
  // wrote before the call is in it then. False when stop came first. REQUIRES: Run is running.
  bool Refresh(std::stop_token stop);

 private:
  void Wait(const WatchState::Step& step, std::stop_token stop);
  absl::Status ListOnce(std::stop_token stop, WatchState& state, uint64_t asked);
  absl::Status WatchOnce(std::stop_token stop, WatchState& state);
  absl::Status ReadEvents(ByteStream& body, WatchState& state);
  absl::Status HandleFrame(std::string_view frame, WatchState& state);
  absl::Status HandleObject(std::string_view type, json::Reader& object, WatchState& state);
  void MarkSynced(uint64_t asked);

  Client& client_;
  const api::ResourceType resource_;
  const ListWatchOptions options_;
  Sink& sink_;
  std::atomic<bool> synced_ = false;
  Mutex mu_;
  CondVar sync_changed_;
  // Refreshes asked for, and those that the last complete list has served.
  uint64_t asked_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t served_ ABSL_GUARDED_BY(mu_) = 0;
  // Ends the exchange that is under way.
  std::stop_source exchange_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::kube
