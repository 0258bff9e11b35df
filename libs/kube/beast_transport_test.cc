#include "kube/beast_transport.h"

#include <algorithm>
#include <functional>
#include <latch>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "kube/testing/test_server.h"

namespace korder::kube {
namespace {

using Peer = TestServer::Peer;

const HttpRequest kGet{"GET", "/x", "", ""};
const HttpRequest kPost{"POST", "/x", "application/json", "{}"};

std::string Answer(const std::string& body, const std::string& status = "200 OK") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

// Answers every request with its number on the connection.
void Count(Peer& peer) {
  for (int i = 1; peer.ReadRequest(); ++i) {
    peer.Write(Answer(std::to_string(i)));
  }
}

// Reads what comes and never answers.
void Hang(Peer& peer) { peer.AwaitClose(); }

// Says this whatever is asked.
TestServer::Script Say(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    while (peer.ReadRequest()) {
      peer.Write(bytes);
    }
  };
}

std::string BodyOf(const absl::StatusOr<HttpResponse>& response) {
  return response.ok() ? response->body : ToString(response.status());
}

constexpr absl::Duration kLong = absl::Seconds(60);

}  // namespace

TEST_CASE("beast transport: a request is what HTTP wants", "[transport]") {
  std::string seen;
  TestServer server([&](Peer& peer) {
    while (const auto request = peer.ReadRequest()) {
      seen = *request;
      peer.Write(Answer("ok"));
    }
  });
  ClusterConfig config = server.Config();
  config.path_prefix = "/prefix";
  config.token = "never in the open";
  const auto transport = NewBeastTransport(config, {.user_agent = "korder-test/1"});
  const std::string common = absl::StrCat("Host: 127.0.0.1:", server.port(),
                                          "\r\nUser-Agent: korder-test/1"
                                          "\r\nAccept: application/json\r\n");
  CHECK(BodyOf(transport->Do(kGet, {})) == "ok");
  CHECK(seen == "GET /prefix/x HTTP/1.1\r\n" + common + "\r\n");
  CHECK(BodyOf(transport->Do(kPost, {})) == "ok");
  CHECK(seen == "POST /prefix/x HTTP/1.1\r\n" + common +
                    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  CHECK(BodyOf(transport->Do({"DELETE", "/x", "", ""}, {})) == "ok");
  CHECK(seen == "DELETE /prefix/x HTTP/1.1\r\n" + common + "Content-Length: 0\r\n\r\n");
}

TEST_CASE("beast transport: every status is an answer", "[transport]") {
  TestServer server(
      Say("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow"));
  const auto transport = NewBeastTransport(server.Config());
  const auto response = transport->Do(kPost, {});
  REQUIRE(response.ok());
  CHECK(response->status == 429);
  CHECK(response->retry_after == absl::Seconds(7));
  CHECK(response->body == "slow");
  const auto stream = transport->Open(kGet, {});
  REQUIRE(stream.ok());
  CHECK(stream->status == 429);
  CHECK(stream->retry_after == absl::Seconds(7));
  CHECK(stream->error_body == "slow");
  CHECK(stream->body == nullptr);
  CHECK(server.connections() == 1);
}

TEST_CASE("beast transport: bodies of every form are read whole", "[transport]") {
  struct Case {
    const char* name;
    std::string bytes;
    std::string want;
  };
  const Case cases[] = {
      {"length", Answer("abc"), "abc"},
      {"empty", Answer(""), ""},
      {"none", "HTTP/1.1 204 No Content\r\n\r\n", ""},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
       "abc"},
      {"after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n" + Answer("abc"), "abc"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      TestServer server(Say(c.bytes));
      const auto transport = NewBeastTransport(server.Config());
      CHECK(BodyOf(transport->Do(kGet, {})) == c.want);
      CHECK(BodyOf(transport->Do(kPost, {})) == c.want);
      CHECK(server.connections() == 1);
    }
  }
}

