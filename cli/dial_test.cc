#include "cli/dial.h"

#include <thread>

#include <catch2/catch.hpp>

#include "runtime/http_server.h"
#include "runtime/testing/test_certs.h"

namespace korder::cli {
namespace {

// A server on a free port of this machine until the end of the test.
class Running {
 public:
  explicit Running(runtime::TlsMaterial tls)
      : server_({.listen = "127.0.0.1:0", .tls = std::move(tls)},
                [](const runtime::HttpServerRequest&) { return runtime::HttpServerResponse{}; }) {
    REQUIRE(server_.Start().ok());
    thread_ = std::jthread([this](std::stop_token stop) { CHECK(server_.Run(stop).ok()); });
  }
  Endpoint endpoint() const { return {"127.0.0.1", server_.port()}; }

 private:
  runtime::HttpServer server_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("dial: a server with a certificate for the name answers", "[dial]") {
  const runtime::TestCa ca;
  const Running server(ca.Issue("korder-quota-svc"));
  CHECK(Dial(server.endpoint(), "korder-quota-svc", absl::Seconds(10)));
}

TEST_CASE("dial: whoever else listens at the address is not taken for korder", "[dial]") {
  const runtime::TestCa ca;
  const Running other(ca.Issue("korder-order-svc"));
  CHECK_FALSE(Dial(other.endpoint(), "korder-quota-svc", absl::Seconds(10)));
  const Running without_tls(runtime::TlsMaterial{});
  CHECK_FALSE(Dial(without_tls.endpoint(), "korder-quota-svc", absl::Seconds(10)));
  Endpoint nobody;
  {
    const Running gone(ca.Issue("korder-quota-svc"));
    nobody = gone.endpoint();
  }
  CHECK_FALSE(Dial(nobody, "korder-quota-svc", absl::Seconds(10)));
}

}  // namespace korder::cli
