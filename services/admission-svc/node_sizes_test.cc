#include "admission-svc/node_sizes.h"

#include <catch2/catch.hpp>

#include "api/testing/from_json.h"

namespace korder::admission {
namespace {

api::ResourceList List(const std::string& json) {
  return api::FromJson<NodeSize>(R"({"status":{"allocatable":)" + json + "}}").status.allocatable;
}

TEST_CASE("node sizes: nothing is said before a node is known", "[node-sizes]") {
  CHECK(NodeSizes().Exceeded(List(R"({"cpu":"1000"})")).empty());
}

TEST_CASE("node sizes: what no node has ever had is told, resource by resource", "[node-sizes]") {
  NodeSizes sizes;
  sizes.Note(List(R"({"cpu":"8","memory":"64Gi","pods":"110"})"));
  sizes.Note(List(R"({"cpu":"7500m","memory":"128Gi"})"));
  CHECK(sizes.Exceeded(List(R"({"cpu":"8","memory":"128Gi"})")).empty());
  CHECK(sizes.Exceeded(List(R"({"cpu":"8001m","memory":"1Gi","nvidia.com/gpu":"1"})")) ==
        std::vector<std::string>{
            "a ticket holds 8001m of cpu, and no node has had more than 8 so far: it waits until "
            "there is a larger one",
            "a ticket holds 1 of nvidia.com/gpu, and no node has had more than 0 so far: it waits "
            "until there is a larger one"});
}

}  // namespace
}  // namespace korder::admission
