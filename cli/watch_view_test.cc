#include "cli/watch_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

pb::WatchResponse Told(const std::vector<pb::QuotaUsage>& quotas, int64_t epoch = 1) {
  pb::WatchResponse response;
  response.set_epoch(epoch);
  for (const pb::QuotaUsage& quota : quotas) {
    *response.add_quotas() = quota;
  }
  return response;
}

std::string Lines(const std::vector<QuotaChange>& changes) {
  std::string text;
  for (const QuotaChange& change : changes) {
    text += ChangeText(change, {}, kNow);
  }
  return text;
}

TEST_CASE("watch: first everything, then what changed", "[watch_view]") {
  WatchBook book;
  CHECK(Lines(book.Apply(Told({TeamQuota()}), true)) ==
        "14:48:00Z  team-quota  orders 3/10; tickets 36/50; reserved.cpu 18/20; reserved.memory "
        "10Gi/40Gi; max-duration 24h\n");
  pb::QuotaUsage later = TeamQuota();
  later.mutable_entries(4)->set_used("38");
  later.mutable_entries(2)->set_used("17500m");
  CHECK(Lines(book.Apply(Told({later}), false)) ==
        "14:48:00Z  team-quota  tickets 38/50 (+2); reserved.cpu 17500m/20 (-500m)\n");
  CHECK(book.Apply(Told({later}), false).empty());
}

TEST_CASE("watch: limits, windows and allocations that change are told", "[watch_view]") {
  WatchBook book;
  book.Apply(Told({GpuQuota()}), true);
  pb::QuotaUsage later = GpuQuota();
  later.clear_active_time_window();
  later.mutable_entries(1)->set_hard("2");
  later.mutable_allocations(0)->mutable_entries(0)->set_used("2");
  CHECK(Lines(book.Apply(Told({later}), false)) ==
        "14:48:00Z  gpu  window business-hours closed; tickets 0/2, limit was 4; "
        "ml: tickets 2/200 (+1)\n");
  later.mutable_entries()->RemoveLast();
  CHECK(Lines(book.Apply(Told({later}), false)) == "14:48:00Z  gpu  tickets unlimited\n");
  later.set_generation(99);
  CHECK(Lines(book.Apply(Told({later}), false)) == "14:48:00Z  gpu  changed\n");
}

TEST_CASE("watch: a new stream repeats nothing, and shows what is gone meanwhile", "[watch_view]") {
  WatchBook book;
  book.Apply(Told({TeamQuota(), GpuQuota()}), true);
  CHECK(Lines(book.Apply(Told({TeamQuota()}, 2), true)) == "14:48:00Z  gpu  deleted\n");
  pb::WatchResponse gone = Told({});
  gone.add_deleted_quotas("team-quota");
  gone.add_deleted_quotas("never-seen");
  CHECK(Lines(book.Apply(gone, false)) == "14:48:00Z  team-quota  deleted\n");
}

TEST_CASE("watch: answers of a leader that was replaced are stale", "[watch_view]") {
  WatchBook book;
  book.Apply(Told({TeamQuota()}, 5), true);
  CHECK(book.IsStale(Told({}, 4)));
  CHECK_FALSE(book.IsStale(Told({}, 5)));
  CHECK_FALSE(book.IsStale(Told({}, 6)));
}

TEST_CASE("watch: JSON is one object for each change, on a line of its own", "[watch_view]") {
  WatchBook book;
  pb::QuotaUsage small;
  small.set_quota("small");
  const auto text = [&](const std::vector<QuotaChange>& changes, Format format) {
    REQUIRE(changes.size() == 1);
    return ChangeText(changes[0], {.format = format}, kNow);
  };
  CHECK(text(book.Apply(Told({small}), true), Format::kJson) ==
        R"({"time":"2026-05-04T14:48:00Z","type":"Added","quota":)"
        R"({"name":"small","scope":"","generation":0,"resources":[]}})"
        "\n");
  small.set_scope("Cluster");
  CHECK(text(book.Apply(Told({small}), false), Format::kYaml) ==
        "---\ntime: \"2026-05-04T14:48:00Z\"\ntype: Modified\nquota:\n  name: small\n"
        "  scope: Cluster\n  generation: 0\n  resources: []\n");
  CHECK_THAT(text(book.Apply(Told({}), true), Format::kJson),
             Catch::Contains(R"("type":"Deleted")"));
}

}  // namespace
}  // namespace korder::cli
