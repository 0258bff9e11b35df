// A kube-scheduler, as far as korder depends on it (docs of the real one: KEP-5278, and what was
// measured: docs/adr/0007): it knows pods and nodes by a watch that lags, counts nominated pods as
// if they ran, also behind a gate, takes the pod of the highest priority first, binds it where it
// fits, says Unschedulable otherwise and takes its nomination away, and preempts for pods that
// outrank others.
//
// What differs between versions: before 1.35 it hears of the nominations of gated pods by another
// way than of deletions, so in any order; until 1.36 it has forgotten them after a restart, until
// the pod changes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dice.h"
#include "machine.h"
#include "world.h"

namespace korder::simulation {

// CPU and memory, which is all that the pods of a run ask for.
struct Amount {
  int64_t cpu = 0;  // thousandths
  int64_t memory = 0;
  Amount& operator+=(const Amount& other) {
    cpu += other.cpu;
    memory += other.memory;
    return *this;
  }
  Amount& operator-=(const Amount& other) {
    cpu -= other.cpu;
    memory -= other.memory;
    return *this;
  }
  bool Holds(const Amount& other) const { return cpu >= other.cpu && memory >= other.memory; }
};
Amount RequestsOf(const api::Pod& pod);
Amount AllocatableOf(const api::Node& node);

class SchedulerModel {
 public:
  SchedulerModel(Machine& machine, World& world, int server_minor, uint64_t seed);

  MonoTime restarted_at() const { return restarted_at_; }
  // It dies and comes back after a while, with a fresh look at everything.
  void Restart();
  // Its watch stands still for a while.
  void Stall(absl::Duration time);

 private:
  struct Seen {
    std::shared_ptr<const api::Pod> pod;
    Amount requests;
    int32_t priority = 0;
    std::string assumed;  // the node that it is being bound to
    std::string nominated;
    MonoTime not_before{};  // back-off
    int failures = 0;
    bool tried = false;  // and found no room, with the world as it is
  };
  using Pods = std::map<std::string, Seen>;  // by UID

  void OnPod(const api::Pod* was, const api::Pod* is);
  void OnNode(const api::Node* was, const api::Node* is);
  void Receive(std::string uid, std::shared_ptr<const api::Pod> pod);
  void SomethingMoved();
  void CycleSoon();
  void Cycle();
  Seen* Next();
  void Schedule(const std::string& uid, Seen& seen);
  bool Fits(const std::string& uid, const Seen& seen, const api::Node& node,
            bool without_lower) const;
  bool Preempt(const std::string& uid, Seen& seen);
  void Bind(const std::string& uid, Seen& seen, const std::string& node);
  void Refuse(const std::string& uid, Seen& seen, const std::string& nominate);
  // Later, when the request has arrived.
  void Send(kube::HttpRequest request, std::function<void(bool done)> then = {});

  Machine& machine_;
  World& world_;
  const int minor_;
  Dice dice_;
  uint64_t life_ = 0;
  bool down_ = false;
  bool cycle_planned_ = false;
  MonoTime restarted_at_{};
  MonoTime last_{};
  MonoTime last_nomination_{};
  Pods pods_;
  std::map<std::string, std::shared_ptr<const api::Node>> nodes_;
};

}  // namespace korder::simulation
