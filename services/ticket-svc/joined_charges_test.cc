#include "ticket-svc/joined_charges.h"

#include <limits>
#include <set>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

namespace korder::ticket {
namespace {

using runtime::LedgerConfirmation;
using runtime::LedgerDecision;
using Asked = std::vector<LedgerConfirmation>;

LedgerConfirmation About(const std::string& uid) {
  return {.ticket = {.ns = "default", .name = uid, .uid = uid}, .reservation_id = "", .claim = {}};
}

// A quota-svc whose calls take as long as a test says. Grants all but the tickets it is told.
class SlowLedger {
 public:
  absl::StatusOr<std::vector<LedgerDecision>> Confirm(const Asked& asked, std::stop_token stop) {
    const MutexLock lock(mu_);
    const size_t mine = calls_.size();
    calls_.push_back(asked.size());
    arrived_.NotifyAll();
    if (!arrived_.Wait(mu_, std::move(stop), [&] { return mine < let_go_; })) {
      return CancelledError("stopped");
    }
    std::vector<LedgerDecision> decisions;
    for (const LedgerConfirmation& one : asked) {
      if (one.ticket.uid == malformed) {
        return InvalidArgumentError("claim: malformed");
      }
      if (unreachable) {
        return UnavailableError("nobody leads");
      }
      decisions.push_back({.id = one.ticket.uid, .denied = {}});
      if (one.ticket.uid == denied) {
        decisions.back().denied = runtime::LedgerDenial{.quota = "team"};
      }
    }
    return decisions;
  }

  // Calls from now on take until LetGo: the first `count` of all, or all.
  void Hold() {
    const MutexLock lock(mu_);
    let_go_ = calls_.size();
  }
  void LetGo(size_t count = std::numeric_limits<size_t>::max()) {
    const MutexLock lock(mu_);
    let_go_ = count;
    arrived_.NotifyAll();
  }
  void AwaitCalls(size_t count) {
    const MutexLock lock(mu_);
    arrived_.Wait(mu_, {}, [&] { return calls_.size() >= count; });
  }
  // How many were asked for, call by call.
  std::vector<size_t> Calls() {
    const MutexLock lock(mu_);
    return calls_;
  }

  std::string denied;
  std::string malformed;
  bool unreachable = false;

 private:
  Mutex mu_;
  CondVar arrived_;
  size_t let_go_ ABSL_GUARDED_BY(mu_) = std::numeric_limits<size_t>::max();
  std::vector<size_t> calls_ ABSL_GUARDED_BY(mu_);
};

// Many that ask through one JoinedCharges; the first one's call is under way while the others come.
class Crowd {
 public:
  explicit Crowd(SlowLedger& ledger) : ledger_(ledger) {}

  absl::StatusOr<LedgerDecision> Ask(const std::string& uid, std::stop_token stop = {},
                                     absl::Duration at_most = absl::InfiniteDuration()) {
    return charges_.Confirm(About(uid), std::move(stop), at_most);
  }

  // "uid: granted", "uid: denied" or "uid: CODE" of each.
  std::set<std::string> AskTogether(int others) {
    std::set<std::string> answers;
    Mutex mu;
    const auto note = [&](const std::string& uid) {
      const auto decision = Ask(uid);
      std::string text = uid + ": ";
      text += !decision.ok() ? absl::StatusCodeToString(decision.status().code())
                             : (decision->granted() ? "granted" : "denied");
      const MutexLock lock(mu);
      answers.insert(text);
      if (decision.ok() && decision->id != uid) {
        answers.insert("another's answer");
      }
    };
    ledger_.Hold();
    const size_t calls = ledger_.Calls().size();
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { note("first"); });
    ledger_.AwaitCalls(calls + 1);
    for (int i = 0; i < others; ++i) {
      threads.emplace_back([&note, i] { note("t" + std::to_string(i)); });
    }
    AwaitWaiting(static_cast<size_t>(others));
    ledger_.LetGo();
    threads.clear();
    return answers;
  }

  void AwaitWaiting(size_t count) {
    while (charges_.Waiting() < count) {
      std::this_thread::yield();
    }
  }

