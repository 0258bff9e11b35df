#include "kube/request.h"

#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/v1alpha1/ticket.h"

namespace korder::kube {

std::ostream& operator<<(std::ostream& out, const HttpRequest& r) {
  return out << r.method << " " << r.target << " [" << r.content_type << "] " << r.body;
}

namespace {

constexpr auto& kPods = api::Pod::kResource;
constexpr auto& kNodes = api::Node::kResource;
constexpr auto& kTickets = api::Ticket::kResource;
const ObjectKey kWeb{"default", "web-1"};

HttpRequest Bare(std::string method, std::string target) {
  return {.method = std::move(method), .target = std::move(target), .content_type = "", .body = ""};
}

TEST_CASE("request: get names the object in its group, version and namespace", "[request]") {
  CHECK(GetRequest(kPods, kWeb) == Bare("GET", "/api/v1/namespaces/default/pods/web-1"));
  CHECK(GetRequest(kTickets, kWeb) ==
        Bare("GET", "/apis/core.korder.dev/v1alpha1/namespaces/default/tickets/web-1"));
  CHECK(GetRequest(kNodes, {"", "node-1"}) == Bare("GET", "/api/v1/nodes/node-1"));
}

TEST_CASE("request: a cluster-scoped resource has no namespace, even when a key names one",
          "[request]") {
  CHECK(GetRequest(kNodes, {"default", "node-1"}).target == "/api/v1/nodes/node-1");
}

TEST_CASE("request: what is not unreserved in a name is percent-encoded", "[request]") {
  CHECK(GetRequest(kNodes, {"", "system:a b/c%?#"}).target ==
        "/api/v1/nodes/system%3Aa%20b%2Fc%25%3F%23");
  CHECK(GetRequest(kNodes, {"", "\xC3\xBC~-._"}).target == "/api/v1/nodes/%C3%BC~-._");
}

TEST_CASE("request: list without a namespace is for all of them", "[request]") {
  CHECK(ListRequest(kPods, "", {}) == Bare("GET", "/api/v1/pods"));
  CHECK(ListRequest(kPods, "kube-system", {}) ==
        Bare("GET", "/api/v1/namespaces/kube-system/pods"));
  CHECK(ListRequest(kNodes, "", {}) == Bare("GET", "/api/v1/nodes"));
}

TEST_CASE("request: list carries selectors, paging and the version wanted", "[request]") {
  const ListOptions options{.label_selector = "app in (a,b),!x",
                            .field_selector = "spec.nodeName=node-1",
                            .limit = 500,
                            .continue_token = "eyJ2Ij+/=",
                            .resource_version = "0"};
  CHECK(ListRequest(kPods, "", options).target ==
        "/api/v1/pods?labelSelector=app%20in%20%28a%2Cb%29%2C%21x"
        "&fieldSelector=spec.nodeName%3Dnode-1&limit=500&continue=eyJ2Ij%2B%2F%3D"
        "&resourceVersion=0");
}

TEST_CASE("request: a quorum list says nothing about the version", "[request]") {
  CHECK(ListRequest(kPods, "", {.limit = 500}).target == "/api/v1/pods?limit=500");
}

TEST_CASE("request: watch asks for bookmarks from a version and for an end", "[request]") {
  CHECK(WatchRequest(kTickets, "", {.resource_version = "42"}) ==
        Bare("GET",
             "/apis/core.korder.dev/v1alpha1/tickets?watch=true&allowWatchBookmarks=true"
             "&resourceVersion=42&timeoutSeconds=300"));
  CHECK(WatchRequest(kPods, "default",
                     {.label_selector = "a=b",
                      .field_selector = "metadata.name=x",
                      .resource_version = "7",
                      .timeout = absl::Milliseconds(10)})
            .target ==
        "/api/v1/namespaces/default/pods?watch=true&allowWatchBookmarks=true&labelSelector=a%3Db"
        "&fieldSelector=metadata.name%3Dx&resourceVersion=7&timeoutSeconds=1");
}

TEST_CASE("request: create posts to the collection in korder's name", "[request]") {
  CHECK(CreateRequest(kPods, "default", "{}") ==
        HttpRequest{"POST", "/api/v1/namespaces/default/pods?fieldManager=korder",
                    "application/json", "{}"});
  CHECK(CreateRequest(kNodes, "", "{}").target == "/api/v1/nodes?fieldManager=korder");
}

TEST_CASE("request: update puts the object or a subresource", "[request]") {
  CHECK(UpdateRequest(kPods, kWeb, "", "{}") ==
        HttpRequest{"PUT", "/api/v1/namespaces/default/pods/web-1?fieldManager=korder",
                    "application/json", "{}"});
  CHECK(UpdateRequest(kPods, kWeb, "status", "{}").target ==
        "/api/v1/namespaces/default/pods/web-1/status?fieldManager=korder");
}

TEST_CASE("request: each patch type has its media type", "[request]") {
  struct Case {
    const char* name;
    PatchType type;
    const char* want_content_type;
  };
  const Case cases[] = {
      {"merge", PatchType::kMerge, "application/merge-patch+json"},
      {"strategic", PatchType::kStrategicMerge, "application/strategic-merge-patch+json"},
      {"json", PatchType::kJson, "application/json-patch+json"},
      {"apply", PatchType::kApply, "application/apply-patch+yaml"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(PatchRequest(kPods, kWeb, {.type = c.type}, "[]") ==
            HttpRequest{"PATCH", "/api/v1/namespaces/default/pods/web-1?fieldManager=korder",
                        c.want_content_type, "[]"});
    }
  }
}

TEST_CASE("request: a patch may be about a subresource", "[request]") {
  CHECK(PatchRequest(kPods, kWeb, {.subresource = "status"}, "{}").target ==
        "/api/v1/namespaces/default/pods/web-1/status?fieldManager=korder");
}

TEST_CASE("request: only an apply patch can force", "[request]") {
  const std::string path = "/api/v1/namespaces/default/pods/web-1?fieldManager=korder";
  CHECK(PatchRequest(kPods, kWeb, {.type = PatchType::kApply, .force = true}, "{}").target ==
        path + "&force=true");
  CHECK(PatchRequest(kPods, kWeb, {.type = PatchType::kMerge, .force = true}, "{}").target == path);
}

TEST_CASE("request: a plain delete has no body", "[request]") {
  CHECK(DeleteRequest(kPods, kWeb, {}) == Bare("DELETE", "/api/v1/namespaces/default/pods/web-1"));
}

TEST_CASE("request: delete carries its preconditions and how to go about it", "[request]") {
  const HttpRequest all = DeleteRequest(kPods, kWeb,
                                        {.uid = "u-1",
                                         .resource_version = "9",
                                         .grace_period_seconds = 0,
                                         .propagation_policy = "Background"});
  CHECK(all == HttpRequest{"DELETE", "/api/v1/namespaces/default/pods/web-1", "application/json",
                           R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,)"
                           R"("preconditions":{"uid":"u-1","resourceVersion":"9"},)"
                           R"("propagationPolicy":"Background"})"});
  CHECK(DeleteRequest(kPods, kWeb, {.uid = "u-1"}).body ==
        R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u-1"}})");
  CHECK(DeleteRequest(kPods, kWeb, {.grace_period_seconds = 30}).body ==
        R"({"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":30})");
}

TEST_CASE("request: a key must name one object", "[request]") {
  struct Case {
    const char* name;
    const api::ResourceType& resource;
    ObjectKey key;
    const char* want;
  };
  const Case cases[] = {
      {"good", kPods, {"default", "web"}, ""},
      {"good and cluster-scoped", kNodes, {"", "node-1"}, ""},
      {"no name", kPods, {"default", ""}, "the name is empty"},
      {"no name, cluster-scoped", kNodes, {"", ""}, "the name is empty"},
      {"no namespace", kPods, {"", "web"}, "the namespace is empty"},
      {"dot", kPods, {"default", "."}, "\".\" is not a name"},
      {"dots", kPods, {"default", ".."}, "\"..\" is not a name"},
      {"slash", kPods, {"default", "a/b"}, "\"a/b\" is not a name"},
      {"percent", kPods, {"default", "a%2F"}, "\"a%2F\" is not a name"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Message(CheckKey(c.resource, c.key)) == c.want); }
  }
}

}  // namespace
}  // namespace korder::kube
