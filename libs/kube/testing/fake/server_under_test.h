// The API server that a semantics test asks: the fake one, or the real one that the environment
// variable KORDER_TEST_KUBECONFIG names. So the same checks show that the fake does as the real
// one.
//
//   ServerUnderTest server;
//   const Answer made = server.Do("POST", server.Pods(), R"({...})");
//   CHECK(made.code == 201);
//
// Every instance has a namespace of its own, empty at first. On the real server a namespaced custom
// resource "widgets.test.korder.dev" is made, with a status subresource.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/fake_clock.h"
#include "kube/testing/fake/json_value.h"
#include "kube/testing/fake_api_server.h"
#include "kube/transport.h"

namespace korder::kube::fake {

struct Answer {
  int code = 0;
  Json body;

  std::string Reason() const { return body.TextAt({"reason"}); }
  std::string Message() const { return body.TextAt({"message"}); }
  std::string Version() const { return body.TextAt({"metadata", "resourceVersion"}); }
  std::string Uid() const { return body.TextAt({"metadata", "uid"}); }
};

// What one watch tells.
class WatchUnderTest {
 public:
  WatchUnderTest(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}

  // "ADDED a", "DELETED b"...: the next `count` events that are no bookmarks. Ends early with what
  // went wrong.
  std::vector<std::string> Next(size_t count);
  // The object of the last event.
  const Json& last() const { return last_; }

 private:
  std::unique_ptr<ByteStream> stream_;
  std::string buffer_;
  Json last_;
};

class ServerUnderTest {
 public:
  ServerUnderTest();
  // The real one that the file tells of, or the fake one for nullptr.
  explicit ServerUnderTest(const char* kubeconfig);
  ~ServerUnderTest();

  bool is_real() const { return real_ != nullptr; }
  const std::string& ns() const { return ns_; }

  // "/api/v1/namespaces/<ns>/pods", and of one of them.
  std::string Pods(std::string_view name = "") const { return Path("/api/v1", "pods", name); }
  std::string ConfigMaps(std::string_view name = "") const {
    return Path("/api/v1", "configmaps", name);
  }
  std::string Leases(std::string_view name = "") const {
    return Path("/apis/coordination.k8s.io/v1", "leases", name);
  }
  std::string Widgets(std::string_view name = "") const {
    return Path("/apis/test.korder.dev/v1", "widgets", name);
  }

  Answer Do(std::string_view method, std::string_view target, std::string_view body = "",
            std::string_view content_type = "application/json");
  Answer Get(std::string_view target) { return Do("GET", target); }
  Answer Merge(std::string_view target, std::string_view patch) {
    return Do("PATCH", target, patch, "application/merge-patch+json");
  }
  Answer Strategic(std::string_view target, std::string_view patch) {
    return Do("PATCH", target, patch, "application/strategic-merge-patch+json");
  }
  WatchUnderTest Watch(std::string target);

  // Objects to begin with; each returns what the server made of it.
  Answer MakeConfigMap(std::string_view name, std::string_view metadata = "");
  Answer MakeWidget(std::string_view name, std::string_view metadata = "");
  // `spec` and `metadata` are members, each followed by a comma: R"("nodeName": "n1",)".
  Answer MakePod(std::string_view name, std::string_view spec = "", std::string_view metadata = "");
  // Puts the pod on a node that has no kubelet.
  Answer BindPod(std::string_view name);

  // Lets the garbage collector work, then says whether `done`; on a real server within ten seconds.
  bool AfterGarbageCollection(const std::function<bool()>& done);
  // Makes version 1 too old. A real server has forgotten it anyway.
  void ForgetThePast() { fake_.Compact(); }

 private:
  std::string Path(std::string_view root, std::string_view plural, std::string_view name) const;
  void PrepareReal();

  FakeClock clock_;
  FakeApiServer fake_;
  std::unique_ptr<HttpTransport> real_;
  HttpTransport* transport_;
  std::string ns_;
};

}  // namespace korder::kube::fake
