#include "kube/testing/fake/server_under_test.h"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "kube/beast_transport.h"
#include "kube/cluster_config.h"

namespace korder::kube::fake {
namespace {

constexpr std::string_view kWidgetDefinition = R"({
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": {"name": "widgets.test.korder.dev"},
  "spec": {"group": "test.korder.dev", "scope": "Namespaced",
    "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
    "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
      "schema": {"openAPIV3Schema": {"type": "object",
        "properties": {
          "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
          "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}})";

// Only a real server needs time; the fake is never waited for.
bool Within(std::chrono::seconds limit, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

}  // namespace

std::vector<std::string> WatchUnderTest::Next(size_t count) {
  std::vector<std::string> events;
  while (events.size() < count) {
    const size_t end = buffer_.find('\n');
    if (end == std::string::npos) {
      const absl::StatusOr<std::string> bytes = stream_->Read(absl::Seconds(5));
      if (!bytes.ok() || bytes->empty()) {
        events.push_back(bytes.ok() ? "END" : ToString(bytes.status()));
        return events;
      }
      buffer_ += *bytes;
      continue;
    }
    Json event;
    if (const absl::Status bad = json::Parse(buffer_.substr(0, end), event); !bad.ok()) {
      events.push_back(ToString(bad));
      return events;
    }
    buffer_.erase(0, end + 1);
    last_ = event["object"];
    if (event.TextAt({"type"}) != "BOOKMARK") {
      events.push_back(absl::StrCat(event.TextAt({"type"}), " ", last_.TextAt({"metadata", "name"}),
                                    last_.TextAt({"reason"})));
    }
  }
  return events;
}

ServerUnderTest::ServerUnderTest() : ServerUnderTest(std::getenv("KORDER_TEST_KUBECONFIG")) {}

ServerUnderTest::ServerUnderTest(const char* kubeconfig)
    : fake_(clock_), transport_(&fake_), ns_("default") {
  if (const char* path = kubeconfig; path != nullptr) {
    absl::StatusOr<ClusterConfig> config = LoadClusterConfig(path);
    if (!config.ok()) {
      throw std::runtime_error(ToString(config.status()));
    }
    real_ = NewBeastTransport(*std::move(config));
    transport_ = real_.get();
    PrepareReal();
  }
}

ServerUnderTest::~ServerUnderTest() {
  if (is_real()) {
    Do("DELETE", absl::StrCat("/api/v1/namespaces/", ns_));
  }
}

void ServerUnderTest::PrepareReal() {
  Do("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kWidgetDefinition);
  const Answer made = Do("POST", "/api/v1/namespaces",
                         R"({"apiVersion": "v1", "kind": "Namespace",
                             "metadata": {"generateName": "semantics-"}})");
  ns_ = made.body.TextAt({"metadata", "name"});
  // Pods need the account that a controller makes.
  const bool ready = Within(std::chrono::seconds(30), [&] {
    return Get(Widgets()).code == 200 &&
           Get(Path("/api/v1", "serviceaccounts", "default")).code == 200;
  });
  if (!ready) {
    throw std::runtime_error("the real API server was not ready in time");
  }
}

Answer ServerUnderTest::Do(std::string_view method, std::string_view target, std::string_view body,
                           std::string_view content_type) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  if (!body.empty()) {
    request.content_type = content_type;
  }
  const absl::StatusOr<HttpResponse> response = transport_->Do(request, {});
  Answer answer;
  if (response.ok()) {
    answer.code = response->status;
    json::Parse(response->body, answer.body).IgnoreError();
  }
  return answer;
}

WatchUnderTest ServerUnderTest::Watch(std::string target) {
  const absl::StatusOr<StreamResponse> opened =
      transport_->Open({.method = "GET", .target = std::move(target)}, {});
  if (!opened.ok() || !opened->body) {
    throw std::runtime_error("no watch");
  }
  return WatchUnderTest(std::move(const_cast<StreamResponse&>(*opened).body));
}

Answer ServerUnderTest::MakeConfigMap(std::string_view name, std::string_view metadata) {
  return Do("POST", ConfigMaps(),
            absl::StrCat(R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {)",
                         std::string(metadata), R"("name": ")", std::string(name),
                         R"("}, "data": {"k": "v"}})"));
}

Answer ServerUnderTest::MakeWidget(std::string_view name, std::string_view metadata) {
  return Do("POST", Widgets(),
            absl::StrCat(R"({"apiVersion": "test.korder.dev/v1", "kind": "Widget", "metadata": {)",
                         std::string(metadata), R"("name": ")", std::string(name),
                         R"("}, "spec": {"size": 1}, "status": {"phase": "Forged"}})"));
}

Answer ServerUnderTest::MakePod(std::string_view name, std::string_view spec,
                                std::string_view metadata) {
  return Do(
      "POST", Pods(),
      absl::StrCat(R"({"apiVersion": "v1", "kind": "Pod", "metadata": {)", std::string(metadata),
                   R"("name": ")", std::string(name), R"("}, "spec": {)", std::string(spec),
                   R"("schedulerName": "nobody", "containers": [{"name": "c",
                             "image": "none"}]}, "status": {"phase": "Running"}})"));
}

Answer ServerUnderTest::BindPod(std::string_view name) {
  return Do("POST", Pods(std::string(name) + "/binding"),
            absl::StrCat(R"({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": ")",
                         std::string(name),
                         R"("}, "target": {"kind": "Node", "name": "no-such-node"}})"));
}

bool ServerUnderTest::AfterGarbageCollection(const std::function<bool()>& done) {
  if (is_real()) {
    return Within(std::chrono::seconds(10), done);
  }
  fake_.CollectGarbage();
  return done();
}

std::string ServerUnderTest::Path(std::string_view root, std::string_view plural,
                                  std::string_view name) const {
  std::string path = absl::StrCat(std::string(root), "/namespaces/", ns_, "/", std::string(plural));
  return name.empty() ? path : absl::StrCat(path, "/", std::string(name));
}

}  // namespace korder::kube::fake
