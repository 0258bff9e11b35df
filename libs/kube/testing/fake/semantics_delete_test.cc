// How objects go. Runs against the fake API server, and against a real one when
// KORDER_TEST_KUBECONFIG names it.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/server_under_test.h"

namespace korder::kube::fake {
namespace {

std::string DeleteOptions(std::string_view member) {
  return absl::StrCat(R"({"kind": "DeleteOptions", "apiVersion": "v1", )", std::string(member),
                      "}");
}

// A member of metadata, with the comma that follows.
std::string OwnedBy(const Answer& owner) {
  return absl::StrCat(R"("ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": ")",
                      owner.body.TextAt({"metadata", "name"}), R"(", "uid": ")", owner.Uid(),
                      R"(", "controller": true, "blockOwnerDeletion": true}],)");
}

TEST_CASE("api semantics: a deletion answers with a Status that names what is gone",
          "[semantics][delete]") {
  ServerUnderTest server;
  const Answer made = server.MakeWidget("a");
  const Answer deleted = server.Do("DELETE", server.Widgets("a"));
  CHECK(deleted.code == 200);
  CHECK(deleted.body.TextAt({"kind"}) == "Status");
  CHECK(deleted.body.TextAt({"status"}) == "Success");
  CHECK(deleted.body.TextAt({"details", "name"}) == "a");
  CHECK(deleted.body.TextAt({"details", "group"}) == "test.korder.dev");
  CHECK(deleted.body.TextAt({"details", "kind"}) == "widgets");
  CHECK(deleted.body.TextAt({"details", "uid"}) == made.Uid());
  CHECK(server.Do("DELETE", server.Widgets("a")).code == 404);
}

TEST_CASE("api semantics: uid and version are preconditions of a deletion", "[semantics][delete]") {
  ServerUnderTest server;
  const Answer made = server.MakeConfigMap("a");
  server.Merge(server.ConfigMaps("a"), R"({"data": {"k": "w"}})");
  const auto erase = [&](std::string_view preconditions) {
    return server.Do(
        "DELETE", server.ConfigMaps("a"),
        DeleteOptions(absl::StrCat(R"("preconditions": )", std::string(preconditions))));
  };
  const Answer other = erase(R"({"uid": "00000000-1111-2222-3333-444444444444"})");
  CHECK(other.code == 409);
  CHECK(other.Reason() == "Conflict");
  CHECK(
      other.Message() ==
      absl::StrCat("Operation cannot be fulfilled on ConfigMap \"a\": the UID in the "
                   "precondition (00000000-1111-2222-3333-444444444444) does not match the UID in "
                   "record (",
                   made.Uid(),
                   "). The object might have been deleted and then "
                   "recreated"));
  const Answer stale = erase(absl::StrCat(R"({"resourceVersion": ")", made.Version(), R"("})"));
  CHECK(stale.code == 409);
  CHECK(stale.Message().find("the ResourceVersion in the precondition (" + made.Version()) !=
        std::string::npos);
  CHECK(erase(absl::StrCat(R"({"uid": ")", made.Uid(), R"("})")).code == 200);
}

TEST_CASE("api semantics: a finalizer keeps a deleted object until it is removed",
          "[semantics][delete]") {
  ServerUnderTest server;
  server.MakeWidget("a", R"("finalizers": ["x/a"],)");
  const Answer deleted = server.Do("DELETE", server.Widgets("a"));
  CHECK(deleted.code == 200);
  CHECK(deleted.body.TextAt({"kind"}) == "Widget");
  CHECK_FALSE(deleted.body.TextAt({"metadata", "deletionTimestamp"}).empty());
  CHECK(deleted.body.IntAt({"metadata", "generation"}) == 2);
  CHECK(server.Do("DELETE", server.Widgets("a")).Version() == deleted.Version());

  const Answer another =
      server.Merge(server.Widgets("a"), R"({"metadata": {"finalizers": ["x/a", "x/b"]}})");
  CHECK(another.code == 422);
  CHECK(another.Message().find("no new finalizers can be added if the object is being deleted") !=
        std::string::npos);

  CHECK(server.Merge(server.Widgets("a"), R"({"spec": {"size": 3}})").code == 200);
  CHECK(server.Merge(server.Widgets("a"), R"({"metadata": {"finalizers": null}})").code == 200);
  CHECK(server.Get(server.Widgets("a")).code == 404);
}

TEST_CASE("api semantics: what has lost its owner is collected", "[semantics][delete]") {
  ServerUnderTest server;
  const Answer owner = server.MakeConfigMap("owner");
  const Answer child = server.MakeConfigMap("child", OwnedBy(owner));
  server.MakePod("grandchild", "", OwnedBy(child));
  server.MakeConfigMap("bystander");
  server.Do("DELETE", server.ConfigMaps("owner"));
  CHECK(server.AfterGarbageCollection([&] {
    return server.Get(server.ConfigMaps("child")).code == 404 &&
           server.Get(server.Pods("grandchild")).code == 404;
  }));
  CHECK(server.Get(server.ConfigMaps("bystander")).code == 200);
}

TEST_CASE("api semantics: an owner of the same name but another uid does not count",
          "[semantics][delete]") {
  ServerUnderTest server;
  const Answer owner = server.MakeConfigMap("owner");
  server.Do("DELETE", server.ConfigMaps("owner"));
  server.MakeConfigMap("owner");
  server.MakeConfigMap("child", OwnedBy(owner));
  CHECK(server.AfterGarbageCollection(
      [&] { return server.Get(server.ConfigMaps("child")).code == 404; }));
}

TEST_CASE("api semantics: dependents that are orphaned stay, without the owner",
          "[semantics][delete]") {
  ServerUnderTest server;
  const Answer owner = server.MakeConfigMap("owner");
  server.MakeConfigMap("child", OwnedBy(owner));
  server.Do("DELETE", server.ConfigMaps("owner"),
            DeleteOptions(R"("propagationPolicy": "Orphan")"));
  CHECK(server.AfterGarbageCollection(
      [&] { return server.Get(server.ConfigMaps("owner")).code == 404; }));
  const Answer child = server.Get(server.ConfigMaps("child"));
  CHECK(child.code == 200);
  CHECK(child.body.At({"metadata", "ownerReferences"}) == nullptr);
}

TEST_CASE("api semantics: in the foreground the owner goes after its dependents",
          "[semantics][delete]") {
  ServerUnderTest server;
  const Answer owner = server.MakeConfigMap("owner");
  server.MakeConfigMap("child", OwnedBy(owner) + R"("finalizers": ["x/a"],)");
  const Answer deleted = server.Do("DELETE", server.ConfigMaps("owner"),
                                   DeleteOptions(R"("propagationPolicy": "Foreground")"));
  CHECK_FALSE(deleted.body.TextAt({"metadata", "deletionTimestamp"}).empty());
  CHECK(server.AfterGarbageCollection([&] {
    return server.Get(server.ConfigMaps("child")).body.At({"metadata", "deletionTimestamp"}) !=
           nullptr;
  }));
  CHECK(server.Get(server.ConfigMaps("owner")).code == 200);
  server.Merge(server.ConfigMaps("child"), R"({"metadata": {"finalizers": null}})");
  CHECK(server.AfterGarbageCollection(
      [&] { return server.Get(server.ConfigMaps("owner")).code == 404; }));
}

}  // namespace
}  // namespace korder::kube::fake
