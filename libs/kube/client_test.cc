#include "kube/client.h"

#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "api/core/node.h"
#include "api/v1alpha1/ticket.h"
#include "kube/testing/scripted_transport.h"

namespace korder::kube {
namespace {

const ObjectKey kKey{"default", "settings"};

HttpResponse Refusal(int code, const std::string& reason) {
  return {.status = code, .body = R"({"message":"no","reason":")" + reason + R"("})"};
}

HttpResponse Found(const std::string& name) {
  return {.status = 200,
          .body = R"({"metadata":{"name":")" + name + R"(","namespace":"default"},"new":[1]})"};
}

// Takes note of the requests it is told of, as "verb resource code".
class Notes final : public Observer {
 public:
  void Request(std::string_view verb, std::string_view resource, int code,
               absl::Duration took) override {
    lines.push_back(std::string(verb) + " " + std::string(resource) + " " + std::to_string(code));
    sane = sane && took >= absl::ZeroDuration() && took < absl::Hours(1);
  }
  std::vector<std::string> lines;
  bool sane = true;
};

TEST_CASE("client: get returns the typed object and skips what it does not know", "[client]") {
  ScriptedTransport transport;
  transport.Answer(Found("settings"));
  Client client(transport);
  const auto got = client.Get<api::ConfigMap>(kKey);
  REQUIRE(got.ok());
  CHECK(KeyOf(*got) == kKey);
  CHECK(transport.requests == std::vector{GetRequest(api::ConfigMap::kResource, kKey)});
}

TEST_CASE("client: a status is sent without the spec", "[client]") {
  ScriptedTransport transport;
  transport.Answer(Found("web-0"));
  Client client(transport);
  api::Ticket ticket;
  ticket.metadata = {.name = "web-0",
                     .ns = "default",
                     .uid = "u1",
                     .resource_version = "7",
                     .labels = {{"app", "web"}}};
  ticket.spec.node_name = "n1";
  ticket.status.phase = api::TicketPhase::kReady;
  ticket.status.incarnation = 1;
  REQUIRE(client.UpdateStatus(ticket).ok());
  CHECK(
      transport.requests ==
      std::vector{UpdateRequest(
          api::Ticket::kResource, {"default", "web-0"}, "status",
          R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"name":"web-0",)"
          R"("namespace":"default","uid":"u1","resourceVersion":"7","labels":{"app":"web"}},)"
          R"("status":{"phase":"Ready","incarnation":1,"observedGeneration":0}})")});
}

TEST_CASE("client: every message begins with the attempt", "[client]") {
  ScriptedTransport transport;
  Client client(transport);
  const auto refuse = [&] { transport.Answer(Refusal(409, "Conflict")); };
  api::ConfigMap object;
  object.metadata.ns = "default";
  object.metadata.name = "settings";

  refuse();
  CHECK(ToString(client.Get<api::ConfigMap>(kKey).status()) ==
        "ABORTED: get configmaps/default/settings: no");
  refuse();
  CHECK(ToString(client.List<api::ConfigMap>("default").status()) ==
        "ABORTED: list configmaps/default: no");
  refuse();
  CHECK(ToString(client.List<api::ConfigMap>("").status()) == "ABORTED: list configmaps: no");
  refuse();
  CHECK(ToString(client.Create(object).status()) ==
        "ABORTED: create configmaps/default/settings: no");
  refuse();
  CHECK(ToString(client.Update(object, "status").status()) ==
        "ABORTED: update configmaps/default/settings/status: no");
  refuse();
  CHECK(ToString(client.Patch<api::ConfigMap>(kKey, {.subresource = "status"}, "{}").status()) ==
        "ABORTED: patch configmaps/default/settings/status: no");
  refuse();
  CHECK(ToString(client.Delete<api::ConfigMap>(kKey)) ==
        "ABORTED: delete configmaps/default/settings: no");
  refuse();
  CHECK(ToString(client.Watch(api::Node::kResource, "", {}).status()) ==
        "ABORTED: watch nodes: no");
  refuse();
  CHECK(ToString(client.Raw({.method = "GET", .target = "/version"}).status()) ==
        "ABORTED: get /version: no");
}

TEST_CASE("client: an answer that cannot be decoded is an error that says where", "[client]") {
  ScriptedTransport transport;
  transport.Answer(HttpResponse{.status = 200, .body = R"({"data":{"a":1}})"});
  Client client(transport);
  CHECK(ToString(client.Get<api::ConfigMap>(kKey).status()) ==
        "INVALID_ARGUMENT: get configmaps/default/settings: decode the server's answer: data.a: "
        "expected a string, got a number");
}

TEST_CASE("client: a request about one object is not sent without its name", "[client]") {
  ScriptedTransport transport;
  Client client(transport);
  CHECK(ToString(client.Delete<api::ConfigMap>({"default", ""})) ==
        "INVALID_ARGUMENT: delete configmaps/default: the name is empty");
  CHECK(absl::IsInvalidArgument(client.Get<api::ConfigMap>({"", "x"}).status()));
  CHECK(absl::IsInvalidArgument(client.Update(api::ConfigMap{}).status()));
  CHECK(absl::IsInvalidArgument(client.Patch<api::ConfigMap>({"a", ".."}, {}, "{}").status()));
  CHECK(transport.requests.empty());
}

TEST_CASE("client: an object may be created under a generated name", "[client]") {
  ScriptedTransport transport;
  transport.Answer(Found("settings-x1"));
  Client client(transport);
  api::ConfigMap object;
  object.metadata.ns = "default";
  object.metadata.generate_name = "settings-";
  CHECK(client.Create(object)->metadata.name == "settings-x1");
}

TEST_CASE("client: the codes of transport errors stay, and so does a delay", "[client]") {
  ScriptedTransport transport;
  transport.Answer(DeadlineExceededError("timed out"));
  transport.Answer(HttpResponse{.status = 429, .body = "", .retry_after = absl::Seconds(2)});
  Client client(transport);
  CHECK(ToString(client.Delete<api::ConfigMap>(kKey)) ==
        "DEADLINE_EXCEEDED: delete configmaps/default/settings: timed out");
  const absl::Status busy = client.Delete<api::ConfigMap>(kKey);
  CHECK(absl::IsResourceExhausted(busy));
  CHECK(RetryAfter(busy) == absl::Seconds(2));
}

TEST_CASE("client: the observer hears of every exchange, answered or not", "[client]") {
  ScriptedTransport transport;
  transport.Answer(Found("settings"));
  transport.Answer(Refusal(404, "NotFound"));
  transport.Answer(UnavailableError("refused"));
  transport.AnswerStream({});
  transport.Answer(HttpResponse{.status = 200, .body = "ok"});
  Notes notes;
  Client client(transport, notes);
  (void)client.Get<api::ConfigMap>(kKey);
  (void)client.Delete<api::ConfigMap>(kKey);
  (void)client.List<api::ConfigMap>("");
  (void)client.Watch(api::ConfigMap::kResource, "", {});
  CHECK(client.Raw({.method = "GET", .target = "/healthz"}) == absl::StatusOr<std::string>("ok"));
  CHECK(notes.lines == std::vector<std::string>{"get configmaps 200", "delete configmaps 404",
                                                "list configmaps 0", "watch configmaps 200",
                                                "get raw 200"});
  CHECK(notes.sane);
}

TEST_CASE("client: a full list follows the pages and keeps the last page's version", "[client]") {
  ScriptedTransport transport;
  transport.Answer(HttpResponse{
      .status = 200,
      .body = R"({"metadata":{"resourceVersion":"7","continue":"next page","remainingItemCount":1},
                  "items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})"});
  transport.Answer(HttpResponse{
      .status = 200,
      .body = R"({"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"c"}}]})"});
  Client client(transport);
  const auto all = ListAll<api::ConfigMap>(client, "default", {.label_selector = "a=b"});
  REQUIRE(all.ok());
  CHECK(all->metadata == api::ListMeta{.resource_version = "7"});
  REQUIRE(all->items.size() == 3);
  CHECK(all->items[2].metadata.name == "c");
  const std::string path = "/api/v1/namespaces/default/configmaps?labelSelector=a%3Db&limit=500";
  REQUIRE(transport.requests.size() == 2);
  CHECK(transport.requests[0].target == path);
  CHECK(transport.requests[1].target == path + "&continue=next%20page");
}

TEST_CASE("client: a full list that breaks off is an error, not a part", "[client]") {
  ScriptedTransport transport;
  transport.Answer(HttpResponse{.status = 200, .body = R"({"metadata":{"continue":"x"}})"});
  transport.Answer(Refusal(410, "Expired"));
  Client client(transport);
  CHECK(absl::IsOutOfRange(ListAll<api::ConfigMap>(client, "").status()));
}

}  // namespace
}  // namespace korder::kube
