// Runs a fuzzer (fuzz.h) over what is made of its corpus.
//
//   fuzz_admission_review --corpus tests/fuzz/corpus/admission_review --runs 20000
//   fuzz_admission_review --corpus ... --seconds 600 --seed 7      # before a release
//   fuzz_admission_review --corpus ... --seed 7 --only 4711        # what was number 4711?
//   fuzz_admission_review crash.txt                                # or a file of one's own
//
// Ends with an error when a check fails, when a sanitizer reports something (both name the number
// to see it again), or when the inputs were all taken or all refused: then they prove little.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "fuzz.h"
#include "mutate.h"

// AddressSanitizer's, when there is one.  NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace korder::fuzz {
namespace {

struct Options {
  std::string corpus;
  uint64_t seed = 1;
  uint64_t runs = 0;
  double seconds = 0;
  int64_t only = -1;
  std::vector<std::string> files;
};

// For TellWhich, which takes no arguments.
uint64_t seed = 0;
uint64_t number = 0;

void TellWhich() {
  std::fprintf(stderr, "it was: --seed %llu --only %llu\n", static_cast<unsigned long long>(seed),
               static_cast<unsigned long long>(number));
}

std::string Content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw std::runtime_error("cannot read " + file.string());
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

// By name, so that it is the same everywhere.
std::vector<std::string> Corpus(const std::string& folder) {
  std::map<std::string, std::string> examples;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    examples[entry.path().filename().string()] = Content(entry.path());
  }
  std::vector<std::string> corpus;
  for (auto& [name, content] : examples) {
    corpus.push_back(std::move(content));
  }
  if (corpus.empty()) {
    throw std::runtime_error("there are no examples in " + folder);
  }
  return corpus;
}

int Fuzz(const Options& options) {
  Mutator mutator(Corpus(options.corpus), options.seed);
  if (options.only >= 0) {
    number = static_cast<uint64_t>(options.only);
    const std::string input = mutator.Make(number);
    std::cout << input << "\n" << std::flush;
    std::cout << (FuzzOne(input) == kTaken ? "taken" : "refused") << "\n";
    return 0;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  uint64_t taken = 0;
  for (number = 0; options.seconds > 0 ? elapsed() < options.seconds : number < options.runs;
       ++number) {
    taken += FuzzOne(mutator.Make(number)) == kTaken ? 1U : 0U;
  }
  std::cout << number << " inputs of seed " << seed << " in " << elapsed() << " s: " << taken
            << " taken, " << number - taken << " refused\n";
  if (taken == 0 || taken == number) {
    std::cerr << "the inputs were all " << (taken == 0 ? "refused" : "taken") << "\n";
    return 1;
  }
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Gives mangled inputs to a parser");
  app.add_option("--corpus", options.corpus, "a folder of examples");
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--runs", options.runs, "how many inputs");
  app.add_option("--seconds", options.seconds, "as many as fit into this time, instead");
  app.add_option("--only", options.only, "print and run one of them");
  app.add_option("files", options.files, "inputs to run as they are");
  CLI11_PARSE(app, argc, argv);
  seed = options.seed;
  if (&__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&TellWhich);
  }
  for (const std::string& file : options.files) {
    std::cout << file << ": " << std::flush;
    std::cout << (FuzzOne(Content(file)) == kTaken ? "taken" : "refused") << "\n";
  }
  return options.files.empty() ? Fuzz(options) : 0;
}

}  // namespace

void Violated(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  TellWhich();
  std::_Exit(1);
}

}  // namespace korder::fuzz

int main(int argc, char** argv) {
  korder::log::Init({.level = korder::log::Level::kError});
  try {
    return korder::fuzz::Main(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << failure.what() << "\n";
    return 2;
  }
}
