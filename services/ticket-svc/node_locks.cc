#include "ticket-svc/node_locks.h"

#include <utility>

namespace korder::ticket {

bool NodeLocks::TryTake(const std::string& node) {
  const MutexLock lock(mu_);
  return taken_.insert(node).second;
}

void NodeLocks::Give(const std::string& node) {
  const MutexLock lock(mu_);
  taken_.erase(node);
}

void NodeLocks::WaitFor(const std::string& node, const std::string& ns) {
  const MutexLock lock(mu_);
  waiting_[node].insert(ns);
}

std::set<std::string> NodeLocks::TakeWaiting(const std::string& node) {
  const MutexLock lock(mu_);
  const auto it = waiting_.find(node);
  if (it == waiting_.end()) {
    return {};
  }
  std::set<std::string> waiting = std::move(it->second);
  waiting_.erase(it);
  return waiting;
}

}  // namespace korder::ticket
