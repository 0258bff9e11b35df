// What people and other controllers do to the cluster while korder works, and what happens to the
// cluster itself (F11): pods that ask for tickets come and go, orders are scaled, limits change;
// guardians are killed, nodes fail, thieves wait for room, pods that outrank all others push in.
//
//   Workload workload(...);
//   workload.SetUp();  workload.Begin(faults);  ...  workload.End();   // and all is repaired
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dice.h"
#include "faults.h"
#include "machine.h"
#include "peers.h"
#include "scheduler_model.h"
#include "world.h"

namespace korder::simulation {

class Workload {
 public:
  struct Parts {
    Machine& machine;
    World& world;
    Peers& peers;
    SchedulerModel& scheduler;
    // Rooms pass on by preemption: pods that ask have to outrank guardians.
    bool by_preemption;
    // Something is not as it should be.
    std::function<void(const std::string& invariant, const std::string& what)> fail;
  };

  Workload(Parts parts, uint64_t seed);

  void SetUp();
  void Begin(bool harm);
  void End();
  // The process in which people's requests are made.
  Process& people() { return people_; }
  int64_t acts() const { return acts_; }

 private:
  void PlanAct();
  void PlanHarm();
  void Act();
  void Harm();

  void MakeNode(const std::string& name);
  void MakeOrder();
  void GiveSchedule(api::Order& order);
  void TogglePolicy();
  void MakeClaimingPod();
  void AskWebhook(api::Pod pod);
  // Creates it if the webhook allows it.
  template <class T>
  void Admit(const T& object, admission::Verdict (admission::Validator::*review)(
                                  const api::AdmissionRequest& request) const);
  void MakeBarePod(int32_t priority);
  void MakeTicket();
  void ScaleOrder();
  void EditQuota();
  void DeleteSomeOrder();
  void DeleteSomeTicket();
  void EndSomePod(bool by_deletion);
  void KillGuardian();
  void FailNode();
  void RemoveNode();
  void SetReady(const std::string& node, bool ready);
  void EndNamespace();
  template <class T>
  const T* Some(const Shelf<T>& shelf, const std::function<bool(const T&)>& that);

  const Parts parts_;
  Dice act_dice_;
  Dice harm_dice_;
  Process people_{.name = "people"};
  bool acting_ = false;
  bool ended_ = false;  // what is still under way then is not made
  bool harming_ = false;
  int64_t acts_ = 0;
  int names_ = 0;
  std::vector<std::string> node_names_;
};

}  // namespace korder::simulation
