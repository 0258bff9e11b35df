// How much processor time and memory processes have used, from /proc.
//
//   Processes services({{"order-svc", 4711}});
//   const Usage before = services.Read().at("order-svc");
//   const int64_t share = services.ReadShares().at("order-svc");
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace korder::bench {

struct Usage {
  absl::Duration cpu;    // user and system
  int64_t resident = 0;  // bytes
};

using Usages = std::map<std::string, Usage>;

class Processes {
 public:
  explicit Processes(std::map<std::string, int> pids) : pids_(std::move(pids)) {}

  // Throws when one of them has ended: its figures would be wrong.
  Usages Read() const;
  // Bytes in memory, of which a page that several processes have counts in each by its share (PSS):
  // the sum is what they take of the machine. The kernel looks at every page for it, so not often.
  std::map<std::string, int64_t> ReadShares() const;

 private:
  std::map<std::string, int> pids_;
};

// Of one process.
Usage ReadUsage(int pid);

}  // namespace korder::bench
