// libs/kube against a real API server: what no test server can vouch for. Needs KUBECONFIG and
// works in a namespace of its own.
#include <cstdlib>
#include <deque>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/core/config_map.h"
#include "api/core/namespace.h"
#include "api/v1alpha1/ticket.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/beast_transport.h"
#include "kube/client.h"
#include "kube/informer.h"

namespace korder::kube {
namespace {

ClusterConfig Config() {
  const char* path = std::getenv("KUBECONFIG");
  REQUIRE(path != nullptr);  // Without a cluster there is nothing to test.
  auto config = LoadClusterConfig(path);
  INFO(ToString(config.status()));
  REQUIRE(config.ok());
  return *config;
}

// A namespace that goes with the test.
class Space {
 public:
  explicit Space(Client& client) : client_(client) {
    api::Namespace space;
    space.metadata.generate_name = "kube-client-";
    const auto made = client.Create(space);
    INFO(ToString(made.status()));
    REQUIRE(made.ok());
    name = made->metadata.name;
  }
  ~Space() { (void)client_.Delete<api::Namespace>({"", name}); }
  std::string name;

 private:
  Client& client_;
};

api::ConfigMap Settings(const std::string& ns, const std::string& name) {
  api::ConfigMap object;
  object.metadata.ns = ns;
  object.metadata.name = name;
  object.metadata.labels["test"] = "kube-client";
  object.data["color"] = "red";
  return object;
}

// What an informer tells, to be waited for.
class Changes {
 public:
  void Add(std::string change) {
    const MutexLock lock(mu_);
    changes_.push_back(std::move(change));
    changed_.NotifyAll();
  }
  // The next one, or "nothing" after half a minute.
  std::string Next() {
    const MonoTime deadline = SystemClock().Mono() + std::chrono::seconds(30);
    const MutexLock lock(mu_);
    if (!changed_.WaitUntil(mu_, {}, deadline, [this] { return !changes_.empty(); })) {
      return "nothing";
    }
    std::string next = std::move(changes_.front());
    changes_.pop_front();
    return next;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<std::string> changes_ ABSL_GUARDED_BY(mu_);
};

struct Fixture {
  std::unique_ptr<HttpTransport> transport = NewBeastTransport(Config());
  Client client{*transport};
  Space space{client};
  ObjectKey key{space.name, "settings"};
};

}  // namespace

TEST_CASE("kube client: every verb does what it says", "[kube_client]") {
  Fixture f;
  const auto created = f.client.Create(Settings(f.space.name, "settings"));
  REQUIRE(created.ok());
  CHECK_FALSE(created->metadata.uid.empty());
  CHECK(absl::IsAlreadyExists(f.client.Create(Settings(f.space.name, "settings")).status()));
  CHECK(absl::IsNotFound(f.client.Get<api::ConfigMap>({f.space.name, "other"}).status()));
  CHECK(*f.client.Get<api::ConfigMap>(f.key) == *created);

  const auto patched = f.client.Patch<api::ConfigMap>(f.key, {}, R"({"data":{"color":"blue"}})");
  REQUIRE(patched.ok());
  CHECK(patched->data.at("color") == "blue");

  const absl::Status stale = f.client.Update(*created).status();
  CHECK(absl::IsAborted(stale));
  CHECK_THAT(std::string(Message(stale)),
             Catch::StartsWith(absl::StrCat("update configmaps/", f.space.name, "/settings: ")));
  api::ConfigMap newer = *patched;
  newer.data["size"] = "large";
  CHECK(f.client.Update(newer)->data == newer.data);

  CHECK(absl::IsInvalidArgument(
      f.client.Patch<api::ConfigMap>(f.key, {}, R"({"data":{"color":[]}})").status()));
  CHECK(absl::IsInvalidArgument(f.client.Create(Settings(f.space.name, "No Name!")).status()));
  CHECK(absl::IsAborted(f.client.Delete<api::ConfigMap>(f.key, {.uid = "another"})));
  CHECK(f.client.Delete<api::ConfigMap>(f.key, {.uid = created->metadata.uid}).ok());
  CHECK(absl::IsNotFound(f.client.Delete<api::ConfigMap>(f.key)));
}

TEST_CASE("kube client: a status written without the spec leaves all else to its owners",
          "[kube_client]") {
  Fixture f;
  const ObjectKey key{f.space.name, "later"};
  const auto apply = [&](std::string_view labels) {
    return f.client.Patch<api::Ticket>(
        key, {.type = PatchType::kApply, .force = true},
        absl::StrCat(
            R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":)"
            R"({"name":"later","labels":{)",
            std::string(labels),
            // ticket-svc makes nothing of it for some time.
            R"(}},"spec":{"startTime":"2099-01-01T00:00:00Z","resources":{"requests":{"cpu":"1"}}}})"));
  };
  const auto applied = apply(R"("a":"1","b":"1")");
  INFO(ToString(applied.status()));
  REQUIRE(applied.ok());
  // ticket-svc writes its status, too.
  absl::StatusOr<api::Ticket> written = AbortedError("");
  api::Ticket wanted;
  while (absl::IsAborted(written.status())) {
    wanted = *f.client.Get<api::Ticket>(key);
    wanted.status.utilization_rate = "0.25";
    written = f.client.UpdateStatus(wanted);
  }
  INFO(ToString(written.status()));
  REQUIRE(written.ok());
  CHECK(written->status == wanted.status);
  CHECK(written->spec == applied->spec);
  CHECK(written->metadata.labels == applied->metadata.labels);
  CHECK(absl::IsAborted(f.client.UpdateStatus(*applied).status()));  // older by now
  // Who applied a label can take it away: the write has not made it somebody else's or nobody's.
  CHECK(apply(R"("a":"1")")->metadata.labels == api::Labels{{"a", "1"}});
}

TEST_CASE("kube client: server-side apply creates and owns", "[kube_client]") {
  Fixture f;
  const std::string body = absl::StrCat(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":")",
      f.space.name, R"("},"data":{"color":"red"}})");
  const PatchOptions apply{.type = PatchType::kApply, .force = true};
  const auto first = f.client.Patch<api::ConfigMap>(f.key, apply, body);
  REQUIRE(first.ok());
  const auto second = f.client.Patch<api::ConfigMap>(f.key, apply, body);
  CHECK(second->metadata.resource_version == first->metadata.resource_version);
}

