// How objects are made, changed and refused. Runs against the fake API server, and against a real
// one when KORDER_TEST_KUBECONFIG names it.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/server_under_test.h"

namespace korder::kube::fake {
namespace {

TEST_CASE("api semantics: a created object has a uid, a version and a time", "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakeConfigMap("a");
  CHECK(made.code == 201);
  CHECK(made.Uid().size() == 36);
  CHECK(std::stoll(made.Version()) > 0);
  CHECK(made.body.TextAt({"metadata", "creationTimestamp"}).size() == 20);
  CHECK(made.body.TextAt({"metadata", "namespace"}) == server.ns());
  CHECK(made.body.At({"metadata", "generation"}) == nullptr);
  CHECK(server.Get(server.ConfigMaps("a")).body == made.body);
}

TEST_CASE("api semantics: custom resources and pods are born with generation 1 and without status",
          "[semantics]") {
  ServerUnderTest server;
  const Answer widget = server.MakeWidget("a");
  CHECK(widget.body.IntAt({"metadata", "generation"}) == 1);
  CHECK(widget.body.Find("status") == nullptr);
  const Answer pod = server.MakePod("a");
  CHECK(pod.body.IntAt({"metadata", "generation"}) == 1);
  CHECK(pod.body.TextAt({"status", "phase"}) == "Pending");
}

TEST_CASE("api semantics: the same name twice is AlreadyExists", "[semantics]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  const Answer again = server.MakeWidget("a");
  CHECK(again.code == 409);
  CHECK(again.Reason() == "AlreadyExists");
  CHECK(again.Message() == "widgets.test.korder.dev \"a\" already exists");
  CHECK(again.body.TextAt({"details", "kind"}) == "widgets");
  CHECK(again.body.TextAt({"details", "group"}) == "test.korder.dev");
}

TEST_CASE("api semantics: generateName gets five characters more", "[semantics]") {
  ServerUnderTest server;
  const std::string body = R"({"apiVersion": "v1", "kind": "ConfigMap",
                               "metadata": {"generateName": "gen-"}})";
  const Answer one = server.Do("POST", server.ConfigMaps(), body);
  const Answer two = server.Do("POST", server.ConfigMaps(), body);
  CHECK(one.code == 201);
  CHECK(one.body.TextAt({"metadata", "name"}).size() == 9);
  CHECK(one.body.TextAt({"metadata", "generateName"}) == "gen-");
  CHECK(one.body.TextAt({"metadata", "name"}) != two.body.TextAt({"metadata", "name"}));
}

TEST_CASE("api semantics: what cannot be created is refused", "[semantics]") {
  ServerUnderTest server;
  const auto create = [&](std::string_view metadata) {
    return server.Do("POST", server.ConfigMaps(),
                     absl::StrCat(R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {)",
                                  std::string(metadata), "}}"));
  };
  const Answer nameless = create("");
  CHECK(nameless.code == 422);
  CHECK(nameless.Reason() == "Invalid");
  CHECK(nameless.Message() ==
        "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
        "required");
  CHECK(create(R"("name": "a", "namespace": "elsewhere")").code == 400);
  CHECK(create(R"("name": "a", "resourceVersion": "5")").code == 500);
  CHECK(server.Do("POST", server.ConfigMaps(), "{").code == 400);
}

TEST_CASE("api semantics: what is not there is NotFound, by every verb", "[semantics]") {
  ServerUnderTest server;
  const Answer got = server.Get(server.Widgets("x"));
  CHECK(got.code == 404);
  CHECK(got.Reason() == "NotFound");
  CHECK(got.Message() == "widgets.test.korder.dev \"x\" not found");
  CHECK(server.Get(server.Pods("x")).Message() == "pods \"x\" not found");
  CHECK(server.Merge(server.Pods("x"), "{}").code == 404);
  CHECK(server.Merge(server.Pods("x/status"), "{}").code == 404);
  CHECK(server.Do("DELETE", server.Pods("x")).code == 404);
  CHECK(server
            .Do("PUT", server.ConfigMaps("x"),
                R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})")
            .code == 404);
  CHECK(server.Get(server.ConfigMaps("x/status")).Message() ==
        "the server could not find the requested resource");
}

