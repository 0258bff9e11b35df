#include "processes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace korder::simulation {

Return RandomReturn(Dice& dice) {
  const absl::Duration after = dice.Between(absl::Milliseconds(50), absl::Seconds(3));
  return {.after = after, .same_place = dice.Chance(0.5)};
}

void Processes::Start(const std::string& name, Service service) {
  Start(name, service, absl::StrCat("place-", entries_.size()));
}

void Processes::Start(const std::string& name, Service service, std::string place) {
  auto process = std::make_unique<Process>();
  process->name = absl::StrCat(name, "-", entries_.size());
  process->place = std::move(place);
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
  const Return back = returns_();
  machine_.After(back.after, [this, name = it->name, service = it->service,
                              place = back.same_place ? process.place : ""] {
    if (!ending_) {
      last_change_ = machine_.Mono();
      place.empty() ? Start(name, service) : Start(name, service, place);
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
