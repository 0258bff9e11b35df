#include "base/parallel.h"

#include <catch2/catch.hpp>

namespace korder {
namespace {

TEST_CASE("parallel: every index is handled once, whatever the width", "[parallel]") {
  for (const size_t width : {size_t{1}, size_t{3}, size_t{64}}) {
    std::vector<std::atomic<int>> calls(100);
    ParallelFor(calls.size(), width, [&](size_t i) { ++calls[i]; });
    for (const std::atomic<int>& count : calls) {
      REQUIRE(count == 1);
    }
  }
}

TEST_CASE("parallel: nothing to do is done at once", "[parallel]") {
  ParallelFor(0, 4, [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace korder
