#include "cli/free_now.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"

namespace korder::cli {
namespace {

api::Node Node(const std::string& name, const std::string& spec = "{}") {
  return api::FromJson<api::Node>(
      absl::StrCat(R"({"metadata":{"name":")", name, R"("},"spec":)", spec,
                   R"(,"status":{"allocatable":{"cpu":"4","memory":"8Gi","pods":"10"}}})"));
}

api::Pod Pod(const std::string& node, const std::string& cpu, const std::string& phase) {
  return api::FromJson<api::Pod>(absl::StrCat(
      R"({"spec":{"nodeName":")", node, R"(","containers":[{"resources":{"requests":{"cpu":")", cpu,
      R"("}}}]},"status":{"phase":")", phase, R"("}})"));
}

TEST_CASE("free now: what pods that are not finished leave on eligible nodes", "[free_now]") {
  const std::vector<api::Node> nodes = {
      Node("a"), Node("b"), Node("full"),
      Node("tainted", R"({"taints":[{"key":"x","effect":"NoSchedule"}]})"),
      Node("cordoned", R"({"unschedulable":true})")};
  const std::vector<api::Pod> pods = {Pod("a", "3", "Running"), Pod("b", "4", "Succeeded"),
                                      Pod("full", "3500m", "Pending")};
  api::OrderSpec spec;
  spec.ticket_template.spec.resources.requests = {{"cpu", api::Quantity::FromInt(1)}};
  CHECK(CountFree(spec, nodes, pods) == FreeNow{.tickets = 5, .nodes = 2, .eligible = 3});
  spec.daemon_set = true;
  CHECK(CountFree(spec, nodes, pods) == FreeNow{.tickets = 3, .nodes = 3, .eligible = 4});
  CHECK(CountFree(spec, {}, pods) == FreeNow{});
}

}  // namespace
}  // namespace korder::cli
