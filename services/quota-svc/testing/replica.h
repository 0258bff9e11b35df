// The ledger of one process of quota-svc on an API server, without watches: a desk, and the thread
// that makes its batches durable.
//
//   Replica replica(server, clock, MakeQuota("q").Hard("tickets", "2"));
//   replica.Lead(1);
//   replica.desk.Reserve(...);
//   replica.Die();
#pragma once

#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "prometheus/registry.h"
#include "quota-svc/grant_log.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota::testing {

// A process of quota-svc: it leads when told to, and dies in the middle of whatever it does.
class Replica {
 public:
  Replica(kube::HttpTransport& server, const Clock& clock, const api::Quota& quota,
          SegmentLimits limits = {})
      : client_(server),
        clock_(clock),
        quota_(quota),
        limits_(limits),
        metrics_(registry_),
        desk(clock, metrics_, [](const std::string&) { return api::Labels(); }) {}
  ~Replica() { Die(); }

  void Lead(int64_t epoch) {
    log_.emplace(client_, clock_,
                 LedgerObjectOptions{
                     .writer = absl::StrCat("epoch-", epoch),
                     .backoff = {.initial = absl::Milliseconds(1), .max = absl::Milliseconds(5)}},
                 limits_);
    const auto opened = log_->Open(epoch, {});
    REQUIRE(opened.ok());
    desk.Begin(opened->image, [](const std::set<std::string>&) {});
    desk.Observe([&](Ledger& ledger) {
      ledger.PutNamespace("default", {});
      ledger.PutQuota(Compile(quota_), clock_.Now());
    });
    desk.Open();
    writer_ = std::jthread([this](std::stop_token stop) {
      while (std::optional<Batch> batch = desk.NextBatch(stop)) {
        if (!log_->Write(batch->changes, batch->closed_until, stop).ok()) {
          break;  // Somebody else leads.
        }
        desk.MarkDurable(*batch);
      }
      desk.Close();
    });
  }
  // What it was about to write may or may not arrive.
  void Die() {
    desk.Close();
    writer_ = {};
  }

 private:
  kube::Client client_;
  const Clock& clock_;
  const api::Quota quota_;
  const SegmentLimits limits_;
  prometheus::Registry registry_;
  Metrics metrics_;
  std::optional<GrantLog> log_;
  std::jthread writer_;

 public:
  LedgerDesk desk;
};

}  // namespace korder::quota::testing
