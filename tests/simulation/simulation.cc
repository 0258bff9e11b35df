#include "simulation.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/core/lease.h"
#include "kubelet_model.h"
#include "machine.h"
#include "network.h"
#include "peers.h"
#include "processes.h"
#include "scheduler_model.h"
#include "services.h"
#include "workload.h"
#include "world.h"

namespace korder::simulation {
namespace {

// Without a write for so long, everything is done: a process stands still for 12 s at most, and
// then has to see a lease of 6 s run out.
constexpr absl::Duration kQuiet = absl::Seconds(20);
constexpr absl::Duration kLongestUnrest = absl::Seconds(400);
// Somebody turns around on the spot.
constexpr int64_t kMostCalmSteps = 40'000;

using ticket::HandoffMethodName;

class Run {
 public:
  explicit Run(const Settings& settings)
      : settings_(settings),
        dice_(settings.seed, "run"),
        trouble_dice_(settings.seed, "trouble"),
        processes_(machine_, around_, [this] { return RandomReturn(trouble_dice_); }),
        machine_(settings.seed),
        host_(machine_),
        clock_(machine_),
        world_(clock_),
        network_(machine_, world_, settings.seed),
        peers_(machine_, network_, settings.seed),
        minor_(34 + static_cast<int>(dice_.Below(4))),
        method_(dice_.Chance(0.15) ? HandoffMethodName::kPreempt : HandoffMethodName::kNominate),
        scheduler_(machine_, world_, minor_, settings.seed),
        kubelet_(machine_, world_, settings.seed),
        invariants_(machine_, world_, scheduler_, peers_, method_),
        workload_({machine_, world_, peers_, scheduler_, method_ == HandoffMethodName::kPreempt,
                   [this](const auto& id, const auto& what) { invariants_.Fail(id, what); }},
                  settings.seed),
        around_{machine_, network_, peers_, clock_,
                ticket::OptionsFor(minor_, ticket::FenceMode::kAuto, method_)} {
    world_.verbose = settings.verbose;
    machine_.StepWall(absl::Seconds(48));  // so that minutes begin, and with them windows
    network_.OnCrash([this](Process& process) { processes_.Kill(process); });
    world_.OnServed([this](const std::string&, const auto&, int) {
      if (world_.writes() != seen_writes_) {
        seen_writes_ = world_.writes();
        last_write_ = machine_.Mono();
      }
    });
  }

  Outcome Go() {
    workload_.SetUp();
    StartServices();
    workload_.Begin(settings_.faults.contains(Fault::kCluster));
    network_.SetFaults(settings_.faults);
    troubled_ = true;
    PlanTrouble();
    PlanBookmarks();
    while (Steps() < settings_.steps && !invariants_.broken() && machine_.Turn()) {
    }
    ComeToRest();
    Outcome outcome{.broken = invariants_.broken(),
                    .history = world_.history(),
                    .steps = Steps(),
                    .writes = world_.writes(),
                    .crashes = processes_.crashes(),
                    .handoffs = invariants_.handoffs(),
                    .known_losses = invariants_.known_losses(),
                    .lasted = absl::FromChrono(machine_.Mono() - begin_)};
    processes_.EndAll();
    return outcome;
  }

 private:
  int64_t Steps() const { return world_.requests() + peers_.calls + workload_.acts(); }

  // --- processes

  void StartServices() {
    const auto replicas = [this] { return dice_.Between(1, 2); };
    for (int i = replicas(); i > 0; --i) {
      processes_.Start("korder-order-svc", &RunOrderService);
    }
    for (int i = replicas(); i > 0; --i) {
      processes_.Start("korder-ticket-svc", &RunTicketService);
    }
    for (int i = replicas(); i > 0; --i) {
      processes_.Start("korder-quota-svc", &RunQuotaService);
    }
    processes_.Start("korder-admission-svc", &RunAdmissionService);
  }

  Process* SomeProcess() {
    const std::vector<Process*> alive = processes_.Alive();
    return alive.empty() ? nullptr : trouble_dice_.Pick(alive);
  }

  // --- what goes wrong beside single messages

  void PlanTrouble() {
    machine_.After(trouble_dice_.Between(absl::Milliseconds(20), absl::Milliseconds(900)), [this] {
      if (troubled_) {
        Trouble();
        PlanTrouble();
      }
    });
  }

