// A thread that is joined at the end of its scope.
//
//   const Thread worker([&] { controller.Run(stop); });
#pragma once

#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "base/host.h"

namespace korder {

class Thread {
 public:
  Thread() = default;
  // REQUIRES: `work` does not throw.
  explicit Thread(std::function<void()> work) : host_(SimulatedHost()) {
    if (host_ != nullptr) {
      simulated_ = host_->StartThread(std::move(work));
    } else {
      real_ = std::thread(std::move(work));
    }
  }
  ~Thread() { Join(); }
  Thread(Thread&& other) noexcept
      : real_(std::move(other.real_)),
        host_(std::exchange(other.host_, nullptr)),
        simulated_(other.simulated_) {}
  Thread& operator=(Thread&& other) noexcept {
    if (this != &other) {
      Join();
      real_ = std::move(other.real_);
      host_ = std::exchange(other.host_, nullptr);
      simulated_ = other.simulated_;
    }
    return *this;
  }

  // Blocks until the work has ended; does nothing where there is none.
  void Join() {
    if (host_ != nullptr) {
      std::exchange(host_, nullptr)->JoinThread(simulated_);
    } else if (real_.joinable()) {
      real_.join();
    }
  }

 private:
  std::thread real_;
  Host* host_ = nullptr;  // where the work is that is not joined yet, if it is simulated
  uint64_t simulated_ = 0;
};

}  // namespace korder