TEST_CASE("beast transport: a body may end with the connection", "[transport]") {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
  });
  CHECK(BodyOf(NewBeastTransport(server.Config())->Do(kGet, {})) == "abc");
}

TEST_CASE("beast transport: a broken answer is UNAVAILABLE and is not asked for again",
          "[transport]") {
  struct Case {
    const char* name;
    const char* bytes;
    const char* want;
  };
  const Case cases[] = {
      {"nothing", "", "receive: the server closed the connection"},
      {"cut in the head", "HTTP/1.1 200 OK\r\nCont", "receive: the server closed the connection"},
      {"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
       "receive: the server closed the connection"},
      {"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
       "receive: the server closed the connection"},
      {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed answer: bad version"},
      {"too large", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a",
       "malformed answer: body limit exceeded"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      TestServer server([&](Peer& peer) {
        peer.ReadRequest();
        peer.Write(c.bytes);
      });
      const auto transport = NewBeastTransport(server.Config(), {.max_body = 10});
      CHECK(ToString(transport->Do(kGet, {}).status()) == absl::StrCat("UNAVAILABLE: ", c.want));
      CHECK(server.connections() == 1);
    }
  }
}

TEST_CASE("beast transport: connections are kept and used again", "[transport]") {
  TestServer server(Count);
  const auto transport = NewBeastTransport(server.Config());
  for (int i = 1; i <= 10; ++i) {
    CHECK(BodyOf(transport->Do(i % 2 == 0 ? kGet : kPost, {})) == std::to_string(i));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("beast transport: no connection is kept when somebody does not want it", "[transport]") {
  SECTION("the server says close") {
    TestServer server(Say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1"));
    const auto transport = NewBeastTransport(server.Config());
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(server.connections() == 2);
  }
  SECTION("it is idle too long") {
    TestServer server(Count);
    const auto transport =
        NewBeastTransport(server.Config(), {.idle_timeout = absl::ZeroDuration()});
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(server.connections() == 2);
  }
  SECTION("none may be idle") {
    TestServer server(Count);
    const auto transport = NewBeastTransport(server.Config(), {.max_idle = 0});
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
    CHECK(server.connections() == 2);
  }
}

TEST_CASE("beast transport: a connection that the server closed meanwhile is not tried",
          "[transport]") {
  std::latch closed(1);
  TestServer server([&](Peer& peer) {
    if (peer.number() == 0) {
      peer.ReadRequest();
      peer.Write(Answer("first"));
      peer.Close();
      closed.count_down();
    } else {
      Count(peer);
    }
  });
  const auto transport = NewBeastTransport(server.Config());
  CHECK(BodyOf(transport->Do(kGet, {})) == "first");
  closed.wait();
  CHECK(BodyOf(transport->Do(kPost, {})) == "1");
  CHECK(server.connections() == 2);
}

TEST_CASE("beast transport: when a kept connection breaks, a read is repeated and a write is not",
          "[transport]") {
  std::atomic<int> seen = 0;
  TestServer server([&](Peer& peer) {
    if (peer.number() == 0) {
      peer.ReadRequest();
      peer.Write(Answer("first"));
      if (peer.ReadRequest()) {  // Swallows one.
        ++seen;
      }
    } else {
      Count(peer);
    }
  });
  const auto transport = NewBeastTransport(server.Config());
  CHECK(BodyOf(transport->Do(kGet, {})) == "first");
  SECTION("GET") {
    CHECK(BodyOf(transport->Do(kGet, {})) == "1");
    CHECK(server.connections() == 2);
  }
  SECTION("a stream") {
    const auto stream = transport->Open(kGet, {});
    REQUIRE(stream.ok());
    CHECK(*stream->body->Read(kLong) == "1");
    CHECK(server.connections() == 2);
  }
  SECTION("POST") {
    CHECK(absl::IsUnavailable(transport->Do(kPost, {}).status()));
    CHECK(server.connections() == 1);
    CHECK(BodyOf(transport->Do(kPost, {})) == "1");
  }
  CHECK(seen == 1);
}

TEST_CASE("beast transport: a read is not repeated once a part of its answer came", "[transport]") {
  TestServer server([&](Peer& peer) {
    peer.ReadRequest();
    peer.Write(Answer("first"));
    peer.ReadRequest();
    peer.Write("HTTP/1.1 2");
  });
  const auto transport = NewBeastTransport(server.Config());
  CHECK(BodyOf(transport->Do(kGet, {})) == "first");
  CHECK(absl::IsUnavailable(transport->Do(kGet, {}).status()));
  CHECK(server.connections() == 1);
}

TEST_CASE("beast transport: a server that hangs costs the timeout", "[transport]") {
  TestServer server(Hang);
  const auto transport = NewBeastTransport(server.Config());
  const SystemClock clock;
  const MonoTime start = clock.Mono();
  CHECK(ToString(transport->Do(kGet, {.timeout = absl::Milliseconds(50)}).status()) ==
        "DEADLINE_EXCEEDED: receive: timed out");
  CHECK(absl::IsDeadlineExceeded(
      transport->Open(kGet, {.timeout = absl::Milliseconds(50)}).status()));
  const auto took = clock.Mono() - start;
  CHECK(took >= std::chrono::milliseconds(100));
  CHECK(took < std::chrono::seconds(20));
  // It was not the kept connection's fault, but it is not used again.
  CHECK(server.connections() == 2);
}

TEST_CASE("beast transport: the timeout is for the whole exchange, not for each byte",
          "[transport]") {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    peer.AwaitClose();
  });
  const auto transport = NewBeastTransport(server.Config());
  CHECK(
      absl::IsDeadlineExceeded(transport->Do(kGet, {.timeout = absl::Milliseconds(50)}).status()));
}

TEST_CASE("beast transport: a stop ends a request under way", "[transport]") {
  std::latch asked(1);
  TestServer server([&](Peer& peer) {
    peer.ReadRequest();
    asked.count_down();
    peer.AwaitClose();
  });
  const auto transport = NewBeastTransport(server.Config());
  std::stop_source source;
  const std::jthread stopper([&] {
    asked.wait();
    source.request_stop();
  });
  CHECK(ToString(transport->Do(kPost, {.timeout = kLong, .stop = source.get_token()}).status()) ==
        "CANCELLED: receive: stopped");
}

TEST_CASE("beast transport: after a stop nothing is sent", "[transport]") {
  std::atomic<int> requests = 0;
  TestServer server([&](Peer& peer) {
    while (peer.ReadRequest()) {
      ++requests;
      peer.Write(Answer("ok"));
    }
  });
  const auto transport = NewBeastTransport(server.Config());
  std::stop_source source;
  source.request_stop();
  CHECK(absl::IsCancelled(transport->Do(kPost, {.stop = source.get_token()}).status()));
  CHECK(BodyOf(transport->Do(kPost, {})) == "ok");
  CHECK(absl::IsCancelled(transport->Do(kPost, {.stop = source.get_token()}).status()));
  CHECK(requests == 1);
}

TEST_CASE("beast transport: nobody listening is UNAVAILABLE", "[transport]") {
  ClusterConfig config;
  {
    TestServer server(Hang);
    config = server.Config();
  }
  CHECK(ToString(NewBeastTransport(config)->Do(kGet, {}).status()) ==
        absl::StrCat("UNAVAILABLE: connect to 127.0.0.1:", config.port, ": Connection refused"));
  config.host = "no.such.host.invalid";
  CHECK_THAT(ToString(NewBeastTransport(config)->Do(kGet, {}).status()),
             Catch::StartsWith("UNAVAILABLE: resolve no.such.host.invalid: "));
}

TEST_CASE("beast transport: a stream gives what arrives when it arrives", "[transport]") {
  std::latch first_read(1);
  std::latch second_read(1);
  TestServer server([&](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    first_read.wait();
    peer.Write("6\r\n, worl\r\n1\r");  // The next chunk's head is cut.
    second_read.wait();
    peer.Write("\nd\r\n0\r\n\r\n");
    peer.AwaitClose();
  });
  auto transport = NewBeastTransport(server.Config());
  auto stream = transport->Open(kGet, {.timeout = kLong});
  REQUIRE(stream.ok());
  transport.reset();  // The stream does not need it any more.
  ByteStream& body = *stream->body;
  CHECK(*body.Read(kLong) == "hello");
  first_read.count_down();
  CHECK(*body.Read(kLong) == ", worl");
  second_read.count_down();
  CHECK(*body.Read(kLong) == "d");
  CHECK(body.Read(kLong)->empty());
  CHECK(body.Read(kLong)->empty());
}

TEST_CASE("beast transport: a stream that breaks gives what came, then UNAVAILABLE",
          "[transport]") {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n9\r\nwor");
  });
  const auto transport = NewBeastTransport(server.Config());
  const auto stream = transport->Open(kGet, {});
  REQUIRE(stream.ok());
  std::string all;
  absl::StatusOr<std::string> piece = stream->body->Read(kLong);
  for (; piece.ok(); piece = stream->body->Read(kLong)) {
    REQUIRE_FALSE(piece->empty());
    all += *piece;
  }
  CHECK(all == "hellowor");
  CHECK(absl::IsUnavailable(piece.status()));
}

