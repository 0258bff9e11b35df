// The machine that the code runs on, where that is not the real one: a simulation that lets many
// threads of many processes take turns in one, by its own clock and from one seed.
//
// Nobody but base asks it: Thread, CondVar, Pause, ParallelFor, SteadyNow and RandomWord are what
// everybody else uses, and on the real machine they are what they always were.
//
//   class Simulation : public Host { ... };
//   const HostScope scope(simulation);   // of the calling thread, and of what it starts
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/mono_time.h"

namespace korder {

class Host {
 public:
  virtual ~Host() = default;

  virtual MonoTime Mono() = 0;
  virtual uint32_t Random() = 0;

  // Starts another thread beside the caller's. Each is joined once.
  virtual uint64_t StartThread(std::function<void()> work) = 0;
  virtual void JoinThread(uint64_t thread) = 0;

  // Blocks the caller until somebody wakes who waits on `on`, until `deadline`, or until stop is
  // requested; perhaps less long.
  virtual void Wait(const void* on, MonoTime deadline, const std::stop_token& stop) = 0;
  virtual void WakeOne(const void* on) = 0;
  virtual void WakeAll(const void* on) = 0;
};

// The one that the calling thread runs on; nullptr on the real machine.
Host* SimulatedHost();

class HostScope {
 public:
  explicit HostScope(Host& host);
  ~HostScope();
  HostScope(const HostScope&) = delete;
  HostScope& operator=(const HostScope&) = delete;

 private:
  Host* const outer_;
};

}  // namespace korder
