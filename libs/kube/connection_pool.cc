#include "kube/connection_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace korder::kube {

// In every method, connections are closed after the lock is released: `closing` goes last.

std::unique_ptr<Connection> ConnectionPool::Take(MonoTime now) {
  std::vector<Idle> closing;
  const MutexLock lock(mu_);
  const auto is_fresh = [&](const Idle& idle) { return now - idle.since < idle_timeout_; };
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), is_fresh);
  std::move(idle_.begin(), fresh, std::back_inserter(closing));
  idle_.erase(idle_.begin(), fresh);
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    if (!last.connection->IsStale()) {
      return std::move(last.connection);
    }
    closing.push_back(std::move(last));
  }
  return nullptr;
}

void ConnectionPool::Keep(std::unique_ptr<Connection> connection, MonoTime now) {
  if (!connection->reusable() || max_idle_ == 0) {
    return;
  }
  std::vector<Idle> closing;
  const MutexLock lock(mu_);
  if (idle_.size() >= max_idle_) {
    closing.push_back(std::move(idle_.front()));
    idle_.erase(idle_.begin());
  }
  idle_.push_back({std::move(connection), now});
}

void ConnectionPool::Clear() {
  std::vector<Idle> closing;
  const MutexLock lock(mu_);
  closing.swap(idle_);
}

}  // namespace korder::kube
