// How patches change objects. Runs against the fake API server, and against a real one when
// KORDER_TEST_KUBECONFIG names it.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/server_under_test.h"

namespace korder::kube::fake {
namespace {

Json Parsed(std::string_view text) {
  Json json;
  REQUIRE(json::Parse(std::string(text), json).ok());
  return json;
}

// The names in a list of objects with names.
std::vector<std::string> Names(const Json::Array& list, std::string_view key = "name") {
  std::vector<std::string> names;
  for (const Json& element : list) {
    names.push_back(element.TextAt({key}));
  }
  return names;
}

using Strings = std::vector<std::string>;

TEST_CASE("api semantics: a merge patch merges objects, replaces lists, and null deletes",
          "[semantics][patch]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  server.Merge(server.Widgets("a"),
               R"({"spec": {"map": {"x": 1, "y": 2}, "list": [1, 2, 3], "gone": true}})");
  const Answer patched = server.Merge(
      server.Widgets("a"), R"({"spec": {"map": {"y": 3, "z": 4}, "list": [9], "gone": null}})");
  CHECK(patched.code == 200);
  CHECK(patched.body["spec"] ==
        Parsed(R"({"size": 1, "map": {"x": 1, "y": 3, "z": 4}, "list": [9]})"));
}

TEST_CASE("api semantics: a JSON patch adds, removes, replaces, moves and copies",
          "[semantics][patch]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  server.Merge(server.Widgets("a"), R"({"spec": {"list": ["x", "y"], "old/name": 7}})");
  const Answer patched = server.Do("PATCH", server.Widgets("a"), R"([
      {"op": "test", "path": "/spec/list/0", "value": "x"},
      {"op": "add", "path": "/spec/list/-", "value": "z"},
      {"op": "add", "path": "/spec/list/1", "value": "w"},
      {"op": "remove", "path": "/spec/list/0"},
      {"op": "replace", "path": "/spec/size", "value": 5},
      {"op": "move", "from": "/spec/old~1name", "path": "/spec/new"},
      {"op": "copy", "from": "/spec/new", "path": "/spec/copy"}])",
                                   "application/json-patch+json");
  CHECK(patched.code == 200);
  CHECK(patched.body["spec"] ==
        Parsed(R"({"size": 5, "list": ["w", "y", "z"], "new": 7, "copy": 7})"));
}

TEST_CASE("api semantics: a JSON patch whose test fails changes nothing", "[semantics][patch]") {
  ServerUnderTest server;
  const Answer made = server.MakeWidget("a");
  const auto patch = [&](std::string_view operation) {
    return server.Do("PATCH", server.Widgets("a"),
                     absl::StrCat(R"([{"op": "replace", "path": "/spec/size", "value": 5}, )",
                                  std::string(operation), "]"),
                     "application/json-patch+json");
  };
  const Answer failed = patch(R"({"op": "test", "path": "/spec/size", "value": 4})");
  CHECK(failed.code == 422);
  CHECK(failed.Reason() == "Invalid");
  CHECK(failed.Message() == "the server rejected our request due to an error in our request");
  CHECK(patch(R"({"op": "remove", "path": "/spec/none"})").code == 422);
  CHECK(patch(R"({"op": "replace", "path": "/none/deeper", "value": 1})").code == 422);
  CHECK(patch(R"({"op": "test", "path": "/metadata/finalizers/0", "value": "x"})").code == 422);
  CHECK(server.Get(server.Widgets("a")).Version() == made.Version());
  // Not what RFC 6902 says, but what the server does.
  CHECK(patch(R"({"op": "replace", "path": "/spec/none", "value": 1})").code == 200);
}

TEST_CASE("api semantics: custom resources take no strategic merge patch", "[semantics][patch]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  const Answer refused = server.Strategic(server.Widgets("a"), R"({"spec": {"size": 2}})");
  CHECK(refused.code == 415);
  CHECK(refused.Reason() == "UnsupportedMediaType");
}

