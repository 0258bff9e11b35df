// The main of test programs with mutants: KORDER_MUTANT says which one runs, and into the file
// KORDER_REACHED goes a line for each test, with the mutants whose places it reached.
#define CATCH_CONFIG_MAIN
#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include <catch2/catch.hpp>

#include "museum/mutation.h"

namespace korder::mutation {
namespace {

enum Reached : char { kNever, kReached, kNone };

constexpr int kMost = 100'000;
std::array<std::atomic<char>, kMost> reached;

int Chosen() {
  const char* const chosen = std::getenv("KORDER_MUTANT");
  return chosen == nullptr ? -1 : std::atoi(chosen);
}

// "<seconds of the processor>\t<mutants>\t<those that do not compile>\t<name of the test>"
class Reporter : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& test) override {
    TestEventListenerBase::testCaseStarting(test);
    for (auto& place : reached) {
      place = kNever;
    }
    began_ = std::clock();
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (const char* const path = std::getenv("KORDER_REACHED")) {
      std::ofstream file(path, std::ios::app);
      file << static_cast<double>(std::clock() - began_) / CLOCKS_PER_SEC << '\t';
      Write(kReached, file);
      file << '\t';
      Write(kNone, file);
      file << '\t' << stats.testInfo.name << '\n';
    }
    TestEventListenerBase::testCaseEnded(stats);
  }

 private:
  static void Write(Reached what, std::ostream& out) {
    for (int i = 0; i < kMost; ++i) {
      if (reached[static_cast<size_t>(i)] == what) {
        out << i << ' ';
      }
    }
  }

  std::clock_t began_ = 0;
};
CATCH_REGISTER_LISTENER(Reporter)

}  // namespace

bool Is(int mutant) {
  static const int chosen = Chosen();
  reached[static_cast<size_t>(mutant)].store(kReached, std::memory_order_relaxed);
  return mutant == chosen;
}

void IsNone(int mutant) {
  reached[static_cast<size_t>(mutant)].store(kNone, std::memory_order_relaxed);
}

}  // namespace korder::mutation
