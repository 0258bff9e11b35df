#include "api/core/node_fit.h"

#include <catch2/catch.hpp>

#include "api/core/pod.h"
#include "api/testing/from_json.h"

namespace korder::api {
namespace {

constexpr char kNode[] = R"({
  "metadata": {"name": "node-3",
               "labels": {"zone": "a", "cores": "16", "disk": "ssd", "kubernetes.io/os": "linux"}},
  "spec": {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"},
                      {"key": "soft", "effect": "PreferNoSchedule"}]},
  "status": {"conditions": [{"type": "Ready", "status": "True"}]}})";

struct Case {
  std::string name;
  std::string spec;  // of the pod, beside a toleration of the node's taint
  std::string want;  // "" = fits
};

// A pod spec with one required node-affinity requirement.
std::string Expression(const std::string& requirement) {
  return R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":)"
         R"({"nodeSelectorTerms":[{"matchExpressions":[)" +
         requirement + "]}]}}}}";
}

std::string Field(const std::string& requirement) {
  return R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":)"
         R"({"nodeSelectorTerms":[{"matchFields":[)" +
         requirement + "]}]}}}}";
}

std::string Why(const PodSpec& spec, const Node& node) {
  return WhyNodeDoesNotFit(PlacementOf(spec), node).value_or("");
}

TEST_CASE("node fit: names, selectors and required affinity", "[node_fit]") {
  const std::string no = "node does not match the required node affinity";
  const Case cases[] = {
      {"nothing asked", "{}", ""},
      {"pinned to this node", R"({"nodeName":"node-3"})", ""},
      {"pinned to another node", R"({"nodeName":"node-4"})", "node is not node-4"},
      {"selector matches", R"({"nodeSelector":{"zone":"a","disk":"ssd"}})", ""},
      {"selector with another value", R"({"nodeSelector":{"zone":"b"}})",
       "node does not match nodeSelector zone=b"},
      {"selector of an absent label", R"({"nodeSelector":{"rack":"1"}})",
       "node does not match nodeSelector rack=1"},
      {"In", Expression(R"({"key":"zone","operator":"In","values":["b","a"]})"), ""},
      {"In without the value", Expression(R"({"key":"zone","operator":"In","values":["b"]})"), no},
      {"In of an absent label", Expression(R"({"key":"rack","operator":"In","values":["b"]})"), no},
      {"NotIn", Expression(R"({"key":"zone","operator":"NotIn","values":["b"]})"), ""},
      {"NotIn with the value", Expression(R"({"key":"zone","operator":"NotIn","values":["a"]})"),
       no},
      {"NotIn of an absent label",
       Expression(R"({"key":"rack","operator":"NotIn","values":["a"]})"), ""},
      {"Exists", Expression(R"({"key":"disk","operator":"Exists"})"), ""},
      {"Exists of an absent label", Expression(R"({"key":"rack","operator":"Exists"})"), no},
      {"DoesNotExist", Expression(R"({"key":"rack","operator":"DoesNotExist"})"), ""},
      {"DoesNotExist of a label", Expression(R"({"key":"disk","operator":"DoesNotExist"})"), no},
      {"Gt", Expression(R"({"key":"cores","operator":"Gt","values":["8"]})"), ""},
      {"Gt of the same number", Expression(R"({"key":"cores","operator":"Gt","values":["16"]})"),
       no},
      {"Lt", Expression(R"({"key":"cores","operator":"Lt","values":["17"]})"), ""},
      {"Lt of the same number", Expression(R"({"key":"cores","operator":"Lt","values":["16"]})"),
       no},
      {"Gt compares numbers, not text",
       Expression(R"({"key":"cores","operator":"Gt","values":["9"]})"), ""},
      {"Gt of a label that is no number",
       Expression(R"({"key":"disk","operator":"Gt","values":["1"]})"), no},
      {"Gt with a bound that is no number",
       Expression(R"({"key":"cores","operator":"Gt","values":["8x"]})"), no},
      {"an operator nobody knows", Expression(R"({"key":"zone","operator":"Like","values":["a"]})"),
       no},
      {"name In", Field(R"({"key":"metadata.name","operator":"In","values":["node-3"]})"), ""},
      {"name In another", Field(R"({"key":"metadata.name","operator":"In","values":["node-4"]})"),
       no},
      {"name NotIn another",
       Field(R"({"key":"metadata.name","operator":"NotIn","values":["node-4"]})"), ""},
      {"name NotIn", Field(R"({"key":"metadata.name","operator":"NotIn","values":["node-3"]})"),
       no},
      {"name In two values matches nothing, as in the scheduler",
       Field(R"({"key":"metadata.name","operator":"In","values":["node-3","node-4"]})"), no},
      {"requirements of a term must all hold",
       Expression(R"({"key":"zone","operator":"In","values":["a"]},
                     {"key":"disk","operator":"In","values":["hdd"]})"),
       no},
      {"one term is enough",
       R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
          {"nodeSelectorTerms":[
            {"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]},
            {"matchExpressions":[{"key":"disk","operator":"Exists"}],
             "matchFields":[{"key":"metadata.name","operator":"In","values":["node-3"]}]}]}}}})",
       ""},
      {"an empty term matches nothing",
       R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
          {"nodeSelectorTerms":[{}]}}}})",
       no},
      {"nodeSelector and affinity must both hold",
       R"({"nodeSelector":{"zone":"b"},
           "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
          {"nodeSelectorTerms":[{"matchExpressions":[{"key":"disk","operator":"Exists"}]}]}}}})",
       "node does not match nodeSelector zone=b"},
      {"preferred affinity keeps nobody away",
       R"({"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
          {"weight":1,"preference":{"matchExpressions":[
            {"key":"zone","operator":"In","values":["b"]}]}}]}}})",
       ""},
  };
  const auto node = FromJson<Node>(kNode);
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      auto spec = FromJson<PodSpec>(c.spec);
      spec.tolerations = {{.key = "dedicated", .op = "Exists"}};
      CHECK(Why(spec, node) == c.want);
    }
  }
}

