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

TEST_CASE("figures: a spread is the middle, the least and the most of the runs", "[bench]") {
  const Spread spread = SpreadOf({5, 1, 9});
  CHECK(spread.median == 5);
  CHECK(spread.least == 1);
  CHECK(spread.most == 9);
  CHECK(spread.runs == 3);
  CHECK(Once(7).median == 7);
  CHECK(Once(7).runs == 1);
  CHECK(SpreadOf({}).runs == 0);
}

TEST_CASE("figures: runs are compared within their round", "[bench]") {
  // The machine was half as fast in the second round, for both alike.
  CHECK(RatioOf({80, 40}, {100, 50}).least == Approx(0.8));
  CHECK(RatioOf({80, 40}, {100, 50}).most == Approx(0.8));
  CHECK(RatioOf({80}, {0}).median == 0);
  CHECK(DifferenceOf({80, 40}, {30, 10}).least == 30);
  CHECK(DifferenceOf({80, 40}, {30, 10}).most == 50);
  CHECK_THROWS(RatioOf({80, 40}, {100}));
}

TEST_CASE("figures: of a hundred values one is above the 99th percentile", "[bench]") {
  std::vector<double> values;
  for (int i = 100; i > 0; --i) {
    values.push_back(i);
  }
  CHECK(Quantile(values, 0) == 1);
  CHECK(Quantile(values, 0.5) == 51);
  CHECK(Quantile(values, 0.99) == 100);
  CHECK(Quantile(values, 1) == 100);
  CHECK(Quantile({}, 0.5) == 0);
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
