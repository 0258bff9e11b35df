// Sees to it that two passes over waiting pods do not start handoffs on one node at the same
// moment, and remembers who waits for a node.
//
// A handoff that has started is known by its Ticket (World::Handoffs), whoever started it; a lock
// covers only the moment until that write is done.
//
//   if (locks.TryTake(node)) { ...look again, write the Ticket...; locks.Give(node); }
//
// Thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>

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

}  // namespace korder::ticket
