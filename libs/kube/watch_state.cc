#include "kube/watch_state.h"

#include <cstdint>

#include "absl/strings/numbers.h"

namespace korder::kube {
namespace {

// resourceVersions of one server are comparable numbers; anything else is taken as it comes.
bool IsOlder(std::string_view a, std::string_view b) {
  uint64_t x = 0;
  uint64_t y = 0;
  return absl::SimpleAtoi(absl::string_view(a.data(), a.size()), &x) &&
         absl::SimpleAtoi(absl::string_view(b.data(), b.size()), &y) && x < y;
}

}  // namespace

void WatchState::ListPage(std::string_view version, std::string_view continue_token) {
  continue_token_ = continue_token;
  failures_ = 0;
  if (continue_token.empty()) {
    version_ = version;
    next_ = Next::kWatch;
    progress_ = true;
  }
}

void WatchState::Seen(std::string_view version) {
  failures_ = 0;
  progress_ = true;
  if (!version.empty() && !IsOlder(version, version_)) {
    version_ = version;
  }
}

void WatchState::WatchEnded() {
  if (!progress_) {
    ++failures_;
  }
  progress_ = false;
}

void WatchState::Failed(const absl::Status& status) {
  ++failures_;
  progress_ = false;
  continue_token_.clear();
  if (absl::IsOutOfRange(status)) {
    next_ = Next::kList;
  }
}

}  // namespace korder::kube
