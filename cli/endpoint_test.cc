#include "cli/endpoint.h"

#include <catch2/catch.hpp>

#include "cli/port_forward.h"

namespace korder::cli {
namespace {

TEST_CASE("endpoint: a server is host and port, the port may be left out", "[endpoint]") {
  struct Case {
    const char* text;
    Endpoint want;
    const char* printed;
  };
  const Case cases[] = {
      {"quota.example.com:443", {"quota.example.com", 443}, "quota.example.com:443"},
      {"10.0.0.1", {"10.0.0.1", 9090}, "10.0.0.1:9090"},
      {"[::1]:7", {"::1", 7}, "[::1]:7"},
      {"[::1]", {"::1", 9090}, "[::1]:9090"},
      {"fe80::1", {"fe80::1", 9090}, "[fe80::1]:9090"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) {
      REQUIRE(ParseEndpoint(c.text).ok());
      CHECK(*ParseEndpoint(c.text) == c.want);
      CHECK(c.want.ToString() == c.printed);
    }
  }
  for (const char* bad : {"", ":9090", "a:", "a:b", "a:0", "a:65536", "https://a", "[::1", "[::1]x",
                          "a b", "a/b", "a,b:1"}) {
    DYNAMIC_SECTION("refused: " << bad) {
      CHECK(absl::IsInvalidArgument(ParseEndpoint(bad).status()));
    }
  }
}

TEST_CASE("endpoint: gRPC gets addresses of one family, or one name", "[endpoint]") {
  CHECK(GrpcTarget({{"10.0.0.1", 1}, {"::1", 2}, {"10.0.0.2", 3}}) == "ipv4:10.0.0.1:1,10.0.0.2:3");
  CHECK(GrpcTarget({{"::1", 2}, {"10.0.0.1", 1}}) == "ipv6:[::1]:2");
  CHECK(GrpcTarget({{"quota.example.com", 443}}) == "dns:///quota.example.com:443");
}

TEST_CASE("endpoint: a Service has a cluster IP, or is headless", "[endpoint]") {
  const char* ports = R"("ports":[{"name":"http","port":8080},{"name":"grpc","port":9191}])";
  CHECK(*ParseService(R"({"spec":{"clusterIP":"10.96.0.9",)" + std::string(ports) + "}}") ==
        ServiceAddress{.cluster_ip = Endpoint{"10.96.0.9", 9191}, .port = 9191});
  CHECK(*ParseService(R"({"spec":{"clusterIP":"None",)" + std::string(ports) + "}}") ==
        ServiceAddress{.cluster_ip = std::nullopt, .port = 9191});
  CHECK(*ParseService("{}") == ServiceAddress{});
  CHECK_FALSE(ParseService("no").ok());
}

TEST_CASE("endpoint: replicas are those of every slice, each once", "[endpoint]") {
  const auto replicas = ParseEndpointSlices(R"({"items":[
      {"ports":[{"name":"grpc","port":9090}],"endpoints":[
        {"addresses":["10.1.0.1"],"targetRef":{"kind":"Pod","name":"a"}},
        {"addresses":["10.1.0.2"],"targetRef":{"kind":"Pod","name":"b"}}]},
      {"ports":[{"name":"grpc","port":9090}],"endpoints":[
        {"addresses":["fd00::1"],"targetRef":{"kind":"Pod","name":"a"}},
        {"addresses":["10.1.0.2"]}, {"addresses":[]}]},
      {"ports":[],"endpoints":null}]})");
  REQUIRE(replicas.ok());
  CHECK(*replicas ==
        Replicas{.addresses = {{"10.1.0.1", 9090}, {"10.1.0.2", 9090}, {"fd00::1", 9090}},
                 .pods = {"a", "b"}});
}

TEST_CASE("port-forward: the port is known once its line is complete", "[endpoint]") {
  CHECK(ForwardedPort("Forwarding from 127.0.0.1:43210 -> 9090\n") == 43210);
  CHECK(ForwardedPort("warning\nForwarding from 127.0.0.1:7 -> 9090") == 7);
  CHECK(ForwardedPort("Forwarding from 127.0.0.1:432") == std::nullopt);
  CHECK(ForwardedPort("error: timed out") == std::nullopt);
  CHECK(ForwardedPort("") == std::nullopt);
}

}  // namespace
}  // namespace korder::cli
