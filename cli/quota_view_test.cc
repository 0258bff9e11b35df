#include "cli/quota_view.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"

namespace korder::cli {
namespace {

TEST_CASE("quota list: the table shows use and limits side by side", "[quota_view]") {
  CHECK(QuotaList(Response({GpuQuota(), TeamQuota()}), {}, kNow) ==
        R"(NAME         SCOPE               WINDOW           ORDERS   TICKETS   CPU     MEMORY
gpu          Cluster             business-hours   -        0/4       -       -
team-quota   NamespaceSelector   -                3/10     36/50     18/20   10Gi/40Gi
)");
}

TEST_CASE("quota list: the wide table has a column for every resource", "[quota_view]") {
  CHECK(
      QuotaList(Response({GpuQuota(), TeamQuota()}), {.format = Format::kWide}, kNow) ==
      R"(NAME         SCOPE               WINDOW           ORDERS   TICKETS   CPU     MEMORY      NVIDIA.COM/GPU   MAX-DURATION   NAMESPACES   CHANGES-IN
gpu          Cluster             business-hours   -        0/4       -       -           9/8              -              1            3h12m
team-quota   NamespaceSelector   -                3/10     36/50     18/20   10Gi/40Gi   -                24h            -            -
)");
}

TEST_CASE("quota list: JSON has everything, with exact amounts", "[quota_view]") {
  CHECK(QuotaList(Response({GpuQuota()}), {.format = Format::kJson}, kNow) == R"({
  "epoch": 7,
  "quotas": [
    {
      "name": "gpu",
      "scope": "Cluster",
      "activeTimeWindow": "business-hours",
      "nextTransitionTime": "2026-05-04T18:00:00Z",
      "generation": 1,
      "resources": [
        {
          "resource": "tickets",
          "hard": "4",
          "used": "0",
          "available": "4",
          "ratio": 0.0
        },
        {
          "resource": "reserved.nvidia.com/gpu",
          "hard": "8",
          "used": "9",
          "available": "0",
          "ratio": 1.125
        }
      ],
      "allocations": [
        {
          "namespace": "ml",
          "resources": [
            {
              "resource": "tickets",
              "hard": "200",
              "used": "1",
              "available": "199",
              "ratio": 0.005
            }
          ]
        }
      ]
    }
  ]
}
)");
}

TEST_CASE("quota get: one quota by itself has no list around it", "[quota_view]") {
  CHECK(QuotaAlone(TeamQuota(), {.format = Format::kYaml}, kNow) == R"(name: team-quota
scope: NamespaceSelector
generation: 3
resources:
- resource: orders
  hard: "10"
  used: "3"
  available: "7"
  ratio: 0.3
- resource: tickets
  hard: "50"
  used: "36"
  available: "14"
  ratio: 0.72
- resource: reserved.cpu
  hard: "20"
  used: "18"
  available: "2"
  ratio: 0.9
- resource: reserved.memory
  hard: "40Gi"
  used: "10Gi"
  available: "30Gi"
  ratio: 0.25
- resource: max-duration
  hard: "24h"
)");
  CHECK_THAT(QuotaAlone(TeamQuota(), {}, kNow), Catch::Contains("\nteam-quota   Namespace"));
}

TEST_CASE("quota view: ratios are of exact amounts, whatever their units", "[quota_view]") {
  struct Case {
    const char* used;
    const char* hard;
    double want;
  };
  const Case cases[] = {{"500m", "2", 0.25}, {"512Mi", "2Gi", 0.25}, {"3", "2", 1.5},
                        {"0", "0", 1},       {"0", "5", 0},          {"", "24h", 0},
                        {"1e3", "2k", 0.5}};
  for (const Case& c : cases) {
    pb::QuotaUsage::Entry entry;
    entry.set_used(c.used);
    entry.set_hard(c.hard);
    CHECK(UseRatio(entry) == c.want);
  }
}

}  // namespace
}  // namespace korder::cli
