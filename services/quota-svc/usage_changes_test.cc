#include "quota-svc/usage_changes.h"

#include <catch2/catch.hpp>

namespace korder::quota {
namespace {

QuotaUsage Usage(const std::string& quota, int64_t tickets) {
  QuotaUsage usage;
  usage.quota = quota;
  usage.limits.hard.amounts = {{"tickets", api::Quantity::FromInt(10)}};
  usage.used = {{"tickets", api::Quantity::FromInt(tickets)}};
  return usage;
}

}  // namespace

TEST_CASE("usage changes: everything first, then only what differs and what is gone", "[quota]") {
  UsageChanges changes;
  CHECK(changes.Since({Usage("a", 1), Usage("b", 2)}).quotas_size() == 2);
  const pb::WatchResponse nothing = changes.Since({Usage("a", 1), Usage("b", 2)});
  CHECK(nothing.quotas_size() == 0);
  CHECK(nothing.deleted_quotas_size() == 0);
  const pb::WatchResponse next = changes.Since({Usage("b", 3), Usage("c", 0)});
  REQUIRE(next.quotas_size() == 2);
  CHECK(next.quotas(0).quota() == "b");
  CHECK(next.quotas(0).entries(0).used() == "3");
  CHECK(next.quotas(1).quota() == "c");
  REQUIRE(next.deleted_quotas_size() == 1);
  CHECK(next.deleted_quotas(0) == "a");
}

}  // namespace korder::quota
