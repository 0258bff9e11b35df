// What a gRPC server bears of callers who mean harm, or are broken: while they go on honest calls
// are answered, memory stays bounded, and afterwards all is as before.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <malloc.h>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "korder/quota/v1/quota.grpc.pb.h"
#include "runtime/grpc_client.h"
#include "runtime/grpc_server.h"
#include "runtime/testing/reviewing_api_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/testing/test_h2_client.h"
#include "runtime/testing/test_http_client.h"
#include "runtime/user_access.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" size_t __sanitizer_get_current_allocated_bytes();  // Debian has no header for it.
#endif

namespace korder::runtime {
namespace {

namespace pb = korder::quota::v1;

constexpr char kReserve[] = "/korder.quota.v1.QuotaLedger/Reserve";
constexpr char kRelease[] = "/korder.quota.v1.QuotaLedger/Release";
constexpr size_t kMostMemory = 128 << 20;  // more than before

class Ledger final : public pb::QuotaLedger::Service {
  grpc::Status Reserve(grpc::ServerContext*, const pb::ReserveRequest*,
                       pb::ReserveResponse* response) override {
    response->set_epoch(7);
    return grpc::Status::OK;
  }
};

// What the program has allocated and not given back.
size_t HeapInUse() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

// Of honest calls, one after the other.
struct Calls {
  int failed = 0;
  std::string first_error;
  std::vector<absl::Duration> times;

  absl::Duration Percentile(size_t percent) {
    std::sort(times.begin(), times.end());
    return times.empty() ? absl::InfiniteDuration() : times[(times.size() - 1) * percent / 100];
  }
};

// As quota-svc: services with certificates, people with tokens.
struct Fixture {
  Fixture() {
    server.AddService(&ledger);
    REQUIRE(server.Start().ok());
    serving = std::jthread([this](std::stop_token stop) { (void)server.Run(stop); });
    honest = Connect();
    REQUIRE(Call().ok());  // The first one shakes hands.
    memory_before = HeapInUse();
  }
  absl::Status Call(std::shared_ptr<grpc::Channel> channel = nullptr) {
    grpc::ClientContext context;
    SetDeadline(context, absl::Seconds(5));
    pb::ReserveResponse response;
    const auto stub = pb::QuotaLedger::NewStub(channel ? channel : honest);
    return FromGrpcStatus(stub->Reserve(&context, {}, &response), "reserve");
  }
  std::shared_ptr<grpc::Channel> Connect() {
    return NewChannel({.address = absl::StrCat("127.0.0.1:", server.port()),
                       .peer = "korder-quota-svc",
                       .tls = ca.Issue("korder-order-svc")});
  }
  TlsMaterial Person() const { return {.ca = ca.Issue("x").ca, .certificate = "", .key = ""}; }

  // Calls for so long, and looks at the memory.
  Calls CallFor(absl::Duration time) {
    Calls calls;
    for (const absl::Time end = absl::Now() + time; absl::Now() < end;) {
      const absl::Time begin = absl::Now();
      absl::Status status = Call();
      if (!status.ok()) {  // Services try again, too: all threads may be busy for a moment.
        status = Call();
      }
      calls.times.push_back(absl::Now() - begin);
      if (!status.ok() && calls.failed++ == 0) {
        calls.first_error = ToString(status);
      }
      most_memory = std::max(most_memory, HeapInUse());
    }
    return calls;
  }
  // True when calls are answered at once again within the 5 s that a recovery may take.
  bool Recovers() {
    const absl::Time end = absl::Now() + absl::Seconds(5);
    for (int good = 0; good < 20 && absl::Now() < end;) {
      const absl::Time begin = absl::Now();
      good = Call().ok() && absl::Now() - begin < absl::Milliseconds(100) ? good + 1 : 0;
    }
    return absl::Now() < end && Call(Connect()).ok();
  }
  bool MemoryIsBounded() const { return most_memory < memory_before + kMostMemory; }

