#include "api/core/room.h"

#include <catch2/catch.hpp>

#include "api/testing/from_json.h"

namespace korder::api {
namespace {

ResourceList Amounts(const std::string& json) {
  return FromJson<ResourceRequirements>(R"({"requests":)" + json + "}").requests;
}

TEST_CASE("room: the scarcest resource says how many tickets fit", "[room]") {
  struct Case {
    std::string name;
    std::string requests;
    std::string room;
    int64_t want;
  };
  const Case cases[] = {
      {"cpu is scarce", R"({"cpu":"500m","memory":"1Gi"})", R"({"cpu":"2","memory":"8Gi"})", 4},
      {"memory is scarce", R"({"cpu":"500m","memory":"3Gi"})", R"({"cpu":"2","memory":"8Gi"})", 2},
      {"a hair too little is one less", R"({"cpu":"500m"})", R"({"cpu":"1999m"})", 3},
      {"each takes a pod", R"({"cpu":"1m"})", R"({"cpu":"8","pods":"110"})", 110},
      {"no pods are left", R"({"cpu":"1m"})", R"({"cpu":"8","pods":"0"})", 0},
      {"what is not there is not there", R"({"nvidia.com/gpu":"1"})", R"({"cpu":"8"})", 0},
      {"nothing asked for of it means nothing", R"({"cpu":"1","nvidia.com/gpu":"0"})",
       R"({"cpu":"8"})", 8},
      {"less than nothing holds nothing", R"({"cpu":"1"})", R"({"cpu":"-3"})", 0},
      {"nothing limits", "{}", R"({"cpu":"8"})", 0},
      {"absurd amounts do not overflow", R"({"memory":"1m"})", R"({"memory":"8E"})", 1'000'000'000},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(TicketsThatFit(Amounts(c.requests), Amounts(c.room)) == c.want);
    }
  }
}

Node MakeNode(const std::string& name) {
  Node node;
  node.metadata.name = name;
  node.status.allocatable = Amounts(R"({"cpu":"4","memory":"8Gi","pods":"10"})");
  return node;
}

Pod MakePod(const std::string& node, const std::string& cpu, const std::string& phase = "Running") {
  return FromJson<Pod>(R"({"spec":{"nodeName":")" + node +
                       R"(","containers":[{"resources":{"requests":{"cpu":")" + cpu +
                       R"("}}}]},"status":{"phase":")" + phase + R"("}})");
}

TEST_CASE("room: free is what no unfinished pod of the node takes", "[room]") {
  const auto rooms =
      FreeRooms({MakeNode("a"), MakeNode("b"), MakeNode("c")},
                {MakePod("a", "1"), MakePod("a", "500m", "Pending"), MakePod("a", "1", "Succeeded"),
                 MakePod("a", "1", "Failed"), MakePod("", "4", "Pending"), MakePod("b", "5"),
                 MakePod("gone", "1")});
  REQUIRE(rooms.size() == 3);
  CHECK(rooms.at("a") == Amounts(R"({"cpu":"2500m","memory":"8Gi","pods":"8"})"));
  CHECK(rooms.at("b") == Amounts(R"({"cpu":"0","memory":"8Gi","pods":"9"})"));
  CHECK(rooms.at("c") == MakeNode("c").status.allocatable);
}

}  // namespace
}  // namespace korder::api
