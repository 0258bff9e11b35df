#include "runtime/http_server.h"

#include <atomic>
#include <deque>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/time/clock.h"
#include "base/testing/fake_clock.h"
#include "runtime/health.h"
#include "runtime/testing/test_certs.h"
#include "runtime/testing/test_http_client.h"

namespace korder::runtime {
namespace {

HttpServerResponse Echo(const HttpServerRequest& request) {
  return {200, "text/plain", request.method + " " + request.target + " " + request.body};
}

// A server on a free port until Stop or the end of the test.
class Running {
 public:
  explicit Running(HttpServerOptions options, HttpHandler handler = Echo)
      : server_(std::move(options), std::move(handler)) {
    REQUIRE(server_.Start().ok());
    thread_ = std::jthread([this](std::stop_token stop) { ended_ = server_.Run(stop); });
  }
  HttpServer& operator*() { return server_; }
  int port() const { return server_.port(); }
  void RequestStop() { thread_.request_stop(); }
  absl::Status Join() {
    thread_.join();
    return ended_;
  }

 private:
  HttpServer server_;
  absl::Status ended_;
  std::jthread thread_;
};

HttpServerOptions Loopback() { return {.listen = "127.0.0.1:0"}; }

}  // namespace

TEST_CASE("http server: a connection serves one request after the other", "[http]") {
  Running server(Loopback());
  TestHttpClient client(server.port());
  CHECK(client.Do("GET", "/a?b=c").body == "GET /a?b=c ");
  const TestHttpResponse second = client.Do("POST", "/d", "body");
  CHECK(second.status == 200);
  CHECK(second.body == "POST /d body");
  CHECK(second.content_type == "text/plain");
  CHECK(second.keep_alive);
}

TEST_CASE("http server: pipelined requests are answered in order", "[http]") {
  Running server(Loopback());
  TestHttpClient client(server.port());
  client.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.Receive().body == "GET /1 ");
  CHECK(client.Receive().body == "GET /2 ");
}

TEST_CASE("http server: a client that asks to close gets its answer and the end", "[http]") {
  Running server(Loopback());
  TestHttpClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_FALSE(client.Receive().keep_alive);
  CHECK(client.ClosedByServer());
}

