// One open watch: turns changes into the frames that its client reads.
//
//   WatchFeed feed(selector, bookmarks);
//   feed.Offer(change);
//   while (!feed.frames().empty()) { ... }
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/status.h"
#include "kube/testing/fake/object_store.h"
#include "kube/testing/fake/selectors.h"

namespace korder::kube::fake {

class WatchFeed {
 public:
  WatchFeed(ApiCall call, Selector selector);

  const ApiCall& call() const { return call_; }

  // A change is told as the client sees it through its selector: an object that begins to match is
  // ADDED, one that ceases to is DELETED.
  void Offer(const Change& change);
  // What is there already.
  void OfferExisting(const ObjectPtr& object);
  // Tells where the watch is, if the client asked for bookmarks.
  void OfferBookmark(const std::string& kind, int64_t version);
  // Says that the version asked for is too old, and ends.
  void OfferExpired(int64_t asked_for, int64_t oldest);
  // Ends the stream after what is in it: OK in good order, otherwise with that error.
  void End(absl::Status status);

  bool ready() const { return !frames_.empty() || end_; }
  // The next frame; empty at the orderly end. REQUIRES: ready().
  absl::StatusOr<std::string> Take();

 private:
  void Push(std::string_view type, const Json& object);
  void Push(std::string_view type, const std::string& object);

  const ApiCall call_;
  const Selector selector_;
  std::deque<std::string> frames_;
  std::optional<absl::Status> end_;
};

}  // namespace korder::kube::fake