TEST_CASE("kube client: a list in pages is whole", "[kube_client]") {
  Fixture f;
  for (int i = 0; i < 7; ++i) {
    REQUIRE(f.client.Create(Settings(f.space.name, absl::StrCat("settings-", i))).ok());
  }
  const ListOptions by_two{.label_selector = "test in (kube-client)", .limit = 2};
  CHECK(f.client.List<api::ConfigMap>(f.space.name, by_two)->items.size() == 2);
  CHECK(ListAll<api::ConfigMap>(f.client, f.space.name, by_two)->items.size() == 7);
  CHECK(absl::IsInvalidArgument(
      f.client.List<api::ConfigMap>(f.space.name, {.continue_token = "junk"}).status()));
}

TEST_CASE("kube client: an informer sees every change in order", "[kube_client]") {
  Fixture f;
  REQUIRE(f.client.Create(Settings(f.space.name, "before")).ok());
  // Two pages at the start, and a watch that the server ends every second.
  Informer<api::ConfigMap> informer(f.client, {.ns = f.space.name,
                                               .label_selector = "test=kube-client",
                                               .page_size = 1,
                                               .watch_timeout = absl::Seconds(1)});
  Changes changes;
  informer.OnChange([&](const api::ConfigMap* was, const api::ConfigMap* is) {
    changes.Add(absl::StrCat(!was ? "+" : !is ? "-" : "~", (is ? is : was)->metadata.name));
  });
  const std::jthread runner([&](std::stop_token stop) { informer.Run(stop); });
  REQUIRE(informer.WaitForSync({}));
  CHECK(changes.Next() == "+before");
  for (int round = 0; round < 5; ++round) {
    REQUIRE(f.client.Create(Settings(f.space.name, "settings")).ok());
    CHECK(changes.Next() == "+settings");
    REQUIRE(f.client.Patch<api::ConfigMap>(f.key, {}, R"({"data":{"color":"blue"}})").ok());
    CHECK(changes.Next() == "~settings");
    CHECK(informer.store().Get(f.key)->data.at("color") == "blue");
    // Out of the selector is gone.
    REQUIRE(f.client.Patch<api::ConfigMap>(f.key, {}, R"({"metadata":{"labels":null}})").ok());
    CHECK(changes.Next() == "-settings");
    REQUIRE(f.client.Delete<api::ConfigMap>(f.key).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(400));  // Over the ends of watches.
  }
  CHECK(informer.store().size() == 1);
}

}  // namespace korder::kube