TEST_CASE("http server: a body over the limit is refused with 413 and the client reads it",
          "[http]") {
  HttpServerOptions options = Loopback();
  options.max_body = 1000;
  Running server(options);
  CHECK(TestHttpClient(server.port()).Do("POST", "/", std::string(1000, 'x')).status == 200);
  CHECK(TestHttpClient(server.port()).Do("POST", "/", std::string(1001, 'x')).status == 413);
  CHECK(TestHttpClient(server.port()).Do("POST", "/", std::string(300'000, 'x')).status == 413);
  TestHttpClient chunked(server.port());
  chunked.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" +
               std::string(1001, 'x') + "\r\n0\r\n\r\n");
  CHECK(chunked.Receive().status == 413);
}

TEST_CASE("http server: what is no HTTP request is refused with 400, a long header with 431",
          "[http]") {
  Running server(Loopback());
  TestHttpClient nonsense(server.port());
  nonsense.Send("this is not HTTP\r\n\r\n");
  CHECK(nonsense.Receive().status == 400);
  TestHttpClient longwinded(server.port());
  longwinded.Send("GET / HTTP/1.1\r\nX-Long: " + std::string(20'000, 'x') + "\r\n\r\n");
  CHECK(longwinded.Receive().status == 431);
}

TEST_CASE("http server: HEAD is answered with the headers of GET only", "[http]") {
  Running server(Loopback());
  TestHttpClient client(server.port());
  client.Send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // The client's parser does not know of the HEAD and misses the body it was promised.
  CHECK(client.Receive().status == 0);
}

TEST_CASE("http server: a client that expects 100-continue is told to go on", "[http]") {
  Running server(Loopback());
  TestHttpClient client(server.port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.Receive().status == 100);
  client.Send("ab");
  CHECK(client.Receive().body == "POST / ab");
}

TEST_CASE("http server: a request over the concurrency limit is refused with 429 at once",
          "[http]") {
  HttpServerOptions options = Loopback();
  options.threads = 1;
  options.max_concurrent = 1;
  std::latch entered(1);
  std::latch leave(1);
  Running server(options, [&](const HttpServerRequest&) {
    entered.count_down();
    leave.wait();
    return HttpServerResponse{};
  });
  TestHttpClient first(server.port());
  first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  TestHttpClient second(server.port());
  CHECK(second.Do("GET", "/").status == 429);
  const TestHttpResponse refused = second.Do("POST", "/", std::string(200'000, 'x'));
  CHECK(refused.status == 429);
  CHECK(refused.retry_after == "1");
  leave.count_down();
  CHECK(first.Receive().status == 200);
  CHECK(first.Do("GET", "/").status == 200);
  INFO("who was refused need not connect again");
  CHECK(second.Do("GET", "/").status == 200);
}

TEST_CASE("http server: who is slow to send takes nobody's place, and is closed", "[http]") {
  HttpServerOptions options = Loopback();
  options.threads = 1;
  options.max_concurrent = 1;
  options.request_timeout = absl::Milliseconds(500);
  Running server(options);
  std::vector<std::unique_ptr<TestHttpClient>> slow;
  for (const char* bytes :
       {"", "POST / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Le",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    slow.push_back(std::make_unique<TestHttpClient>(server.port()));
    slow.back()->Send(bytes);
  }
  TestHttpClient quick(server.port());
  CHECK(quick.Do("POST", "/", "x").status == 200);
  slow.erase(slow.begin());  // It said nothing yet and may stay.
  for (const auto& client : slow) {
    CHECK(client->ClosedByServer());
  }
}

TEST_CASE("http server: who is slow to read is closed, too", "[http]") {
  HttpServerOptions options = Loopback();
  options.max_connections = 1;
  options.request_timeout = absl::Milliseconds(300);
  Running server(options, [](const HttpServerRequest& request) {
    const size_t size = request.target == "/large" ? 4 << 20 : 4;
    return HttpServerResponse{.body = std::string(size, 'x')};
  });
  TestHttpClient slow(server.port());
  for (int i = 0; i < 16; ++i) {  // Together far more than sockets hold.
    slow.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  // Only then there is room for somebody else.
  bool served = false;
  for (int i = 0; i < 100 && !served; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    served = TestHttpClient(server.port()).Do("GET", "/").status == 200;
  }
  CHECK(served);
}

TEST_CASE("http server: large bodies share a bounded room, small ones need none of it", "[http]") {
  HttpServerOptions options = Loopback();
  options.max_body = 150'000;
  options.max_bodies = 200'000;
  Running server(options);
  const std::string large = std::string(150'000, 'x');
  TestHttpClient first(server.port());
  first.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(first.Receive().status == 100);  // It has its room, and fills it later.
  CHECK(TestHttpClient(server.port()).Do("POST", "/", large).status == 429);
  INFO("a body whose size is not told may be a large one");
  TestHttpClient chunked(server.port());
  chunked.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
  CHECK(chunked.Receive().status == 429);
  CHECK(TestHttpClient(server.port()).Do("POST", "/", "small").status == 200);
  first.Send(large);
  CHECK(first.Receive().status == 200);
  CHECK(TestHttpClient(server.port()).Do("POST", "/", large).status == 200);
  INFO("what a client that went away had is free again");
  {
    TestHttpClient gone(server.port());
    gone.Send(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\nExpect: 100-continue\r\n\r\n");
    CHECK(gone.Receive().status == 100);
  }
  bool served = false;
  for (int i = 0; i < 200 && !served; ++i) {
    served = TestHttpClient(server.port()).Do("POST", "/", large).status == 200;
  }
  CHECK(served);
}

TEST_CASE("http server: a handler that throws costs a 500, not the server", "[http]") {
  Running server(Loopback(), [](const HttpServerRequest& request) {
    return request.target == "/bad" ? throw std::runtime_error("oops") : Echo(request);
  });
  TestHttpClient client(server.port());
  CHECK(client.Do("GET", "/bad").status == 500);
  CHECK(client.Do("GET", "/good").status == 200);
}

TEST_CASE("http server: a handler that takes too long is answered for with 503", "[http]") {
  HttpServerOptions options = Loopback();
  options.request_timeout = absl::Milliseconds(50);
  std::latch leave(1);
  Running server(options, [&](const HttpServerRequest&) {
    leave.wait();
    return HttpServerResponse{};
  });
  TestHttpClient client(server.port());
  CHECK(client.Do("GET", "/").status == 503);
  CHECK(client.ClosedByServer());
  leave.count_down();
}

TEST_CASE("http server: an idle connection and a dripping header are closed", "[http]") {
  HttpServerOptions options = Loopback();
  options.idle_timeout = absl::Milliseconds(30);
  options.request_timeout = absl::Milliseconds(30);
  Running server(options);
  TestHttpClient idle(server.port());
  CHECK(idle.ClosedByServer());
  TestHttpClient dripping(server.port());
  dripping.Send("GET / HT");
  CHECK(dripping.ClosedByServer());
}

TEST_CASE("http server: more connections than allowed are closed", "[http]") {
  HttpServerOptions options = Loopback();
  options.max_connections = 1;
  Running server(options);
  TestHttpClient first(server.port());
  CHECK(first.Do("GET", "/").status == 200);
  TestHttpClient second(server.port());
  CHECK(second.ClosedByServer());
  CHECK(first.Do("GET", "/").status == 200);
}

TEST_CASE("http server: a flood of connections that say nothing keeps nobody out", "[http][tls]") {
  const TlsMaterial tls = TestCa().Issue("localhost");
  HttpServerOptions options = Loopback();
  options.tls = tls;
  options.max_connections = 64;
  Running server(options);
  TestHttpClient old(server.port(), tls.ca);
  CHECK(old.Do("GET", "/").status == 200);
  std::atomic<int> opened = 0;
  std::jthread flood([&](std::stop_token stop) {
    std::deque<std::unique_ptr<TestHttpClient>> silent;
    while (!stop.stop_requested()) {
      silent.push_back(std::make_unique<TestHttpClient>(server.port()));
      ++opened;
      if (silent.size() > 256) {  // The server has long dropped it.
        silent.pop_front();
      }
    }
  });
  while (opened < 128) {
    std::this_thread::yield();
  }
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 20; ++i) {
    TestHttpClient fresh(server.port(), tls.ca);
    CHECK(fresh.Do("GET", "/").status == 200);
    CHECK(old.Do("GET", "/").status == 200);
  }
  CHECK(absl::Now() - begin < absl::Seconds(5));
}

TEST_CASE("http server: of too many connections the oldest that never asked is closed", "[http]") {
  HttpServerOptions options = Loopback();
  options.max_connections = 2;
  Running server(options);
  TestHttpClient asking(server.port());
  CHECK(asking.Do("GET", "/").status == 200);
  TestHttpClient silent(server.port());
  TestHttpClient late(server.port());
  CHECK(silent.ClosedByServer());
  CHECK(late.Do("GET", "/").status == 200);
  CHECK(asking.Do("GET", "/").status == 200);
}

TEST_CASE("http server: a taken address is UNAVAILABLE and named", "[http]") {
  HttpServer first(Loopback(), Echo);
  REQUIRE(first.Start().ok());
  const std::string address = "127.0.0.1:" + std::to_string(first.port());
  const absl::Status taken = HttpServer({.listen = address}, Echo).Start();
  CHECK(absl::IsUnavailable(taken));
  CHECK_THAT(ToString(taken), Catch::Contains(address));
  CHECK(absl::IsInvalidArgument(HttpServer({.listen = "8080"}, Echo).Start()));
}

TEST_CASE("http server: stop lets a request under way finish and closes idle connections",
          "[http]") {
  std::latch entered(1);
  std::latch leave(1);
  Running server(Loopback(), [&](const HttpServerRequest& request) {
    if (request.target == "/slow") {
      entered.count_down();
      leave.wait();
    }
    return HttpServerResponse{.body = "done"};
  });
  TestHttpClient idle(server.port());
  CHECK(idle.Do("GET", "/").status == 200);
  TestHttpClient busy(server.port());
  busy.Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.wait();
  server.RequestStop();
  CHECK(idle.ClosedByServer());
  CHECK_THROWS(TestHttpClient(server.port()));
  leave.count_down();
  const TestHttpResponse last = busy.Receive();
  CHECK(last.status == 200);
  CHECK(last.body == "done");
  CHECK_FALSE(last.keep_alive);
  CHECK(server.Join().ok());
}

TEST_CASE("http server: while it takes leave it serves, and says that connections end", "[http]") {
  HttpServerOptions options = Loopback();
  options.farewell = absl::Milliseconds(1500);
  Running server(options);
  TestHttpClient idle(server.port());
  TestHttpClient asks(server.port());
  CHECK(asks.Do("GET", "/").keep_alive);
  server.RequestStop();
  // Until the stop has arrived, connections are kept; then each ends with an answer.
  const auto leave_taken = [](TestHttpClient& client) {
    TestHttpResponse last = client.Do("GET", "/");
    while (last.status == 200 && last.keep_alive) {
      last = client.Do("GET", "/");
    }
    return last.status == 200;
  };
  CHECK(leave_taken(asks));
  CHECK(asks.ClosedByServer());
  TestHttpClient late(server.port());
  CHECK(leave_taken(late));
  CHECK(idle.ClosedByServer());
  CHECK(server.Join().ok());
}

TEST_CASE("http server: TLS is 1.3 with a client that can, and the name is checked",
          "[http][tls]") {
  const TestCa ca;
  const TlsMaterial tls = ca.Issue("korder-admission-svc");
  HttpServerOptions options = Loopback();
  options.tls = tls;
  Running server(options);
  TestHttpClient client(server.port(), tls.ca);
  CHECK(client.Do("POST", "/x", std::string(100'000, 'y')).status == 200);
  CHECK(client.TlsVersion() == "TLSv1.3");
  CHECK(client.PeerCommonName() == "korder-admission-svc");
  const std::string other_ca = TestCa().Issue("x").ca;
  CHECK_THROWS(TestHttpClient(server.port(), other_ca));
}

TEST_CASE("http server: TLS answers survive a refusal", "[http][tls]") {
  const TlsMaterial tls = TestCa().Issue("a");
  HttpServerOptions options = Loopback();
  options.tls = tls;
  options.max_body = 1000;
  Running server(options);
  TestHttpClient client(server.port(), tls.ca);
  CHECK(client.Do("POST", "/", std::string(200'000, 'x')).status == 413);
}

TEST_CASE("http server: new connections use a new certificate, open ones go on", "[http][tls]") {
  const TestCa ca;
  const TlsMaterial before = ca.Issue("before");
  HttpServerOptions options = Loopback();
  options.tls = before;
  Running server(options);
  TestHttpClient old(server.port(), before.ca);
  CHECK(old.Do("GET", "/").status == 200);
  (*server).SetTls(ca.Issue("after"));
  CHECK(TestHttpClient(server.port(), before.ca).PeerCommonName() == "after");
  CHECK(old.Do("GET", "/").status == 200);

  TlsMaterial mixed = ca.Issue("mixed");
  mixed.key = before.key;
  (*server).SetTls(mixed);
  CHECK(TestHttpClient(server.port(), before.ca).PeerCommonName() == "after");
}

TEST_CASE("http server: unusable certificates are refused at the start", "[http][tls]") {
  HttpServerOptions options = Loopback();
  options.tls = {.ca = "", .certificate = "x", .key = "y"};
  CHECK(absl::IsInvalidArgument(HttpServer(options, Echo).Start()));
}

TEST_CASE("health server: it answers before the manager runs, and after it has ended", "[http]") {
  FakeClock clock;
  Metrics metrics("order-svc");
  Manager manager(clock);
  HealthServer health("127.0.0.1:0", manager, metrics);
  REQUIRE(health.Start().ok());
  TestHttpClient client(health.port());
  CHECK(client.Do("GET", "/healthz").status == 200);  // the certificates may still be missing
  CHECK(client.Do("GET", "/readyz").body == "service: is starting\n");
  {
    // What the check looks at does not outlive the manager's Run.
    auto part = std::make_unique<absl::Status>(UnavailableError("not there"));
    manager.AddReadyCheck("part", [&part] { return *part; });
    std::jthread running([&](std::stop_token stop) { (void)manager.Run(stop, nullptr); });
    std::string ready;
    for (int i = 0; i < 1000 && ready != "part: not there\n"; ++i) {
      ready = client.Do("GET", "/readyz").body;
    }
    CHECK(ready == "part: not there\n");
    running.request_stop();
    running.join();
  }
  CHECK(client.Do("GET", "/readyz").body == "service: is stopping\n");
  CHECK(client.Do("GET", "/healthz").status == 200);
}

TEST_CASE("health server: a port that is taken is named", "[http]") {
  FakeClock clock;
  Metrics metrics("order-svc");
  Manager manager(clock);
  HealthServer first("127.0.0.1:0", manager, metrics);
  REQUIRE(first.Start().ok());
  const std::string taken = "127.0.0.1:" + std::to_string(first.port());
  HealthServer second(taken, manager, metrics);
  const absl::Status refused = second.Start();
  CHECK(absl::IsUnavailable(refused));
  CHECK_THAT(std::string(refused.message()), Catch::Contains(taken));
}

}  // namespace korder::runtime
