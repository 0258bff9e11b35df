// What it costs a pod to ask for a ticket, beside a pod that asks nobody, one that asks a webhook
// which says yes to everything, and one that asks a webhook which answers everything with the very
// patch that korder makes: what is left is korder's own part. Then the webhook by itself, and with
// far more to do than it can.
//
//   admission_bench --metrics HOST:PORT [--rounds 5] [--pods 1000] [--json FILE]   # KUBECONFIG
//
// Pods are created in a closed loop by a fixed number of callers. A round measures each mode once,
// in another order each time, and deletes what it made; ratios are of one round, so that what
// disturbs the machine disturbs all alike, and the median of the rounds is shown with the smallest
// and the largest. ticket-svc should not run: what it does with the pods would count, too.
//
// Which way korder is asked, by its webhook or by admission policies in the API server
// (MutatingAdmissionPolicy), is seen from what is installed.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <prometheus/registry.h>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "admission-svc/admission_handler.h"
#include "admission-svc/pod_webhook.h"
#include "api/core/pod.h"
#include "api/core/webhook_configuration.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/parallel.h"
#include "bench_main.h"
#include "figures.h"
#include "json/fields.h"
#include "plane.h"
#include "processes.h"
#include "runtime/http_server.h"
#include "runtime/testing/test_certs.h"
#include "runtime/testing/test_http_client.h"

namespace korder::bench {
namespace {

constexpr char kNullConfiguration[] = "korder-bench-null";
constexpr char kPatchConfiguration[] = "korder-bench-patch";
constexpr char kPodCalls[] = "apiserver_admission_webhook_admission_duration_seconds_count";

// --- servers of this program's own ---

// A server with TLS on a free port, for as long as the object lives.
class Server {
 public:
  Server(runtime::HttpServerOptions options, runtime::HttpHandler handler)
      : tls_(runtime::TestCa().Issue("localhost")) {
    options.listen = "127.0.0.1:0";
    options.tls = tls_;
    server_ = std::make_unique<runtime::HttpServer>(std::move(options), std::move(handler));
    if (const absl::Status status = server_->Start(); !status.ok()) {
      throw std::runtime_error(ToString(status));
    }
    thread_ = std::jthread([this](std::stop_token stop) { (void)server_->Run(stop); });
  }
  int port() const { return server_->port(); }
  const std::string& ca() const { return tls_.ca; }

 private:
  const runtime::TlsMaterial tls_;
  std::unique_ptr<runtime::HttpServer> server_;
  std::jthread thread_;
};

class NobodyAtTheTicketDesk final : public admission::TicketDesk {
 public:
  absl::StatusOr<admission::Offer> Ask(const std::string&, const std::string&) override {
    return UnavailableError("no pod of this program asks");
  }
};

// The uid of a review, which is the first one in it.
std::string UidOf(const std::string& review) {
  constexpr std::string_view kUid = R"("uid":")";
  const size_t at = review.find(kUid);
  const size_t begin = at == std::string::npos ? review.size() : at + kUid.size();
  return review.substr(begin, review.find('"', begin) - begin);
}

// Reads no more of a review than its uid, and answers all alike: yes, with this patch if there is
// one.
runtime::HttpHandler SayYes(const std::string& patch) {
  const std::string rest = patch.empty() ? ""
                                         : absl::StrCat(R"(,"patchType":"JSONPatch","patch":")",
                                                        absl::Base64Escape(patch), "\"");
  return [rest](const runtime::HttpServerRequest& request) {
    return runtime::HttpServerResponse{
        200, "application/json",
        absl::StrCat(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",)",
                     R"("response":{"uid":")", UidOf(request.body), R"(","allowed":true)", rest,
                     "}}")};
  };
}

// korder's webhook for pods, as in admission-svc.
struct PodReviews {
  PodReviews() {
    policies.AddIndex(admission::kByNamespace, admission::NamespaceOf<api::ClaimPolicy>);
  }

  SystemClock clock;
  NobodyAtTheTicketDesk tickets;
  kube::Store<api::ClaimPolicy> policies;
  prometheus::Registry registry;
  const admission::PodWebhook pods{tickets, policies, [] { return true; }};
  admission::AdmissionHandler handler{
      {{.path = "/mutate/pods",
        .group = "",
        .resource = "pods",
        .review = [this](const api::AdmissionRequest& request) { return pods.Review(request); }}},
      registry,
      clock};
};