  const TestCa ca;
  ReviewingApiServer api_server{{.knows = {"may"}, .may = {"may"}}};
  kube::Client client{api_server};
  SystemClock clock;
  UserAccess users{client, clock, {.access = {.verb = "get", .resource = "quotas"}}};
  const std::jthread reviews{[this](std::stop_token stop) { users.Run(stop); }};
  Metrics metrics{"quota-svc"};
  Ledger ledger;
  GrpcServer server{{.listen = "127.0.0.1:0",
                     .tls = ca.Issue("korder-quota-svc"),
                     .allow = {{kReserve, {"korder-order-svc"}}, {kRelease, {"korder-order-svc"}}},
                     .user_methods = {kReserve},
                     .users = &users},
                    metrics};
  std::jthread serving;
  std::shared_ptr<grpc::Channel> honest;
  size_t memory_before = 0;
  size_t most_memory = 0;
};

// By hand only: gRPC 1.51 does not hold against this (docs/reliability.md, what is not shown).
TEST_CASE("grpc flood: streams that are opened and reset keep no honest call from its answer",
          "[.][resets]") {
  Fixture f;
  struct Flooder {
    const char* name;
    TlsMaterial tls;
    const char* method;
    const char* token;
  };
  const Flooder flooders[] = {
      {"a service that may not", f.ca.Issue("somebody"), kReserve, ""},
      {"a person with a token", f.Person(), kReserve, "may"},
      {"nobody", f.Person(), kReserve, ""},
  };
  for (const Flooder& flooder : flooders) {
    DYNAMIC_SECTION(flooder.name) {
      std::atomic<int> resets = 0;
      std::jthread flood([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          TestH2Client client(f.server.port(), flooder.tls);
          bool open = true;
          while (open && !stop.stop_requested()) {
            for (int i = 0; i < 100; ++i) {
              client.Reset(client.Call(flooder.method, flooder.token));
            }
            open = client.Flush() && client.Skim();
            resets += 100;
          }
        }
      });
      Calls calls = f.CallFor(absl::Milliseconds(1500));
      flood = {};
      std::cout << absl::StreamFormat(
                       "grpc flood, %s: %d streams reset; %d honest calls meanwhile, %d failed, "
                       "p50 %s, p99 %s; at most %d MiB more memory\n",
                       flooder.name, resets.load(), calls.times.size(), calls.failed,
                       absl::FormatDuration(calls.Percentile(50)),
                       absl::FormatDuration(calls.Percentile(99)),
                       (f.most_memory - std::min(f.most_memory, f.memory_before)) >> 20)
                << std::flush;
      INFO(calls.first_error);
      CHECK(calls.failed == 0);
      CHECK(calls.times.size() > 2);
      CHECK(resets > 500);
      CHECK(f.Recovers());
      CHECK(f.MemoryIsBounded());
    }
  }
}

TEST_CASE("grpc flood: callers who read nothing take nobody's place", "[grpc][flood]") {
  Fixture f;
  std::vector<std::unique_ptr<TestH2Client>> deaf;
  for (int i = 0; i < 4; ++i) {
    deaf.push_back(std::make_unique<TestH2Client>(f.server.port(), f.Person(), /*window=*/0));
    for (int n = 0; n < 64; ++n) {
      deaf.back()->Call(kReserve, "may");
    }
    CHECK(deaf.back()->Flush());
  }
  // While they arrive, all at once, a call may meet a server without threads, and is tried again.
  CHECK(f.Recovers());
  Calls calls = f.CallFor(absl::Seconds(1));
  INFO(calls.first_error);
  CHECK(calls.failed == 0);
  CHECK(calls.Percentile(99) < absl::Seconds(1));
  CHECK(f.MemoryIsBounded());
  deaf.clear();
  CHECK(f.Recovers());
}

TEST_CASE(
    "grpc flood: calls that are never finished and connections that say nothing do not either",
    "[grpc][flood]") {
  Fixture f;
  std::vector<std::unique_ptr<TestH2Client>> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(std::make_unique<TestH2Client>(f.server.port(), f.ca.Issue("korder-order-svc")));
    for (int n = 0; n < 64; ++n) {
      slow.back()->Begin(kReserve);
    }
    CHECK(slow.back()->Flush());
  }
  std::vector<std::unique_ptr<TestHttpClient>> silent;
  for (int i = 0; i < 500; ++i) {
    silent.push_back(std::make_unique<TestHttpClient>(f.server.port()));
  }
  Calls calls = f.CallFor(absl::Seconds(1));
  INFO(calls.first_error);
  CHECK(calls.failed == 0);
  CHECK(f.Call(f.Connect()).ok());
  CHECK(f.MemoryIsBounded());
  INFO("who does not begin to shake hands is closed after five seconds");
  CHECK(silent.front()->ClosedByServer());
  slow.clear();
  silent.clear();
  CHECK(f.Recovers());
}

}  // namespace
}  // namespace korder::runtime
