// A short story in which korder does everything that the simulation knows, once: no dice, each step
// waits for the one before, and what is left at the end does not depend on who was faster.
//
//   Scenario scenario(machine, world, people);
//   scenario.SetUp();
//   ... the services start ...
//   people.Begin(scenario.Steps());
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "machine.h"
#include "people.h"
#include "world.h"

namespace korder::simulation {

class Scenario {
 public:
  Scenario(Machine& machine, World& world, People& people)
      : machine_(machine), world_(world), people_(people) {}

  // Nodes, namespaces, quotas, a claim policy.
  void SetUp();
  std::vector<Step> Steps();

 private:
  // Parts of the story, in their order.
  std::vector<Step> Beginning();
  std::vector<Step> Growth();
  std::vector<Step> Claims();
  std::vector<Step> ByHand();
  std::vector<Step> Losses();
  std::vector<Step> Changes();
  std::vector<Step> Ends();

  void MakeNode(const std::string& name, const char* type, const char* cpu);
  void MakeNamespace(const std::string& name);
  void Patch(const std::string& order, const std::string& spec);
  void Limit(const std::string& quota, const std::string& hard);
  void Finish(const std::string& pod);
  void HarmGuardian(const std::string& order, bool by_deletion);
  void EndNamespace(const std::string& name);

  // --- what people see
  const api::Order& Order(const std::string& name) const;
  int Tickets(const std::string& order, api::TicketPhase phase) const;
  bool Settled(const std::string& order, int ready) const;
  bool Is(const std::string& order, const char* condition, const char* reason) const;
  bool RunsAsClaimed(const std::string& pod) const;

  Machine& machine_;
  World& world_;
  People& people_;
  std::string lost_node_;
  std::vector<std::string> old_guardians_;
};

}  // namespace korder::simulation
