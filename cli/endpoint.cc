#include "cli/endpoint.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/value/field_error.h"
#include "base/status_macros.h"
#include "json/fields.h"

namespace korder::cli {
namespace {

struct Port {
  std::string name;
  int32_t port = 0;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("port", self.port);
  }
};

struct Service {
  struct Spec {
    std::string cluster_ip;
    std::vector<Port> ports;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("clusterIP", self.cluster_ip);
      v("ports", self.ports);
    }
  };
  Spec spec;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("spec", self.spec);
  }
};

struct TargetRef {
  std::string kind;
  std::string name;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("kind", self.kind);
    v("name", self.name);
  }
};

struct SliceEndpoint {
  std::vector<std::string> addresses;
  TargetRef target_ref;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("addresses", self.addresses);
    v("targetRef", self.target_ref);
  }
};

struct Slice {
  std::vector<SliceEndpoint> endpoints;
  std::vector<Port> ports;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("endpoints", self.endpoints);
    v("ports", self.ports);
  }
};

struct SliceList {
  std::vector<Slice> items;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("items", self.items);
  }
};

int GrpcPort(const std::vector<Port>& ports) {
  const auto it =
      std::find_if(ports.begin(), ports.end(), [](const Port& p) { return p.name == "grpc"; });
  return it != ports.end() ? it->port : ports.empty() ? kDefaultPort : ports.front().port;
}

enum class Family { kName, kV4, kV6 };

Family FamilyOf(const std::string& host) {
  in6_addr buffer;
  return inet_pton(AF_INET, host.c_str(), &buffer) == 1    ? Family::kV4
         : inet_pton(AF_INET6, host.c_str(), &buffer) == 1 ? Family::kV6
                                                           : Family::kName;
}

}  // namespace

std::string Endpoint::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view text) {
  const auto bad = [&](std::string_view rule) {
    return InvalidArgumentError(absl::StrCat(api::Quoted(text), ": ", std::string(rule)));
  };
  if (text.find("://") != std::string_view::npos) {
    return bad("must be host:port, without a scheme");
  }
  Endpoint endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return bad("a ] is missing");
    }
    endpoint.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (std::count(text.begin(), text.end(), ':') > 1) {
    endpoint.host = text;  // an IPv6 address without a port
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    endpoint.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (endpoint.host.empty() || endpoint.host.find_first_of(" /,") != std::string::npos) {
    return bad("must be host:port");
  }
  if (!port.empty() &&
      (port.front() != ':' || !absl::SimpleAtoi(std::string(port.substr(1)), &endpoint.port) ||
       endpoint.port < 1 || endpoint.port > 65535)) {
    return bad("the port must be 1-65535");
  }
  return endpoint;
}

std::string GrpcTarget(const std::vector<Endpoint>& endpoints) {
  const Family family = FamilyOf(endpoints.front().host);
  if (family == Family::kName) {
    return absl::StrCat("dns:///", endpoints.front().ToString());
  }
  std::vector<std::string> addresses;
  for (const Endpoint& endpoint : endpoints) {
    if (FamilyOf(endpoint.host) == family) {
      addresses.push_back(endpoint.ToString());
    }
  }
  return absl::StrCat(family == Family::kV4 ? "ipv4:" : "ipv6:", absl::StrJoin(addresses, ","));
}

absl::StatusOr<ServiceAddress> ParseService(std::string json) {
  Service service;
  RETURN_IF_ERROR(json::Parse(std::move(json), service));
  ServiceAddress address{.cluster_ip = std::nullopt, .port = GrpcPort(service.spec.ports)};
  if (!service.spec.cluster_ip.empty() && service.spec.cluster_ip != "None") {
    address.cluster_ip = Endpoint{service.spec.cluster_ip, address.port};
  }
  return address;
}

absl::StatusOr<Replicas> ParseEndpointSlices(std::string json) {
  SliceList list;
  RETURN_IF_ERROR(json::Parse(std::move(json), list));
  Replicas replicas;
  const auto add = [](auto& to, auto value) {
    if (std::find(to.begin(), to.end(), value) == to.end()) {
      to.push_back(std::move(value));  // slices of both address families name the same pods
    }
  };
  for (const Slice& slice : list.items) {
    for (const SliceEndpoint& endpoint : slice.endpoints) {
      // The addresses of one endpoint are interchangeable: one is enough.
      if (!endpoint.addresses.empty()) {
        add(replicas.addresses, Endpoint{endpoint.addresses.front(), GrpcPort(slice.ports)});
      }
      if (endpoint.target_ref.kind == "Pod") {
        add(replicas.pods, endpoint.target_ref.name);
      }
    }
  }
  return replicas;
}

}  // namespace korder::cli
