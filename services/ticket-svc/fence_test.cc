#include "ticket-svc/fence.h"

#include <map>
#include <set>
#include <utility>

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"
#include "kube/testing/fake_api_server.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

const GuardianOptions kOptions{
    .image = "pause", .priority_class = "korder-guardian", .pull_secrets = {"registry"}};

TEST_CASE("fence pod: the scheduler looks at it before others, finds no node, and it has no rights",
          "[fence]") {
  const api::Pod pod = FencePod("korder-system", "f", "batch", kOptions);
  CHECK(IsFence(Reduced(pod)));
  CHECK(pod.metadata.ns == "korder-system");
  CHECK(pod.spec.scheduler_name == "batch");
  CHECK(pod.spec.priority_class_name == "korder-guardian");
  CHECK(pod.spec.automount_service_account_token == false);
  REQUIRE(pod.spec.image_pull_secrets.size() == 1);
  CHECK(pod.spec.image_pull_secrets[0].name == "registry");
  REQUIRE(pod.spec.containers.size() == 1);
  CHECK(pod.spec.containers[0].image == "pause");
  const api::NodeSelector& nodes = *pod.spec.affinity->node_affinity->required;
  REQUIRE(nodes.terms.size() == 1);
  CHECK(nodes.terms[0].match_fields[0].values ==
        std::vector<std::string>{"korder.dev-no-such-node"});
  CHECK_FALSE(IsFence(Reduced(MakeGuardian(MakeTicket("web-0"), 1))));
}

// Fences on an API server, with a watch and a queue that advance when a test says so.
struct Fenced {
  Fenced() {
    fences.Connect([this](const kube::ObjectKey& key) { queue.insert(key.name); },
                   [this] { ++told; });
  }

  std::map<std::string, api::Pod> Pods() {
    std::map<std::string, api::Pod> pods;
    auto list = kube::ListAll<api::Pod>(client, "korder-system");
    for (api::Pod& pod : list->items) {
      const std::string name = pod.metadata.name;
      pods[name] = std::move(pod);
    }
    return pods;
  }
  // The only one.
  api::Pod Pod() {
    const auto pods = Pods();
    REQUIRE(pods.size() == 1);
    return pods.begin()->second;
  }
  void Answer(const std::string& name) {
    const api::Pod refused = Refused(Pods().at(name), "0/3 nodes");
    REQUIRE(client.Update(refused, "status").ok());
  }
  // The watch catches up.
  void See() {
    std::map<std::string, OwnPod> now;
    for (const auto& [name, pod] : Pods()) {
      now[name] = Reduced(pod);
    }
    for (const auto& [name, pod] : seen) {
      if (!now.contains(name)) {
        fences.OnPod(&pod, nullptr);
      }
    }
    for (const auto& [name, pod] : now) {
      const auto was = seen.find(name);
      fences.OnPod(was == seen.end() ? nullptr : &was->second, &pod);
    }
    seen = now;
  }
  // Handles what is due once; what fails is due again.
  bool Work() {
    bool good = true;
    for (const std::string& name : std::exchange(queue, {})) {
      if (!fences.Reconcile({"", name}, {}).ok()) {
        good = false;
        queue.insert(name);
      }
    }
    return good;
  }

  FakeClock clock;
  kube::FakeApiServer server{clock};
  kube::Client client{server};
  std::set<std::string> queue;
  int told = 0;
  std::map<std::string, OwnPod> seen;
  Fences fences{client, "korder-system", kOptions};
};

TEST_CASE("fence: what was asked before it was made has passed with its answer, no more",
          "[fence]") {
  Fenced f;
  const Fences::Token first = f.fences.Ask("default-scheduler");
  const Fences::Token second = f.fences.Ask("default-scheduler");
  REQUIRE(f.Work());
  const std::string name = f.Pod().metadata.name;
  const Fences::Token late = f.fences.Ask("default-scheduler");
  f.See();
  REQUIRE(f.Work());
  CHECK_FALSE(f.fences.Passed("default-scheduler", first));
  CHECK(f.told == 0);
  CHECK(f.Pod().metadata.name == name);

  f.Answer(name);
  f.See();
  REQUIRE(f.Work());
  CHECK(f.fences.Passed("default-scheduler", first));
  CHECK(f.fences.Passed("default-scheduler", second));
  CHECK_FALSE(f.fences.Passed("default-scheduler", late));
  CHECK_FALSE(f.fences.Passed("batch", first));
  CHECK(f.told == 1);
  // The first is gone; another one is out for the late question, and then none.
  const std::string next = f.Pod().metadata.name;
  CHECK(next != name);
  f.See();
  REQUIRE(f.Work());
  CHECK_FALSE(f.fences.Passed("default-scheduler", late));
  f.Answer(next);
  f.See();
  REQUIRE(f.Work());
  CHECK(f.fences.Passed("default-scheduler", late));
  CHECK(f.told == 2);
  CHECK(f.Pods().empty());
  f.See();
  REQUIRE(f.Work());
  CHECK(f.Pods().empty());
}

