// The transport over TLS: who is trusted, and that everything works as it does in the open.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "kube/beast_transport.h"
#include "kube/testing/test_server.h"

namespace korder::kube {
namespace {

using Peer = TestServer::Peer;

const HttpRequest kGet{"GET", "/x", "", ""};
const HttpRequest kPost{"POST", "/x", "application/json", "{}"};
constexpr char kLocal[] = "DNS:localhost,IP:127.0.0.1";

const TestCa& Ca() {
  static const TestCa ca;
  return ca;
}

std::string Answer(const std::string& body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

// Says what follows the head of each request.
void Echo(Peer& peer) {
  while (const auto request = peer.ReadRequest()) {
    peer.Write(Answer(request->substr(request->find("\r\n\r\n") + 4)));
  }
}

TestServer::Tls Serving(const std::string& names, const std::string& client_ca = "") {
  return {Ca().Issue("server", names), client_ca};
}

ClusterConfig Trusting(const TestServer& server) {
  ClusterConfig config = server.Config();
  config.ca = Ca().pem();
  return config;
}

std::string Try(const ClusterConfig& config) {
  const auto response = NewBeastTransport(config)->Do(kPost, {});
  return response.ok() ? response->body : ToString(response.status());
}

}  // namespace

TEST_CASE("beast transport: TLS connections are kept and used again", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal));
  const auto transport = NewBeastTransport(Trusting(server));
  for (int i = 0; i < 10; ++i) {
    CHECK(transport->Do(kPost, {})->body == "{}");
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("beast transport: bodies of megabytes go both ways over TLS", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal));
  const auto transport = NewBeastTransport(Trusting(server));
  const std::string body(3 << 20, 'x');
  const auto response = transport->Do({"POST", "/x", "application/json", body}, {});
  REQUIRE(response.ok());
  CHECK((response->body == body));
  CHECK(transport->Do(kPost, {})->body == "{}");
  CHECK(server.connections() == 1);
}

TEST_CASE("beast transport: the server must prove its name or address", "[transport][tls]") {
  struct Case {
    const char* name;
    const char* names;  // in the certificate
    const char* host;
    const char* server_name;
    const char* want;  // "{}" = accepted
  };
  const Case cases[] = {
      {"address", "IP:127.0.0.1", "127.0.0.1", "", "{}"},
      {"name", "DNS:localhost", "localhost", "", "{}"},
      {"another name than the host's", "DNS:kubernetes", "127.0.0.1", "kubernetes", "{}"},
      {"wildcard", "DNS:*.example.com", "127.0.0.1", "a.example.com", "{}"},
      {"wrong address", "IP:127.0.0.2", "127.0.0.1", "", "IP address mismatch"},
      {"an address is no name", "DNS:127.0.0.1", "127.0.0.1", "", "IP address mismatch"},
      {"wrong name", "DNS:other", "localhost", "", "hostname mismatch"},
      {"wrong other name", "DNS:localhost,IP:127.0.0.1", "127.0.0.1", "kubernetes",
       "hostname mismatch"},
      {"wildcard over two levels", "DNS:*.example.com", "127.0.0.1", "a.b.example.com",
       "hostname mismatch"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      TestServer server(Echo, Serving(c.names));
      ClusterConfig config = Trusting(server);
      config.host = c.host;
      config.tls_server_name = c.server_name;
      CHECK_THAT(Try(config), Catch::Contains(c.want));
      config.insecure_skip_tls_verify = true;
      CHECK(Try(config) == "{}");
    }
  }
}

TEST_CASE("beast transport: a server of another authority is refused", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal));
  const TestCa other;
  ClusterConfig config = Trusting(server);
  config.ca = other.pem();
  CHECK_THAT(Try(config), Catch::StartsWith("UNAVAILABLE: TLS handshake with 127.0.0.1:"));
  CHECK_THAT(Try(config), Catch::Contains("certificate verify failed"));
  config.ca = other.pem() + Ca().pem();  // While authorities are replaced, both are trusted.
  CHECK(Try(config) == "{}");
  config.ca.clear();  // The system's do not know ours.
  CHECK_THAT(Try(config), Catch::Contains("certificate verify failed"));
}

