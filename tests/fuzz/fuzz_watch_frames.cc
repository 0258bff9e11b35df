// The body of a watch: however its bytes arrive, the frames are the same, and none is half.
#include <vector>

#include "fuzz.h"
#include "kube/watch_frames.h"

namespace korder::fuzz {
namespace {

// In pieces of 1 to `largest` bytes.
std::vector<std::string> Frames(std::string_view bytes, size_t largest, size_t& pending) {
  kube::WatchFrames frames;
  std::vector<std::string> found;
  for (size_t at = 0, size = 1; at < bytes.size(); at += size) {
    size = 1 + (at * 7 + size) % largest;
    frames.Add(bytes.substr(at, size));
    while (const std::optional<std::string_view> frame = frames.Next()) {
      found.emplace_back(*frame);
    }
  }
  pending = frames.pending();
  return found;
}

}  // namespace

int FuzzOne(std::string_view input) {
  size_t pending = 0, other_pending = 0;
  const std::vector<std::string> whole = Frames(input, input.size() + 1, pending);
  for (const size_t largest : {size_t{1}, size_t{7}, size_t{100}}) {
    FUZZ_CHECK(Frames(input, largest, other_pending) == whole);
    FUZZ_CHECK(other_pending == pending);
  }
  for (const std::string& frame : whole) {
    FUZZ_CHECK(!frame.empty() && frame.find('\n') == std::string::npos);
  }
  const size_t last = input.rfind('\n');
  FUZZ_CHECK(pending == (last == std::string_view::npos ? input.size() : input.size() - last - 1));
  return pending == 0 ? kTaken : kRefused;
}

}  // namespace korder::fuzz