TEST_CASE("api semantics: one gate of several is taken away by name, twice without harm",
          "[semantics][patch]") {
  ServerUnderTest server;
  server.MakePod("a", R"("schedulingGates": [{"name": "x/a"}, {"name": "x/b"}],)");
  const std::string patch =
      R"({"spec": {"schedulingGates": [{"name": "x/a", "$patch": "delete"}]}})";
  const Answer once = server.Strategic(server.Pods("a"), patch);
  CHECK(once.code == 200);
  CHECK(Names(once.body.ArrayAt({"spec", "schedulingGates"})) == Strings{"x/b"});
  CHECK(once.body.IntAt({"metadata", "generation"}) == 2);
  const Answer twice = server.Strategic(server.Pods("a"), patch);
  CHECK(twice.code == 200);
  CHECK(twice.Version() == once.Version());
  const Answer last = server.Strategic(
      server.Pods("a"), R"({"spec": {"schedulingGates": [{"name": "x/b", "$patch": "delete"}]}})");
  CHECK(last.body.At({"spec", "schedulingGates"}) == nullptr);
}

TEST_CASE(
    "api semantics: conditions are merged by type in a strategic patch, replaced in a merge "
    "patch",
    "[semantics][patch]") {
  ServerUnderTest server;
  server.MakePod("a");
  const std::string first =
      R"({"status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]}})";
  const std::string second = R"({"status": {"conditions": [{"type": "B", "status": "False"}]}})";
  server.Merge(server.Pods("a/status"), first);
  SECTION("strategic") {
    const Answer patched = server.Strategic(server.Pods("a/status"), second);
    REQUIRE(patched.body.ArrayAt({"status", "conditions"}).size() == 2);
    for (const Json& condition : patched.body.ArrayAt({"status", "conditions"})) {
      CHECK(condition.TextAt({"status"}) == (condition.TextAt({"type"}) == "B" ? "False" : "True"));
    }
  }
  SECTION("merge") {
    const Answer patched = server.Merge(server.Pods("a/status"), second);
    CHECK(Names(patched.body.ArrayAt({"status", "conditions"}), "type") == Strings{"B"});
  }
}

TEST_CASE("api semantics: finalizers are a set in a strategic patch", "[semantics][patch]") {
  ServerUnderTest server;
  server.MakeConfigMap("a", R"("finalizers": ["x/a"],)");
  Answer patched =
      server.Strategic(server.ConfigMaps("a"), R"({"metadata": {"finalizers": ["x/b", "x/a"]}})");
  CHECK(patched.body.ArrayAt({"metadata", "finalizers"}).size() == 2);
  patched = server.Strategic(server.ConfigMaps("a"),
                             R"({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]}})");
  CHECK(patched.body["metadata"]["finalizers"] == Parsed(R"(["x/b"])"));
  patched = server.Merge(server.ConfigMaps("a"), R"({"metadata": {"finalizers": null}})");
  CHECK(patched.body.At({"metadata", "finalizers"}) == nullptr);
}

TEST_CASE("api semantics: apply makes what is not there and changes what is",
          "[semantics][patch]") {
  ServerUnderTest server;
  const auto apply = [&](std::string_view data) {
    return server.Do("PATCH", server.ConfigMaps("a") + "?fieldManager=test&force=true",
                     absl::StrCat(R"({"apiVersion": "v1", "kind": "ConfigMap",
                                      "metadata": {"name": "a"}, "data": )",
                                  std::string(data), "}"),
                     "application/apply-patch+yaml");
  };
  CHECK(apply(R"({"k": "v"})").code == 201);
  const Answer changed = apply(R"({"k": "w", "l": "1"})");
  CHECK(changed.code == 200);
  CHECK(changed.body["data"] == Parsed(R"({"k": "w", "l": "1"})"));
  CHECK(apply(R"({"k": "w", "l": "1"})").Version() == changed.Version());
}

TEST_CASE("api semantics: a patch of an unknown type is refused", "[semantics][patch]") {
  ServerUnderTest server;
  server.MakeConfigMap("a");
  CHECK(server.Do("PATCH", server.ConfigMaps("a"), "{}", "application/json").code == 415);
}

}  // namespace
}  // namespace korder::kube::fake
