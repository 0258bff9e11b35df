// What came of many plays: for each call site how many messages it sends and what became of them,
// and what failed, with the line that replays it.
//
//   SingleReport report(stage, peace);
//   report.Add(singles, wrong);          // thread-safe
//   std::cout << report.AsText();        // or AsJson()
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "singles.h"

namespace korder::simulation {

// Thread-safe.
class SingleReport {
 public:
  SingleReport(const Stage& stage, const Play& peace);

  // A play with these, and what was wrong with it.
  void Add(const std::vector<Single>& singles, const std::optional<Broken>& wrong);

  int failures() const;
  std::string AsText(absl::Duration took) const;
  std::string AsJson(absl::Duration took) const;

 private:
  struct Site {
    std::string site;
    int64_t messages = 0;
    int64_t plays = 0;
    int64_t failed = 0;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("site", self.site);
      v("messages", self.messages);
      v("plays", self.plays);
      v("failed", self.failed);
    }
  };
  struct Failure {
    std::string replay;
    std::string about;  // what the first message was about
    std::string invariant;
    std::string what;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("replay", self.replay);
      v("about", self.about);
      v("invariant", self.invariant);
      v("what", self.what);
    }
  };
  struct Everything {
    int64_t kubernetes = 0;
    int64_t replicas = 0;
    int64_t messages = 0;
    int64_t plays = 0;
    int64_t seconds = 0;
    std::vector<Site> sites;
    std::vector<Failure> failures;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("kubernetes", self.kubernetes);
      v("replicas", self.replicas);
      v("messages", self.messages);
      v("plays", self.plays);
      v("seconds", self.seconds);
      v("sites", self.sites);
      v("failures", self.failures);
    }
  };

  Everything Summary(absl::Duration took) const;

  const Stage stage_;
  const Play& peace_;
  mutable std::mutex mu_;
  int64_t plays_ = 0;
  std::map<std::string, Site> sites_;
  std::map<std::string, Failure> failures_;  // by replay
};

// What to type to see it again.
std::string ReplayLine(const Stage& stage, const std::vector<Single>& singles);

}  // namespace korder::simulation
