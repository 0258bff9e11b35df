// Where quota-svc may be reached: what the API server says of its Service. Pure.
//
//   ASSIGN_OR_RETURN(const Endpoint at, ParseEndpoint("quota.example.com:9090"));
//   GrpcTarget({{"10.0.0.1", 9090}, {"10.0.0.2", 9090}});   // "ipv4:10.0.0.1:9090,10.0.0.2:9090"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace korder::cli {

inline constexpr int kDefaultPort = 9090;

struct Endpoint {
  std::string host;  // a name or an address
  int port = kDefaultPort;

  bool operator==(const Endpoint&) const = default;
  std::string ToString() const;  // "10.0.0.1:9090", "[::1]:9090"
};

// "host", "host:port", "[::1]:port". INVALID_ARGUMENT for anything else.
absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text);

// What gRPC calls an address. Several must be addresses and not names; those of the first one's
// family are taken. REQUIRES: not empty.
std::string GrpcTarget(const std::vector<Endpoint>& endpoints);

// The Service: its own address, or none when it is headless.
struct ServiceAddress {
  std::optional<Endpoint> cluster_ip;
  int port = kDefaultPort;  // named "grpc", else the first

  bool operator==(const ServiceAddress&) const = default;
};
absl::StatusOr<ServiceAddress> ParseService(std::string json);

// The replicas behind it, ready or not: which one leads is found out by asking them.
struct Replicas {
  std::vector<Endpoint> addresses;
  std::vector<std::string> pods;

  bool operator==(const Replicas&) const = default;
};
// From a list of EndpointSlices.
absl::StatusOr<Replicas> ParseEndpointSlices(std::string json);

}  // namespace korder::cli
