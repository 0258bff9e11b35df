// What is special about pods. Runs against the fake API server, and against a real one when
// KORDER_TEST_KUBECONFIG names it.
#include <catch2/catch.hpp>

#include "kube/testing/fake/server_under_test.h"

namespace korder::kube::fake {
namespace {

constexpr std::string_view kGated = R"("schedulingGates": [{"name": "x/a"}],)";

TEST_CASE("api semantics: a gated pod says so in its first status", "[semantics][pod]") {
  ServerUnderTest server;
  const Answer made = server.MakePod("a", kGated);
  REQUIRE(made.body.ArrayAt({"status", "conditions"}).size() == 1);
  const Json& condition = made.body.ArrayAt({"status", "conditions"})[0];
  CHECK(condition.TextAt({"type"}) == "PodScheduled");
  CHECK(condition.TextAt({"status"}) == "False");
  CHECK(condition.TextAt({"reason"}) == "SchedulingGated");
}

TEST_CASE("api semantics: a gate cannot be added, nor stand beside a node name",
          "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a");
  const Answer added =
      server.Strategic(server.Pods("a"), R"({"spec": {"schedulingGates": [{"name": "x/a"}]}})");
  CHECK(added.code == 422);
  CHECK(added.Message().find("only deletion is allowed, but found new scheduling gate 'x/a'") !=
        std::string::npos);
  const Answer both =
      server.MakePod("b", R"("schedulingGates": [{"name": "x/a"}], "nodeName": "n1",)");
  CHECK(both.code == 422);
}

TEST_CASE(
    "api semantics: a pod's spec is fixed; where it may run can be narrowed while it is gated",
    "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("gated", kGated);
  server.MakePod("free");
  const std::string selector = R"({"spec": {"nodeSelector": {"a": "b"}}})";
  CHECK(server.Merge(server.Pods("gated"), selector).code == 200);
  CHECK(server.Merge(server.Pods("free"), selector).code == 422);
  CHECK(server.Merge(server.Pods("gated"), R"({"spec": {"hostname": "h"}})").code == 422);
  const std::string pin_and_open = R"({"spec": {
      "schedulingGates": [{"name": "x/a", "$patch": "delete"}],
      "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [
          {"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}}}})";
  CHECK(server.Strategic(server.Pods("gated"), pin_and_open).code == 200);
}

TEST_CASE(
    "api semantics: pods/status takes the nomination and annotations in one write, and no spec",
    "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a", kGated);
  const std::string patch = R"({
      "metadata": {"annotations": {"x/handoff": "7"}, "labels": {"l": "1"}},
      "spec": {"schedulerName": "other"}, "status": {"nominatedNodeName": "n1"}})";
  const Answer patched = server.Merge(server.Pods("a/status"), patch);
  CHECK(patched.code == 200);
  CHECK(patched.body.TextAt({"status", "nominatedNodeName"}) == "n1");
  CHECK(patched.body.TextAt({"metadata", "annotations", "x/handoff"}) == "7");
  CHECK(patched.body.TextAt({"metadata", "labels", "l"}) == "1");
  CHECK(patched.body.TextAt({"spec", "schedulerName"}) == "nobody");
  CHECK(patched.body.IntAt({"metadata", "generation"}) == 1);
  CHECK(server.Merge(server.Pods("a/status"), patch).Version() == patched.Version());
  const Answer cleared =
      server.Merge(server.Pods("a/status"), R"({"status": {"nominatedNodeName": null}})");
  CHECK(cleared.body.At({"status", "nominatedNodeName"}) == nullptr);
}

TEST_CASE("api semantics: the status in a patch of the pod itself is ignored", "[semantics][pod]") {
  ServerUnderTest server;
  const Answer made = server.MakePod("a");
  const Answer patched =
      server.Merge(server.Pods("a"), R"({"status": {"nominatedNodeName": "n1"}})");
  CHECK(patched.code == 200);
  CHECK(patched.Version() == made.Version());
}

TEST_CASE("api semantics: a pod is bound once, and not while it is gated", "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a", kGated);
  const Answer gated = server.BindPod("a");
  CHECK(gated.code == 409);
  CHECK(gated.Message() ==
        "Operation cannot be fulfilled on pods/binding \"a\": pod a has non-empty "
        ".spec.schedulingGates");
  server.Merge(server.Pods("a"), R"({"spec": {"schedulingGates": null}})");
  CHECK(server.BindPod("a").code == 201);
  const Answer bound = server.Get(server.Pods("a"));
  CHECK(bound.body.TextAt({"spec", "nodeName"}) == "no-such-node");
  bool scheduled = false;
  for (const Json& condition : bound.body.ArrayAt({"status", "conditions"})) {
    scheduled = scheduled || (condition.TextAt({"type"}) == "PodScheduled" &&
                              condition.TextAt({"status"}) == "True");
  }
  CHECK(scheduled);
  const Answer again = server.BindPod("a");
  CHECK(again.code == 409);
  CHECK(again.Message() ==
        "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node "
        "\"no-such-node\"");
}

TEST_CASE("api semantics: binding clears the nomination, and a bound pod takes no new one",
          "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a");
  server.Merge(server.Pods("a/status"), R"({"status": {"nominatedNodeName": "n1"}})");
  server.BindPod("a");
  CHECK(server.Get(server.Pods("a")).body.At({"status", "nominatedNodeName"}) == nullptr);
  CHECK(server.Merge(server.Pods("a/status"), R"({"status": {"nominatedNodeName": "n2"}})").code ==
        422);
}

TEST_CASE("api semantics: deleting a pod that runs nowhere removes it", "[semantics][pod]") {
  ServerUnderTest server;
  const Answer made = server.MakePod("a");
  const Answer deleted = server.Do("DELETE", server.Pods("a"));
  CHECK(deleted.code == 200);
  CHECK(deleted.body.TextAt({"kind"}) == "Pod");
  CHECK(deleted.Uid() == made.Uid());
  CHECK(server.Get(server.Pods("a")).code == 404);
}

TEST_CASE("api semantics: deleting a pod on a node only marks it, unless its grace is zero",
          "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a");
  server.BindPod("a");
  const Answer marked = server.Do("DELETE", server.Pods("a"));
  CHECK(marked.code == 200);
  CHECK(marked.body.IntAt({"metadata", "deletionGracePeriodSeconds"}) == 30);
  CHECK(server.Get(server.Pods("a")).body.At({"metadata", "deletionTimestamp"}) != nullptr);
  CHECK(server
            .Do("DELETE", server.Pods("a"),
                R"({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})")
            .code == 200);
  CHECK(server.Get(server.Pods("a")).code == 404);
}

TEST_CASE("api semantics: a pod on a node whose spec says grace zero goes at once",
          "[semantics][pod]") {
  ServerUnderTest server;
  server.MakePod("a", R"("terminationGracePeriodSeconds": 0,)");
  server.BindPod("a");
  const std::string version = server.Get(server.Pods("a")).Version();
  CHECK(server.Do("DELETE", server.Pods("a")).code == 200);
  CHECK(server.Get(server.Pods("a")).code == 404);
  WatchUnderTest watch = server.Watch(server.Pods() + "?watch=true&resourceVersion=" + version);
  CHECK(watch.Next(2) == std::vector<std::string>{"MODIFIED a", "DELETED a"});
}

}  // namespace
}  // namespace korder::kube::fake
