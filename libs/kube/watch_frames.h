// Cuts the body of a watch into its frames: one JSON text a line, however the bytes arrive.
//
//   frames.Add(bytes);
//   while (std::optional<std::string_view> frame = frames.Next()) { ... }
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace korder::kube {

class WatchFrames {
 public:
  void Add(std::string_view bytes) { buffer_ += bytes; }
  // The next whole frame, without its line end; empty lines are passed over. A frame whose end has
  // not arrived is not given: cut off, it would be half an event, and the server sends it again.
  // Valid until the next call of either.
  std::optional<std::string_view> Next();
  // Bytes of a frame whose end has not arrived. REQUIRES: Next() returned nullopt.
  size_t pending() const { return buffer_.size(); }

 private:
  std::string buffer_;
  size_t begin_ = 0;     // of the next frame
  size_t searched_ = 0;  // there is no line end between begin_ and here
};

}  // namespace korder::kube
