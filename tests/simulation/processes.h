// The processes of korder in a run: started, killed, and started again under another name, where
// they were (as kubelet starts a container again) or elsewhere (as a Deployment makes another pod).
//
//   Processes processes(machine, around, [&] { return RandomReturn(dice); });
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

#include "dice.h"
#include "machine.h"
#include "services.h"

namespace korder::simulation {

// How a process that was killed comes back.
struct Return {
  absl::Duration after;
  bool same_place;
};
Return RandomReturn(Dice& dice);

class Processes {
 public:
  using Service = void (*)(Surroundings&, Process&);

  Processes(Machine& machine, Surroundings& around, std::function<Return()> returns)
      : machine_(machine), around_(around), returns_(std::move(returns)) {}

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

  void Start(const std::string& name, Service service, std::string place);

  Machine& machine_;
  Surroundings& around_;
  const std::function<Return()> returns_;
  std::vector<Entry> entries_;
  int64_t crashes_ = 0;
  MonoTime last_change_{};
  bool ending_ = false;
};

}  // namespace korder::simulation
