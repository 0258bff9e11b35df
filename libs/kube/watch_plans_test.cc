// A thousand seeded plans of what an API server, and what is between it and us, may do to a client
// over time: lists that are stale, watches that lag, end in every way, leave out what was
// superseded, repeat themselves, mix up the order of different objects or lose events before they
// say 410; and processes that begin anew. In the end every view is the server's, and no handler was
// led back on the way.
#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <memory>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "kube/testing/wire_history.h"

namespace korder::kube {
namespace {

constexpr unsigned kPlans = 1000;
constexpr int kChanges = 60;

enum Happening {
  kStaleList,
  kCoalesced,
  kRepeated,
  kMixedUp,
  kLost,
  kCut,
  kClosed,
  kExpired,
  kRefused,
  kRestarted,
  kHappenings
};
using Tally = std::array<int, kHappenings>;

// The server and the way to it. Everything happens when the client asks or reads.
class Plan final : public HttpTransport {
 public:
  Plan(unsigned seed, Tally& tally) : random_(seed), history_(seed), tally_(tally) {}

  // Runs one process after the other until one has seen the end of the history; says what is wrong
  // with its view, or "".
  std::string Run() {
    while (true) {
      stop_ = {};
      newest_told_ = 0;
      Client client(*this);
      Informer<api::ConfigMap> informer(client, {.wait = [](absl::Duration, std::stop_token) {}});
      const WireWitness witness(informer);
      informer.Run(stop_.get_token());
      if (!witness.faults().empty()) {
        return witness.faults().front();
      }
      if (over_) {
        const WireObjects truth = history_.At(history_.newest());
        return witness.Stored() != truth ? "the store is not what the server has"
               : witness.told() != truth ? "the handlers know something else than the server"
                                         : "";
      }
    }
  }

  absl::StatusOr<HttpResponse> Do(const HttpRequest&, const CallOptions&) override {
    Live();
    if (Chance(5) && !Over()) {
      ++tally_[kRefused];
      return Refusal();
    }
    // A list may be older than the newest, but never than what this process has been told.
    int version = history_.newest();
    const size_t told = history_.CountUpTo(std::max(newest_told_, WireHistory::kFirst));
    if (told < history_.changes().size() && Chance(40)) {
      ++tally_[kStaleList];
      version = history_.changes()[told + Roll(history_.changes().size() - told)].version;
    }
    lost_ = false;
    newest_told_ = version;
    return HttpResponse{.status = 200, .body = history_.ListBody(version)};
  }

  absl::StatusOr<StreamResponse> Open(const HttpRequest& request, const CallOptions&) override {
    if (Chance(5) && !Over()) {
      ++tally_[kRefused];
      const HttpResponse refusal = Refusal();
      return StreamResponse{.status = refusal.status, .error_body = refusal.body};
    }
    constexpr std::string_view kName = "resourceVersion=";
    const size_t at = request.target.find(kName) + kName.size();
    int from = 0;
    REQUIRE(absl::SimpleAtoi(request.target.substr(at, request.target.find('&', at) - at), &from));
    return StreamResponse{.status = 200, .body = std::make_unique<Stream>(*this, from)};
  }

 private:
  class Stream final : public ByteStream {
   public:
    Stream(Plan& plan, int from) : plan_(plan), next_(plan.history_.CountUpTo(from)) {}
    absl::StatusOr<std::string> Read(absl::Duration) override {
      while (pieces_.empty()) {
        plan_.Continue(*this);
      }
      absl::StatusOr<std::string> piece = std::move(pieces_.front());
      pieces_.pop_front();
      return piece;
    }

   private:
    friend class Plan;

    Plan& plan_;
    size_t next_;  // change to be told
    std::deque<absl::StatusOr<std::string>> pieces_;
  };

  bool Chance(unsigned percent) { return random_() % 100 < percent; }
  size_t Roll(size_t sides) { return random_() % sides; }
  bool Over() const { return history_.changes().size() >= kChanges; }
  void Live() {
    if (!Over()) {
      history_.Grow(static_cast<int>(Roll(5)));
    }
  }

  HttpResponse Refusal() {
    constexpr std::array kCodes{429, 500, 503, 504, 410};
    return {.status = kCodes[Roll(kCodes.size())], .body = "{}"};
  }

