// A function with a stack of its own that runs a piece at a time, in the thread of whoever resumes
// it.
//
//   Fiber fiber([] { ...; Fiber::Suspend(); ... });
//   fiber.Resume();   // until Suspend
//   fiber.Resume();   // until the end
//   fiber.done();     // true
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>

#include "stack_context.h"

namespace korder::simulation {

class Fiber {
 public:
  explicit Fiber(std::function<void()> work);
  // REQUIRES: done(), or never resumed. What is on the stack of another would be lost.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // REQUIRES: not done(), and the caller is no fiber.
  void Resume();
  bool done() const { return done_; }

  // Back to whoever resumed. REQUIRES: the caller is a fiber.
  static void Suspend();

 private:
  static void Enter();
  void SwitchBack(bool for_good);

  std::function<void()> work_;
  void* stack_;
  StackContext inside_;
  StackContext outside_;
  bool done_ = false;
  // What AddressSanitizer knows of the stack that is left.
  void* shadow_ = nullptr;
  void* outside_shadow_ = nullptr;
  const void* outside_stack_ = nullptr;
  size_t outside_size_ = 0;
};

}  // namespace korder::simulation
