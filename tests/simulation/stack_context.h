// Where a stack was left, and the step from one stack to another.
//
//   StackContext outside, inside;
//   inside.Prepare(stack, size, &Enter);
//   StackContext::Switch(outside, inside);   // runs Enter, until it switches back
//
// What swapcontext does, without its two system calls for a signal mask that never changes.
#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace korder::simulation {

class StackContext {
 public:
  // The first switch to it calls `enter`, which never returns.
  void Prepare(void* stack, size_t size, void (*enter)());
  static void Switch(StackContext& from, StackContext& to);

 private:
#if defined(__x86_64__)
  void* top_ = nullptr;
#else
  ucontext_t context_{};
#endif
};

}  // namespace korder::simulation
