// Fills a cluster with tickets, or with what they are compared with, and measures what that takes.
//
//   ScaleRun run({.kubeconfig = "", .audit_log = path, .services = {{"order-svc", 4711}, ...}});
//   const Figures bare = run.Bare("bare", 1'500);
//   const Figures one = run.Orders("one Order", 1, 1'500);   // and deletes it again
//   run.PrepareWritesAlone();
//   const Figures alone = run.WritesAlone("writes alone", 1'500);
//
// Times and counts come from the API server's audit log, memory and processor time from /proc. Not
// thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit_tail.h"
#include "figures.h"
#include "plane.h"
#include "processes.h"
#include "writes_alone.h"

namespace korder::bench {

struct Memory {
  int64_t before = 0;
  int64_t ready = 0;
  int64_t after = 0;  // everything is deleted again
  // The same by shares (processes.h).
  int64_t share_before = 0;
  int64_t share_ready = 0;
};

// What one measurement gave. Everything "until Ready" ends when the last one is.
struct Figures {
  std::string name;
  int count = 0;                  // of tickets, or bare pods
  double seconds = 0;             // from the first request until all are Ready (Running)
  std::vector<absl::Time> ready;  // of each, by the API server's clock
  Thirds thirds;
  // By korder, until Ready, and apart from leases: "patch tickets/status" -> how many succeeded.
  std::map<std::string, int64_t> writes;
  int64_t conflicts = 0;  // answered with 409
  int64_t refused = 0;    // answered with another 4xx or 5xx
  int64_t noops = 0;  // writes of Orders and Tickets that the API server found to change nothing
  int64_t reads = 0;
  // By korder until everything was gone again, and by others (the garbage collector) to the same
  // end.
  int64_t life_writes = 0;
  int64_t life_deletes_of_others = 0;
  double gone_seconds = 0;  // from the deletion until no ticket and no pod is left
  std::map<std::string, absl::Duration> cpu;  // until Ready, of each process
  std::map<std::string, Memory> memory;
  double slope = 0;  // bytes of all services for one more ticket, by the samples in between

  double per_second() const { return seconds <= 0 ? 0 : count / seconds; }
  int64_t total_writes() const;
  int64_t WritesOf(const std::string& what) const;
};

struct ScaleOptions {
  std::string kubeconfig;  // empty: KUBECONFIG
  std::string audit_log;
  std::map<std::string, int> services;         // name -> pid
  std::map<std::string, int> others;           // kube-apiserver, etcd...: what all this costs them
  absl::Duration patience = absl::Minutes(3);  // without any progress
};

class ScaleRun {
 public:
  // Throws std::runtime_error, as all else here, with what is wrong.
  explicit ScaleRun(ScaleOptions options);

  // Pods that ask for nothing but room, created as fast as sixteen callers can.
  Figures Bare(const std::string& name, int count);
  // `orders` Orders of `size` tickets each; several are one file for kubectl apply.
  Figures Orders(const std::string& name, int orders, int size);
  // What korder writes for as many tickets, written by sixteen callers (writes_alone.h). Some time
  // should pass between the two: the control plane takes half a minute to know a new kind.
  void PrepareWritesAlone();
  // REQUIRES: prepared.
  Figures WritesAlone(const std::string& name, int count);

 private:
  struct Begin;

  Begin Start(const std::string& name, int count);
  // Samples and tells until `done()` says that `count` are, or nothing has moved for too long.
  void Await(Begin& begin, const std::string& what, const std::function<int()>& done, int count);
  void Ready(Begin& begin);
  void Gone(Begin& begin, absl::Duration settle);
  void CountRequests(Begin& begin, absl::Time ready);
  // Throws when korder has written to the copies of tickets in this namespace.
  void CheckLeftAlone(const std::string& ns);

  int64_t EtcdUpdates();

  ScaleOptions options_;
  Plane plane_;
  std::optional<bench::WritesAlone> alone_;
  AuditTail audit_;
  Processes services_;
  Processes others_;
};

}  // namespace korder::bench
