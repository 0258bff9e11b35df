#include "cli/pod_file.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace korder::cli {
namespace {

constexpr char kTemplate[] = "template: {metadata: {labels: {app: web}}, spec: {x: 1}}";

TEST_CASE("pod file: pods, and the pods of workloads, with nothing lost", "[pod file]") {
  const auto file = ReadPodFile(
      absl::StrCat("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}\n---\n"
                   "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}, "
                   "spec: {replicas: 2, ",
                   kTemplate,
                   "}}\n---\n"
                   "{apiVersion: batch/v1, kind: CronJob, metadata: {generateName: c-}, spec: "
                   "{jobTemplate: {spec: {",
                   kTemplate,
                   "}}}}\n---\n"
                   "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}\n---\n"
                   "{apiVersion: core.korder.dev/v1alpha1, kind: Order, metadata: {name: o}, "
                   "spec: {template: {spec: {}}}}\n"),
      {.default_ns = "mine"});
  INFO(ToString(file.status()));
  REQUIRE(file.ok());
  const std::string pod =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web"}},"spec":{"x":1}})";
  CHECK(
      file->items ==
      std::vector<PodItem>{
          {"Pod", "mine", "p",
           R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[]}})"},
          {"Deployment", "shop", "d", pod},
          {"CronJob", "mine", "c-*", pod}});
  CHECK(file->skipped == std::vector<std::string>{"ConfigMap settings", "Order o"});
}

TEST_CASE("pod file: a list is its items", "[pod file]") {
  const auto file = ReadPodFile(
      "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: p}}]}",
      {.ns = "asked"});
  REQUIRE(file.ok());
  CHECK(file->items.at(0).ns == "asked");
}

TEST_CASE("pod file: what is wrong is said with file and object", "[pod file]") {
  const auto problem = [](const std::string& text, const PodFileOptions& options = {}) {
    const auto file = ReadPodFile(text, options);
    REQUIRE_FALSE(file.ok());
    return std::string(Message(file.status()));
  };
  CHECK_THAT(problem("{apiVersion: v1, kind: ConfigMap}", {.source = "a.yaml"}),
             Catch::StartsWith("a.yaml: there is no Pod"));
  CHECK_THAT(problem("{kind: Pod}"), Catch::Contains("apiVersion and kind"));
  CHECK_THAT(problem("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}}",
                     {.source = "-", .ns = "b", .default_ns = {}}),
             Catch::Contains("Pod p") && Catch::Contains("does not agree with --namespace b"));
  CHECK_THAT(problem("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: "
                     "{template: 3}}"),
             Catch::Contains("Deployment d") && Catch::Contains("spec"));
}

}  // namespace
}  // namespace korder::cli
