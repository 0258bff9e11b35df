// Reads an API server's audit log as it grows: who asked for what, and how it ended.
//
//   AuditTail audit(path);                       // from its present end on
//   audit.Poll();
//   for (const Request& request : audit.requests()) ...
//
// The log is what the API server itself says, with its own clock, and it costs it the same for
// korder as for what korder is compared with. Watches are left out. Not thread-safe.
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace korder::bench {

struct Request {
  absl::Time received;   // when it came
  absl::Time at;         // when it was answered
  std::string user;      // "korder-order-svc", "kwok", "system:kube-scheduler"
  std::string verb;      // "create", "patch", "get"
  std::string group;     // "core.korder.dev", "" of pods
  std::string resource;  // "tickets", "tickets/status"
  std::string ns;
  std::string name;
  int code = 0;

  bool by_korder() const { return user.starts_with("korder-"); }
  bool mutates() const { return verb != "get" && verb != "list"; }
  bool ok() const { return code < 300; }
};

// The request of one line of the log; nullopt for watches and for what is not an answer.
std::optional<Request> ParseAuditLine(const std::string& line);

class AuditTail {
 public:
  explicit AuditTail(const std::string& path);

  // Reads what was written since.
  void Poll();
  // All since the beginning or Clear, in the order of the log.
  const std::vector<Request>& requests() const { return requests_; }
  void Clear() { requests_.clear(); }

 private:
  std::ifstream log_;
  std::string rest_;  // of a line that is not complete
  std::vector<Request> requests_;
};

}  // namespace korder::bench
