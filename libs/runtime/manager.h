// Starts the parts of a service in a fixed order and stops them in reverse.
//
//   runtime::Manager manager(clock);
//   manager.AddServer("http", [&](std::stop_token stop) { return http.Run(stop); });
//   manager.AddInformer(orders);
//   manager.AddBackground("events", [&](std::stop_token stop) { events.Run(stop); });
//   manager.AddWhileLeading("order", [&](std::stop_token stop, int64_t) { controller.Run(stop); });
//   return manager.Run(stop, &elector);
//
// Start: servers, then informers, wait until they are synced, then background work, then (once this
// process leads) the leading work. Stop: the reverse; the lease is released last.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "kube/informer.h"
#include "kube/leader_elector.h"

namespace korder::runtime {

class Manager {
 public:
  // Runs until stop; an error ends the whole service.
  using ServerFn = std::function<absl::Status(std::stop_token stop)>;
  using BackgroundFn = std::function<void(std::stop_token stop)>;
  using LeadingFn = std::function<void(std::stop_token stop, int64_t epoch)>;

  explicit Manager(const Clock& clock);
  ~Manager();

  // REQUIRES for all Add...: Run was not called yet. Everything added must outlive the manager's
  // Run.
  void AddServer(std::string name, ServerFn run);
  void AddInformer(kube::InformerBase& informer);
  void AddBackground(std::string name, BackgroundFn run);
  void AddWhileLeading(std::string name, LeadingFn run);
  // An extra condition for Ready, with a name for /readyz: returns OK or what is missing.
  void AddReadyCheck(std::string name, std::function<absl::Status()> check);

  // Blocks until stop is requested or a part failed. Without an elector this process always leads,
  // with epoch 0.
  absl::Status Run(std::stop_token stop, kube::LeaderElector* elector);

  // Thread-safe, also before and after Run. OK when informers are synced and every check passes;
  // else what is missing.
  absl::Status Ready() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace korder::runtime
