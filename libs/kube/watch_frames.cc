#include "kube/watch_frames.h"

#include <algorithm>

namespace korder::kube {

std::optional<std::string_view> WatchFrames::Next() {
  for (;;) {
    const size_t end = buffer_.find('\n', std::max(begin_, searched_));
    if (end == std::string::npos) {
      buffer_.erase(0, begin_);
      begin_ = 0;
      searched_ = buffer_.size();
      return std::nullopt;
    }
    const size_t size = end - begin_;
    const size_t begin = begin_;
    begin_ = end + 1;
    if (size > 0) {
      return std::string_view(buffer_).substr(begin, size);
    }
  }
}

}  // namespace korder::kube
