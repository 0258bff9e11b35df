// How long one ticket takes while others come at a steady pace, whatever they take: an open loop.
// And how long a bare pod takes in its place.
//
//   OpenLoop loop(audit_log);
//   const std::vector<double> bare = loop.Bare(40, 300);      // milliseconds, of 300 at 40/s
//   const std::vector<double> ready = loop.Tickets(40, 300);
//
// From when the API server got the request that creates it until the write that says Running, or
// Ready, is done: both by its audit log. Throws std::runtime_error. Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "audit_tail.h"
#include "plane.h"

namespace korder::bench {

class OpenLoop {
 public:
  explicit OpenLoop(const std::string& audit_log) : audit_(audit_log) {}

  std::vector<double> Bare(double per_second, int count);
  std::vector<double> Tickets(double per_second, int count);

 private:
  struct Kind {
    std::string collection;
    std::function<std::string(const std::string& name)> text;
    std::string status;  // the resource of the write that ends it
    bool last;           // ... the last such write, or the first
    std::function<int()> done;
  };

  std::vector<double> Measure(const std::string& ns, const Kind& kind, double per_second,
                              int count);
  std::vector<double> Latencies(const std::string& ns, const Kind& kind) const;

  Plane plane_;
  AuditTail audit_;
};

}  // namespace korder::bench
