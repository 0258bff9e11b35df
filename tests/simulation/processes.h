// The processes of korder in a run: started, killed, and started again under another name.
//
//   Processes processes(machine, around, [&] { return dice.Between(...); });
//   processes.Start("korder-quota-svc", &RunQuotaService);
//   network.OnCrash([&](Process& process) { processes.Kill(process); });
//   ...
//   processes.EndAll();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "machine.h"
#include "services.h"

namespace korder::simulation {

class Processes {
 public:
  using Service = void (*)(Surroundings&, Process&);

  // `downtime`: how long a killed one stays away.
  Processes(Machine& machine, Surroundings& around, std::function<absl::Duration()> downtime)
      : machine_(machine), around_(around), downtime_(std::move(downtime)) {}

  void Start(const std::string& name, Service service);
  // Nothing that it still does has an effect; what is not one of these lives on.
  void Kill(Process& process);
  std::vector<Process*> Alive() const;
  // Until no thread is left.
  void EndAll();

  int64_t crashes() const { return crashes_; }
  // Of the last death, or of the last return from one.
  MonoTime last_change() const { return last_change_; }

 private:
  struct Entry {
    std::unique_ptr<Process> process;
    std::string name;
    Service service;
  };

  Machine& machine_;
  Surroundings& around_;
  const std::function<absl::Duration()> downtime_;
  std::vector<Entry> entries_;
  int64_t crashes_ = 0;
  MonoTime last_change_{};
  bool ending_ = false;
};

}  // namespace korder::simulation