 private:
  SlowLedger& ledger_;
  JoinedCharges charges_{[this](const Asked& asked, std::stop_token stop, absl::Duration) {
    return ledger_.Confirm(asked, std::move(stop));
  }};
};

TEST_CASE("joined charges: who comes while a call is under way goes together into the next one",
          "[charges]") {
  SlowLedger ledger;
  ledger.denied = "t1";
  Crowd crowd(ledger);
  CHECK(crowd.AskTogether(3) ==
        std::set<std::string>{"first: granted", "t0: granted", "t1: denied", "t2: granted"});
  CHECK(ledger.Calls() == std::vector<size_t>{1, 3});
  CHECK(crowd.Ask("later")->granted());
  CHECK(ledger.Calls() == std::vector<size_t>{1, 3, 1});
}

TEST_CASE("joined charges: a call has its limit, and nobody is forgotten", "[charges]") {
  SlowLedger ledger;
  Crowd crowd(ledger);
  constexpr int kMany = static_cast<int>(JoinedCharges::kMostInCall) + 5;
  CHECK(crowd.AskTogether(kMany).size() == kMany + 1);
  CHECK(ledger.Calls() == std::vector<size_t>{1, JoinedCharges::kMostInCall, 5});
}

TEST_CASE("joined charges: what is wrong with one of them is not the others' error", "[charges]") {
  SlowLedger ledger;
  ledger.malformed = "t1";
  Crowd crowd(ledger);
  CHECK(crowd.AskTogether(3) == std::set<std::string>{"first: granted", "t0: granted",
                                                      "t1: INVALID_ARGUMENT", "t2: granted"});
}

TEST_CASE("joined charges: that nobody leads is everybody's error, and is not asked again",
          "[charges]") {
  SlowLedger ledger;
  ledger.unreachable = true;
  Crowd crowd(ledger);
  CHECK(crowd.AskTogether(2) ==
        std::set<std::string>{"first: UNAVAILABLE", "t0: UNAVAILABLE", "t1: UNAVAILABLE"});
  CHECK(ledger.Calls() == std::vector<size_t>{1, 2});
}

TEST_CASE("joined charges: who stops waits no longer, whoever calls", "[charges]") {
  SlowLedger ledger;
  Crowd crowd(ledger);
  ledger.Hold();
  std::jthread first([&](std::stop_token stop) { (void)crowd.Ask("first", std::move(stop)); });
  ledger.AwaitCalls(1);
  std::stop_source stop;
  absl::Status stopped;
  std::jthread second([&] { stopped = crowd.Ask("second", stop.get_token()).status(); });
  crowd.AwaitWaiting(1);
  stop.request_stop();
  second.join();
  CHECK(absl::IsCancelled(stopped));
  ledger.LetGo();
  first.join();
  CHECK(ledger.Calls() == std::vector<size_t>{1});
}

TEST_CASE("joined charges: a stop of the one that calls is not the others'", "[charges]") {
  for (int i = 0; i < 20; ++i) {  // Either of the two that wait may be the one that calls.
    SlowLedger ledger;
    Crowd crowd(ledger);
    ledger.Hold();
    std::jthread first([&] { (void)crowd.Ask("first"); });
    ledger.AwaitCalls(1);
    std::stop_source stop;
    absl::StatusOr<LedgerDecision> kept;
    std::jthread stopping([&] { (void)crowd.Ask("stopping", stop.get_token()); });
    std::jthread staying([&] { kept = crowd.Ask("staying"); });
    crowd.AwaitWaiting(2);
    ledger.LetGo(1);
    ledger.AwaitCalls(2);
    stop.request_stop();
    stopping.join();
    ledger.LetGo();
    first.join();
    staying.join();
    REQUIRE(kept.ok());
    CHECK(kept->granted());
  }
}

TEST_CASE("joined charges: who is in a hurry waits for nobody", "[charges]") {
  SlowLedger ledger;
  Crowd crowd(ledger);
  ledger.Hold();
  std::jthread first([&] { (void)crowd.Ask("first"); });
  ledger.AwaitCalls(1);
  std::jthread second([&] { (void)crowd.Ask("second", {}, absl::Seconds(1)); });
  ledger.AwaitCalls(2);  // or the test ends by its time limit
  ledger.LetGo();
  first.join();
  second.join();
  CHECK(ledger.Calls() == std::vector<size_t>{1, 1});
}

}  // namespace
}  // namespace korder::ticket
