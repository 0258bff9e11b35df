// The recovery logic of list and watch, without I/O: what to ask next, from where, and how long to
// wait before.
//
//   list pages --> watch --+--> the server closed it, it broke, fell silent --> watch from the last
//       ^                  |                                                    version seen
//       +------------------+--> the version is too old (410), the watch is refused, or tells
//                                something older than it told before
//
//   WatchState state;
//   const WatchState::Step step = state.next();
//   wait(max(BackoffDelay(policy, step.failures, random), step.at_least));
//   if (step.kind == Kind::kList) { ...; state.PageArrived(...) or state.ListFailed(status); }
//   else { ...; state.WatchOpened(); state.Seen(version)...; state.WatchEnded(status, lasted); }
//
// Pure; not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"

namespace korder::kube {

// Whether an event of this version would be older than what is known to be `after`; the versions of
// one server are numbers that grow, and of others nothing is known.
bool GoesBack(std::string_view version, std::string_view after);

class WatchState {
 public:
  // A watch that ends sooner than this and brought nothing counts as a failure, so that a server
  // which answers 200 and closes is not asked in a tight loop.
  static constexpr absl::Duration kShort = absl::Seconds(1);
  // So many silent watches in a row mean that the server may have lost our version (restored from a
  // backup, it holds watches from the future open and sends nothing): list anew.
  static constexpr int kMaxSilent = 2;

  enum class Kind { kList, kWatch };
  struct Step {
    Kind kind = Kind::kList;
    bool first = true;           // kList: the page begins a new list
    std::string continue_token;  // kList: of the page; empty for the first
    std::string version;         // kWatch: where it begins
    int failures = 0;            // in a row, to back off for
    absl::Duration at_least;     // what the server asked us to wait
    // What led here, when something ended or failed: "closed", "short", "silent", "expired",
    // "refused", "disorder", "refresh", "error".
    std::string_view reason;

    bool operator==(const Step&) const = default;
  };
  const Step& next() const { return next_; }

  // Whatever is under way, list anew at once: somebody wants to know what is there now.
  void Refresh() { ListAnew(0, "refresh"); }

  // --- answers to kList ---

  // Returns true when the list is complete; a watch follows.
  bool PageArrived(std::string_view version, std::string_view continue_token);
  // A page that failed for a while is asked for again; when its token has expired, or the page
  // could not be read, the list begins anew.
  void ListFailed(const absl::Status& status);

  // --- answers to kWatch ---

  // The server accepted it.
  void WatchOpened() { opened_ = true; }
  // An event or bookmark came; versions only go forward.
  void Seen(std::string_view version);
  // The newest version that is known.
  const std::string& version() const { return version_; }
  // OK = the server closed it in good order. DATA_LOSS = it went back: whatever else it has told or
  // kept to itself, a list knows.
  void WatchEnded(const absl::Status& status, absl::Duration lasted);

 private:
  void ListAnew(int failures, std::string_view reason);
  void WatchAgain(int failures, std::string_view reason);

  Step next_;
  std::string version_;
  int list_failures_ = 0;
  // Survives a relist: a version that is too old again and again must not spin, either.
  int watch_failures_ = 0;
  int silent_ = 0;
  // Of the watch under way.
  bool opened_ = false;
  bool heard_ = false;
  bool progress_ = false;
};

}  // namespace korder::kube
