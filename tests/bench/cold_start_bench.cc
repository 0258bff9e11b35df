// How long quota-svc takes from the moment it leads until its first decision when there are 50,000
// tickets: it has to see them all before, or it would grant too much.
//
//   cold_start_bench [--rounds 5] [--tickets 50000] [--json FILE]   # no cluster
//
// The leadership of the real service on an API server in memory (FakeApiServer). The quota has room
// for one ticket more than there are, and two are asked for: a decision is correct when exactly one
// is granted. What the API server in memory works for it is shown, too.
#include <atomic>
#include <chrono>
#include <iostream>
#include <prometheus/registry.h>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "api/core/namespace.h"
#include "base/pause.h"
#include "bench_main.h"
#include "kube/observer.h"
#include "kube/testing/fake_api_server.h"
#include "plane.h"
#include "quota-svc/leadership.h"
#include "quota-svc/observed.h"
#include "sample_objects.h"
#include "tape.h"

namespace korder::bench {
namespace {

struct Settings {
  int rounds = 5;
  int tickets = 50'000;
};

// Passes on, and takes the time that the other side works.
class Timed final : public kube::HttpTransport {
 public:
  explicit Timed(kube::HttpTransport& server) : server_(server) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override {
    const absl::Duration begin = ThreadCpu();
    auto response = server_.Do(request, options);
    nanoseconds_ += absl::ToInt64Nanoseconds(ThreadCpu() - begin);
    return response;
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override {
    return server_.Open(request, options);
  }
  double TakeSeconds() { return static_cast<double>(nanoseconds_.exchange(0)) / 1e9; }

 private:
  kube::HttpTransport& server_;
  std::atomic<int64_t> nanoseconds_ = 0;
};

// Tickets that hold room, and a quota with room for one more.
void Fill(kube::HttpTransport& server, int tickets) {
  kube::Client client(server);
  api::Namespace ns;
  ns.metadata.name = "default";
  ValueOf(client.Create(ns));
  api::Quota quota;
  quota.metadata.name = "all";
  quota.spec.hard["tickets"].text = absl::StrCat(tickets + 1);
  ValueOf(client.Create(quota));
  const SampleObjects objects;
  for (int i = 0; i < tickets; ++i) {
    const std::string text = absl::StrReplaceAll(
        objects.Ticket(i, i + 1), {{absl::StrCat(R"("resourceVersion":")", i + 1, "\","), ""}});
    const std::string target = TicketsOf("default");
    const std::string status = "{" + text.substr(text.find(R"("status":{"activationTime")"));
    ValueOf(client.Raw({"POST", target, "application/json", text}));
    ValueOf(client.Raw({"PATCH", absl::StrCat(target, "/web-", i, "/status"),
                        "application/merge-patch+json", status}));
  }
}

// A process of quota-svc that leads as long as the object lives.
class Leader {
 public:
  Leader(kube::HttpTransport& server, int64_t epoch)
      : client_(server), desk_(clock_, metrics_, quota::FindNamespaceBy(client_)) {
    thread_ = std::jthread([this, epoch](std::stop_token stop) { leadership_.Run(stop, epoch); });
  }

  // How many of two are granted, once there are answers. The room is given back.
  int GrantedOfTwo() {
    const quota::Reservation asked{
        .claim = quota::MakeTicketClaim("default", {}, {{"cpu", api::Quantity::FromInt(1)}},
                                        absl::Hours(1)),
        .ids = {"one", "two"}};
    while (!desk_.open()) {
      Pause(absl::Milliseconds(1), {});
    }
    const auto answer =
        ValueOf(desk_.Reserve(asked, std::chrono::steady_clock::now() + std::chrono::seconds(60)));
    int granted = 0;
    for (const quota::Outcome& outcome : answer.value) {
      granted += std::holds_alternative<quota::Granted>(outcome.verdict);
    }
    (void)desk_.Release(asked.ids);
    return granted;
  }

 private:
  kube::Client client_;
  SystemClock clock_;
  prometheus::Registry registry_;
  quota::Metrics metrics_{registry_};
  kube::EventRecorder events_{client_, clock_, {.component = "quota-svc", .instance = "bench"}};
  kube::Observer observer_;
  quota::LedgerDesk desk_;
  quota::Leadership leadership_{
      {client_, clock_, desk_, events_, metrics_, observer_, [](bool) {}},
      {.log = {.ns = "korder-system", .name = "korder-ledger", .writer = "bench"}}};
  std::jthread thread_;
};

std::vector<Judged> Run(const Settings& settings, json::Writer& samples) {
  SystemClock clock;
  kube::FakeApiServer server(clock);
  std::cerr << "making " << settings.tickets << " tickets\n";
  Fill(server, settings.tickets);
  Timed timed(server);
  std::vector<double> seconds, of_server;
  for (int round = 0; round <= settings.rounds; ++round) {
    timed.TakeSeconds();
    const absl::Time begin = absl::Now();
    Leader leader(timed, round + 1);
    if (const int granted = leader.GrantedOfTwo(); granted != 1) {
      throw std::runtime_error(absl::StrCat(granted, " of 2 granted where 1 has room"));
    }
    if (round > 0) {  // The first one makes the ledger object.
      seconds.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
      of_server.push_back(timed.TakeSeconds());
    }
  }
  samples.Key("seconds");
  samples.BeginArray();
  for (const double value : seconds) {
    samples.Double(value);
  }
  samples.EndArray();
  return {{absl::StrCat("P10 s to quota-svc's first decision, ", settings.tickets, " tickets"),
           SpreadOf(seconds), "<= 5", "<= 1.5"},
          {"   CPU s of the API server in memory in it", SpreadOf(of_server), "", ""}};
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  Settings settings;
  return Main(argc, argv,
              {.what = "Measures how soon quota-svc decides when there are many tickets",
               .flags =
                   [&](CLI::App& app) {
                     app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
                     app.add_option("--tickets", settings.tickets)->check(CLI::Range(1, 1'000'000));
                   },
               .run = [&](korder::json::Writer& samples) { return Run(settings, samples); }});
}