TEST_CASE("node fit: a taint keeps away whom it does not tolerate", "[node_fit]") {
  struct Row {
    std::string name;
    std::string toleration;
    bool want;
  };
  const Row rows[] = {
      {"equal", R"({"key":"dedicated","operator":"Equal","value":"gpu","effect":"NoSchedule"})",
       true},
      {"equal is the default", R"({"key":"dedicated","value":"gpu"})", true},
      {"another value", R"({"key":"dedicated","value":"cpu"})", false},
      {"exists", R"({"key":"dedicated","operator":"Exists"})", true},
      {"another key", R"({"key":"other","operator":"Exists"})", false},
      {"every key", R"({"operator":"Exists"})", true},
      {"another effect", R"({"operator":"Exists","effect":"NoExecute"})", false},
      {"the effect", R"({"operator":"Exists","effect":"NoSchedule"})", true},
      {"an operator that is off by default", R"({"key":"dedicated","operator":"Gt","value":"1"})",
       false},
  };
  const auto node = FromJson<Node>(kNode);
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      PodSpec spec;
      spec.tolerations = {FromJson<Toleration>(row.toleration)};
      CHECK(Why(spec, node) == (row.want ? "" : "node has taint dedicated=gpu:NoSchedule"));
    }
  }
  SECTION("without tolerations") {
    CHECK(Why(PodSpec{}, node) == "node has taint dedicated=gpu:NoSchedule");
  }
}

TEST_CASE("node fit: NoExecute keeps away, PreferNoSchedule does not", "[node_fit]") {
  Node node;
  node.spec.taints = {{.key = "soft", .effect = "PreferNoSchedule"}};
  CHECK(Why(PodSpec{}, node) == "");
  node.spec.taints = {{.key = "down", .effect = "NoExecute"}};
  CHECK(Why(PodSpec{}, node) == "node has taint down:NoExecute");
}

TEST_CASE("node fit: a cordoned node suits only those who tolerate that", "[node_fit]") {
  Node node;
  node.spec.unschedulable = true;
  PodSpec spec;
  CHECK(Why(spec, node) == "node is cordoned");
  spec.tolerations = {{.key = "node.kubernetes.io/unschedulable", .op = "Exists"}};
  CHECK(Why(spec, node) == "");
}

TEST_CASE("node: ready is a condition that is True", "[node]") {
  auto node = FromJson<Node>(kNode);
  CHECK(IsReady(node));
  node.status.conditions[0].status = "Unknown";
  CHECK_FALSE(IsReady(node));
  node.status.conditions.clear();
  CHECK_FALSE(IsReady(node));
}

}  // namespace
}  // namespace korder::api
