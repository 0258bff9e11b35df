// What a decision costs in time, by the size of the world in which it is made.
//
//   decision_bench [--point quotas=200]... [--seconds 0.2] [--json FILE]   # no cluster; all points
//
// The real deciders alone (decisions.h), without a server around them: how the cost grows is what
// this is about. Each point by itself can be measured again.
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench_main.h"
#include "decisions.h"
#include "tape.h"

namespace korder::bench {
namespace {

struct Settings {
  std::vector<std::string> points;
  int rounds = 5;
  double seconds = 0.2;
};

struct Curve {
  std::string name;
  std::string x;
  std::vector<int> points;
  std::function<std::function<void()>(int)> make;  // a world of that size, and a decision in it
};

template <class Case>
std::function<void()> Deciding(Case decision) {
  const auto world = std::make_shared<Case>(std::move(decision));  // std::function copies
  return [world] { world->Decide(); };
}

std::vector<Curve> Curves() {
  return {
      {"quotas",
       "quotas that count a reservation",
       {1, 10, 50, 100, 200},
       [](int quotas) { return Deciding(LedgerCase({.quotas = quotas})); }},
      {"nodes",
       "nodes with 30 Ready tickets each, one pod waits",
       {100, 250, 500, 1000, 5000},
       [](int nodes) { return Deciding(ClaimCase({.nodes = nodes, .tickets_per_node = 30})); }},
      {"waiting",
       "waiting pods, 100 nodes with 20 Ready tickets each",
       {10, 100, 500, 1000, 2000},
       [](int pods) {
         return Deciding(ClaimCase({.nodes = 100, .tickets_per_node = 20, .waiting = pods}));
       }},
  };
}

// Microseconds of processor time for each decision, once warm.
double MicrosecondsOf(const std::function<void()>& decide, double seconds) {
  decide();
  const absl::Duration begin = ThreadCpu();
  int times = 0;
  do {
    decide();
    ++times;
  } while (ThreadCpu() - begin < absl::Seconds(seconds));
  return absl::ToDoubleMicroseconds(ThreadCpu() - begin) / times;
}

bool Wanted(const Settings& settings, const Curve& curve, int point) {
  const std::string name = absl::StrCat(curve.name, "=", point);
  return settings.points.empty() ||
         std::find(settings.points.begin(), settings.points.end(), name) != settings.points.end();
}

void MeasureCurve(const Settings& settings, const Curve& curve, json::Writer& w) {
  w.BeginObject();
  w.Key("name");
  w.String(curve.name);
  w.Key("x");
  w.String(curve.x);
  w.Key("y");
  w.String("microseconds of CPU per decision");
  w.Key("points");
  w.BeginArray();
  for (const int point : curve.points) {
    if (!Wanted(settings, curve, point)) {
      continue;
    }
    const std::function<void()> decide = curve.make(point);
    std::vector<double> microseconds;
    for (int round = 0; round < settings.rounds; ++round) {
      microseconds.push_back(MicrosecondsOf(decide, settings.seconds));
    }
    const Spread spread = SpreadOf(microseconds);
    std::cout << absl::StreamFormat("%-10s %6d  %12.1f us  (%.1f - %.1f)   %s\n", curve.name, point,
                                    spread.median, spread.least, spread.most, curve.x);
    w.BeginObject();
    w.Key("x");
    w.Int64(point);
    w.Key("y");
    w.Double(spread.median);
    w.Key("samples");
    w.BeginArray();
    for (const double sample : microseconds) {
      w.Double(sample);
    }
    w.EndArray();
    w.EndObject();
  }
  w.EndArray();
  w.EndObject();
}

std::vector<Judged> Run(const Settings& settings, json::Writer& samples) {
  samples.Key("curves");
  samples.BeginArray();
  for (const Curve& curve : Curves()) {
    MeasureCurve(settings, curve, samples);
  }
  samples.EndArray();
  return {};
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  Settings settings;
  return Main(argc, argv,
              {.what = "Measures decisions in worlds of several sizes",
               .flags =
                   [&](CLI::App& app) {
                     app.add_option("--point", settings.points, "CURVE=SIZE; may be repeated");
                     app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
                     app.add_option("--seconds", settings.seconds, "of each measurement");
                   },
               .run = [&](korder::json::Writer& samples) { return Run(settings, samples); }});
}
