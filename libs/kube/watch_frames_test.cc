#include "kube/watch_frames.h"

#include <vector>

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

using Frames = std::vector<std::string>;

void Drain(WatchFrames& frames, Frames& out) {
  while (auto frame = frames.Next()) {
    out.emplace_back(*frame);
  }
}

// Cuts `stream` into pieces of `size`, the first of `first` bytes.
Frames Split(const std::string& stream, size_t first, size_t size) {
  WatchFrames frames;
  Frames out;
  for (size_t at = 0; at < stream.size();) {
    const size_t count = at == 0 && first > 0 ? first : size;
    frames.Add(std::string_view(stream).substr(at, count));
    Drain(frames, out);
    at += count;
  }
  return out;
}

TEST_CASE("watch frames: however the stream is cut, the frames are the same", "[watch_frames]") {
  const std::string stream = "{\"a\":1}\n\n{\"b\":\"\\n\"}\n{}\n{\"long\":\"" +
                             std::string(40, 'x') + "\"}\nrest without an end";
  const Frames want = Split(stream, 0, stream.size());
  CHECK(want == Frames{"{\"a\":1}", "{\"b\":\"\\n\"}", "{}",
                       "{\"long\":\"" + std::string(40, 'x') + "\"}"});
  for (size_t first = 1; first <= stream.size(); ++first) {
    for (size_t size = 1; size <= stream.size(); ++size) {
      REQUIRE(Split(stream, first, size) == want);
    }
  }
}

TEST_CASE("watch frames: a line of one byte is a frame, an empty one is none", "[watch_frames]") {
  CHECK(Split("x\n\n\ny\n", 0, 1) == Frames{"x", "y"});
}

TEST_CASE("watch frames: an unfinished frame waits and is counted", "[watch_frames]") {
  WatchFrames frames;
  CHECK(frames.Next() == std::nullopt);
  frames.Add("{}\n{\"a\"");
  CHECK(frames.Next() == "{}");
  CHECK(frames.Next() == std::nullopt);
  CHECK(frames.pending() == 4);
  frames.Add(":1}");
  CHECK(frames.Next() == std::nullopt);
  CHECK(frames.pending() == 7);
  frames.Add("\n");
  CHECK(frames.Next() == "{\"a\":1}");
  CHECK(frames.Next() == std::nullopt);
  CHECK(frames.pending() == 0);
}

TEST_CASE("watch frames: a frame of megabytes in small pieces is searched once", "[watch_frames]") {
  WatchFrames frames;
  const std::string piece(512, 'x');
  for (int i = 0; i < 64 * 1024; ++i) {  // Quadratic work would take minutes.
    frames.Add(piece);
    REQUIRE(frames.Next() == std::nullopt);
  }
  frames.Add("\n");
  CHECK(frames.Next()->size() == 32u << 20);
}

}  // namespace
}  // namespace korder::kube