  // What the stream gives next; at least one piece, unless the world only went on.
  void Continue(Stream& stream) {
    Live();
    if (Chance(2) && !Over()) {
      ++tally_[kRestarted];
      stop_.request_stop();
      stream.pieces_.push_back(CancelledError("the process ends"));
      return;
    }
    if (Chance(3) && !Over()) {
      ++tally_[kClosed];
      stream.pieces_.push_back(Chance(50) ? absl::StatusOr<std::string>(std::string())
                                          : DeadlineExceededError("silent"));
      return;
    }
    // After a loss only 410 is left: the server knows that it no longer has it all.
    if (Chance(3) || (lost_ && (Over() || Chance(50)))) {
      ++tally_[kExpired];
      stream.pieces_.push_back(
          "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"reason\":\"Expired\","
          "\"code\":410}}\n");
      return;
    }
    const size_t left = history_.changes().size() - stream.next_;
    if (left == 0) {
      if (Over()) {
        over_ = true;
        stop_.request_stop();
        stream.pieces_.push_back(CancelledError("the plan ends"));
      }
      return;
    }
    Tell(stream, 1 + Roll(left));
  }

  void Tell(Stream& stream, size_t count) {
    const auto begin = history_.changes().begin() + static_cast<std::ptrdiff_t>(stream.next_);
    std::vector<WireChange> batch(begin, begin + static_cast<std::ptrdiff_t>(count));
    stream.next_ += count;
    newest_told_ = std::max(newest_told_, batch.back().version);
    const bool in_order = Chance(60);
    if (!in_order) {
      Mistreat(batch);
    }
    std::string bytes;
    for (const WireChange& change : batch) {
      bytes += change.Event();
    }
    // Whoever reads the first of two that were swapped, and then is cut off, cannot know of the
    // second: a batch that is not in order arrives as a whole.
    const bool cut = in_order && Chance(15) && !Over();
    if (cut) {
      ++tally_[kCut];
      bytes.resize(Roll(bytes.size()));
    }
    while (!bytes.empty()) {
      const size_t size = Chance(30) ? bytes.size() : 1 + Roll(bytes.size());
      stream.pieces_.emplace_back(bytes.substr(0, size));
      bytes.erase(0, size);
    }
    if (cut) {
      stream.pieces_.push_back(UnavailableError("reset"));
    }
  }

  void Mistreat(std::vector<WireChange>& batch) {
    if (Chance(50)) {  // What was superseded is left out.
      for (size_t i = 0; i + 1 < batch.size();) {
        const bool superseded =
            std::any_of(batch.begin() + static_cast<std::ptrdiff_t>(i) + 1, batch.end(),
                        [&](const WireChange& later) { return later.name == batch[i].name; });
        if (superseded && Chance(50)) {
          ++tally_[kCoalesced];
          batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
          ++i;
        }
      }
    }
    if (Chance(30)) {  // What was told, just now or long ago, is told again.
      ++tally_[kRepeated];
      const size_t told = history_.CountUpTo(batch.back().version);
      const WireChange again = Chance(50) ? batch.back() : history_.changes()[Roll(told)];
      batch.push_back(again);
    }
    for (size_t i = 0; i + 1 < batch.size(); ++i) {
      if (batch[i].name != batch[i + 1].name && Chance(20)) {
        ++tally_[kMixedUp];
        std::swap(batch[i], batch[i + 1]);
      }
    }
    if (Chance(20)) {
      ++tally_[kLost];
      lost_ = true;
      batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(Roll(batch.size())));
    }
  }

  std::mt19937 random_;
  WireHistory history_;
  Tally& tally_;
  std::stop_source stop_;
  int newest_told_ = 0;  // to this process
  bool lost_ = false;    // something, since the last list
  bool over_ = false;
};

TEST_CASE("watch plans: after a thousand bad histories every view is the server's",
          "[watch_plans]") {
  log::Silence();
  Tally tally{};
  for (unsigned seed = 1; seed <= kPlans; ++seed) {
    INFO("seed " << seed);
    Plan plan(seed, tally);
    REQUIRE(plan.Run() == "");
  }
  std::cout << kPlans << " plans: " << tally[kStaleList] << " stale lists, " << tally[kCoalesced]
            << " changes left out as superseded, " << tally[kRepeated] << " repeated, "
            << tally[kMixedUp] << " mixed up, " << tally[kLost] << " lost; " << tally[kCut]
            << " cuts, " << tally[kClosed] << " ends, " << tally[kExpired] << " times 410, "
            << tally[kRefused] << " refusals, " << tally[kRestarted] << " restarts" << std::endl;
  for (const int count : tally) {
    CHECK(count >= 300);
  }
}

}  // namespace
}  // namespace korder::kube
