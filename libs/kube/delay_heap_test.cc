#include "kube/delay_heap.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

namespace korder::kube {
namespace {

using std::chrono::seconds;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};
constexpr MonoTime kStart = MonoTime() + std::chrono::hours(1);

TEST_CASE("delay heap: a key is ready from its time on, not before", "[delay_heap]") {
  DelayHeap heap;
  heap.Push(kA, kStart + seconds(5));
  CHECK(heap.PopReady(kStart + seconds(5) - std::chrono::nanoseconds(1)) == std::nullopt);
  CHECK(heap.PopReady(kStart + seconds(5)) == DelayHeap::Due{kA, kStart + seconds(5)});
  CHECK(heap.size() == 0);
}

TEST_CASE("delay heap: of two times the earlier counts, in either order", "[delay_heap]") {
  DelayHeap heap;
  heap.Push(kA, kStart + seconds(5));
  heap.Push(kA, kStart + seconds(9));
  heap.Push(kB, kStart + seconds(9));
  heap.Push(kB, kStart + seconds(5));
  CHECK(heap.size() == 2);
  CHECK(heap.PopReady(kStart + seconds(5)) == DelayHeap::Due{kA, kStart + seconds(5)});
  CHECK(heap.PopReady(kStart + seconds(5)) == DelayHeap::Due{kB, kStart + seconds(5)});
  CHECK(heap.PopReady(kStart + seconds(99)) == std::nullopt);
}

TEST_CASE("delay heap: what is due for the longest comes first", "[delay_heap]") {
  DelayHeap heap;
  heap.Push(kA, kStart + seconds(2));
  heap.Push(kB, kStart + seconds(1));
  CHECK(heap.NextDeadline() == kStart + seconds(1));
  CHECK(heap.PopReady(kStart + seconds(9))->key == kB);
  CHECK(heap.NextDeadline() == kStart + seconds(2));
  CHECK(heap.PopReady(kStart + seconds(9))->key == kA);
  CHECK(heap.NextDeadline() == std::nullopt);
}

TEST_CASE("delay heap: agrees with a plain map in a long random run", "[delay_heap]") {
  std::mt19937 random(7);
  DelayHeap heap;
  std::map<ObjectKey, MonoTime> model;
  MonoTime now = kStart;
  for (int i = 0; i < 5000; ++i) {
    const ObjectKey key{"", std::to_string(random() % 50)};
    const MonoTime at = now + seconds(random() % 100);
    heap.Push(key, at);
    const auto it = model.try_emplace(key, at).first;
    it->second = std::min(it->second, at);
    now += seconds(random() % 3);
    while (const auto due = heap.PopReady(now)) {
      REQUIRE(model.at(due->key) == due->at);
      REQUIRE(due->at <= now);
      model.erase(due->key);
    }
    REQUIRE(heap.size() == model.size());
    for (const auto& [left, when] : model) {
      REQUIRE(when > now);
    }
  }
}

}  // namespace
}  // namespace korder::kube
