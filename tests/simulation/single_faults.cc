// Plays the scenario once for every single fault (F2 and F6), or again with one of them.
//
//   single_faults --jobs 2                    # all
//   single_faults --sample --jobs 2           # of each call site the first, the middle, the last
//   single_faults --pairs 500 --seed 7        # two at a time, at random
//   single_faults --single 'crash-after:quota-svc:PUT configmaps#3' --verbose
#include <atomic>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "dice.h"
#include "single_report.h"

namespace korder::simulation {
namespace {

struct Options {
  Stage stage;
  std::vector<std::string> singles;
  bool list = false;
  bool sample = false;
  int pairs = 0;
  double seconds = 0;  // begin no new play after this; 0 = never
  bool as_json = false;
  int jobs = 1;
};

void TellAll(const Play& peace) {
  for (const Sent& sent : peace.sent) {
    std::cout << sent.site << "#" << sent.ordinal << " " << sent.about << "\n";
  }
  for (const std::string& line : peace.end) {
    std::cout << line << "\n";
  }
}

int TellOne(const Options& options, const Play& peace) {
  std::vector<Single> singles;
  for (const std::string& text : options.singles) {
    const std::optional<Single> single = ParseSingle(text);
    if (!single) {
      std::cerr << "not a single fault: " << text << "\n";
      return 2;
    }
    singles.push_back(*single);
  }
  const Play play = PlayScenario(options.stage, singles);
  std::cout << play.sent.size() << " messages, " << play.writes << " writes, " << play.handoffs
            << " handoffs in " << absl::FormatDuration(play.lasted) << std::endl;
  if (const auto wrong = WhatIsWrong(play, peace, 1)) {
    std::cout << "FAILED " << wrong->invariant << ": " << wrong->what << std::endl;
    return 1;
  }
  return 0;
}

std::vector<std::vector<Single>> Plan(const Options& options, const Play& peace) {
  if (options.pairs > 0) {
    return RandomPairs(peace, options.pairs, options.stage.seed);
  }
  std::vector<std::vector<Single>> plan;
  for (Single& single : options.sample ? SampleSingles(peace) : AllSingles(peace)) {
    plan.push_back({std::move(single)});
  }
  if (!options.sample) {
    // So that what fits into a time has some of everything.
    Dice dice(options.stage.seed, "plan");
    for (size_t left = plan.size(); left > 1; --left) {
      std::swap(plan[left - 1], plan[dice.Below(left)]);
    }
  }
  return plan;
}

int Many(const Options& options, const Play& peace) {
  const MonoTime begin = SteadyNow();
  const std::vector<std::vector<Single>> plan = Plan(options, peace);
  SingleReport report(options.stage, peace);
  std::atomic<size_t> next = 0;
  const auto passed = [begin] { return absl::FromChrono(SteadyNow() - begin); };
  const auto work = [&] {
    for (size_t i = next++; i < plan.size(); i = next++) {
      if (options.seconds > 0 && passed() > absl::Seconds(options.seconds)) {
        return;
      }
      const auto wrong = WhatIsWrong(PlayScenario(options.stage, plan[i]), peace, 1);
      report.Add(plan[i], wrong);
      if (wrong) {  // A run takes minutes; who waits wants to know.
        std::cerr << "failed: " + ReplayLine(options.stage, plan[i]) + "\n";
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < options.jobs; ++i) {
      workers.emplace_back(work);
    }
  }
  std::cout << (options.as_json ? report.AsJson(passed()) : report.AsText(passed()));
  return report.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace korder::simulation

int main(int argc, char** argv) {
  using namespace korder::simulation;  // NOLINT(google-build-using-namespace)
  Options options;
  CLI::App app{"korder with every single fault"};
  app.add_option("--single", options.singles, "play with this one only (twice: with both)");
  app.add_flag("--list", options.list, "tell every message and how it ends, in peace");
  app.add_flag("--sample", options.sample, "of each call site only some messages");
  app.add_option("--pairs", options.pairs, "as many pairs instead, at random");
  app.add_flag("--verbose", options.stage.verbose, "with --single or --list: tell every change");
  app.add_option("--kubernetes", options.stage.kubernetes, "minor version")->capture_default_str();
  app.add_option("--replicas", options.stage.replicas, "of each service that elects a leader")
      ->capture_default_str();
  app.add_option("--seed", options.stage.seed, "who is faster where it does not matter")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "begin no new one after so long; 0: never")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "threads")->capture_default_str();
  app.add_flag("--json", options.as_json, "for programs");
  CLI11_PARSE(app, argc, argv);
  korder::log::Init({.level = korder::log::Level::kInfo,
                     .format = korder::log::Format::kText,
                     .service = "simulation"});
  if (!options.stage.verbose) {
    korder::log::Silence();
  }
  Stage in_peace = options.stage;
  in_peace.verbose = options.stage.verbose && options.list;
  const Play peace = PlayScenario(in_peace, {});
  if (peace.broken) {
    std::cout << "FAILED in peace, " << peace.broken->invariant << ": " << peace.broken->what
              << std::endl;
    return 1;
  }
  if (options.list) {
    TellAll(peace);
    return 0;
  }
  return options.singles.empty() ? Many(options, peace) : TellOne(options, peace);
}