TEST_CASE("beast transport: a stream cut at any byte gives what came whole, then UNAVAILABLE",
          "[transport]") {
  const std::vector<std::string> pieces{"{\"a\":1}\n", "{\"b\"", ":2}\n{\"c\":3}\n", "{}\n"};
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  std::string answer = head;
  std::vector<std::string> before(head.size(), "");  // by byte: the body that has come by then
  for (const std::string& piece : pieces) {
    const std::string size = absl::StrCat(absl::Hex(piece.size()), "\r\n");
    absl::StrAppend(&answer, size, piece, "\r\n");
    before.resize(before.size() + size.size(), body);
    for (const char c : piece) {
      before.push_back(body);
      body += c;
    }
    before.resize(before.size() + 2, body);
  }
  answer += "0\r\n\r\n";
  before.resize(answer.size(), body);
  for (size_t cut = 0; cut <= answer.size(); ++cut) {
    TestServer server([&](Peer& peer) {
      peer.ReadRequest();
      peer.Write(std::string_view(answer).substr(0, cut));
    });
    const auto transport = NewBeastTransport(server.Config());
    const auto stream = transport->Open(kGet, {});
    INFO("cut after byte " << cut);
    REQUIRE(stream.ok() == (cut >= head.size()));
    if (!stream.ok()) {
      REQUIRE(absl::IsUnavailable(stream.status()));
      continue;
    }
    std::string all;
    absl::StatusOr<std::string> piece = stream->body->Read(kLong);
    for (; piece.ok() && !piece->empty(); piece = stream->body->Read(kLong)) {
      all += *piece;
    }
    REQUIRE(all == (cut == answer.size() ? body : before[cut]));
    REQUIRE(piece.ok() == (cut == answer.size()));
    REQUIRE((piece.ok() || absl::IsUnavailable(piece.status())));
  }
}

