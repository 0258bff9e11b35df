// The kubelets of all nodes, and the controllers of Kubernetes that clean up: pods that are bound
// run after a moment, or are refused when their node is too full; pods that are to go, go; what
// lost its owner goes; pods of nodes that are gone or not Ready for long go.
#pragma once

#include <set>
#include <string>

#include "dice.h"
#include "machine.h"
#include "world.h"

namespace korder::simulation {

class KubeletModel {
 public:
  KubeletModel(Machine& machine, World& world, uint64_t seed);

 private:
  void OnPod(const api::Pod* was, const api::Pod* is);
  void Run(const kube::ObjectKey& key, const std::string& uid);
  void Clean();
  bool IsUp(const std::string& node) const;

  Machine& machine_;
  World& world_;
  Dice dice_;
  bool litter_ = false;
};

}  // namespace korder::simulation
