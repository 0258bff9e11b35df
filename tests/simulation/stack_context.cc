#include "stack_context.h"

#include <cstdint>

#if defined(__x86_64__)
// Puts what a function has to preserve on the stack that is left, and the stack's top to *from;
// takes the same from the other one.
extern "C" void korder_switch_stack(void** from, void* to);
asm(R"(
.text
.type korder_switch_stack, @function
korder_switch_stack:
  endbr64
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size korder_switch_stack, . - korder_switch_stack
)");
#endif

namespace korder::simulation {

#if defined(__x86_64__)

void StackContext::Prepare(void* stack, size_t size, void (*enter)()) {
  constexpr int kPreserved = 6;
  // As if `enter` had been called from nowhere: its return address, which is never used, lies where
  // the ABI wants it.
  const uintptr_t end = (reinterpret_cast<uintptr_t>(stack) + size) & ~uintptr_t{15};
  auto* top = reinterpret_cast<uintptr_t*>(end);
  *--top = 0;
  *--top = reinterpret_cast<uintptr_t>(enter);
  for (int i = 0; i < kPreserved; ++i) {
    *--top = 0;
  }
  top_ = top;
}

void StackContext::Switch(StackContext& from, StackContext& to) {
  korder_switch_stack(&from.top_, to.top_);
}

#else

void StackContext::Prepare(void* stack, size_t size, void (*enter)()) {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = size;
  context_.uc_link = nullptr;
  makecontext(&context_, enter, 0);
}

void StackContext::Switch(StackContext& from, StackContext& to) {
  swapcontext(&from.context_, &to.context_);
}

#endif

}  // namespace korder::simulation
