#include "cli/skip_list.h"

#include <catch2/catch.hpp>

#include "cli/testing.h"
#include "cli/text.h"

namespace korder::cli {
namespace {

using Texts = std::vector<std::string>;

// kNow is Monday, 14:48 UTC, 16:48 in Berlin.
api::OrderSpec Twice(Texts skip = {}) {
  api::OrderSpec spec;
  spec.strategy = {.type = api::StrategyType::kScheduled,
                   .schedule = "0 8,20 * * *",
                   .time_zone = "Europe/Berlin",
                   .skip = std::move(skip)};
  spec.ticket_template.spec.duration = absl::Hours(8);
  return spec;
}

TEST_CASE("skip list: the next window goes, then the one after it", "[skip]") {
  const auto one = SkipNext(Twice(), kNow);
  REQUIRE(one.ok());
  CHECK(TimeText(one->window) == "2026-05-04T18:00:00Z");
  CHECK(TimeText(*one->next) == "2026-05-05T06:00:00Z");
  CHECK(one->skip == Texts{"2026-05-04T18:00:00Z"});
  CHECK(one->dropped.empty());
  const auto two = SkipNext(Twice(one->skip), kNow);
  REQUIRE(two.ok());
  CHECK(TimeText(two->window) == "2026-05-05T06:00:00Z");
  CHECK(two->skip == Texts{"2026-05-04T18:00:00Z", "2026-05-05T06:00:00Z"});
}

TEST_CASE("skip list: past entries go, those that may still mean something stay", "[skip]") {
  const auto change =
      SkipNext(Twice({"2026-05-03", "2026-05-04T06:00:00Z", "2026-05-04", "2026-12-24"}), kNow);
  REQUIRE(change.ok());
  CHECK(change->dropped == Texts{"2026-05-03", "2026-05-04T06:00:00Z"});
  CHECK(change->skip == Texts{"2026-05-04", "2026-12-24", "2026-05-05T06:00:00Z"});
  // In Berlin the day is over two hours before it is in Greenwich.
  const absl::Time late = kNow + absl::Hours(7) + absl::Minutes(30);
  CHECK(SkipNext(Twice({"2026-05-04"}), late)->dropped == Texts{"2026-05-04"});
}

TEST_CASE("skip list: what runs is not what comes next", "[skip]") {
  const absl::Time evening = kNow + absl::Hours(4);
  CHECK(TimeText(SkipNext(Twice(), evening)->window) == "2026-05-05T06:00:00Z");
}

TEST_CASE("skip list: undo takes back the next one that is left out", "[skip]") {
  const auto instant = UnskipNext(Twice({"2026-05-05T18:00:00Z", "2026-05-05T06:00:00Z"}), kNow);
  REQUIRE(instant.ok());
  CHECK(TimeText(instant->window) == "2026-05-05T06:00:00Z");
  CHECK(instant->skip == Texts{"2026-05-05T18:00:00Z"});
  CHECK(TimeText(*instant->next) == "2026-05-04T18:00:00Z");
  CHECK(instant->day.empty());

  const auto day = UnskipNext(Twice({"2026-05-05", "2026-05-05T06:00:00Z", "2026-05-07"}), kNow);
  REQUIRE(day.ok());
  CHECK(TimeText(day->window) == "2026-05-05T06:00:00Z");
  CHECK(day->day == "2026-05-05");
  CHECK(day->skip == Texts{"2026-05-07"});
}

TEST_CASE("skip list: skip and undo leave everything as it was", "[skip]") {
  Texts skip = {"2026-05-06"};
  for (int i = 0; i < 5; ++i) {
    skip = SkipNext(Twice(skip), kNow)->skip;
  }
  CHECK(skip.size() == 6);
  // Undone is the earliest, so the last one stays to the end.
  for (int i = 0; i < 3; ++i) {
    skip = UnskipNext(Twice(skip), kNow)->skip;
  }
  CHECK(skip == Texts{"2026-05-06", "2026-05-07T06:00:00Z", "2026-05-07T18:00:00Z"});
}

TEST_CASE("skip list: where there is nothing to do it is said", "[skip]") {
  api::OrderSpec once;
  CHECK_THAT(std::string(Message(SkipNext(once, kNow).status())),
             Catch::Contains("its strategy is OneTime"));
  CHECK(absl::IsFailedPrecondition(UnskipNext(once, kNow).status()));
  CHECK(std::string(Message(UnskipNext(Twice(), kNow).status())) == "no window to come is skipped");
  // An entry that meets no window leaves nothing out.
  CHECK_FALSE(UnskipNext(Twice({"2026-05-05T07:00:00Z"}), kNow).ok());
  CHECK(absl::IsInvalidArgument(SkipNext(Twice({"soon"}), kNow).status()));
}

}  // namespace
}  // namespace korder::cli
