// Runs a few blocking calls side by side.
//
//   ParallelFor(tickets.size(), 8, [&](size_t i) { results[i] = client.Create(tickets[i]); });
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "base/thread.h"

namespace korder {

// Calls fn(0) ... fn(count - 1), each once, on at most `width` threads (the caller's is one of
// them), and returns when all are done. fn must not throw.
template <class Fn>
void ParallelFor(size_t count, size_t width, Fn fn) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      fn(i);
    }
  };
  std::vector<Thread> helpers;
  for (size_t i = 1; i < std::min(count, width); ++i) {
    helpers.emplace_back(work);
  }
  work();
}

}  // namespace korder
