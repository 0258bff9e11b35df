// Metrics of ticket-svc beside those of libs/runtime. Every fixed label value exists from the
// start.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "api/core/pod.h"
#include "api/v1alpha1/ticket.h"

namespace prometheus {
class Registry;
}

namespace korder::ticket {

// Thread-safe.
class Metrics {
 public:
  explicit Metrics(prometheus::Registry& registry);
  ~Metrics();

  // An informer's handler: `was` is null for a new ticket, `is` for a removed one.
  void OnTicket(const api::Ticket* was, const api::Ticket* is);
  void OnGuardian(const api::Pod* was, const api::Pod* is);
  // result: "claimed" or "failed".
  void HandoffEnded(const std::string& result, absl::Duration took);
  void HandoffFailed(const std::string& reason);
  // From the ticket's creation until it was Ready for the first time.
  void ReadyAfter(absl::Duration waited);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::ticket