// --- pods ---

// All pods are alike but for whom they ask; with a gate nobody tries to schedule them. korder
// itself adds the gate to those that ask it.
std::string PodText(const std::string& name, const std::string& key, bool gated) {
  return absl::StrCat(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name, R"(","annotations":{")", key,
      R"(required":"true",")", key, R"(fallback":"wait"}},"spec":{)",
      gated ? R"("schedulingGates":[{"name":"example.com/claim"}],)" : "",
      R"("automountServiceAccountToken":false,"containers":[{"name":"app","image":"app","resources":)",
      R"({"requests":{"cpu":"50m","memory":"64Mi"}}}]}})");
}

// A review of such a pod, as the API server asks for it.
std::string Review() {
  api::AdmissionReview review;
  review.request.emplace();
  review.request->uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
  review.request->resource = {"", "v1", "pods"};
  review.request->ns = "default";
  review.request->operation = api::kOperationCreate;
  review.request->object.text = PodText("pod-1", "korder.dev/", false);
  return json::Print(review);
}

// What korder answers to it.
std::string KorderPatch() {
  api::AdmissionReview review;
  if (!json::Parse(Review(), review).ok() || !review.request) {
    throw std::runtime_error("a review of our own cannot be read");
  }
  return ValueOf(PodReviews().pods.Review(*review.request)).patch;
}

struct Mode {
  std::string name;
  std::string key;  // of what the pods say
  bool gated;
};

struct Run {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

// --- metrics ---

struct Metrics {
  std::string text;

  // The sum of the samples whose line contains all of these.
  double Sum(const std::string& name, const std::vector<std::string>& with) const {
    double sum = 0;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      double value = 0;
      const bool meant = absl::StartsWith(line, name + "{") &&
                         std::all_of(with.begin(), with.end(), [&](const std::string& part) {
                           return absl::StrContains(line, part);
                         });
      if (meant && absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) {
        sum += value;
      }
    }
    return sum;
  }
  // Of the reviews of new pods, by upper bound.
  Buckets Reviews() const {
    Buckets buckets;
    for (const char* bound : {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
                              "0.025", "0.05", "0.1", "0.5", "1", "3"}) {
      buckets[std::atof(bound)] =
          Sum("korder_webhook_duration_seconds_bucket",
              {R"(webhook="pods")", R"(operation="CREATE")", absl::StrCat("le=\"", bound, "\"")});
    }
    return buckets;
  }
};

Metrics OfAdmissionSvc(const std::string& address) {
  FILE* pipe = popen(absl::StrCat("curl -sf http://", address, "/metrics").c_str(), "r");
  Metrics metrics;
  std::array<char, 4096> buffer;
  while (const size_t got = pipe == nullptr ? 0 : fread(buffer.data(), 1, buffer.size(), pipe)) {
    metrics.text.append(buffer.data(), got);
  }
  if (pipe == nullptr || pclose(pipe) != 0) {
    throw std::runtime_error("admission-svc tells no metrics at " + address);
  }
  return metrics;
}

// --- the measurement on a cluster ---

struct Settings {
  std::string metrics_address;
  int rounds = 5;
  int pods = 1000;
  int callers = 16;
  double seconds = 2;
};

class Creations {
 public:
  // Of modes_.
  static constexpr size_t kNobody = 0, kNull = 1, kPatching = 2, kKorder = 3;