  void Trouble() {
    if (settings_.faults.contains(Fault::kStale)) {
      trouble_dice_.Chance(0.6) ? network_.DelayWatch() : network_.BreakWatch();
    }
    if (settings_.faults.contains(Fault::kCrash) && trouble_dice_.Chance(0.05)) {
      if (Process* process = SomeProcess()) {
        processes_.Kill(*process);
      }
    }
    if (settings_.faults.contains(Fault::kTime) && trouble_dice_.Chance(0.25)) {
      Disturb();
    }
  }

  void Disturb() {
    invariants_.Disturbed();
    const int what = trouble_dice_.Between(0, 9);
    if (what < 6) {
      if (Process* process = SomeProcess()) {
        process->frozen_until = machine_.Mono() + absl::ToChronoNanoseconds(trouble_dice_.Between(
                                                      absl::Milliseconds(100), absl::Seconds(12)));
      }
    } else if (what < 7) {
      const std::vector<std::string> leases = {"korder-order-svc", "korder-ticket-svc",
                                               "korder-quota-svc"};
      world_.Delete<api::Lease>("harm", {kSystemNamespace, trouble_dice_.Pick(leases)});
    } else {
      const std::vector<absl::Duration> steps = {absl::Hours(1), -absl::Hours(1), absl::Seconds(7),
                                                 -absl::Seconds(7)};
      machine_.StepWall(trouble_dice_.Pick(steps));
    }
  }

  void PlanBookmarks() {
    machine_.After(absl::Seconds(30), [this] {
      world_.SendBookmarks();
      PlanBookmarks();
    });
  }

  // --- the end

  void ComeToRest() {
    troubled_ = false;
    network_.SetFaults({});
    workload_.End();
    for (Process* process : processes_.Alive()) {
      process->frozen_until = {};
    }
    invariants_.Calm();
    const MonoTime calm = machine_.Mono();
    const int64_t steps = Steps();
    while (!invariants_.broken() && machine_.Turn()) {
      const MonoTime now = machine_.NextTime().value_or(machine_.Mono());
      if (absl::FromChrono(now - std::max(calm, last_write_)) > kQuiet) {
        invariants_.CheckAtRest();
        return;
      }
      if (absl::FromChrono(now - calm) > kLongestUnrest || Steps() - steps > kMostCalmSteps) {
        invariants_.Fail("I13", "the cluster never comes to rest");
        return;
      }
    }
  }

  const Settings settings_;
  Dice dice_;
  Dice trouble_dice_;
  Processes processes_;
  Machine machine_;
  const HostScope host_;
  const MachineClock clock_;
  World world_;
  Network network_;
  Peers peers_;
  const int minor_;  // of the Kubernetes that it is
  const HandoffMethodName method_;
  SchedulerModel scheduler_;
  KubeletModel kubelet_;
  Invariants invariants_;
  Workload workload_;
  Surroundings around_;
  const MonoTime begin_ = machine_.Mono();
  bool troubled_ = false;
  int64_t seen_writes_ = 0;
  MonoTime last_write_{};
};

}  // namespace

Outcome Simulate(const Settings& settings) { return Run(settings).Go(); }

Settings Shrink(const Settings& failing) {
  Settings best = failing;
  const auto fails = [](const Settings& settings) { return Simulate(settings).broken.has_value(); };
  for (const FaultName& name : kFaultNames) {
    Settings without = best;
    if (without.faults.erase(name.fault) > 0 && fails(without)) {
      best = without;
    }
  }
  // Where it fails first, if fewer steps always fail less; else somewhere not far away.
  int low = 0;
  while (best.steps - low > std::max(1, best.steps / 50)) {
    Settings shorter = best;
    shorter.steps = low + (best.steps - low) / 2;
    if (fails(shorter)) {
      best = shorter;
    } else {
      low = shorter.steps;
    }
  }
  return best;
}

std::string ReplayLine(const Settings& settings) {
  return absl::StrCat("simulation --seed ", settings.seed, " --steps ", settings.steps,
                      " --faults ", NamesOf(settings.faults));
}

}  // namespace korder::simulation
