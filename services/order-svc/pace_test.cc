#include "order-svc/pace.h"

#include <catch2/catch.hpp>

#include "base/testing/fake_clock.h"

namespace korder::order {
namespace {

struct Fixture {
  // As an order does that wants so many, and waits for the rest.
  size_t Take(const std::string& order, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(order + "-" + std::to_string(i));
    }
    const size_t taken = pace.Take("default", names);
    if (taken < names.size()) {
      pace.Wait({"default", order});
    }
    return taken;
  }
  void Settle(const std::string& order, int first, int last) {
    for (int i = first; i <= last; ++i) {
      pace.Settle({"default", order + "-" + std::to_string(i)});
    }
  }

  FakeClock clock;
  std::vector<std::string> woken;
  Pace pace{clock,
            [this](const kube::ObjectKey& order) { woken.push_back(order.name); },
            {.tickets = 10, .patience = absl::Seconds(2)}};
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("pace: no more tickets are under way than may be", "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 4) == 4);
  CHECK(f.Take("db", 8) == 6);
  CHECK(f.Take("db", 8) == 0);
  CHECK(f.woken.empty());
}

TEST_CASE("pace: an order gets all that it wants, or enough to be worth a reservation",
          "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 6) == 6);
  CHECK(f.Take("db", 8) == 0);  // four of them
  CHECK(f.Take("job", 4) == 4);
  f.Settle("web", 0, 4);
  CHECK(f.woken == Names{"db"});
  CHECK(f.Take("db", 8) == 5);
}

TEST_CASE("pace: who waits is woken when half is settled, the longest waiting first",
          "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 10) == 10);
  CHECK(f.Take("db", 3) == 0);
  CHECK(f.Take("job", 4) == 0);
  CHECK(f.Take("db", 3) == 0);  // it does not wait twice
  f.Settle("web", 0, 3);
  CHECK(f.woken.empty());
  f.Settle("web", 4, 4);
  CHECK(f.woken == Names{"db"});
  SECTION("and wakes the next, who finds room, too") {
    CHECK(f.Take("db", 3) == 3);
    CHECK(f.woken == Names{"db", "job"});
    CHECK(f.Take("job", 2) == 2);
  }
  SECTION("unless it takes all that there is") {
    CHECK(f.Take("db", 9) == 5);
    CHECK(f.woken == Names{"db"});
  }
}

TEST_CASE("pace: a ticket that nothing becomes of holds up nobody for long", "[order][pace]") {
  Fixture f;
  CHECK(f.Take("stuck", 10) == 10);
  f.clock.Advance(absl::Milliseconds(1999));
  CHECK(f.Take("web", 5) == 0);
  f.clock.Advance(absl::Milliseconds(1));
  CHECK(f.Take("web", 5) == 5);
  CHECK(f.Take("web", 10) == 5);
}

TEST_CASE("pace: room that came before an order waits is not overlooked", "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 10) == 10);
  f.Settle("web", 0, 9);
  f.pace.Wait({"default", "db"});
  CHECK(f.woken == Names{"db"});
}

TEST_CASE("pace: one that is made again counts from then on", "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 10) == 10);
  f.Settle("web", 0, 0);
  f.clock.Advance(absl::Seconds(1));
  CHECK(f.Take("web", 1) == 1);
  f.clock.Advance(absl::Seconds(1));  // the others are old
  CHECK(f.Take("db", 20) == 9);
}

TEST_CASE("pace: a ticket is settled when it is Ready, in trouble, over or gone, and not before",
          "[order][pace]") {
  Fixture f;
  CHECK(f.Take("web", 10) == 10);
  OrderTicket ticket;
  ticket.metadata.ns = "default";
  ticket.metadata.name = "web-0";
  f.pace.OnTicket(nullptr, &ticket);
  CHECK(f.Take("db", 1) == 0);
  SECTION("Ready") {
    ticket.phase = api::TicketPhase::kReady;
    f.pace.OnTicket(nullptr, &ticket);
  }
  SECTION("in trouble") {
    ticket.trouble = OrderTicket::Trouble{.reason = "Unschedulable"};
    f.pace.OnTicket(nullptr, &ticket);
  }
  SECTION("over") {
    ticket.phase = api::TicketPhase::kFailed;
    f.pace.OnTicket(nullptr, &ticket);
  }
  SECTION("gone") { f.pace.OnTicket(&ticket, nullptr); }
  SECTION("or all is forgotten") { f.pace.ForgetAll(); }
  CHECK(f.Take("db", 1) == 1);
}

}  // namespace korder::order
