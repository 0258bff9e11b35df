#include "kube/watch_state.h"

#include <catch2/catch.hpp>

namespace korder::kube {

std::ostream& operator<<(std::ostream& out, const WatchState::Step& s) {
  return out << (s.kind == WatchState::Kind::kList ? "list" : "watch") << " first=" << s.first
             << " token=" << s.continue_token << " version=" << s.version
             << " failures=" << s.failures << " at_least=" << s.at_least << " " << s.reason;
}

namespace {

using Kind = WatchState::Kind;
using Step = WatchState::Step;

const absl::Status kOk;
constexpr absl::Duration kLong = absl::Minutes(5);
constexpr absl::Duration kQuick = absl::Milliseconds(1);

Step List(int failures = 0, std::string_view reason = "") {
  return {.kind = Kind::kList, .failures = failures, .reason = reason};
}
Step NextPage(std::string token, int failures = 0, std::string_view reason = "") {
  return {.kind = Kind::kList,
          .first = false,
          .continue_token = std::move(token),
          .failures = failures,
          .reason = reason};
}
Step Watch(std::string version, int failures = 0, std::string_view reason = "") {
  return {
      .kind = Kind::kWatch, .version = std::move(version), .failures = failures, .reason = reason};
}

WatchState Watching(std::string_view version) {
  WatchState state;
  state.PageArrived(version, "");
  return state;
}

absl::Status Expired() { return OutOfRangeError("too old"); }
absl::Status Broken() { return UnavailableError("reset"); }
absl::Status Silent() { return DeadlineExceededError("silent"); }

}  // namespace

TEST_CASE("watch state: lists page by page, then watches from the list's version",
          "[watch_state]") {
  WatchState state;
  CHECK(state.next() == List());
  CHECK_FALSE(state.PageArrived("7", "a"));
  CHECK(state.next() == NextPage("a"));
  CHECK_FALSE(state.PageArrived("7", "b"));
  CHECK(state.next() == NextPage("b"));
  CHECK(state.PageArrived("7", ""));
  CHECK(state.next() == Watch("7"));
}

TEST_CASE("watch state: a page that failed for a while is asked for again, later and later",
          "[watch_state]") {
  WatchState state;
  state.ListFailed(Broken());
  CHECK(state.next() == List(1, "error"));
  state.ListFailed(Broken());
  CHECK(state.next() == List(2, "error"));
  state.PageArrived("7", "a");
  CHECK(state.next() == NextPage("a"));
  state.ListFailed(Silent());
  CHECK(state.next() == NextPage("a", 1, "error"));
  CHECK(state.PageArrived("7", ""));
}

TEST_CASE("watch state: an expired or refused page begins the list anew", "[watch_state]") {
  WatchState state;
  state.PageArrived("7", "a");
  state.ListFailed(Expired());
  CHECK(state.next() == List(1, "expired"));
  state.PageArrived("9", "b");
  state.ListFailed(InvalidArgumentError("invalid token"));
  CHECK(state.next() == List(1, "refused"));
  state.ListFailed(PermissionDeniedError("no"));
  CHECK(state.next() == List(2, "refused"));
}

TEST_CASE("watch state: a watch goes on after the last version it saw", "[watch_state]") {
  WatchState state = Watching("7");
  state.WatchOpened();
  state.Seen("8");
  state.Seen("12");
  state.WatchEnded(kOk, kQuick);
  CHECK(state.next() == Watch("12", 0, "closed"));
  state.WatchOpened();
  state.Seen("13");
  state.WatchEnded(Broken(), kQuick);
  CHECK(state.next() == Watch("13", 0, "error"));
}

TEST_CASE("watch state: the version never goes back", "[watch_state]") {
  WatchState state = Watching("100");
  state.WatchOpened();
  for (const char* version : {"99", "", "100", "101", "20", "102", "102"}) {
    state.Seen(version);
  }
  state.WatchEnded(kOk, kLong);
  CHECK(state.next().version == "102");
}

TEST_CASE("watch state: versions that are no numbers are taken as they come", "[watch_state]") {
  WatchState state = Watching("b");
  state.WatchOpened();
  state.Seen("a");
  state.WatchEnded(kOk, kLong);
  CHECK(state.next().version == "a");
}

TEST_CASE("watch state: a list is the truth, even with an older version", "[watch_state]") {
  WatchState state = Watching("100");
  state.WatchEnded(Expired(), kQuick);
  CHECK(state.PageArrived("50", ""));
  CHECK(state.next() == Watch("50"));
}

TEST_CASE("watch state: a long watch without events is nothing unusual", "[watch_state]") {
  WatchState state = Watching("7");
  for (int i = 0; i < 10; ++i) {
    state.WatchOpened();
    state.WatchEnded(kOk, kLong);
    CHECK(state.next() == Watch("7", 0, "closed"));
  }
}

TEST_CASE("watch state: watches that close at once and bring nothing back off", "[watch_state]") {
  WatchState state = Watching("7");
  for (int i = 1; i <= 10; ++i) {
    state.WatchOpened();
    state.Seen("7");  // A bookmark that moves nothing is nothing.
    state.WatchEnded(kOk, kQuick);
    CHECK(state.next() == Watch("7", i, "short"));
  }
  state.WatchOpened();
  state.Seen("8");
  state.WatchEnded(kOk, kQuick);
  CHECK(state.next() == Watch("8", 0, "closed"));
}

TEST_CASE("watch state: from a second on a watch is not short", "[watch_state]") {
  WatchState state = Watching("7");
  state.WatchOpened();
  state.WatchEnded(kOk, WatchState::kShort - absl::Nanoseconds(1));
  CHECK(state.next() == Watch("7", 1, "short"));
  state.WatchOpened();
  state.WatchEnded(kOk, WatchState::kShort);
  CHECK(state.next() == Watch("7", 0, "closed"));
}

TEST_CASE("watch state: failures to open a watch back off, however long they take",
          "[watch_state]") {
  WatchState state = Watching("7");
  state.WatchEnded(Broken(), kQuick);
  CHECK(state.next() == Watch("7", 1, "error"));
  state.WatchEnded(UnavailableError("503"), kLong);
  CHECK(state.next() == Watch("7", 2, "error"));
  state.WatchOpened();
  state.WatchEnded(Broken(), kLong);
  CHECK(state.next() == Watch("7", 0, "error"));
}

TEST_CASE("watch state: a version that is too old means a list, at once the first time",
          "[watch_state]") {
  WatchState state = Watching("7");
  state.WatchEnded(Expired(), kQuick);
  CHECK(state.next() == List(0, "expired"));
  state.PageArrived("9", "");
  CHECK(state.next() == Watch("9"));
  state.WatchEnded(Expired(), kQuick);
  CHECK(state.next() == List(1, "expired"));
  state.PageArrived("9", "");
  state.WatchEnded(Expired(), kQuick);
  CHECK(state.next() == List(2, "expired"));
  // Progress ends the row.
  state.PageArrived("9", "");
  state.WatchOpened();
  state.Seen("10");
  state.WatchEnded(Expired(), kQuick);
  CHECK(state.next() == List(0, "expired"));
}

TEST_CASE("watch state: a watch that went back lists anew, never at once", "[watch_state]") {
  WatchState state = Watching("7");
  state.WatchOpened();
  state.Seen("9");
  state.WatchEnded(absl::DataLossError("8 after 9"), kQuick);
  CHECK(state.next() == List(1, "disorder"));
  state.PageArrived("9", "");
  state.WatchOpened();
  state.WatchEnded(absl::DataLossError("8 after 9"), kQuick);
  CHECK(state.next() == List(2, "disorder"));
}

TEST_CASE("watch state: only numbers go back", "[watch_state]") {
  CHECK(GoesBack("9", "10"));
  CHECK_FALSE(GoesBack("10", "10"));
  CHECK_FALSE(GoesBack("11", "10"));
  CHECK_FALSE(GoesBack("a", "b"));
  CHECK_FALSE(GoesBack("", "10"));
  CHECK_FALSE(GoesBack("10", ""));
}

TEST_CASE("watch state: a version that is no number is newer when it is another", "[watch_state]") {
  const auto seen = [](std::string_view first, std::string_view then) {
    WatchState state = Watching(first);
    state.Seen(then);
    return std::string(state.version());
  };
  CHECK(seen("7", "9") == "9");
  CHECK(seen("7", "5") == "7");
  CHECK(seen("7", "b") == "b");
  CHECK(seen("b", "7") == "7");
  CHECK(seen("b", "a") == "a");
}

TEST_CASE("watch state: a refused watch lists anew, and backs off", "[watch_state]") {
  for (const absl::Status& refusal : {InvalidArgumentError("x"), NotFoundError("x"),
                                      PermissionDeniedError("x"), UnauthenticatedError("x")}) {
    WatchState state = Watching("7");
    state.WatchEnded(refusal, kQuick);
    CHECK(state.next() == List(1, "refused"));
    state.PageArrived("7", "");
    state.WatchEnded(refusal, kQuick);
    CHECK(state.next() == List(2, "refused"));
  }
}

TEST_CASE("watch state: a silent watch is opened again, a second one in a row lists anew",
          "[watch_state]") {
  WatchState state = Watching("7");
  const auto silent_watch = [&] {
    state.WatchOpened();
    state.WatchEnded(Silent(), kLong);
  };
  silent_watch();
  CHECK(state.next() == Watch("7", 0, "silent"));
  silent_watch();
  CHECK(state.next() == List(0, "silent"));
  state.PageArrived("5", "");
  silent_watch();
  CHECK(state.next() == Watch("5", 0, "silent"));
  // One that brought anything, if only a bookmark of the same version, was not silent.
  state.WatchOpened();
  state.Seen("5");
  state.WatchEnded(Silent(), kLong);
  CHECK(state.next() == Watch("5", 0, "silent"));
  silent_watch();
  CHECK(state.next() == Watch("5", 0, "silent"));
  silent_watch();
  CHECK(state.next() == List(0, "silent"));
}

TEST_CASE("watch state: a delay that the server asks for is kept", "[watch_state]") {
  const absl::Status busy = WithRetryAfter(ResourceExhaustedError("429"), absl::Seconds(7));
  WatchState state;
  state.ListFailed(busy);
  CHECK(state.next().failures == 1);
  CHECK(state.next().at_least == absl::Seconds(7));
  state.PageArrived("7", "");
  CHECK(state.next() == Watch("7"));
  state.WatchEnded(busy, kQuick);
  CHECK(state.next().kind == Kind::kWatch);
  CHECK(state.next().at_least == absl::Seconds(7));
  state.WatchEnded(Broken(), kQuick);
  CHECK(state.next().at_least == absl::ZeroDuration());
}

}  // namespace korder::kube
