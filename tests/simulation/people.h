// People who know what they want: each step is done, asked again until korder has let it through,
// and looked at until its result is there; then comes the next one.
//
//   People people({machine, world, peers, fail});
//   people.Begin({{"an order is made", [&] { people.Apply(order); }, [&] { return ...; }}, ...});
//   while (!people.done() && machine.Turn()) { ... }
//
// What happens from one step to the next is left to the machine; what people wait for in vain for
// longer than anything may take is a failure (I13).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/pod.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "machine.h"
#include "peers.h"
#include "world.h"

namespace korder::simulation {

// `until` holds when its result is there.
struct Step {
  std::string what;
  std::function<void()> act;
  std::function<bool()> until;
};

class People {
 public:
  struct Parts {
    Machine& machine;
    World& world;
    Peers& peers;
    std::function<void(const std::string& invariant, const std::string& what)> fail;
    bool verbose = false;  // every step is told on standard error
  };

  explicit People(Parts parts) : parts_(std::move(parts)) {}

  void Begin(std::vector<Step> steps);
  // Every step has been done, or one was waited for in vain.
  bool done() const { return done_; }
  // They give up what they are doing.
  void End() { process_.stop.request_stop(); }

  // --- in steps: as `kubectl create`, again until nobody objects
  void Apply(const api::Order& order);
  void Apply(const api::Ticket& ticket);
  void Apply(const api::Pod& pod);

 private:
  void Play(const std::vector<Step>& steps);
  void Again(const std::function<bool()>& done);
  template <class T>
  bool Admit(const T& object, admission::Verdict (admission::Validator::*review)(
                                  const api::AdmissionRequest& request) const);
  bool Gate(const api::Pod& pod);

  const Parts parts_;
  Process process_{.name = "people"};
  bool done_ = false;
  std::string refusal_;  // the last one
};

}  // namespace korder::simulation
