#include "ticket-svc/disturbance.h"

#include <chrono>

namespace korder::ticket {

void Disturbance::Note() {
  ++count_;
  at_ = std::chrono::nanoseconds(clock_.Mono().time_since_epoch()).count();
}

absl::Duration Disturbance::Ago() const {
  const int64_t at = at_;
  if (at == kNever) {
    return absl::InfiniteDuration();
  }
  const auto now = std::chrono::nanoseconds(clock_.Mono().time_since_epoch());
  return absl::Nanoseconds(now.count() - at);
}

void Disturbance::Request(std::string_view verb, std::string_view resource, int code,
                          absl::Duration took) {
  // 429 is the server's politeness, not its trouble.
  if (code == 0 || code >= 500) {
    Note();
  }
  next_.Request(verb, resource, code, took);
}

void Disturbance::WatchRestart(std::string_view resource, std::string_view reason) {
  // "closed" is how every watch ends after some minutes.
  if (reason != "closed") {
    Note();
  }
  next_.WatchRestart(resource, reason);
}

}  // namespace korder::ticket
