// The recovery logic of a list and watch, without I/O: what to ask next, from where, and how long
// to wait before.
//
//   WatchState state;
//   if (state.next() == WatchState::Next::kList) { ...; state.ListPage(version, token); }
//   else { watch from state.version(); state.Seen(version)...; state.WatchEnded(); }
//   delay = BackoffDelay(policy, state.failures(), random);
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace korder::kube {

class WatchState {
 public:
  enum class Next { kList, kWatch };

  Next next() const { return next_; }
  // Where the watch begins: the list's version or the last one seen.
  const std::string& version() const { return version_; }
  // Of the page to list next; empty = the first.
  const std::string& continue_token() const { return continue_token_; }
  // In a row, without progress between them.
  int failures() const { return failures_; }

  // A page arrived. Without a continue token the list is complete and a watch follows.
  void ListPage(std::string_view version, std::string_view continue_token);
  // A watch event or bookmark arrived. Versions only go forward.
  void Seen(std::string_view version);
  // The server ended the watch in good order. One that brought nothing counts as a failure, so that
  // a server that answers 200 and closes is not asked in a tight loop.
  void WatchEnded();
  // List or watch failed. 410 (OUT_OF_RANGE) means that the version is too old: list anew.
  void Failed(const absl::Status& status);

 private:
  Next next_ = Next::kList;
  std::string version_;
  std::string continue_token_;
  int failures_ = 0;
  bool progress_ = false;
};

}  // namespace korder::kube
