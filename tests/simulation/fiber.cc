#include "fiber.h"

#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace korder::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStackSize = 1 << 20;
#else
constexpr size_t kStackSize = 256 << 10;
#endif

thread_local Fiber* current = nullptr;

// Stacks are kept for the next fiber: making one is a system call, and its pages are warm.
struct Stacks {
  ~Stacks() {
    for (void* stack : free) {
      munmap(stack, kStackSize);
    }
  }
  void* Take() {
    if (!free.empty()) {
      void* stack = free.back();
      free.pop_back();
      return stack;
    }
    void* stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
      throw std::bad_alloc();
    }
    mprotect(stack, 4096, PROT_NONE);  // whoever goes too deep is to fail there
    return stack;
  }
  void Give(void* stack) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(static_cast<char*>(stack) + 4096, kStackSize - 4096);
#endif
    free.push_back(stack);
  }
  std::vector<void*> free;
};

Stacks& FreeStacks() {
  static thread_local Stacks stacks;
  return stacks;
}

void BeforeSwitch([[maybe_unused]] void** shadow, [[maybe_unused]] const void* stack,
                  [[maybe_unused]] size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(shadow, stack, size);
#endif
}

void AfterSwitch([[maybe_unused]] void* shadow, [[maybe_unused]] const void** stack,
                 [[maybe_unused]] size_t* size) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(shadow, stack, size);
#endif
}

}  // namespace

Fiber::Fiber(std::function<void()> work) : work_(std::move(work)), stack_(FreeStacks().Take()) {
  inside_.Prepare(stack_, kStackSize, &Fiber::Enter);
}

Fiber::~Fiber() { FreeStacks().Give(stack_); }

void Fiber::Resume() {
  current = this;
  BeforeSwitch(&outside_shadow_, stack_, kStackSize);
  StackContext::Switch(outside_, inside_);
  AfterSwitch(outside_shadow_, nullptr, nullptr);
  current = nullptr;
}

void Fiber::Suspend() { current->SwitchBack(false); }

void Fiber::SwitchBack(bool for_good) {
  // The shadow of a stack that is left for good is not kept.
  BeforeSwitch(for_good ? nullptr : &shadow_, outside_stack_, outside_size_);
  StackContext::Switch(inside_, outside_);
  AfterSwitch(shadow_, &outside_stack_, &outside_size_);
}

void Fiber::Enter() {
  Fiber* const self = current;
  AfterSwitch(nullptr, &self->outside_stack_, &self->outside_size_);
  self->work_();
  self->work_ = nullptr;
  self->done_ = true;
  self->SwitchBack(true);
  std::abort();  // nobody resumes it
}

}  // namespace korder::simulation
