// The computer of the simulation: time, threads, and everything that will happen, in one thread and
// from one seed. Programs run on it as on any other (base/host.h); where two things could happen
// first, dice decide.
//
//   Machine machine(seed);
//   const HostScope scope(machine);
//   machine.Start(process, [&] { RunOrderService(...); });
//   machine.After(absl::Seconds(1), [&] { ... });
//   while (machine.Turn()) { ... }
//
// Time passes only when nobody can go on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/host.h"
#include "dice.h"
#include "fiber.h"

namespace korder::simulation {

// A program that runs. Its threads know it; the network asks whether it is alive.
struct Process {
  std::string name;
  // Where one process runs at a time, and after it perhaps another: as the UID of a pod.
  std::string place;
  // Killed: nothing that it still does has an effect on anybody.
  bool dead = false;
  std::stop_source stop;
  int threads = 0;
  // Until then it stands still, as when its node has no time for it.
  MonoTime frozen_until{};
};

class Machine final : public Host {
 public:
  explicit Machine(uint64_t seed);
  // REQUIRES: Turn() has returned false, so that no thread is left.
  ~Machine() override;

  // --- Host
  MonoTime Mono() override { return now_; }
  uint32_t Random() override { return program_dice_.Word(); }
  uint64_t StartThread(std::function<void()> work) override;
  void JoinThread(uint64_t thread) override;
  void Wait(const void* on, MonoTime deadline, const std::stop_token& stop) override;
  void WakeOne(const void* on) override;
  void WakeAll(const void* on) override;

  // --- for the simulation
  void Start(Process& process, std::function<void()> work);
  // The one whose thread calls; null outside of all.
  Process* current_process() const { return running_ ? running_->process : nullptr; }
  void At(MonoTime time, std::function<void()> event);
  void After(absl::Duration delay, std::function<void()> event) {
    At(now_ + absl::ToChronoNanoseconds(delay), std::move(event));
  }
  // Of the calling thread; ends early on stop.
  void Sleep(absl::Duration delay, const std::stop_token& stop = {});

  // Lets one thread go on, or makes the next thing happen. False when nothing ever will.
  bool Turn();
  uint64_t turns() const { return turns_; }
  // How often a thread began or went on.
  uint64_t resumed() const { return resumed_; }
  int threads() const { return threads_; }
  // When the next thing happens, if nobody can go on before that.
  std::optional<MonoTime> NextTime() const;

  absl::Time Wall() const { return wall_ + absl::FromChrono(now_.time_since_epoch()); }
  // Somebody sets the clock.
  void StepWall(absl::Duration by) { wall_ += by; }

 private:
  struct Task {
    Process* process = nullptr;
    std::optional<Fiber> fiber;
    uint64_t waits = 0;  // counts its waits, so that a late wake-up is told from a timely one
    bool waiting = false;
    bool detached = false;  // nobody joins it
  };
  struct Waiter {
    uint64_t task;
    uint64_t wait;
  };
  struct Event {
    MonoTime time;
    uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const {  // the first one is on top
      return time != other.time ? time > other.time : order > other.order;
    }
  };

  uint64_t Add(Process* process, std::function<void()> work);
  void Wake(uint64_t task, uint64_t wait);
  Task* Find(uint64_t task);

  Dice program_dice_;
  Dice order_dice_;
  MonoTime now_ = MonoTime() + std::chrono::hours(1);
  absl::Time wall_ = absl::FromUnixSeconds(1'800'000'000);
  uint64_t turns_ = 0;
  uint64_t resumed_ = 0;
  int threads_ = 0;
  uint64_t next_task_ = 0;
  uint64_t next_event_ = 0;
  Task* running_ = nullptr;
  uint64_t running_id_ = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Task>> tasks_;  // never walked through
  std::vector<uint64_t> ready_;
  absl::flat_hash_map<const void*, std::deque<Waiter>> waiting_;  // never walked through
  std::priority_queue<Event> agenda_;
};

// The clock that programs on the machine see.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(const Machine& machine) : machine_(machine) {}
  absl::Time Now() const override { return machine_.Wall(); }
  MonoTime Mono() const override { return const_cast<Machine&>(machine_).Mono(); }

 private:
  const Machine& machine_;
};

}  // namespace korder::simulation
