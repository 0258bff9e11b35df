#include "bench_main.h"

#include <fstream>
#include <iostream>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "absl/time/clock.h"
#include "base/log.h"
#include "processes.h"

namespace korder::bench {
namespace {

void RunAndTell(const Bench& bench, const std::string& json_file) {
  const absl::Time begin = absl::Now();
  json::Writer w;
  w.BeginObject();
  w.Key("samples");
  w.BeginObject();
  const std::vector<Judged> judged = bench.run(w);
  w.EndObject();
  if (!judged.empty()) {
    std::cout << "\n";
    PrintJudged(judged);
  }
  w.Key("figures");
  Write(w, judged);
  w.Key("generator");
  w.BeginObject();
  w.Key("cpuSeconds");
  w.Double(absl::ToDoubleSeconds(ReadUsage(::getpid()).cpu));
  w.Key("seconds");
  w.Double(absl::ToDoubleSeconds(absl::Now() - begin));
  w.EndObject();
  w.EndObject();
  if (!json_file.empty() && !(std::ofstream(json_file) << w.Take() << "\n")) {
    throw std::runtime_error("cannot write " + json_file);
  }
}

}  // namespace

int Main(int argc, char** argv, const Bench& bench) {
  log::Init({.level = log::Level::kError});
  std::string json_file;
  CLI::App app(bench.what);
  app.add_option("--json", json_file, "a file for all figures and samples");
  bench.flags(app);
  CLI11_PARSE(app, argc, argv);
  try {
    RunAndTell(bench, json_file);
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << argv[0] << ": " << failure.what() << "\n";
    return 1;
  }
}

}  // namespace korder::bench