TEST_CASE("fence: the answer of one scheduler is not another's", "[fence]") {
  Fenced f;
  const Fences::Token ours = f.fences.Ask("default-scheduler");
  const Fences::Token theirs = f.fences.Ask("batch");
  REQUIRE(f.Work());
  REQUIRE(f.Pods().size() == 2);
  f.See();
  for (const auto& [name, pod] : f.Pods()) {
    if (pod.spec.scheduler_name == "batch") {
      f.Answer(name);
    }
  }
  f.See();
  REQUIRE(f.Work());
  CHECK(f.fences.Passed("batch", theirs));
  CHECK_FALSE(f.fences.Passed("default-scheduler", ours));
  CHECK(f.Pod().spec.scheduler_name == "default-scheduler");
}

TEST_CASE("fence: one that is deleted without an answer is made again", "[fence]") {
  Fenced f;
  const Fences::Token token = f.fences.Ask("default-scheduler");
  REQUIRE(f.Work());
  f.See();
  REQUIRE(f.client.Delete<api::Pod>({"korder-system", f.Pod().metadata.name}).ok());
  f.See();
  REQUIRE(f.Work());
  CHECK_FALSE(f.fences.Passed("default-scheduler", token));
  CHECK(f.told == 0);
  f.See();
  f.Answer(f.Pod().metadata.name);
  f.See();
  REQUIRE(f.Work());
  CHECK(f.fences.Passed("default-scheduler", token));
}

TEST_CASE("fence: one whose making went wrong is made again, and not left behind", "[fence]") {
  Fenced f;
  const Fences::Token token = f.fences.Ask("default-scheduler");
  SECTION("it is there, and nobody said so") {
    f.server.LoseNextResponse("create", "pods");
    CHECK_FALSE(f.Work());
    CHECK(f.Pods().size() == 1);
  }
  SECTION("it is not there") {
    f.server.FailNext("create", "pods", 403);
    CHECK_FALSE(f.Work());
    CHECK(f.Pods().empty());
  }
  REQUIRE(f.Work());
  CHECK(f.Pods().size() == 1);
  f.See();
  REQUIRE(f.Work());
  f.Answer(f.Pod().metadata.name);
  f.See();
  REQUIRE(f.Work());
  CHECK(f.fences.Passed("default-scheduler", token));
  CHECK(f.Pods().empty());
}

// An earlier process has left two.
struct Strayed : Fenced {
  Strayed() {
    for (const char* name : {"old-1", "old-2"}) {
      REQUIRE(client.Create(FencePod("korder-system", name, "batch", kOptions)).ok());
    }
    See();
  }
  int Deletions() const { return server.Count("delete", "pods"); }
};

TEST_CASE("fence: what an earlier process left is removed at once, and once", "[fence]") {
  Strayed f;
  REQUIRE(f.Work());
  CHECK_THAT(f.server.Log().back().body, Catch::Contains("\"gracePeriodSeconds\":0"));
  CHECK(f.Pods().empty());
  f.fences.Ask("batch");
  REQUIRE(f.Work());
  CHECK(f.Deletions() == 2);
}

TEST_CASE("fence: a server that does not let a fence go is asked again", "[fence]") {
  Strayed f;
  f.server.FailNext("delete", "pods", 403);
  CHECK_FALSE(f.Work());
  CHECK(f.Pods().size() == 2);
  SECTION("until it does") { REQUIRE(f.Work()); }
  SECTION("not for one that somebody else has removed") {
    for (const char* name : {"old-1", "old-2"}) {
      REQUIRE(f.client.Delete<api::Pod>({"korder-system", name}).ok());
    }
  }
  CHECK(f.Pods().empty());
  const int deletions = f.Deletions();
  f.See();
  f.fences.Ask("batch");
  REQUIRE(f.Work());
  CHECK(f.Deletions() == deletions);
}

TEST_CASE("fence: one that is gone already does not keep the others", "[fence]") {
  Strayed f;
  f.server.FailNext("delete", "pods", 404);
  REQUIRE(f.Work());
  CHECK(f.Pods().size() == 1);
  CHECK(f.Deletions() == 2);
}

TEST_CASE("fence: pods of other namespaces are left alone", "[fence]") {
  Fenced f;
  const OwnPod other = Reduced(FencePod("default", "old", "batch", kOptions));
  f.fences.OnPod(nullptr, &other);
  CHECK(f.queue.empty());
}

}  // namespace
}  // namespace korder::ticket
