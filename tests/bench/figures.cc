#include "figures.h"

#include <algorithm>

namespace korder::bench {

Thirds RatesOfThirds(std::vector<absl::Time> times) {
  if (times.size() < 6) {
    return {};
  }
  std::sort(times.begin(), times.end());
  const auto rate = [&](size_t from, size_t to) {
    const double seconds = absl::ToDoubleSeconds(times[to] - times[from]);
    return seconds <= 0 ? 0 : static_cast<double>(to - from) / seconds;
  };
  const size_t end = times.size() - 1;
  return {rate(0, end / 3), rate(end / 3, 2 * end / 3), rate(2 * end / 3, end)};
}

Spread SpreadOf(const std::vector<double>& values) {
  return {.median = Quantile(values, 0.5),
          .least = Quantile(values, 0),
          .most = Quantile(values, 1),
          .runs = static_cast<int>(values.size())};
}

Spread Once(double value) { return SpreadOf({value}); }

Spread RatioOf(const std::vector<double>& these, const std::vector<double>& those) {
  std::vector<double> ratios;
  for (size_t i = 0; i < these.size(); ++i) {
    ratios.push_back(those.at(i) == 0 ? 0 : these[i] / those[i]);
  }
  return SpreadOf(ratios);
}

Spread DifferenceOf(const std::vector<double>& these, const std::vector<double>& those) {
  std::vector<double> differences;
  for (size_t i = 0; i < these.size(); ++i) {
    differences.push_back(these[i] - those.at(i));
  }
  return SpreadOf(differences);
}

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(q * static_cast<double>(values.size())))];
}

double Slope(const std::vector<Point>& points) {
  const auto n = static_cast<double>(points.size());
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& point : points) {
    x += point.x;
    y += point.y;
    xx += point.x * point.x;
    xy += point.x * point.y;
  }
  const double spread = n * xx - x * x;
  return spread <= 0 ? 0 : (n * xy - x * y) / spread;
}

double HistogramQuantile(const Buckets& buckets, double q) {
  if (buckets.empty() || buckets.rbegin()->second <= 0) {
    return 0;
  }
  const double rank = q * buckets.rbegin()->second;
  double lower = 0, below = 0;
  for (const auto& [bound, count] : buckets) {
    if (count >= rank) {
      return count <= below ? bound : lower + (bound - lower) * (rank - below) / (count - below);
    }
    lower = bound;
    below = count;
  }
  return lower;
}

}  // namespace korder::bench
