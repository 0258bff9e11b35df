// Room passes on while every core is held and hundreds of pods wait to take what is free for an
// instant. KORDER_STORM_HANDOFFS says how many handoffs (by default 100).
#include <cstdlib>
#include <iostream>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "full_house.h"

namespace korder::integration {
namespace {

constexpr int kThieves = 200;
constexpr int kPerRound = 300;
constexpr int kWidth = 64;

int Handoffs() {
  int asked = 100;
  if (const char* text = std::getenv("KORDER_STORM_HANDOFFS")) {
    REQUIRE(absl::SimpleAtoi(text, &asked));
  }
  return asked;
}

TEST_CASE("handoff storm: nobody takes the room on its way", "[integration]") {
  Cluster cluster;
  const int all = Handoffs();
  int done = 0;
  int stolen = 0;
  int elsewhere = 0;
  while (done < all) {
    FullHouse house(cluster, {.thieves = kThieves});
    const Claims claims = house.Claim(std::min(all - done, kPerRound), kWidth);
    done += claims.asked;
    const std::vector<std::string> thieves = house.Stolen();
    stolen += static_cast<int>(thieves.size());
    elsewhere += claims.elsewhere + claims.unbound;
    std::cout << "thief storm, " << kThieves << " thieves: " << Summary(claims) << "; "
              << thieves.size() << " stolen; " << done << " of " << all << std::endl;
    INFO(Summary(claims));
    CHECK(thieves.empty());
    CHECK(claims.on_ticket_node == claims.asked);
  }
  CHECK(stolen == 0);
  CHECK(elsewhere == 0);
}

TEST_CASE("handoff storm: what a claim takes, beside a bare pod on an idle node", "[integration]") {
  constexpr int kPods = 60;
  constexpr absl::Duration kEvery = absl::Milliseconds(200);
  Cluster cluster;
  const Claims bare = BindBarePods(cluster, kPods, kEvery);
  FullHouse house(cluster, {.thieves = kThieves});
  const Claims claims = house.Claim(kPods, kPods, kEvery);
  std::cout << "bare pods:   " << Summary(bare) << "\nclaims:      " << Summary(claims)
            << absl::StrFormat("\nP4: p50 %.2fx, p99 %.2fx of a bare pod's bind; %d stolen\n",
                               absl::FDivDuration(claims.Percentile(0.5), bare.Percentile(0.5)),
                               absl::FDivDuration(claims.Percentile(0.99), bare.Percentile(0.99)),
                               house.Stolen().size());
  CHECK(claims.on_ticket_node == kPods);
  CHECK(house.Stolen().empty());
}

}  // namespace
}  // namespace korder::integration
