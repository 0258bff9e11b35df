#include "api/core/daemon_nodes.h"

#include <string>

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

Node MakeNode(std::string name, std::vector<Taint> taints = {}) {
  Node node;
  node.metadata.name = std::move(name);
  node.metadata.labels = {{"os", "linux"}};
  node.spec.taints = std::move(taints);
  return node;
}

TEST_CASE("daemon nodes: the taints of a node in trouble do not make it ineligible",
          "[daemon_nodes]") {
  struct Case {
    std::string key;
    std::string effect;
    bool want;
  };
  const Case cases[] = {
      {"node.kubernetes.io/not-ready", "NoExecute", true},
      {"node.kubernetes.io/not-ready", "NoSchedule", false},
      {"node.kubernetes.io/unreachable", "NoExecute", true},
      {"node.kubernetes.io/disk-pressure", "NoSchedule", true},
      {"node.kubernetes.io/memory-pressure", "NoSchedule", true},
      {"node.kubernetes.io/pid-pressure", "NoSchedule", true},
      {"node.kubernetes.io/unschedulable", "NoSchedule", true},
      {"node.kubernetes.io/network-unavailable", "NoSchedule", false},
      {"dedicated", "NoSchedule", false},
      {"dedicated", "PreferNoSchedule", true},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.key << ":" << c.effect) {
      CHECK(IsEligibleForDaemon({}, MakeNode("a", {{.key = c.key, .effect = c.effect}})) == c.want);
    }
  }
}

TEST_CASE("daemon nodes: a cordoned node is eligible", "[daemon_nodes]") {
  Node node = MakeNode("a");
  node.spec.unschedulable = true;
  CHECK(IsEligibleForDaemon({}, node));
}

TEST_CASE("daemon nodes: name, selector, affinity and own tolerations decide", "[daemon_nodes]") {
  const Node node = MakeNode("a", {{.key = "dedicated", .value = "gpu", .effect = "NoSchedule"}});
  TicketSpec spec;
  CHECK_FALSE(IsEligibleForDaemon(spec, node));
  spec.tolerations = {{.key = "dedicated", .op = "Exists"}};
  CHECK(IsEligibleForDaemon(spec, node));
  spec.node_selector = {{"os", "windows"}};
  CHECK_FALSE(IsEligibleForDaemon(spec, node));
  spec.node_selector = {{"os", "linux"}};
  CHECK(IsEligibleForDaemon(spec, node));
  spec.node_name = "b";
  CHECK_FALSE(IsEligibleForDaemon(spec, node));
  spec.node_name = "a";
  CHECK(IsEligibleForDaemon(spec, node));
  NodeSelectorTerm term;
  term.match_expressions = {{.key = "os", .op = "NotIn", .values = {"linux"}}};
  spec.affinity.emplace().node_affinity.emplace().required.emplace().terms = {term};
  CHECK_FALSE(IsEligibleForDaemon(spec, node));
}

TEST_CASE("daemon nodes: own tolerations stay, each is there once, and none that is added ends",
          "[daemon_nodes]") {
  const Toleration gpu{.key = "dedicated", .value = "gpu"};
  const Toleration brief{.key = "node.kubernetes.io/not-ready",
                         .op = "Exists",
                         .effect = "NoExecute",
                         .toleration_seconds = 300};
  const std::vector<Toleration> all = DaemonTolerations({gpu, brief});
  REQUIRE(all.size() == 7);
  CHECK(all[0] == gpu);
  CHECK(all[1].key == brief.key);
  CHECK(all[1].toleration_seconds == std::nullopt);
  CHECK(DaemonTolerations(all) == all);
}

}  // namespace
}  // namespace korder::api
