// Cuts the body of a watch into its frames: one JSON text a line, however the bytes arrive.
//
//   frames.Add(bytes);
//   while (std::optional<std::string> frame = frames.Next()) { ... }
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace korder::kube {

class WatchFrames {
 public:
  void Add(std::string_view bytes) { buffer_ += bytes; }
  std::optional<std::string> Next() {
    const size_t end = buffer_.find('\n', from_);
    if (end == std::string::npos) {
      buffer_.erase(0, begin_);
      begin_ = 0;
      from_ = buffer_.size();
      return std::nullopt;
    }
    std::string frame = buffer_.substr(begin_, end - begin_);
    begin_ = end + 1;
    from_ = begin_;
    return frame;
  }
  // Bytes of a frame whose end has not arrived.
  size_t pending() const { return buffer_.size() - begin_; }

 private:
  std::string buffer_;
  size_t begin_ = 0;  // of the next frame
  size_t from_ = 0;   // no line end before this
};

}  // namespace korder::kube
