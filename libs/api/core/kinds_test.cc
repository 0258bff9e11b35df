#include <catch2/catch.hpp>

#include "api/core/config_map.h"
#include "api/core/event.h"
#include "api/core/lease.h"
#include "api/core/namespace.h"
#include "api/core/node.h"
#include "api/core/secret.h"
#include "api/core/webhook_configuration.h"
#include "api/testing/from_json.h"

namespace korder::api {
namespace {

TEST_CASE("lease: read as the API server returns it, written as it takes it", "[core]") {
  const auto lease = FromJson<Lease>(R"({
    "apiVersion":"coordination.k8s.io/v1","kind":"Lease",
    "metadata":{"name":"korder-order-svc","namespace":"korder-system","resourceVersion":"12",
      "managedFields":[{"manager":"order-svc"}]},
    "spec":{"acquireTime":"2030-01-02T03:04:05.000001Z","holderIdentity":"a-1",
      "leaseDurationSeconds":6,"leaseTransitions":3,"renewTime":"2030-01-02T03:04:07.250000Z"}})");
  CHECK(lease.spec.holder_identity == "a-1");
  CHECK(lease.spec.lease_duration_seconds == 6);
  CHECK(lease.spec.renew_time->time - lease.spec.acquire_time->time ==
        absl::Microseconds(2'249'999));
  CHECK(json::Print(lease) ==
        R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{)"
        R"("name":"korder-order-svc","namespace":"korder-system","resourceVersion":"12"},"spec":{)"
        R"("holderIdentity":"a-1","leaseDurationSeconds":6,)"
        R"("acquireTime":"2030-01-02T03:04:05.000001Z","renewTime":"2030-01-02T03:04:07.250000Z",)"
        R"("leaseTransitions":3}})");
}

TEST_CASE("event: written with whole seconds and both reporting fields", "[core]") {
  Event event;
  event.metadata.ns = "default";
  event.metadata.name = "web.17f";
  event.involved_object = {.api_version = "v1", .kind = "Pod", .ns = "default", .name = "web"};
  event.reason = "TicketClaimed";
  event.message = "took over web-0 on node-3";
  event.type = "Normal";
  event.first_timestamp = absl::FromUnixSeconds(1'893'553'445);
  event.last_timestamp = event.first_timestamp;
  event.source.component = "ticket-svc";
  event.reporting_component = "ticket-svc";
  event.reporting_instance = "ticket-svc-1";
  CHECK(json::Print(event) ==
        R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"web.17f","namespace":"default"},)"
        R"("involvedObject":{"apiVersion":"v1","kind":"Pod","namespace":"default","name":"web"},)"
        R"("reason":"TicketClaimed","message":"took over web-0 on node-3","type":"Normal",)"
        R"("count":1,"firstTimestamp":"2030-01-02T03:04:05Z",)"
        R"("lastTimestamp":"2030-01-02T03:04:05Z","source":{"component":"ticket-svc"},)"
        R"("reportingComponent":"ticket-svc","reportingInstance":"ticket-svc-1"})");
  CHECK(FromJson<Event>(json::Print(event)) == event);
}

TEST_CASE("secret: values are bytes in memory and base64 in JSON", "[core]") {
  const auto secret = FromJson<Secret>(
      R"({"metadata":{"name":"s"},"type":"kubernetes.io/tls","data":{"tls.crt":"UEVN"}})");
  CHECK(secret.data.at("tls.crt").value == "PEM");
  CHECK(json::Print(secret) == R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},)"
                               R"("type":"kubernetes.io/tls","data":{"tls.crt":"UEVN"}})");
}

TEST_CASE("config map: text and bytes are kept apart", "[core]") {
  ConfigMap map;
  map.metadata.name = "korder-quota-ledger";
  map.data["epoch"] = "3";
  map.binary_data["grants"] = Bytes{std::string("\0\1", 2)};
  CHECK(json::Print(map) ==
        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"korder-quota-ledger"},)"
        R"("data":{"epoch":"3"},"binaryData":{"grants":"AAE="}})");
  CHECK(FromJson<ConfigMap>(json::Print(map)) == map);
}

TEST_CASE("webhook configuration: a patch holds names and CA bundles only", "[core]") {
  MutatingWebhookConfiguration patch;
  patch.webhooks = {{.name = "pods.korder.dev", .client_config = {.ca_bundle = {"PEM"}}}};
  CHECK(json::Print(patch) ==
        R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration",)"
        R"("webhooks":[{"name":"pods.korder.dev","clientConfig":{"caBundle":"UEVN"}}]})");
}

TEST_CASE("node: heartbeats do not make a node different", "[core]") {
  const std::string before = R"({"metadata":{"name":"n"},"status":{"conditions":[
      {"type":"Ready","status":"True","lastHeartbeatTime":"2030-01-02T03:04:05Z"}],
      "allocatable":{"cpu":"4","pods":"110"}}})";
  const std::string after = R"({"metadata":{"name":"n"},"status":{"conditions":[
      {"type":"Ready","status":"True","lastHeartbeatTime":"2030-01-02T03:09:05Z"}],
      "allocatable":{"cpu":"4","pods":"110"}}})";
  CHECK(FromJson<Node>(before).status == FromJson<Node>(after).status);
  CHECK(FromJson<Node>(before).status.allocatable.at("pods").Value() == 110);
}

TEST_CASE("namespace: labels and phase are read", "[core]") {
  const auto ns = FromJson<Namespace>(
      R"({"metadata":{"name":"team","labels":{"team":"backend"}},"spec":{"finalizers":["kubernetes"]},
          "status":{"phase":"Terminating"}})");
  CHECK(ValueOf(ns.metadata.labels, "team") == "backend");
  CHECK(ns.status.phase == "Terminating");
  CHECK_FALSE(Namespace::kResource.namespaced);
}

}  // namespace
}  // namespace korder::api
