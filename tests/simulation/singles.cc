#include "singles.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "end_state.h"
#include "kubelet_model.h"
#include "people.h"
#include "processes.h"
#include "scenario.h"
#include "scheduler_model.h"

namespace korder::simulation {
namespace {

// Without a write for so long, everything is done.
constexpr absl::Duration kQuiet = absl::Seconds(14);
constexpr absl::Duration kLongest = absl::Minutes(10);
// Somebody turns around on the spot.
constexpr int64_t kMostRequests = 40'000;

class Performance {
 public:
  Performance(const Stage& stage, const std::vector<Single>& singles)
      : stage_(stage),
        singles_(singles),
        return_dice_(stage.seed, singles.empty() ? "" : TextOf(singles[0])),
        machine_(stage.seed),
        host_(machine_),
        clock_(machine_),
        world_(clock_),
        network_(machine_, world_, stage.seed),
        peers_(machine_, network_, stage.seed),
        scheduler_(machine_, world_, stage.kubernetes, stage.seed),
        kubelet_(machine_, world_, stage.seed),
        invariants_(machine_, world_, scheduler_, peers_),
        around_{machine_, network_, peers_, clock_,
                ticket::OptionsFor(stage.kubernetes, ticket::FenceMode::kAuto,
                                   ticket::HandoffMethodName::kNominate)},
        processes_(machine_, around_, [this] { return NextReturn(); }),
        people_({machine_, world_, peers_,
                 [this](const auto& id, const auto& what) { invariants_.Fail(id, what); },
                 stage.verbose}),
        scenario_(machine_, world_, people_) {
    world_.verbose = stage.verbose;
    network_.OnCrash([this](Process& process) { processes_.Kill(process); });
    network_.Direct([this](const Network::Message& message) { return FateOf(message); });
    world_.OnServed([this](const std::string&, const auto&, int) {
      if (world_.writes() != seen_writes_) {
        seen_writes_ = world_.writes();
        last_change_ = machine_.Mono();
      }
    });
  }

  Play Go() {
    scenario_.SetUp();
    for (int i = 0; i < stage_.replicas; ++i) {
      processes_.Start("korder-order-svc", &RunOrderService);
      processes_.Start("korder-ticket-svc", &RunTicketService);
      processes_.Start("korder-quota-svc", &RunQuotaService);
    }
    processes_.Start("korder-admission-svc", &RunAdmissionService);
    SendBookmarks();
    people_.Begin(scenario_.Steps());
    while (!people_.done() && GoOn()) {
    }
    ComeToRest();
    play_.broken = invariants_.broken();
    play_.end = EndState(world_);
    play_.writes = world_.writes();
    play_.handoffs = invariants_.handoffs();
    play_.lasted = absl::FromChrono(machine_.Mono() - begin_);
    people_.End();
    processes_.EndAll();
    return std::move(play_);
  }

 private:
  Network::Fate FateOf(const Network::Message& message) {
    std::string site = SiteOf(message);
    const int ordinal = ++sent_[site];
    play_.sent.push_back({site, ordinal, message.about});
    const auto single = std::find_if(singles_.begin(), singles_.end(), [&](const Single& s) {
      return s.site == site && s.ordinal == ordinal;
    });
    if (single == singles_.end()) {
      return Network::Fate::kArrives;
    }
    ++play_.struck;
    last_change_ = machine_.Mono();
    if (stage_.verbose) {
      std::cerr << "*** " << TextOf(*single) << " " << message.about << "\n";
    }
    return single->fate;
  }

  Return NextReturn() {
    // What is still on its way shall meet a successor that is there already.
    const bool soon = std::any_of(singles_.begin(), singles_.end(), [](const Single& single) {
      return single.fate == Network::Fate::kCrashWhile;
    });
    return soon ? Return{.after = absl::Milliseconds(50), .same_place = true}
                : RandomReturn(return_dice_);
  }

  void SendBookmarks() {
    machine_.After(absl::Seconds(30), [this] {
      world_.SendBookmarks();
      SendBookmarks();
    });
  }

  bool GoOn() {
    if (absl::FromChrono(machine_.Mono() - begin_) > kLongest ||
        world_.requests() > kMostRequests) {
      invariants_.Fail("I13", "the cluster never comes to rest");
    }
    return !invariants_.broken() && machine_.Turn();
  }

  void ComeToRest() {
    invariants_.Calm();
    last_change_ = std::max(last_change_, machine_.Mono());
    while (GoOn()) {
      const MonoTime since = std::max(last_change_, processes_.last_change());
      const MonoTime now = machine_.NextTime().value_or(machine_.Mono());
      if (absl::FromChrono(now - since) > kQuiet) {
        return invariants_.CheckAtRest();
      }
    }
  }

  const Stage stage_;
  const std::vector<Single> singles_;
  Dice return_dice_;
  Machine machine_;
  const HostScope host_;
  const MachineClock clock_;
  World world_;
  Network network_;
  Peers peers_;
  SchedulerModel scheduler_;
  KubeletModel kubelet_;
  Invariants invariants_;
  Surroundings around_;
  Processes processes_;
  People people_;
  Scenario scenario_;
  const MonoTime begin_ = machine_.Mono();
  Play play_;
  std::map<std::string, int> sent_;  // by site
  int64_t seen_writes_ = 0;
  MonoTime last_change_{};
};

}  // namespace

Play PlayScenario(const Stage& stage, const std::vector<Single>& singles) {
  return Performance(stage, singles).Go();
}

std::optional<Broken> WhatIsWrong(const Play& play, const Play& peace, int struck) {
  if (play.broken) {
    return play.broken;
  }
  if (play.struck < struck) {
    return Broken{"name", "there is no such message"};
  }
  const std::vector<std::string> differences = Differences(play.end, peace.end);
  if (!differences.empty()) {
    return Broken{"I13",
                  "the end is another one than in peace:\n  " + absl::StrJoin(differences, "\n  ")};
  }
  return std::nullopt;
}

std::vector<Single> AllSingles(const Play& peace) {
  std::vector<Single> singles;
  for (const Sent& sent : peace.sent) {
    for (const SingleKind& kind : kSingleKinds) {
      singles.push_back({kind.fate, sent.site, sent.ordinal});
    }
  }
  return singles;
}

std::vector<Single> SampleSingles(const Play& peace) {
  std::map<std::string, int> counts;
  for (const Sent& sent : peace.sent) {
    ++counts[sent.site];
  }
  std::vector<Single> singles;
  for (size_t round = 0; round < kSingleKinds.size(); ++round) {
    size_t turn = 0;  // so that it is not always the same kind that meets the first message
    for (const auto& [site, count] : counts) {
      const std::array<int, 3> ordinals = {1, (count + 1) / 2, count};
      const size_t kind = (round + turn) % kSingleKinds.size();
      singles.push_back({kSingleKinds[kind].fate, site, ordinals[(kind + turn) % ordinals.size()]});
      ++turn;
    }
  }
  return singles;
}

std::vector<std::vector<Single>> RandomPairs(const Play& peace, int count, uint64_t seed) {
  const std::vector<Single> all = AllSingles(peace);
  Dice dice(seed, "pairs");
  std::vector<std::vector<Single>> pairs;
  for (int i = 0; i < count; ++i) {
    const size_t first = dice.Below(all.size());
    const size_t second = dice.Below(all.size());
    pairs.push_back({all[std::min(first, second)], all[std::max(first, second)]});
  }
  return pairs;
}

}  // namespace korder::simulation
