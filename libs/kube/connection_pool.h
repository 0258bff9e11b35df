// Keeps idle connections for later requests.
//
//   std::unique_ptr<Connection> connection = pool.Take(now);   // null: open a new one
//   ...
//   pool.Keep(std::move(connection), now);
//
// The one used last is handed out first, so that what a quiet time leaves over can age and go.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/mono_time.h"
#include "base/mutex.h"
#include "kube/beast_connection.h"

namespace korder::kube {

class ConnectionPool {
 public:
  ConnectionPool(size_t max_idle, std::chrono::nanoseconds idle_timeout)
      : max_idle_(max_idle), idle_timeout_(idle_timeout) {}

  // Neither too old nor closed by the server; null when there is none.
  std::unique_ptr<Connection> Take(MonoTime now);
  // Closes it instead when it cannot be used again or there are enough.
  void Keep(std::unique_ptr<Connection> connection, MonoTime now);
  // The server is gone or new: what is kept is worth nothing.
  void Clear();

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    MonoTime since;
  };

  const size_t max_idle_;
  const std::chrono::nanoseconds idle_timeout_;
  Mutex mu_;
  std::vector<Idle> idle_ ABSL_GUARDED_BY(mu_);  // oldest first
};

}  // namespace korder::kube
