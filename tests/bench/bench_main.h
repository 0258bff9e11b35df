// The main() of every program that measures: flags, tables for people, a file for scripts/bench.
//
//   int main(int argc, char** argv) {
//     Settings settings;
//     return bench::Main(argc, argv, {.what = "Measures the ledger beside what bounds it",
//                                     .flags = [&](CLI::App& app) { app.add_option(...); },
//                                     .run = [&](json::Writer& samples) { return Run(settings);
//                                     }});
//   }
//
// Every program so has --json FILE, for the figures, the raw samples and what measuring itself
// took: the load generators share the machine with what they measure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "json/writer.h"
#include "judged.h"

namespace CLI {
class App;
}

namespace korder::bench {

struct Bench {
  std::string what;
  std::function<void(CLI::App&)> flags;
  // Writes the samples as keys and values of an object, prints its own tables, and returns what is
  // judged, which is printed at the end. Fails by throwing.
  std::function<std::vector<Judged>(json::Writer& samples)> run;
};

// The exit code.
int Main(int argc, char** argv, const Bench& bench);

}  // namespace korder::bench
