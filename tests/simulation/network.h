// The way between the programs and the API server: takes its time, and does with requests and
// watches what networks do.
//
//   Network network(machine, world, faults, seed);
//   auto transport = network.Connect(process);
//   kube::Client client(*transport);
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dice.h"
#include "faults.h"
#include "kube/transport.h"
#include "machine.h"
#include "world.h"

namespace korder::simulation {

class Network {
 public:
  Network(Machine& machine, World& world, uint64_t seed);

  std::unique_ptr<kube::HttpTransport> Connect(Process& process);

  // What goes wrong from now on.
  void SetFaults(FaultKinds kinds) { faults_ = std::move(kinds); }
  // How a process dies; the caller goes on until its threads have ended.
  void OnCrash(std::function<void(Process&)> kill) { kill_ = std::move(kill); }

  // --- what may happen to one message, also one between services

  enum class Fate {
    kArrives,
    kIsLost,
    kAnswerIsLost,
    kArrivesTwice,
    kCrashBefore,  // before it has left
    kCrashWhile,   // it is on its way, and arrives when the sender's successor may be at work
    kCrashAfter    // it took effect, and the sender does not see the answer
  };
  static bool DiesBefore(Fate fate) {
    return fate == Fate::kCrashBefore || fate == Fate::kCrashWhile;
  }
  // As people would call it: "PUT tickets/status", "Reserve"; and what it is about, if that is
  // known.
  struct Message {
    const Process& from;
    std::string what;
    std::string about;
  };
  // `message` is asked for only when somebody directs.
  Fate NextFate(bool write, const std::function<Message()>& message);
  // Says what becomes of every write and call, instead of dice.
  void Direct(std::function<Fate(const Message&)> director) { director_ = std::move(director); }
  bool directed() const { return director_ != nullptr; }
  absl::Duration NextLatency();
  // When a message arrives whose sender has died: kube::LeaderElectionOptions::settle_time at most.
  absl::Duration NextAftermath();
  // For the time it takes to get somewhere. False when the process did not live to see it.
  bool Travel(Process& process, const std::stop_token& stop);
  void Kill(Process& process) { kill_(process); }

  // --- what may happen to watches

  // One of them breaks: what is on its way is lost, and it has to begin where it was, or anew.
  void BreakWatch();
  void DelayWatch();

 private:
  class Transport;
  class Stream;

  // What the server has told on streams is on its way now.
  void Pump();

  Machine& machine_;
  World& world_;
  FaultKinds faults_;
  Dice latency_dice_;
  Dice crash_dice_;
  Dice ambiguity_dice_;
  Dice watch_dice_;
  std::function<void(Process&)> kill_;
  std::function<Fate(const Message&)> director_;
  std::vector<Stream*> streams_;
};

}  // namespace korder::simulation
