#include "cli/order_file.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

// The seed's first example.
constexpr char kOrder[] = R"(apiVersion: core.korder.dev/v1alpha1
kind: Order
metadata:
  name: my-order
  namespace: default
  labels: {team: backend}
spec:
  replicas: 3
  strategy:
    type: OneTime
    refreshPolicy: OnClaim
  template:
    metadata:
      labels:
        app: my-application
    spec:
      duration: 24h
      resources:
        requests:
          cpu: 500m
          memory: 1Gi
        limits:
          cpu: 1000m
          memory: 2Gi
)";

constexpr char kTicket[] = R"(apiVersion: core.korder.dev/v1alpha1
kind: Ticket
metadata: {name: t, labels: {app: a}}
spec: {resources: {limits: {cpu: 2, nvidia.com/gpu: 1}}}
)";

OrderFile Read(const std::string& text, OrderFileOptions options = {}) {
  const auto file = ReadOrderFile(text, options);
  INFO(ToString(file.status()));
  REQUIRE(file.ok());
  return *file;
}

std::string Problem(const std::string& text, OrderFileOptions options = {}) {
  const absl::Status status = ReadOrderFile(text, options).status();
  CHECK(absl::IsInvalidArgument(status));
  return std::string(Message(status));
}

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

TEST_CASE("order file: an Order becomes the question that order-svc would ask", "[order_file]") {
  const OrderFile file = Read(kOrder);
  REQUIRE(file.items.size() == 1);
  CHECK(file.items[0].Title() == "order default/my-order");
  pb::CheckRequest want;
  want.set_namespace_("default");
  want.set_tickets(3);
  want.set_order(true);
  (*want.mutable_order_labels())["team"] = "backend";
  (*want.mutable_claim()->mutable_requests())["cpu"] = "500m";
  (*want.mutable_claim()->mutable_requests())["memory"] = "1Gi";
  (*want.mutable_claim()->mutable_labels())["app"] = "my-application";
  (*want.mutable_claim()->mutable_labels())["korder.dev/order"] = "my-order";
  want.mutable_claim()->mutable_duration()->set_seconds(24 * 3600);
  CHECK(file.items[0].request.ShortDebugString() == want.ShortDebugString());
}

TEST_CASE("order file: a Ticket asks for one, its requests completed from its limits",
          "[order_file]") {
  const OrderFile file = Read(kTicket);
  REQUIRE(file.items.size() == 1);
  const pb::CheckRequest& request = file.items[0].request;
  CHECK(request.tickets() == 1);
  CHECK_FALSE(request.order());
  CHECK_FALSE(request.claim().has_duration());
  CHECK(request.claim().requests().at("cpu") == "2");
  CHECK(request.claim().requests().at("nvidia.com/gpu") == "1");
  CHECK(request.claim().labels().at("app") == "a");
}

TEST_CASE("order file: one replica is the default, as the API's", "[order_file]") {
  CHECK(Read(Replaced(kOrder, "  replicas: 3\n", "")).items[0].request.tickets() == 1);
}

TEST_CASE("order file: an order with one ticket a node has no count yet", "[order_file]") {
  const OrderFile file = Read(Replaced(kOrder, "replicas: 3", "daemonSet: true\n  replicas: 9"));
  CHECK(file.items[0].daemon_set);
  CHECK(file.items[0].request.tickets() == 0);
}

TEST_CASE("order file: several documents, lists and other kinds", "[order_file]") {
  const OrderFile file = Read(std::string(kOrder) + "---\n" + kTicket +
                              "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
                              "---\napiVersion: apps/v1\nkind: Order\nmetadata: {name: other}\n");
  CHECK(file.items.size() == 2);
  CHECK(file.skipped == std::vector<std::string>{"ConfigMap c", "Order other"});
  const std::string list = R"({"apiVersion":"v1","kind":"List","items":[
      {"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"name":"a"},
       "spec":{"resources":{"requests":{"cpu":1}}}},
      {"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"name":"b"},
       "spec":{"resources":{"requests":{"cpu":"1"}}}}]})";
  CHECK(Read(list).items[1].Title() == "ticket default/b");
}

TEST_CASE("order file: the object's namespace, else the one asked for, else the context's",
          "[order_file]") {
  CHECK(Read(kTicket).items[0].ns == "default");
  CHECK(Read(kTicket, {.default_ns = "context"}).items[0].ns == "context");
  CHECK(Read(kTicket, {.ns = "flag", .default_ns = "context"}).items[0].ns == "flag");
  CHECK(Read(kOrder, {.default_ns = "context"}).items[0].ns == "default");
  CHECK(Read(kOrder, {.ns = "default"}).items[0].ns == "default");
  CHECK(Problem(kOrder, {.source = "o.yaml", .ns = "flag"}) ==
        "o.yaml: Order my-order: metadata.namespace: \"default\": does not agree with --namespace "
        "flag");
}

TEST_CASE("order file: a time to judge by goes along", "[order_file]") {
  const OrderFile file = Read(kOrder, {.at = kNow});
  CHECK(file.items[0].request.time().seconds() == absl::ToUnixSeconds(kNow));
  CHECK_FALSE(Read(kOrder).items[0].request.has_time());
}

TEST_CASE("order file: what people may overlook is noted", "[order_file]") {
  const std::string scheduled =
      Replaced(kOrder, "type: OneTime", "type: Scheduled\n    schedule: 0 2 * * *");
  CHECK_THAT(Read(scheduled).items[0].notes.at(0), Catch::Contains("--at"));
  CHECK(Read(scheduled, {.at = kNow}).items[0].notes.empty());
  CHECK_THAT(Read(Replaced(kOrder, "spec:\n", "spec:\n  paused: true\n")).items[0].notes.at(0),
             Catch::Contains("paused"));
}

TEST_CASE("order file: mistakes are named with object, path and rule", "[order_file]") {
  CHECK_THAT(Problem(Replaced(kOrder, "replicas: 3", "replicas: -1")),
             Catch::StartsWith("standard input: Order my-order: spec.replicas: \"-1\": "));
  CHECK_THAT(Problem(Replaced(kOrder, "24h", "soon")),
             Catch::StartsWith("standard input: Order my-order: spec.template.spec.duration: "));
  CHECK_THAT(Problem(Replaced(kOrder, "500m", "much")),
             Catch::Contains("spec.template.spec.resources.requests.cpu"));
  CHECK(Problem("a: [", {.source = "x.yaml"}) ==
        "x.yaml: yaml-cpp: error at line 1, column 1: end of sequence flow not found");
  CHECK(Problem("a: 1") == "standard input: apiVersion and kind: are required");
  CHECK(Problem("") ==
        "standard input: there is no Order or Ticket of core.korder.dev/v1alpha1 in it");
}

}  // namespace
}  // namespace korder::cli
