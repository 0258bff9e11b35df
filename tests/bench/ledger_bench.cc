// How fast the ledger decides, beside what bounds it, in one run: an empty call over the same
// server and TLS, and a compare-and-swap loop on one object of the same API server, as
// ResourceQuota works.
//
//   ledger_bench [--rounds 5] [--seconds 1] [--json FILE]   # durable decisions need KUBECONFIG
//
// Each round measures everything once, one after the other, so that what disturbs the machine
// disturbs all alike; medians are shown, with the smallest and the largest.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <grpcpp/grpcpp.h>
#include <iostream>
#include <map>
#include <optional>
#include <prometheus/registry.h>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "api/core/config_map.h"
#include "bench_main.h"
#include "figures.h"
#include "plane.h"
#include "quota-svc/grant_log.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/ledger_service.h"
#include "runtime/grpc_client.h"
#include "runtime/grpc_setup.h"
#include "runtime/testing/test_certs.h"

namespace korder::quota {
namespace {

constexpr char kReserve[] = "/korder.quota.v1.QuotaLedger/Reserve";
constexpr char kRelease[] = "/korder.quota.v1.QuotaLedger/Release";
constexpr int kDurableCallers = 64;
constexpr char kBatches[] = "reservations in memory, by 500";
constexpr char kDurable[] = "durable grant, 64 callers";
constexpr char kSwap[] = "compare-and-swap, 64 callers";

struct Settings {
  int rounds = 5;
  double seconds = 1;
};

// What one measurement gave: calls per second, and how long the slowest hundredth took at least.
struct Sample {
  double per_second = 0;
  double p99_ms = 0;
};

// Runs `call(caller)` in a loop on each of `callers` threads for a while. A call returns false when
// it failed, which is not counted.
Sample Measure(int callers, double seconds, const std::function<bool(int)>& call) {
  std::atomic<bool> stop = false;
  std::vector<std::vector<double>> took(static_cast<size_t>(callers));
  std::vector<std::jthread> threads;
  const auto begin = std::chrono::steady_clock::now();
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      std::vector<double>& mine = took[static_cast<size_t>(caller)];
      while (!stop) {
        const auto start = std::chrono::steady_clock::now();
        if (call(caller)) {
          mine.push_back(
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                  .count());
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  threads.clear();
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::vector<double> all;
  for (const std::vector<double>& part : took) {
    all.insert(all.end(), part.begin(), part.end());
  }
  if (all.empty()) {
    return {};
  }
  const size_t at = all.size() * 99 / 100;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
  return {static_cast<double>(all.size()) / elapsed, all[at]};
}

// --- what is measured ---

// Answers without looking: what gRPC, TLS and the messages cost by themselves.
class EmptyLedger final : public pb::QuotaLedger::Service {
  grpc::Status Reserve(grpc::ServerContext*, const pb::ReserveRequest*,
                       pb::ReserveResponse*) override {
    return grpc::Status::OK;
  }
};

pb::ReserveRequest Request(const std::string& id) {
  pb::ReserveRequest request;
  request.set_namespace_("default");
  (*request.mutable_claim()->mutable_requests())["cpu"] = "500m";
  (*request.mutable_claim()->mutable_requests())["memory"] = "1Gi";
  request.mutable_claim()->mutable_duration()->set_seconds(3600);
  request.add_reservation_ids(id);
  return request;
}

QuotaTerms Terms(const std::string& tickets) {
  api::Quota quota;
  quota.metadata.name = "bench";
  quota.spec.hard["tickets"].text = tickets;
  quota.spec.hard["reserved.cpu"].text = "1000000";
  quota.spec.hard["reserved.memory"].text = "1000000Gi";
  return Compile(quota);
}

// A server as quota-svc's, with a client that calls it over loopback and mutual TLS.
class Served {
 public:
  Served(const runtime::TestCa& ca, grpc::Service& service)
      : server_({.listen = "127.0.0.1:0",
                 .tls = ca.Issue("korder-quota-svc"),
                 .allow = {{kReserve, {"korder-order-svc"}}, {kRelease, {"korder-order-svc"}}},
                 .max_threads = 320},
                metrics_) {
    server_.AddService(&service);
    if (const absl::Status started = server_.Start(); !started.ok()) {
      throw std::runtime_error(ToString(started));
    }
    stub_ = pb::QuotaLedger::NewStub(
        runtime::NewChannel({.address = absl::StrCat("127.0.0.1:", server_.port()),
                             .peer = "korder-quota-svc",
                             .tls = ca.Issue("korder-order-svc")}));
  }
  bool Reserve(const pb::ReserveRequest& request) {
    grpc::ClientContext context;
    runtime::SetDeadline(context, absl::Seconds(10));
    pb::ReserveResponse response;
    return stub_->Reserve(&context, request, &response).ok();
  }

 private:
  runtime::Metrics metrics_{"bench"};
  runtime::GrpcServer server_;
  std::unique_ptr<pb::QuotaLedger::Stub> stub_;
};

// A desk with one quota, whose batches are written by `write` (absent: at once durable).
class Desk {
 public:
  using Write = std::function<absl::Status(const Batch&, std::stop_token)>;

  explicit Desk(const std::string& tickets, Write write = nullptr)
      : metrics_(registry_),
        desk(clock_, metrics_, [](const std::string&) { return api::Labels(); }) {
    desk.Begin({.epoch = 1}, [](const std::set<std::string>&) {});
    desk.Observe([&](Ledger& ledger) {
      ledger.PutNamespace("default", {});
      ledger.PutQuota(Terms(tickets), clock_.Now());
    });
    desk.Open();
    writer_ = std::jthread([this, write = std::move(write)](std::stop_token stop) {
      while (const std::optional<Batch> batch = desk.NextBatch(stop)) {
        if (write && !write(*batch, stop).ok()) {
          return;
        }
        desk.MarkDurable(*batch);
      }
    });
  }
  ~Desk() {
    writer_.request_stop();
    writer_.join();
    desk.Close();
  }

 private:
  SystemClock clock_;
  prometheus::Registry registry_;
  Metrics metrics_;
  std::jthread writer_;

 public:
  LedgerDesk desk;
};

// One grant, durable, and given back, so that the object stays as small as it is in life.
bool ReserveAndRelease(LedgerDesk& desk, const std::string& id) {
  const Reservation asked{
      .claim = MakeTicketClaim("default", {}, {{"cpu", api::Quantity::FromInt(1)}}, absl::Hours(1)),
      .ids = {id}};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const bool granted = desk.Reserve(asked, deadline).ok();
  (void)desk.Release({id});
  return granted;
}

// As ResourceQuota does: read the object, add one, write it back unless somebody was faster.
bool CompareAndSwap(kube::Client& client, const kube::ObjectKey& key) {
  absl::StatusOr<api::ConfigMap> object = client.Get<api::ConfigMap>(key);
  if (!object.ok()) {
    return false;
  }
  int64_t used = 0;
  (void)absl::SimpleAtoi(object->data["used"], &used);
  object->data["used"] = absl::StrCat(used + 1);
  return client.Update(*object).ok();
}

// --- the run ---

class LedgerBench {
 public:
  explicit LedgerBench(Settings settings) : settings_(settings) {}

  void Run() {
    runtime::TestCa ca;
    EmptyLedger empty_service;
    Served empty(ca, empty_service);
    Desk full("0");  // every answer is a denial, which needs no write
    LedgerService decided_service(full.desk);
    Served decided(ca, decided_service);
    std::optional<bench::Plane> plane;
    if (std::getenv("KUBECONFIG") != nullptr) {
      plane.emplace();
    } else {
      std::cerr << "durable decisions are not measured: KUBECONFIG is not set\n";
    }
    for (int round = 0; round < settings_.rounds; ++round) {
      std::cerr << "round " << round + 1 << " of " << settings_.rounds << "\n";
      for (const int callers : {1, 16, 64}) {
        const pb::ReserveRequest request = Request("bench");
        Take(absl::StrCat("empty call, ", callers, " callers"), callers,
             [&](int) { return empty.Reserve(request); });
        Take(absl::StrCat("decision, ", callers, " callers"), callers,
             [&](int) { return decided.Reserve(request); });
      }
      TakeBatches();
      if (plane) {
        TakeDurable(plane->client());
      }
    }
  }

  std::vector<double> Rates(const std::string& name) const {
    std::vector<double> rates;
    for (const Sample& sample : samples_.at(name)) {
      rates.push_back(sample.per_second);
    }
    return rates;
  }
  std::vector<double> P99s(const std::string& name) const {
    std::vector<double> slow;
    for (const Sample& sample : samples_.at(name)) {
      slow.push_back(sample.p99_ms);
    }
    return slow;
  }

  void PrintTable() const {
    std::cout << absl::StreamFormat("%-34s %12s %25s %10s\n", "", "per second", "(least - most)",
                                    "p99 ms");
    for (const std::string& name : order_) {
      const bench::Spread rate = bench::SpreadOf(Rates(name));
      std::cout << absl::StreamFormat("%-34s %12.0f %12.0f -%11.0f %10.3f\n", name, rate.median,
                                      rate.least, rate.most, bench::SpreadOf(P99s(name)).median);
    }
  }
  void Write(json::Writer& w) const {
    for (const std::string& name : order_) {
      w.Key(name);
      w.BeginArray();
      for (const Sample& sample : samples_.at(name)) {
        w.BeginObject();
        w.Key("perSecond");
        w.Double(sample.per_second);
        w.Key("p99Milliseconds");
        w.Double(sample.p99_ms);
        w.EndObject();
      }
      w.EndArray();
    }
  }
  std::vector<bench::Judged> Judge() const {
    std::vector<bench::Judged> judged;
    for (const int callers : {1, 16, 64}) {
      const std::string with = absl::StrCat(", ", callers, " callers");
      judged.push_back({"P5 decisions/s to empty calls/s" + with,
                        bench::RatioOf(Rates("decision" + with), Rates("empty call" + with)),
                        ">= 0.75", ">= 0.90", "an empty call, same server and TLS"});
    }
    judged.push_back(
        {"P5 reservations/s in memory, by 500", bench::SpreadOf(Rates(kBatches)), "", ">= 500000"});
    if (samples_.contains(kDurable)) {
      judged.push_back({"P5 durable grants/s to compare-and-swap/s, 64 callers",
                        bench::RatioOf(Rates(kDurable), Rates(kSwap)), ">= 10", ">= 20",
                        "a compare-and-swap loop, same API server"});
      judged.push_back(
          {"P5 durable grant p99, 64 callers, ms", bench::SpreadOf(P99s(kDurable)), "", ""});
    }
    return judged;
  }

 private:
  void Take(const std::string& name, int callers, const std::function<bool(int)>& call) {
    Record(name, Measure(callers, settings_.seconds, call));
  }
  void Record(const std::string& name, Sample sample) {
    if (!samples_.contains(name)) {
      order_.push_back(name);
    }
    samples_[name].push_back(sample);
  }

  // The pure ledger, 500 reservations in one call, granted and given back.
  void TakeBatches() {
    constexpr int kBatch = 500;
    Ledger ledger({.max_bytes = size_t{64} << 20});
    ledger.PutNamespace("default", {});
    ledger.PutQuota(Terms("100000"), absl::Now());
    Reservation asked{.claim = MakeTicketClaim("default", {}, {{"cpu", api::Quantity::FromInt(1)}},
                                               absl::Hours(1)),
                      .ids = {}};
    for (int i = 0; i < kBatch; ++i) {
      asked.ids.push_back(absl::StrCat("reservation-", i));
    }
    Sample sample = Measure(1, settings_.seconds, [&](int) {
      const bool granted = ledger.Reserve(asked, absl::Now()).ok();
      ledger.Release(asked.ids);
      return granted;
    });
    sample.per_second *= kBatch;
    Record(kBatches, sample);
  }

  void TakeDurable(kube::Client& client) {
    SystemClock clock;
    GrantLog log(client, clock,
                 {.ns = "default", .name = "korder-bench-ledger", .writer = "bench"});
    const absl::StatusOr<OpenedLedger> opened = log.Open(++epoch_, {});
    if (!opened.ok()) {
      throw std::runtime_error(ToString(opened.status()));
    }
    {
      Desk durable("1000000", [&](const Batch& batch, std::stop_token stop) {
        return log.Write(batch.changes, batch.closed_until, stop);
      });
      std::atomic<int64_t> serial = 0;
      Take(kDurable, kDurableCallers, [&](int) {
        return ReserveAndRelease(durable.desk, absl::StrCat("grant-", epoch_, "-", serial++));
      });
    }
    const kube::ObjectKey key{"default", "korder-bench-counter"};
    api::ConfigMap counter;
    counter.metadata.ns = key.ns;
    counter.metadata.name = key.name;
    counter.data["used"] = "0";
    (void)client.Create(counter);
    Take(kSwap, kDurableCallers, [&](int) { return CompareAndSwap(client, key); });
  }

  const Settings settings_;
  int64_t epoch_ = absl::ToUnixSeconds(absl::Now());  // higher than any earlier run's
  std::map<std::string, std::vector<Sample>> samples_;
  std::vector<std::string> order_;
};

}  // namespace
}  // namespace korder::quota

int main(int argc, char** argv) {
  korder::runtime::PrepareGrpc();
  korder::quota::Settings settings;
  return korder::bench::Main(
      argc, argv,
      {.what = "Measures the ledger beside what bounds it",
       .flags =
           [&](CLI::App& app) {
             app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
             app.add_option("--seconds", settings.seconds, "of each measurement");
           },
       .run =
           [&](korder::json::Writer& samples) {
             korder::quota::LedgerBench bench(settings);
             bench.Run();
             bench.PrintTable();
             bench.Write(samples);
             return bench.Judge();
           }});
}
