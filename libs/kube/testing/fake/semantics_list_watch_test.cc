// Lists and watches. Runs against the fake API server, and against a real one when
// KORDER_TEST_KUBECONFIG names it.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/server_under_test.h"

namespace korder::kube::fake {
namespace {

using Strings = std::vector<std::string>;

Strings NamesOf(const Answer& list) {
  Strings names;
  for (const Json& item : list.body.ArrayAt({"items"})) {
    names.push_back(item.TextAt({"metadata", "name"}));
  }
  return names;
}

std::string WatchFrom(const std::string& collection, const std::string& version,
                      const std::string& more = "") {
  return absl::StrCat(collection, "?watch=true&allowWatchBookmarks=true&resourceVersion=", version,
                      more);
}

TEST_CASE("api semantics: a list is ordered by name and says its version", "[semantics][list]") {
  ServerUnderTest server;
  server.MakeWidget("b");
  server.MakeWidget("a");
  const Answer last = server.MakeWidget("c");
  const Answer list = server.Get(server.Widgets());
  CHECK(list.code == 200);
  CHECK(list.body.TextAt({"kind"}) == "WidgetList");
  CHECK(list.body.TextAt({"apiVersion"}) == "test.korder.dev/v1");
  CHECK(NamesOf(list) == Strings{"a", "b", "c"});
  CHECK(std::stoll(list.Version()) >= std::stoll(last.Version()));
}

TEST_CASE("api semantics: a list is chosen by labels and fields", "[semantics][list]") {
  ServerUnderTest server;
  server.MakePod("a", "", R"("labels": {"app": "x"},)");
  server.MakePod("b", "", R"("labels": {"app": "y"},)");
  server.MakePod("c");
  server.BindPod("c");
  server.Merge(server.Pods("b/status"), R"({"status": {"nominatedNodeName": "n9"}})");
  const auto chosen = [&](const std::string& query) {
    return NamesOf(server.Get(server.Pods() + "?" + query));
  };
  CHECK(chosen("labelSelector=app%3Dx") == Strings{"a"});
  CHECK(chosen("labelSelector=app+in+(x,y)") == Strings{"a", "b"});
  CHECK(chosen("labelSelector=%21app") == Strings{"c"});
  CHECK(chosen("fieldSelector=metadata.name%3Db") == Strings{"b"});
  CHECK(chosen("fieldSelector=spec.nodeName%3Dno-such-node") == Strings{"c"});
  CHECK(chosen("fieldSelector=spec.nodeName%3D") == Strings{"a", "b"});
  CHECK(chosen("fieldSelector=spec.nodeName%21%3D,status.phase%3DPending") == Strings{"c"});
  CHECK(chosen("fieldSelector=status.nominatedNodeName%3Dn9") == Strings{"b"});
  CHECK(chosen("labelSelector=app&fieldSelector=metadata.name%21%3Da") == Strings{"b"});
  CHECK(server.Get(server.Pods() + "?fieldSelector=spec.color%3Dred").code == 400);
  CHECK(server.Get(server.Widgets() + "?fieldSelector=spec.size%3D1").code == 400);
  CHECK(server.Get(server.Pods() + "?labelSelector=a%3D%3D%3Db").code == 400);
}

TEST_CASE("api semantics: a list that is read in pages is of one version", "[semantics][list]") {
  ServerUnderTest server;
  for (const std::string_view name : {"a", "b", "c", "d", "e"}) {
    server.MakeWidget(name);
  }
  const Answer first = server.Get(server.Widgets() + "?limit=2");
  CHECK(NamesOf(first) == Strings{"a", "b"});
  CHECK(first.body.IntAt({"metadata", "remainingItemCount"}) == 3);
  server.Do("DELETE", server.Widgets("d"));
  server.MakeWidget("f");
  const auto page = [&](const Answer& before) {
    return server.Get(absl::StrCat(
        server.Widgets(), "?limit=2&continue=", before.body.TextAt({"metadata", "continue"})));
  };
  const Answer second = page(first);
  CHECK(NamesOf(second) == Strings{"c", "d"});
  CHECK(second.Version() == first.Version());
  const Answer third = page(second);
  CHECK(NamesOf(third) == Strings{"e"});
  CHECK(third.body.TextAt({"metadata", "continue"}).empty());
  // A page may be asked for twice.
  CHECK(NamesOf(page(first)) == Strings{"c", "d"});
}

TEST_CASE("api semantics: a watch tells what happened after its version, in order",
          "[semantics][watch]") {
  ServerUnderTest server;
  server.MakeWidget("before");
  const std::string version = server.Get(server.Widgets()).Version();
  server.MakeWidget("a");
  server.Merge(server.Widgets("a"), R"({"spec": {"size": 2}})");
  WatchUnderTest watch = server.Watch(WatchFrom(server.Widgets(), version));
  CHECK(watch.Next(2) == Strings{"ADDED a", "MODIFIED a"});
  const Answer changed =
      server.Merge(server.Widgets("before"), R"({"metadata": {"labels": {"l": "1"}}})");
  server.Do("DELETE", server.Widgets("a"));
  CHECK(watch.Next(1) == Strings{"MODIFIED before"});
  CHECK(watch.last().TextAt({"metadata", "resourceVersion"}) == changed.Version());
  CHECK(watch.Next(1) == Strings{"DELETED a"});
  CHECK(watch.last().IntAt({"spec", "size"}) == 2);
  CHECK(std::stoll(watch.last().TextAt({"metadata", "resourceVersion"})) >
        std::stoll(changed.Version()));
}

TEST_CASE("api semantics: a watch without a version begins with what is there",
          "[semantics][watch]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  server.MakeWidget("b");
  WatchUnderTest watch = server.Watch(server.Widgets() + "?watch=true");
  CHECK(watch.Next(2) == Strings{"ADDED a", "ADDED b"});
  server.MakeWidget("c");
  CHECK(watch.Next(1) == Strings{"ADDED c"});
}

TEST_CASE("api semantics: in a watch with a selector objects come and go as they match",
          "[semantics][watch]") {
  ServerUnderTest server;
  const std::string version = server.Get(server.Widgets()).Version();
  WatchUnderTest watch = server.Watch(WatchFrom(server.Widgets(), version, "&labelSelector=l%3D1"));
  const auto label = [&](std::string_view value) {
    return server.Merge(server.Widgets("a"), absl::StrCat(R"({"metadata": {"labels": {"l": )",
                                                          std::string(value), "}}}"));
  };
  server.MakeWidget("a");
  label(R"("1")");
  label(R"("2")");
  label(R"("3")");
  const Answer back = label(R"("1")");
  server.Do("DELETE", server.Widgets("a"));
  CHECK(watch.Next(2) == Strings{"ADDED a", "DELETED a"});
  // As it was when it still matched.
  CHECK(watch.last().TextAt({"metadata", "labels", "l"}) == "1");
  CHECK(watch.Next(1) == Strings{"ADDED a"});
  CHECK(watch.last().TextAt({"metadata", "resourceVersion"}) == back.Version());
  CHECK(watch.Next(1) == Strings{"DELETED a"});
}

TEST_CASE("api semantics: a watch of one object by name tells of no other", "[semantics][watch]") {
  ServerUnderTest server;
  const std::string version = server.Get(server.Widgets()).Version();
  WatchUnderTest watch =
      server.Watch(WatchFrom(server.Widgets(), version, "&fieldSelector=metadata.name%3Db"));
  server.MakeWidget("a");
  server.MakeWidget("b");
  server.Merge(server.Widgets("a"), R"({"spec": {"size": 2}})");
  server.Merge(server.Widgets("b"), R"({"spec": {"size": 2}})");
  CHECK(watch.Next(2) == Strings{"ADDED b", "MODIFIED b"});
}

TEST_CASE("api semantics: releasing a finalizer shows as a deletion, with no change before it",
          "[semantics][watch]") {
  ServerUnderTest server;
  server.MakeWidget("a", R"("finalizers": ["x/a"],)");
  const std::string version = server.Get(server.Widgets()).Version();
  WatchUnderTest watch = server.Watch(WatchFrom(server.Widgets(), version));
  server.Do("DELETE", server.Widgets("a"));
  server.Merge(server.Widgets("a"), R"({"metadata": {"finalizers": null}})");
  CHECK(watch.Next(2) == Strings{"MODIFIED a", "DELETED a"});
}

TEST_CASE("api semantics: a version that is long gone is Expired, inside the stream",
          "[semantics][watch]") {
  ServerUnderTest server;
  server.MakeWidget("a");
  server.ForgetThePast();
  WatchUnderTest watch = server.Watch(WatchFrom(server.Widgets(), "1"));
  CHECK(watch.Next(1) == Strings{"ERROR Expired"});
  CHECK(watch.last().IntAt({"code"}) == 410);
}

}  // namespace
}  // namespace korder::kube::fake
