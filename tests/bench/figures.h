// What a run's raw samples come to.
//
//   const Thirds thirds = RatesOfThirds(ready_times);      // thirds.last / thirds.first: flatness
//   const double bytes_per_ticket = Slope(samples);        // of (tickets, bytes)
//
// Pure functions.
#pragma once

#include <map>
#include <vector>

#include "absl/time/time.h"

namespace korder::bench {

// How many came per second in the first, the middle and the last third of them.
struct Thirds {
  double first = 0;
  double middle = 0;
  double last = 0;

  double flatness() const { return first == 0 ? 0 : last / first; }
};

// All 0 for fewer than six times, which have no thirds to speak of.
Thirds RatesOfThirds(std::vector<absl::Time> times);

struct Point {
  double x = 0;
  double y = 0;
};

// What several measurements of one thing came to.
struct Spread {
  double median = 0;
  double least = 0;
  double most = 0;
  int runs = 0;
};

Spread SpreadOf(const std::vector<double>& values);
// Of something that was measured or counted once.
Spread Once(double value);
// Each value of `these` by the one of `those` that was measured in the same round, so that what
// disturbs the machine disturbs both. REQUIRES: equally many.
Spread RatioOf(const std::vector<double>& these, const std::vector<double>& those);
// The same with what `these` have more.
Spread DifferenceOf(const std::vector<double>& these, const std::vector<double>& those);

// The value that the fraction `q` of all is at most; 0 when there are none.
double Quantile(std::vector<double> values, double q);

// Of the straight line that fits best; 0 when all x are alike.
double Slope(const std::vector<Point>& points);

// How many values were at most as large as each bound, as Prometheus counts them.
using Buckets = std::map<double, double>;

// What the fraction `q` of all values is at most, taken as evenly spread within its bucket; the
// largest bound for what is above it, and 0 when there are no values.
double HistogramQuantile(const Buckets& buckets, double q);

}  // namespace korder::bench
