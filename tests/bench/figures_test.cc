#include "figures.h"

#include <catch2/catch.hpp>

namespace korder::bench {
namespace {

TEST_CASE("figures: a rate that falls by half is half as flat", "[bench]") {
  std::vector<absl::Time> times;
  absl::Time at = absl::UnixEpoch();
  for (int i = 0; i <= 300; ++i) {
    times.insert(times.begin(), at);  // in whatever order
    at += absl::Milliseconds(i < 100 ? 10 : i < 200 ? 15 : 20);
  }
  const Thirds thirds = RatesOfThirds(times);
  CHECK(thirds.first == Approx(100));
  CHECK(thirds.middle == Approx(1000.0 / 15));
  CHECK(thirds.last == Approx(50));
  CHECK(thirds.flatness() == Approx(0.5));
}

TEST_CASE("figures: few times, or all at once, have no rate", "[bench]") {
  CHECK(RatesOfThirds({}).flatness() == 0);
  CHECK(RatesOfThirds(std::vector<absl::Time>(5, absl::UnixEpoch())).first == 0);
  CHECK(RatesOfThirds(std::vector<absl::Time>(50, absl::UnixEpoch())).first == 0);
}

TEST_CASE("figures: the slope is of the line, wherever it begins", "[bench]") {
  CHECK(Slope({{0, 100}, {10, 140}, {20, 180}}) == Approx(4));
  CHECK(Slope({{0, 100}, {10, 150}, {20, 170}, {30, 220}}) == Approx(3.8));
  CHECK(Slope({{5, 1}, {5, 9}}) == 0);
  CHECK(Slope({}) == 0);
}

TEST_CASE("figures: a quantile lies within its bucket", "[figures]") {
  CHECK(HistogramQuantile({}, 0.5) == 0);
  CHECK(HistogramQuantile({{1, 0}, {2, 0}}, 0.5) == 0);
  const Buckets buckets = {{1, 50}, {2, 90}, {4, 100}};
  CHECK(HistogramQuantile(buckets, 0.25) == Approx(0.5));
  CHECK(HistogramQuantile(buckets, 0.5) == Approx(1));
  CHECK(HistogramQuantile(buckets, 0.7) == Approx(1.5));
  CHECK(HistogramQuantile(buckets, 0.99) == Approx(3.8));
  CHECK(HistogramQuantile({{1, 0}, {2, 10}}, 0.5) == Approx(1.5));
}

}  // namespace
}  // namespace korder::bench
