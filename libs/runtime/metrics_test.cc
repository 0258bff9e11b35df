#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/labeled.h"

namespace korder::runtime {
namespace {

using Catch::Contains;

}  // namespace

TEST_CASE("metrics: a service tells its build and whether it leads from the start", "[metrics]") {
  Metrics metrics("order-svc");
  CHECK_THAT(metrics.Text(), Contains("korder_leader{service=\"order-svc\"} 0\n"));
  CHECK_THAT(metrics.Text(), Contains("korder_build_info{service=\"order-svc\",version=\""));
  metrics.kube_observer().Leading("korder-order-svc", true);
  CHECK_THAT(metrics.Text(), Contains("korder_leader{service=\"order-svc\"} 1\n"));
  metrics.kube_observer().Leading("korder-order-svc", false);
  CHECK_THAT(metrics.Text(), Contains("korder_leader{service=\"order-svc\"} 0\n"));
}

TEST_CASE("metrics: every series of an expected controller exists at zero", "[metrics]") {
  Metrics metrics("order-svc");
  metrics.ExpectController("order");
  const std::string text = metrics.Text();
  for (const char* line :
       {"korder_workqueue_depth{name=\"order\"} 0\n",
        "korder_workqueue_adds_total{name=\"order\"} 0\n",
        "korder_workqueue_retries_total{name=\"order\"} 0\n",
        "korder_workqueue_queue_duration_seconds_count{name=\"order\"} 0\n",
        "korder_reconciliation_duration_seconds_count{controller=\"order\",result=\"success\"} 0\n",
        "korder_reconciliation_duration_seconds_count{controller=\"order\",result=\"requeue\"} 0\n",
        "korder_reconciliation_duration_seconds_count{controller=\"order\",result=\"error\"} 0\n",
        "korder_reconciliation_errors_total{controller=\"order\",error_type=\"UNAVAILABLE\"} 0\n",
        "korder_reconciliation_errors_total{controller=\"order\",error_type=\"INVALID_ARGUMENT\"} "
        "0\n"}) {
    CHECK_THAT(text, Contains(line));
  }
}

TEST_CASE("metrics: what libs/kube observes is counted", "[metrics]") {
  Metrics metrics("order-svc");
  kube::Observer& observer = metrics.kube_observer();
  observer.Request("get", "tickets", 200, absl::Milliseconds(20));
  observer.Request("get", "tickets", 200, absl::Seconds(2));
  observer.Request("patch", "tickets", 409, absl::Milliseconds(1));
  observer.WatchRestart("tickets", "expired");
  observer.QueueDepth("order", 3);
  observer.QueueAdd("order");
  observer.QueueRetry("order");
  observer.QueueWait("order", absl::Seconds(1));
  observer.Reconciled("order", "success", "", absl::Milliseconds(5));
  observer.Reconciled("order", "error", "ABORTED", absl::Milliseconds(5));
  observer.EventDropped("budget");
  const std::string text = metrics.Text();
  for (const char* line : {
           "korder_api_requests_total{code=\"200\",resource=\"tickets\",verb=\"get\"} 2\n",
           "korder_api_requests_total{code=\"409\",resource=\"tickets\",verb=\"patch\"} 1\n",
           "korder_api_request_duration_seconds_bucket{resource=\"tickets\",verb=\"get\",le=\"0."
           "025\"} 1\n",
           "korder_api_request_duration_seconds_count{resource=\"tickets\",verb=\"get\"} 2\n",
           "korder_watch_restarts_total{reason=\"expired\",resource=\"tickets\"} 1\n",
           "korder_workqueue_depth{name=\"order\"} 3\n",
           "korder_workqueue_adds_total{name=\"order\"} 1\n",
           "korder_workqueue_retries_total{name=\"order\"} 1\n",
           "korder_workqueue_queue_duration_seconds_sum{name=\"order\"} 1\n",
           "korder_reconciliation_duration_seconds_count{controller=\"order\",result=\"success\"} "
           "1\n",
           "korder_reconciliation_duration_seconds_count{controller=\"order\",result=\"error\"} "
           "1\n",
           "korder_reconciliation_errors_total{controller=\"order\",error_type=\"ABORTED\"} 1\n",
           "korder_events_dropped_total{reason=\"budget\"} 1\n",
           "korder_events_dropped_total{reason=\"queue\"} 0\n",
       }) {
    CHECK_THAT(text, Contains(line));
  }
  CHECK_THAT(text, !Contains("error_type=\"\""));
}

TEST_CASE("metrics: the end of the certificate is told in Unix time", "[metrics]") {
  Metrics metrics("order-svc");
  metrics.CertificateExpiry(absl::FromUnixSeconds(1'800'000'000));
  CHECK_THAT(metrics.Text(),
             Contains("korder_certificate_expiry_seconds{service=\"order-svc\"} 1800000000"));
}

TEST_CASE("labeled: the same values are the same series, from any thread", "[metrics]") {
  prometheus::Registry registry;
  Labeled<prometheus::Counter, 2> calls(
      prometheus::BuildCounter().Name("calls").Help("Calls.").Register(registry), {"verb", "code"});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&calls] {
        for (int n = 0; n < 1000; ++n) {
          calls.With({"get", n % 2 == 0 ? "200" : "404"}).Increment();
        }
      });
    }
  }
  CHECK(calls.With({"get", "200"}).Value() == 2000);
  CHECK(calls.With({"get", "404"}).Value() == 2000);
  CHECK(calls.With({"ge", "t200"}).Value() == 0);
}

}  // namespace korder::runtime