  explicit Creations(Settings settings)
      : settings_(std::move(settings)),
        null_({.idle_timeout = absl::Seconds(120)}, SayYes("")),
        patching_({.idle_timeout = absl::Seconds(120)}, SayYes(KorderPatch())) {
    modes_ = {{"no webhook", "example.com/", true},
              {"null webhook", "null.example.com/", true},
              {"null webhook that patches", "patch.example.com/", false},
              {"korder's " + How(), "korder.dev/", false}};
    plane_.Do("POST", "/api/v1/namespaces",
              absl::StrCat(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")", ns_,
                           R"("}})"));
    Install(kNullConfiguration, "null.example.com", null_);
    Install(kPatchConfiguration, "patch.example.com", patching_);
  }
  ~Creations() {
    for (const char* name : {kNullConfiguration, kPatchConfiguration}) {
      (void)client_.Delete<api::MutatingWebhookConfiguration>({"", name});
    }
    (void)client_.Raw({"DELETE", "/api/v1/namespaces/" + ns_, "", ""});
  }

  void Measure() {
    for (const Mode& mode : modes_) {
      Create(mode, settings_.pods / 5);  // Warms connections, caches and compiled expressions.
    }
    runs_.clear();
    const Buckets reviews = OfAdmissionSvc(settings_.metrics_address).Reviews();
    for (int round = 0; round < settings_.rounds; ++round) {
      for (size_t i = 0; i < modes_.size(); ++i) {
        const Mode& mode = modes_[(i + static_cast<size_t>(round)) % modes_.size()];
        std::cerr << "round " << round + 1 << ": " << mode.name << "\n";
        const double calls = KorderCalls();
        Create(mode, settings_.pods);
        if (&mode != &modes_.back()) {
          calls_for_others_ += KorderCalls() - calls;
        } else {
          calls_ += KorderCalls() - calls;
        }
      }
    }
    reviews_ = OfAdmissionSvc(settings_.metrics_address).Reviews();
    for (auto& [bound, count] : reviews_) {
      count -= reviews.at(bound);
    }
  }

  void PrintTable() const {
    std::cout << absl::StreamFormat("%-28s %12s %23s %8s %8s\n", "", "pods/s", "least - most",
                                    "p50 ms", "p99 ms");
    for (const Mode& mode : modes_) {
      const Spread rate = Of(mode, &Run::per_second);
      std::cout << absl::StreamFormat("%-28s %12.0f %12.0f -%9.0f %8.2f %8.2f\n", mode.name,
                                      rate.median, rate.least, rate.most,
                                      Of(mode, &Run::p50_ms).median, Of(mode, &Run::p99_ms).median);
    }
    std::cout << "\n";
  }
  void AddTo(std::vector<Judged>& judged) const {
    const auto rates = [&](size_t mode) { return Values(modes_[mode], &Run::per_second); };
    const auto p50s = [&](size_t mode) { return Values(modes_[mode], &Run::p50_ms); };
    const bool policy = How() == "policy";
    judged.push_back({"P6 rate, korder to a null webhook with its patch",
                      RatioOf(rates(kKorder), rates(kPatching)), policy ? "" : ">= 0.90",
                      policy ? "" : ">= 0.98", "a webhook that answers all with the same patch"});
    judged.push_back({"   to a null webhook that changes nothing",
                      RatioOf(rates(kKorder), rates(kNull)), "", "",
                      "a webhook that answers all with yes"});
    judged.push_back({policy ? "P6 rate, korder's policies to nobody asked" : "   to nobody asked",
                      RatioOf(rates(kKorder), rates(kNobody)), policy ? ">= 0.97" : "",
                      policy ? ">= 0.97" : "", "pods that ask nobody"});
    judged.push_back({"   null webhook with the patch to nobody asked",
                      RatioOf(rates(kPatching), rates(kNobody)), "", "", "pods that ask nobody"});
    judged.push_back({"   null webhook to nobody asked", RatioOf(rates(kNull), rates(kNobody)), "",
                      "", "pods that ask nobody"});
    for (const size_t mode : {kKorder, kPatching, kNull}) {
      judged.push_back({absl::StrCat("   p50 added by ", modes_[mode].name, ", ms"),
                        DifferenceOf(p50s(mode), p50s(kNobody)), "", "", "pods that ask nobody"});
    }
    judged.push_back({"P6 calls for other pods", Once(calls_for_others_), "<= 0", "<= 0"});
    judged.push_back({"   calls for pods that ask, each",
                      Once(calls_ / (settings_.rounds * settings_.pods)), policy ? "<= 0" : "",
                      ""});
    if (!policy) {
      judged.push_back(
          {"   handler p50, ms", Once(1000 * HistogramQuantile(reviews_, 0.5)), "", ""});
      judged.push_back(
          {"P6 handler p99, ms", Once(1000 * HistogramQuantile(reviews_, 0.99)), "<= 5", "<= 2"});
    }
  }
  void Write(json::Writer& w) const {
    for (const Mode& mode : modes_) {
      w.Key(mode.name);
      w.BeginArray();
      for (const Run& run : runs_.at(mode.name)) {
        w.BeginObject();
        w.Key("podsPerSecond");
        w.Double(run.per_second);
        w.Key("p50Milliseconds");
        w.Double(run.p50_ms);
        w.Key("p99Milliseconds");
        w.Double(run.p99_ms);
        w.EndObject();
      }
      w.EndArray();
    }
  }

 private:
  // The alpha and beta of policies come and go by Kubernetes version; where there are none of
  // korder's, pods are gated by its webhook.
  std::string How() const { return how_.empty() ? how_ = FindHow() : how_; }
  std::string FindHow() const {
    for (const char* version : {"v1", "v1beta1", "v1alpha1"}) {
      const auto policies = client_.Raw({"GET",
                                         absl::StrCat("/apis/admissionregistration.k8s.io/",
                                                      version, "/mutatingadmissionpolicies"),
                                         "", ""});
      if (policies.ok() && absl::StrContains(*policies, R"("name":"korder-)")) {
        return "policy";
      }
    }
    if (!client_.Get<api::MutatingWebhookConfiguration>({"", "korder-pods"}).ok()) {
      throw std::runtime_error("neither policies nor webhooks of korder's are there");
    }
    return "webhook";
  }

  // Like the chart's two: what it costs the API server to see whom it must ask is the same.
  void Install(const std::string& name, const std::string& domain, const Server& server) {
    const auto says = [](const std::string& key, const std::string& values) {
      const auto in = [&](const std::string& where) {
        return absl::StrCat("(has(object.metadata.", where, ") && '", key, "' in object.metadata.",
                            where, " && object.metadata.", where, "['", key, "'] in ", values, ")");
      };
      return absl::StrCat(in("annotations"), " || ", in("labels"));
    };
    const std::string insists = says(domain + "/fallback", "['wait', 'deny']");
    api::MutatingWebhookConfiguration configuration;
    configuration.metadata.name = name;
    for (const bool strict : {false, true}) {
      api::Webhook webhook;
      webhook.name = strict ? "strict." + domain : domain;
      webhook.client_config.url = absl::StrCat("https://localhost:", server.port(), "/mutate/pods");
      webhook.client_config.ca_bundle = {server.ca()};
      webhook.rules = {
          R"([{"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"operations":["CREATE"],"scope":"Namespaced"}])"};
      webhook.failure_policy = strict ? api::kFailurePolicyFail : api::kFailurePolicyIgnore;
      webhook.namespace_selector.emplace().match_expressions = {
          {std::string(api::kLabelNamespaceName), "NotIn", {"kube-system", "korder-system"}}};
      webhook.side_effects = "None";
      webhook.timeout_seconds = 3;
      webhook.admission_review_versions = {"v1"};
      webhook.reinvocation_policy = "IfNeeded";
      webhook.match_conditions = {
          {"asks-for-a-ticket", says(domain + "/required", "['true']")},
          {"insists-on-it", strict ? insists : absl::StrCat("!(", insists, ")")}};
      configuration.webhooks.push_back(std::move(webhook));
    }
    ValueOf(client_.Create(configuration));
  }

  void Create(const Mode& mode, int count) {
    const std::string pods = absl::StrCat("/api/v1/namespaces/", ns_, "/pods");
    std::vector<double> took(static_cast<size_t>(count));
    Mutex mu;
    std::string failure;
    const absl::Time begin = absl::Now();
    ParallelFor(took.size(), static_cast<size_t>(settings_.callers), [&](size_t i) {
      const absl::Time start = absl::Now();
      const auto made = client_.Raw({"POST", pods, "application/json",
                                     PodText(absl::StrCat("pod-", i), mode.key, mode.gated)});
      took[i] = absl::ToDoubleMilliseconds(absl::Now() - start);
      if (!made.ok() || !absl::StrContains(*made, "/claim\"")) {
        const MutexLock lock(mu);
        failure = made.ok() ? "a pod came out without a gate: " + *made : ToString(made.status());
      }
    });
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    if (!failure.empty()) {
      throw std::runtime_error(mode.name + ": " + failure);
    }
    runs_[mode.name].push_back({count / seconds, Quantile(took, 0.5), Quantile(took, 0.99)});
    plane_.Do("DELETE", pods + "?gracePeriodSeconds=0");
    while (absl::StrContains(plane_.Do("GET", pods + "?limit=1"), R"("uid":)")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  double KorderCalls() {
    return Metrics{plane_.Do("GET", "/metrics")}.Sum(kPodCalls, {"pods.korder.dev\""});
  }

  std::vector<double> Values(const Mode& mode, double Run::*figure) const {
    std::vector<double> values;
    for (const Run& run : runs_.at(mode.name)) {
      values.push_back(run.*figure);
    }
    return values;
  }
  Spread Of(const Mode& mode, double Run::*figure) const { return SpreadOf(Values(mode, figure)); }

  const Settings settings_;
  const std::string ns_ = absl::StrCat("admission-bench-", ::getpid());
  Plane plane_;
  kube::Client& client_ = plane_.client();
  mutable std::string how_;
  Server null_;
  Server patching_;
  std::vector<Mode> modes_;
  std::map<std::string, std::vector<Run>> runs_;
  double calls_ = 0;
  double calls_for_others_ = 0;
  Buckets reviews_;
};

// --- the webhook by itself ---

// Calls for `seconds` on one connection per caller.
Run Call(const Server& server, int callers, double seconds, const std::string& review) {
  std::vector<std::vector<double>> took(static_cast<size_t>(callers));
  std::atomic<int> failed = 0;
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  ParallelFor(took.size(), took.size(), [&](size_t caller) {
    runtime::TestHttpClient client(server.port(), server.ca());
    while (absl::Now() < end) {
      const absl::Time start = absl::Now();
      const int status = client.Do("POST", "/mutate/pods?timeout=3s", review).status;
      if (status == 200) {
        took[caller].push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
      } else if (status != 429) {
        ++failed;
        return;
      }
    }
  });
  if (failed > 0) {
    throw std::runtime_error("a call was neither served nor refused");
  }
  std::vector<double> all;
  for (const std::vector<double>& some : took) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return {static_cast<double>(all.size()) / seconds, Quantile(all, 0.5), Quantile(all, 0.99)};
}

// Many more calls at once than may wait, on connections that are open already, for `seconds`.
class Flood {
 public:
  Flood(const Server& server, const std::string& review) : server_(server) {
    request_ = absl::StrCat("POST /mutate/pods?timeout=3s HTTP/1.1\r\nHost: x\r\nContent-Length: ",
                            review.size(), "\r\n\r\n", review);
    ParallelFor(kThreads, kThreads, [&](size_t i) {
      for (size_t n = 0; n < kConnections / kThreads; ++n) {
        clients_[i].push_back(
            std::make_unique<runtime::TestHttpClient>(server_.port(), server_.ca()));
      }
    });
  }
  void Rise(double seconds) {
    const absl::Time end = absl::Now() + absl::Seconds(seconds);
    ParallelFor(kThreads, kThreads, [&](size_t i) {
      while (absl::Now() < end) {
        for (auto& client : clients_[i]) {
          client->Send(request_);
        }
        for (auto& client : clients_[i]) {
          const int status = client->Receive().status;
          (status == 200 ? served : status == 429 ? refused : lost) += 1;
        }
      }
    });
  }

  static constexpr int kConnections = 960;
  std::atomic<int> served = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> lost = 0;

 private:
  static constexpr size_t kThreads = 4;
  const Server& server_;
  std::string request_;
  std::array<std::vector<std::unique_ptr<runtime::TestHttpClient>>, kThreads> clients_;
};

struct Alone {
  Run null;
  Run korder;
  Run flooded;  // of callers that go on calling one at a time
  double answered = 0;
  double refused = 0;
  double lost = 0;
  double recovery_ms = 0;
  double grown_mib = 0;
};

// `waiting` calls may wait: the flood is ten times that.
Alone MeasureAlone(double seconds) {
  Alone alone;
  const std::string review = Review();
  PodReviews reviews;
  const auto ask = [&](const runtime::HttpServerRequest& r) { return reviews.handler.Handle(r); };
  {
    const Server null({}, SayYes(""));
    alone.null = Call(null, 16, seconds, review);
  }
  const Server korder({.max_concurrent = Flood::kConnections / 10}, ask);
  alone.korder = Call(korder, 16, seconds, review);
  Flood flood(korder, review);
  const int64_t before = ReadUsage(::getpid()).resident;
  {
    std::jthread rising([&] { flood.Rise(seconds); });
    alone.flooded = Call(korder, 4, seconds, review);
  }
  alone.grown_mib = static_cast<double>(ReadUsage(::getpid()).resident - before) / (1 << 20);
  const absl::Time ebb = absl::Now();
  while (Call(korder, 4, 0.1, review).p99_ms > 2 * alone.korder.p99_ms + 1) {
    if (absl::Now() - ebb > absl::Seconds(30)) {
      throw std::runtime_error("the webhook stays slow after the flood");
    }
  }
  alone.recovery_ms = absl::ToDoubleMilliseconds(absl::Now() - ebb);
  alone.answered = flood.served / seconds;
  alone.refused = flood.refused / seconds;
  alone.lost = flood.lost;
  return alone;
}

void PrintAlone(const Alone& alone) {
  std::cout << "over loopback and TLS without an API server, 16 callers with a connection each\n";
  const auto row = [](const std::string& name, const Run& run) {
    std::cout << absl::StreamFormat("%-28s %12.0f %23s %8.2f %8.2f\n", name, run.per_second, "",
                                    run.p50_ms, run.p99_ms);
  };
  row("null webhook, calls/s", alone.null);
  row("korder's webhook, calls/s", alone.korder);
  std::cout << absl::StreamFormat(
      "%d calls at once, ten times what may wait: %.0f/s served, %.0f/s refused with 429, %.0f "
      "lost\n",
      Flood::kConnections, alone.answered, alone.refused, alone.lost);
  row("  4 who call meanwhile", alone.flooded);
  std::cout << "\n";
}

void AddTo(std::vector<Judged>& judged, const Alone& alone) {
  judged.push_back(
      {"F17 p99 of the served in a flood, ms", Once(alone.flooded.p99_ms), "", "<= 10"});
  judged.push_back({"F17 recovery, ms", Once(alone.recovery_ms), "<= 5000", "<= 5000"});
  judged.push_back({"F17 calls without any answer", Once(alone.lost), "<= 0", "<= 0"});
  judged.push_back(
      {"F17 MiB grown in the flood, with its callers", Once(alone.grown_mib), "<= 64", ""});
}

std::vector<Judged> Measure(const Settings& settings, bool alone_only, json::Writer& samples) {
  std::vector<Judged> judged;
  if (!alone_only) {
    Creations creations(settings);
    creations.Measure();
    creations.PrintTable();
    creations.AddTo(judged);
    creations.Write(samples);
  }
  const Alone alone = MeasureAlone(settings.seconds);
  PrintAlone(alone);
  AddTo(judged, alone);
  return judged;
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  Settings settings;
  bool alone_only = false;
  return Main(
      argc, argv,
      {.what = "Measures what it costs a pod to ask korder",
       .flags =
           [&](CLI::App& app) {
             app.add_option("--metrics", settings.metrics_address,
                            "HOST:PORT of admission-svc's metrics");
             app.add_option("--rounds", settings.rounds)
                 ->check(CLI::Range(1, 100))
                 ->capture_default_str();
             app.add_option("--pods", settings.pods, "of each mode in each round")
                 ->check(CLI::Range(100, 100'000))
                 ->capture_default_str();
             app.add_option("--callers", settings.callers, "who create at the same time")
                 ->check(CLI::Range(1, 256))
                 ->capture_default_str();
             app.add_option("--seconds", settings.seconds, "of each measurement without API server")
                 ->capture_default_str();
             app.add_flag("--alone", alone_only, "only what needs no cluster");
           },
       .run =
           [&](korder::json::Writer& samples) { return Measure(settings, alone_only, samples); }});
}
