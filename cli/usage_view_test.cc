#include "cli/usage_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

TEST_CASE("quota usage: bars, aligned over all quotas", "[usage_view]") {
  CHECK(QuotaUsageBars(Response({TeamQuota(), GpuQuota()}), {}, kNow) ==
        R"(team-quota   NamespaceSelector
  orders                      3 / 10     30%  ######..............
  tickets                    36 / 50     72%  ##############......
  reserved.cpu               18 / 20     90%  ##################..
  reserved.memory          10Gi / 40Gi   25%  #####...............
  max-duration                    24h         for each ticket

gpu   Cluster   window business-hours   changes 2026-05-04T18:00:00Z (in 3h12m)
  tickets                     0 / 4       0%  ....................
  reserved.nvidia.com/gpu     9 / 8     112%  ####################  over the limit
  of it, namespace ml
    tickets                   1 / 200    <1%  #...................
)");
}

TEST_CASE("quota usage: a bar is full only when there is no room left", "[usage_view]") {
  CHECK(Bar(0, 4, {}) == "....");
  CHECK(Bar(0.001, 4, {}) == "#...");
  CHECK(Bar(0.5, 4, {}) == "##..");
  CHECK(Bar(0.999, 4, {}) == "###.");
  CHECK(Bar(1, 4, {}) == "####");
  CHECK(Bar(7, 4, {}) == "####");
  CHECK(Bar(0.6, 5, {}) == "###..");
}

TEST_CASE("quota usage: colour and blocks only where they can be shown", "[usage_view]") {
  CHECK(Bar(0.5, 4, {.unicode = true}) == "██░░");
  CHECK(Bar(0.5, 4, {.color = true}) == "\x1b[32m##\x1b[0m..");
  CHECK(Bar(0.75, 4, {.color = true}) == "\x1b[33m###\x1b[0m.");
  CHECK(Bar(0.9, 4, {.color = true}) == "\x1b[31m###\x1b[0m.");
  CHECK(Bar(0, 4, {.color = true}) == "....");
}

TEST_CASE("quota usage: percents are rounded down, so that 100% means full", "[usage_view]") {
  CHECK(PercentText(0) == "0%");
  CHECK(PercentText(0.0001) == "<1%");
  CHECK(PercentText(0.29) == "29%");
  CHECK(PercentText(0.9999) == "99%");
  CHECK(PercentText(1) == "100%");
  CHECK(PercentText(1.4) == "140%");
}

}  // namespace
}  // namespace korder::cli