namespace {

// The descriptors of this process for which `wanted` holds.
std::vector<int> Sockets(const std::function<bool(int)>& wanted) {
  std::vector<int> found;
  for (int fd = 3; fd < 1024; ++fd) {
    if (wanted(fd)) {
      found.push_back(fd);
    }
  }
  return found;
}

// The port at this end (getsockname) or at the other (getpeername) of a connection.
template <class Name>
int PortOf(int fd, Name name) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  sockaddr_in peer{};
  socklen_t peer_size = sizeof(peer);
  const bool connected = ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0;
  return connected && name(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0
             ? ntohs(address.sin_port)
             : 0;
}

int Option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  REQUIRE(::getsockopt(fd, IPPROTO_TCP, name, &value, &size) == 0);
  return value;
}
void SetOption(int fd, int name, int value) {
  REQUIRE(::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value)) == 0);
}

}  // namespace

TEST_CASE("beast transport: a peer that vanished without a word is noticed within 30 seconds",
          "[transport]") {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    peer.AwaitClose();
  });
  const auto transport = NewBeastTransport(server.Config());
  const auto stream = transport->Open(kGet, {});
  REQUIRE(stream.ok());
  REQUIRE(*stream->body->Read(kLong) == "hello");
  const auto ours = Sockets([&](int fd) { return PortOf(fd, ::getpeername) == server.port(); });
  const auto theirs = Sockets([&](int fd) { return PortOf(fd, ::getsockname) == server.port(); });
  REQUIRE(ours.size() == 1);
  REQUIRE(theirs.size() == 1);

  // A silent connection is probed after KEEPIDLE, and given up at the first probe after
  // USER_TIMEOUT.
  const int idle = Option(ours[0], TCP_KEEPIDLE);
  const int interval = Option(ours[0], TCP_KEEPINTVL);
  const int limit = Option(ours[0], TCP_USER_TIMEOUT) / 1000;
  REQUIRE(limit > 0);
  CHECK(std::max(limit, idle) + interval <= 30);
  CHECK(idle + interval * Option(ours[0], TCP_KEEPCNT) <= 30);

  // From now on every packet to the server vanishes, probes too. With the times shortened, so that
  // the test need not wait for as long, the connection's end is seen.
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &nothing};
  REQUIRE(::setsockopt(theirs[0], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0);
  SetOption(ours[0], TCP_USER_TIMEOUT, 1500);
  SetOption(ours[0], TCP_KEEPINTVL, 1);
  SetOption(ours[0], TCP_KEEPIDLE, 1);
  const SystemClock clock;
  const MonoTime start = clock.Mono();
  CHECK(absl::IsUnavailable(stream->body->Read(kLong).status()));
  CHECK(clock.Mono() - start < std::chrono::seconds(20));
}

