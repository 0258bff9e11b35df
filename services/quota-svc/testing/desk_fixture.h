// A desk with a term that is open, whose batches become durable only when the test says so, or at
// once by a thread that plays the writer.
//
//   DeskFixture fixture(MakeQuota("q").Hard("tickets", "1"));
//   fixture.WriteInBackground();
//   fixture.desk.Reserve({MakeClaim(), {"a"}}, fixture.Soon());
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/testing/fake_clock.h"
#include "prometheus/registry.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota::testing {

struct DeskFixture {
  explicit DeskFixture(const api::Quota& quota, int64_t epoch = 7) : DeskFixture(epoch) {
    desk.Observe([&](Ledger& ledger) { ledger.PutQuota(Compile(quota), clock.Now()); });
    desk.Open();
  }
  explicit DeskFixture(int64_t epoch) {
    desk.Begin({.epoch = epoch}, [this](const std::set<std::string>& quotas) {
      const MutexLock lock(mu);
      changed.insert(quotas.begin(), quotas.end());
    });
    desk.Observe([](Ledger& ledger) { ledger.PutNamespace("default", {}); });
  }
  ~DeskFixture() { desk.Close(); }

  MonoTime Soon() const { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

  // Every batch becomes durable right after `write` was called with it.
  void WriteInBackground(std::function<void(const Batch&)> write = [](const Batch&) {}) {
    writer = std::jthread([this, write = std::move(write)](std::stop_token stop) {
      while (const std::optional<Batch> batch = desk.NextBatch(stop, absl::Milliseconds(5))) {
        write(*batch);
        desk.MarkDurable(*batch);
      }
    });
  }

  FakeClock clock;
  prometheus::Registry registry;
  Metrics metrics{registry};
  std::function<absl::StatusOr<std::optional<api::Labels>>(const std::string&)> find =
      [](const std::string&) { return std::optional<api::Labels>(); };
  LedgerDesk desk{clock, metrics, [this](const std::string& ns) { return find(ns); }};
  Mutex mu;
  std::set<std::string> changed ABSL_GUARDED_BY(mu);
  std::jthread writer;
};

}  // namespace korder::quota::testing
