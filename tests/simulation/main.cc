// Runs the simulation for many seeds, or one again.
//
//   simulation --seeds 10000 --jobs 2
//   simulation --seed 4711 --steps 120 --faults F4,F11 --verbose
#include <atomic>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/log.h"
#include "simulation.h"

namespace korder::simulation {
namespace {

struct Options {
  std::optional<uint64_t> seed;
  uint64_t first = 1;
  int64_t seeds = 200;
  double seconds = 0;  // stop beginning new ones after this; 0 = never
  int steps = 500;
  std::string faults = "all";
  int jobs = 1;
  bool verbose = false;
  bool shrink = true;
  int most_failures = 10;
};

struct Totals {
  int64_t runs = 0;
  int64_t steps = 0;
  int64_t writes = 0;
  int64_t crashes = 0;
  int64_t handoffs = 0;
  int64_t known_losses = 0;
  absl::Duration lasted;
  int failures = 0;

  void Add(const Outcome& outcome) {
    ++runs;
    steps += outcome.steps;
    writes += outcome.writes;
    crashes += outcome.crashes;
    handoffs += outcome.handoffs;
    known_losses += outcome.known_losses;
    lasted += outcome.lasted;
    failures += outcome.broken ? 1 : 0;
  }
};

void TellFailure(const Settings& settings, const Broken& broken, bool shrink) {
  std::cout << "FAILED " << broken.invariant << ": " << broken.what << "\n  "
            << ReplayLine(settings) << std::endl;
  if (shrink) {
    const Settings small = Shrink(settings);
    std::cout << "  smaller: " << ReplayLine(small) << "\n  (" << Simulate(small).broken->what
              << ")" << std::endl;
  }
}

int One(const Options& options, const FaultKinds& faults) {
  const Settings settings{
      .seed = *options.seed, .steps = options.steps, .faults = faults, .verbose = options.verbose};
  const Outcome outcome = Simulate(settings);
  std::cout << "seed " << settings.seed << ": " << outcome.steps << " steps, " << outcome.writes
            << " writes, " << outcome.crashes << " crashes, " << outcome.handoffs << " handoffs in "
            << absl::FormatDuration(outcome.lasted) << ", history " << std::hex << outcome.history
            << std::dec << std::endl;
  if (!outcome.broken) {
    return 0;
  }
  std::cout << "FAILED " << outcome.broken->invariant << ": " << outcome.broken->what << std::endl;
  return 1;
}

int Many(const Options& options, const FaultKinds& faults) {
  const MonoTime begin = SteadyNow();
  const auto passed = [begin] {
    return absl::ToDoubleSeconds(absl::FromChrono(SteadyNow() - begin));
  };
  std::atomic<int64_t> next = 0;
  std::mutex mu;
  Totals totals;
  const auto work = [&] {
    for (int64_t i = next++; i < options.seeds; i = next++) {
      if (options.seconds > 0 && passed() > options.seconds) {
        return;
      }
      const Settings settings{.seed = options.first + static_cast<uint64_t>(i),
                              .steps = options.steps,
                              .faults = faults};
      const Outcome outcome = Simulate(settings);
      const std::lock_guard lock(mu);
      totals.Add(outcome);
      if (outcome.broken && totals.failures <= options.most_failures) {
        TellFailure(settings, *outcome.broken, options.shrink);
      }
      if (totals.failures >= options.most_failures) {
        next = options.seeds;
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < options.jobs; ++i) {
      workers.emplace_back(work);
    }
  }
  const double seconds = passed();
  std::cout << totals.runs << " seeds x " << options.steps << " steps (" << totals.steps
            << " with those until rest): " << totals.failures << " failed, in " << std::fixed
            << std::setprecision(1) << seconds << " s ("
            << static_cast<double>(totals.runs) / seconds << " seeds/s); " << totals.writes
            << " writes, " << totals.crashes << " crashes, " << totals.handoffs << " handoffs, "
            << totals.known_losses << " rooms lost to a restarted scheduler, "
            << absl::FormatDuration(absl::Trunc(totals.lasted, absl::Seconds(1)))
            << " of simulated time" << std::endl;
  return totals.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace korder::simulation

int main(int argc, char** argv) {
  using namespace korder::simulation;  // NOLINT(google-build-using-namespace)
  Options options;
  CLI::App app{"korder in a deterministic simulation"};
  app.add_option("--seed", options.seed, "run this one only");
  app.add_option("--first", options.first, "the first of many seeds")->capture_default_str();
  app.add_option("--seeds", options.seeds, "how many")->capture_default_str();
  app.add_option("--seconds", options.seconds, "begin no new one after so long; 0: never")
      ->capture_default_str();
  app.add_option("--steps", options.steps, "of each, until all is left in peace")
      ->capture_default_str();
  app.add_option("--faults", options.faults, "all, none, or of F2,F4,F6,F9,F11")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "threads")->capture_default_str();
  app.add_option("--most-failures", options.most_failures, "then stop")->capture_default_str();
  app.add_flag("--verbose", options.verbose, "tell every change");
  app.add_flag("!--no-shrink", options.shrink, "do not look for smaller failures");
  CLI11_PARSE(app, argc, argv);
  const auto faults = ParseFaults(options.faults);
  if (!faults) {
    std::cerr << "unknown faults: " << options.faults << "\n";
    return 2;
  }
  korder::log::Init({.level = korder::log::Level::kInfo,
                     .format = korder::log::Format::kText,
                     .service = "simulation"});
  if (!options.verbose) {
    korder::log::Silence();
  }
  return options.seed ? One(options, *faults) : Many(options, *faults);
}