TEST_CASE("beast transport: a silent stream ends after its idle limit, or on a stop",
          "[transport]") {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.AwaitClose();
  });
  const auto transport = NewBeastTransport(server.Config());
  std::stop_source source;
  const auto stream = transport->Open(kGet, {.stop = source.get_token()});
  REQUIRE(stream.ok());
  SECTION("idle") {
    CHECK(absl::IsDeadlineExceeded(stream->body->Read(absl::Milliseconds(30)).status()));
    // Nothing more can come of it.
    CHECK_FALSE(stream->body->Read(kLong).ok());
  }
  SECTION("stop") {
    const std::jthread stopper([&] { source.request_stop(); });
    CHECK(absl::IsCancelled(stream->body->Read(kLong).status()));
  }
  SECTION("an infinite limit can be stopped, too") {
    const std::jthread stopper([&] { source.request_stop(); });
    CHECK(absl::IsCancelled(stream->body->Read(absl::InfiniteDuration()).status()));
  }
}

TEST_CASE("beast transport: twenty threads share the connections of one transport", "[transport]") {
  TestServer server([](Peer& peer) {
    while (const auto request = peer.ReadRequest()) {
      peer.Write(Answer(request->substr(0, request->find(" HTTP"))));
    }
  });
  const auto transport = NewBeastTransport(server.Config());
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 20; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const HttpRequest request{"PUT", absl::StrCat("/", t, "/", i), "", ""};
          wrong += BodyOf(transport->Do(request, {})) != "PUT " + request.target;
        }
      });
    }
  }
  CHECK(wrong == 0);
  CHECK(server.connections() <= 20);
}

}  // namespace korder::kube