TEST_CASE("beast transport: the client shows its certificate", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal, Ca().pem()));
  ClusterConfig config = Trusting(server);
  CHECK_THAT(Try(config), Catch::StartsWith("UNAVAILABLE: "));
  const TestCa::Pair me = Ca().Issue("me", "DNS:me");
  config.certificate = me.certificate;
  config.key = me.key;
  CHECK(Try(config) == "{}");
}

TEST_CASE("beast transport: an unusable certificate fails every call", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal));
  ClusterConfig config = server.Config();
  config.ca = "junk";
  const auto transport = NewBeastTransport(config);
  CHECK(absl::IsInvalidArgument(transport->Do(kGet, {}).status()));
  CHECK(absl::IsInvalidArgument(transport->Open(kGet, {}).status()));
  CHECK(server.connections() == 0);
}

TEST_CASE("beast transport: a token in a file goes out, and anew after a refusal",
          "[transport][tls]") {
  std::string name = (std::filesystem::temp_directory_path() / "korder-token-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  ::close(file);
  const auto write = [&](const char* token) { std::ofstream(name) << token; };
  TestServer server(
      [](Peer& peer) {
        while (const auto request = peer.ReadRequest()) {
          const bool good = request->find("Authorization: Bearer good\r\n") != std::string::npos;
          peer.Write(good ? Answer("welcome")
                          : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        }
      },
      Serving(kLocal));
  ClusterConfig config = Trusting(server);
  config.token_file = name;
  write("bad");
  const auto transport = NewBeastTransport(config);
  CHECK(transport->Do(kGet, {})->status == 401);
  write("good");
  CHECK(transport->Do(kGet, {})->body == "welcome");
  CHECK(transport->Open(kGet, {})->status == 200);
  std::filesystem::remove(name);
}

TEST_CASE("beast transport: a server that does not shake hands costs the timeout",
          "[transport][tls]") {
  TestServer server([](Peer& peer) { peer.AwaitClose(); });
  ClusterConfig config = server.Config();
  config.tls = true;
  const auto transport = NewBeastTransport(config);
  CHECK_THAT(ToString(transport->Do(kGet, {.timeout = absl::Milliseconds(50)}).status()),
             Catch::StartsWith("DEADLINE_EXCEEDED: TLS handshake with 127.0.0.1:"));
}

TEST_CASE("beast transport: a TLS stream is incremental, and a cut one is an error",
          "[transport][tls]") {
  std::latch read(1);
  TestServer server(
      [&](Peer& peer) {
        peer.ReadRequest();
        peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        read.wait();
        peer.Write("3\r\nyou\r\n");
      },
      Serving(kLocal));
  const auto transport = NewBeastTransport(Trusting(server));
  const auto stream = transport->Open(kGet, {});
  REQUIRE(stream.ok());
  CHECK(*stream->body->Read(absl::Seconds(60)) == "hello");
  read.count_down();
  CHECK(*stream->body->Read(absl::Seconds(60)) == "you");
  CHECK(absl::IsUnavailable(stream->body->Read(absl::Seconds(60)).status()));
}

TEST_CASE("beast transport: a connection closed by a TLS server is not tried", "[transport][tls]") {
  std::latch closed(1);
  TestServer server(
      [&](Peer& peer) {
        if (peer.number() == 0) {
          peer.ReadRequest();
          peer.Write(Answer("first"));
          peer.Close();
          closed.count_down();
        } else {
          Echo(peer);
        }
      },
      Serving(kLocal));
  const auto transport = NewBeastTransport(Trusting(server));
  CHECK(transport->Do(kGet, {})->body == "first");
  closed.wait();
  CHECK(transport->Do(kPost, {})->body == "{}");
}

TEST_CASE("beast transport: twenty threads over TLS, some of them stopped", "[transport][tls]") {
  TestServer server(Echo, Serving(kLocal));
  const auto transport = NewBeastTransport(Trusting(server));
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 20; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          std::stop_source source;
          std::jthread stopper;
          if (t % 4 == 0) {
            stopper = std::jthread([&] { source.request_stop(); });
          }
          const std::string body = absl::StrCat(t, " ", i);
          const auto response =
              transport->Do({"POST", "/x", "text/plain", body}, {.stop = source.get_token()});
          const bool good = response.ok() ? response->body == body
                                          : t % 4 == 0 && absl::IsCancelled(response.status());
          wrong += !good;
        }
      });
    }
  }
  CHECK(wrong == 0);
}

}  // namespace korder::kube
