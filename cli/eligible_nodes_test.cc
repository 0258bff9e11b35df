#include "cli/eligible_nodes.h"

#include <catch2/catch.hpp>

namespace korder::cli {
namespace {

api::Node Node(const std::string& name, api::Labels labels = {}) {
  api::Node node;
  node.metadata.name = name;
  node.metadata.labels = std::move(labels);
  return node;
}

TEST_CASE("eligible nodes: selector and taints decide, as for a DaemonSet", "[nodes]") {
  api::Node cordoned = Node("cordoned", {{"os", "linux"}});
  cordoned.spec.unschedulable = true;
  api::Node down = Node("down", {{"os", "linux"}});
  down.spec.taints = {{.key = "node.kubernetes.io/unreachable", .effect = "NoExecute"}};
  api::Node special = Node("special", {{"os", "linux"}});
  special.spec.taints = {{.key = "dedicated", .value = "gpu", .effect = "NoSchedule"}};
  const std::vector<api::Node> nodes = {Node("plain", {{"os", "linux"}}), Node("other"), cordoned,
                                        down, special};
  api::TicketSpec spec;
  spec.node_selector = {{"os", "linux"}};
  CHECK(CountEligible(spec, nodes) == 3);  // plain, cordoned, down
  spec.tolerations = {{.op = "Exists"}};
  CHECK(CountEligible(spec, nodes) == 4);
  spec.node_selector.clear();
  CHECK(CountEligible(spec, nodes) == 5);
  spec.node_name = "plain";
  CHECK(CountEligible(spec, nodes) == 1);
  CHECK(CountEligible(spec, {}) == 0);
}

}  // namespace
}  // namespace korder::cli