TEST_CASE("api semantics: a write based on an old version is a conflict", "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakeWidget("a");
  server.Merge(server.Widgets("a"), R"({"spec": {"size": 2}})");
  const Answer put = server.Do("PUT", server.Widgets("a"), json::Print(made.body));
  CHECK(put.code == 409);
  CHECK(put.Reason() == "Conflict");
  CHECK(put.Message() ==
        "Operation cannot be fulfilled on widgets.test.korder.dev \"a\": the object has been "
        "modified; please apply your changes to the latest version and try again");
  const Answer patch =
      server.Merge(server.Widgets("a"),
                   absl::StrCat(R"({"metadata": {"resourceVersion": ")", made.Version(), R"("}})"));
  CHECK(patch.code == 409);
  CHECK(patch.Reason() == "Conflict");
  CHECK(server.Get(server.Widgets("a")).body.IntAt({"spec", "size"}) == 2);
}

TEST_CASE("api semantics: a PUT without a version overwrites core objects and nothing else",
          "[semantics]") {
  ServerUnderTest server;
  server.MakeConfigMap("a");
  const Answer put = server.Do("PUT", server.ConfigMaps("a"),
                               R"({"apiVersion": "v1", "kind": "ConfigMap",
                                   "metadata": {"name": "a"}, "data": {"k": "w"}})");
  CHECK(put.code == 200);
  CHECK(put.body.TextAt({"data", "k"}) == "w");

  server.MakeWidget("a");
  const Answer refused = server.Do("PUT", server.Widgets("a"),
                                   R"({"apiVersion": "test.korder.dev/v1", "kind": "Widget",
                                       "metadata": {"name": "a"}})");
  CHECK(refused.code == 422);
  CHECK(refused.Message() ==
        "widgets.test.korder.dev \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: "
        "must be specified for an update");
}

TEST_CASE("api semantics: a PUT makes a Lease that is not there", "[semantics]") {
  ServerUnderTest server;
  const std::string lease = R"({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                "metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}})";
  CHECK(server.Do("PUT", server.Leases("a"), lease).code == 201);
  CHECK(server.Do("PUT", server.Leases("a"), lease).code == 422);
}

TEST_CASE("api semantics: a PUT of an object that is another by now is a conflict", "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakeConfigMap("a");
  server.Do("DELETE", server.ConfigMaps("a"));
  server.MakeConfigMap("a");
  Json stale = made.body;
  stale["metadata"].Erase("resourceVersion");
  const Answer put = server.Do("PUT", server.ConfigMaps("a"), json::Print(stale));
  CHECK(put.code == 409);
  CHECK(put.Message().find("UID in precondition: " + made.Uid()) != std::string::npos);
}

TEST_CASE("api semantics: a write that changes nothing makes no new version", "[semantics]") {
  ServerUnderTest server;
  const Answer widget = server.MakeWidget("a");
  CHECK(server.Merge(server.Widgets("a"), R"({"spec": {"size": 1}})").Version() ==
        widget.Version());
  CHECK(server.Merge(server.Widgets("a"), R"({"metadata": {"labels": {}}})").Version() ==
        widget.Version());
  CHECK(server.Do("PUT", server.Widgets("a"), json::Print(widget.body)).Version() ==
        widget.Version());
  const Answer pod = server.MakePod("a");
  CHECK(server.Strategic(server.Pods("a"), R"({"spec": {"schedulerName": "nobody"}})").Version() ==
        pod.Version());
}

TEST_CASE("api semantics: the generation counts changes of the spec, not of labels or status",
          "[semantics]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  const auto generation = [](const Answer& answer) {
    return answer.body.IntAt({"metadata", "generation"});
  };
  CHECK(generation(server.Merge(server.Widgets("a"), R"({"spec": {"size": 2}})")) == 2);
  CHECK(generation(server.Merge(server.Widgets("a"),
                                R"({"metadata": {"labels": {"l": "1"}, "generation": 77}})")) == 2);
  CHECK(generation(server.Merge(server.Widgets("a/status"), R"({"status": {"phase": "Ok"}})")) ==
        2);
}

