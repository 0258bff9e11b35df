// Sees to it that a node's handoffs are begun by one thread and carried through by one, and
// remembers who waits for a node.
//
// A handoff that has started is known by its Ticket (World::Handoffs), whoever started it; a lock
// covers only the moment until that write is done, and the work of a turn.
//
//   const NodeLock lock(locks, node);
//   if (lock.taken()) { ...look again, write the Tickets... }
//
// Thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace korder::ticket {

class NodeLocks {
 public:
  // False when somebody else holds it.
  bool TryTake(const std::string& node);
  void Give(const std::string& node);

  // `ns` has a pod for which a ticket on the node would do.
  void WaitFor(const std::string& node, const std::string& ns);
  // The namespaces to wake when a handoff on the node has ended; they are forgotten.
  std::set<std::string> TakeWaiting(const std::string& node);

 private:
  Mutex mu_;
  std::set<std::string> taken_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::set<std::string>> waiting_ ABSL_GUARDED_BY(mu_);
};

// Holds a node until the end of its scope, if it was free. Borrows the locks.
class NodeLock {
 public:
  NodeLock(NodeLocks& locks, std::string node)
      : locks_(locks), node_(std::move(node)), taken_(locks_.TryTake(node_)) {}
  ~NodeLock() {
    if (taken_) {
      locks_.Give(node_);
    }
  }
  NodeLock(const NodeLock&) = delete;
  NodeLock& operator=(const NodeLock&) = delete;
  bool taken() const { return taken_; }

 private:
  NodeLocks& locks_;
  const std::string node_;
  const bool taken_;
};

}  // namespace korder::ticket
