#include "processes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace korder::simulation {

void Processes::Start(const std::string& name, Service service) {
  auto process = std::make_unique<Process>();
  process->name = absl::StrCat(name, "-", entries_.size());
  Process& it = *process;
  entries_.push_back({std::move(process), name, service});
  machine_.Start(it, [this, &it, service] { service(around_, it); });
}

void Processes::Kill(Process& process) {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& e) { return e.process.get() == &process; });
  if (it == entries_.end() || process.dead) {
    return;
  }
  ++crashes_;
  last_change_ = machine_.Mono();
  process.dead = true;
  process.stop.request_stop();
  machine_.After(downtime_(), [this, name = it->name, service = it->service] {
    if (!ending_) {
      last_change_ = machine_.Mono();
      Start(name, service);
    }
  });
}

std::vector<Process*> Processes::Alive() const {
  std::vector<Process*> alive;
  for (const Entry& entry : entries_) {
    if (!entry.process->dead) {
      alive.push_back(entry.process.get());
    }
  }
  return alive;
}

void Processes::EndAll() {
  ending_ = true;
  for (const Entry& entry : entries_) {
    entry.process->dead = true;
    entry.process->stop.request_stop();
  }
  while (machine_.threads() > 0 && machine_.Turn()) {
  }
}

}  // namespace korder::simulation