TEST_CASE(
    "api semantics: the status of a custom resource changes through its subresource alone, and "
    "nothing else does there",
    "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakeWidget("a");
  const std::string both =
      R"({"metadata": {"labels": {"l": "1"}}, "spec": {"size": 9}, "status": {"phase": "Ok"}})";
  SECTION("patched at the object") {
    const Answer patched = server.Merge(server.Widgets("a"), both);
    CHECK(patched.body.IntAt({"spec", "size"}) == 9);
    CHECK(patched.body.TextAt({"metadata", "labels", "l"}) == "1");
    CHECK(patched.body.Find("status") == nullptr);
  }
  SECTION("patched at the status") {
    const Answer patched = server.Merge(server.Widgets("a/status"), both);
    CHECK(patched.body.IntAt({"spec", "size"}) == 1);
    CHECK(patched.body.At({"metadata", "labels"}) == nullptr);
    CHECK(patched.body.TextAt({"status", "phase"}) == "Ok");
  }
  SECTION("put at the status") {
    Json body = made.body;
    body["spec"]["size"] = Json::Int(9);
    body["status"]["phase"] = Json::String("Ok");
    const Answer put = server.Do("PUT", server.Widgets("a/status"), json::Print(body));
    CHECK(put.code == 200);
    CHECK(put.body.IntAt({"spec", "size"}) == 1);
    CHECK(put.body.TextAt({"status", "phase"}) == "Ok");
  }
  SECTION("put at the status, without a spec and labels") {
    const Answer labelled =
        server.Merge(server.Widgets("a"), R"({"metadata": {"labels": {"l": "1"}}})");
    const auto put = [&](const std::string& version) {
      return server.Do(
          "PUT", server.Widgets("a/status"),
          absl::StrCat(R"({"apiVersion": "test.korder.dev/v1", "kind": "Widget", "metadata": {
                           "name": "a", "resourceVersion": ")",
                       version, R"("}, "status": {"phase": "Ok"}})"));
    };
    CHECK(put(made.Version()).code == 409);
    const Answer done = put(labelled.Version());
    CHECK(done.body.IntAt({"spec", "size"}) == 1);
    CHECK(done.body.TextAt({"metadata", "labels", "l"}) == "1");
    CHECK(done.body.TextAt({"status", "phase"}) == "Ok");
  }
}

TEST_CASE("api semantics: the uid in a patch is a precondition", "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakePod("a");
  const auto label = [&](const std::string& uid) {
    return server.Merge(server.Pods("a"), absl::StrCat(R"({"metadata": {"uid": ")", uid,
                                                       R"(", "labels": {"l": "1"}}})"));
  };
  const Answer other = label("00000000-1111-2222-3333-444444444444");
  CHECK(other.code == 422);
  CHECK(other.Message() ==
        "Pod \"a\" is invalid: metadata.uid: Invalid value: "
        "\"00000000-1111-2222-3333-444444444444\": field is immutable");
  CHECK(label(made.Uid()).code == 200);
}

TEST_CASE("api semantics: what the server owns cannot be written", "[semantics]") {
  ServerUnderTest server;
  const Answer made = server.MakeWidget("a");
  const Answer patched = server.Merge(server.Widgets("a"),
                                      R"({"spec": {"size": 2}, "metadata": {
                       "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 77}})");
  CHECK(patched.code == 200);
  CHECK(patched.body.TextAt({"metadata", "creationTimestamp"}) ==
        made.body.TextAt({"metadata", "creationTimestamp"}));
  CHECK(patched.body.IntAt({"metadata", "generation"}) == 2);
  CHECK(server
            .Merge(server.Widgets("a"),
                   R"({"metadata": {"deletionTimestamp": "2001-01-01T00:00:00Z"}})")
            .code == 422);
  CHECK(server.Merge(server.Widgets("a"), R"({"metadata": {"name": "b"}})").code == 400);
}

TEST_CASE("api semantics: with dryRun everything happens except that it does", "[semantics]") {
  ServerUnderTest server;
  const std::string body =
      R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})";
  CHECK(server.Do("POST", server.ConfigMaps() + "?dryRun=All", body).code == 201);
  CHECK(server.Get(server.ConfigMaps("a")).code == 404);
  const Answer made = server.Do("POST", server.ConfigMaps(), body);
  CHECK(server.Merge(server.ConfigMaps("a") + "?dryRun=All", R"({"data": {"k": "w"}})")
            .body.TextAt({"data", "k"}) == "w");
  CHECK(server.Do("DELETE", server.ConfigMaps("a") + "?dryRun=All").code == 200);
  CHECK(server.Get(server.ConfigMaps("a")).Version() == made.Version());
}

}  // namespace
}  // namespace korder::kube::fake
