#include "api/v1alpha1/ticket_window.h"

#include <catch2/catch.hpp>

namespace korder::api {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Ticket TicketOf(std::optional<DurationField> duration) {
  Ticket ticket;
  ticket.spec.duration = std::move(duration);
  return ticket;
}

TEST_CASE("ticket window: before it begins the spec says how long it is", "[ticket][window]") {
  CHECK_FALSE(HasBegun(TicketOf(absl::Hours(1))));
  CHECK(HeldFor(TicketOf(absl::Hours(1))) == absl::Hours(1));
  CHECK(HeldFor(TicketOf(std::nullopt)) == std::nullopt);
  CHECK(HeldFor(TicketOf(DurationField::FromText("a while"))) == std::nullopt);
  CHECK(WantedEnd(TicketOf(absl::Hours(1))) == std::nullopt);
}

TEST_CASE("ticket window: once it has begun the status says how long it is", "[ticket][window]") {
  Ticket ticket = TicketOf(absl::Hours(3));
  ticket.status.activation_time = kNow;
  ticket.status.expiration_time = kNow + absl::Hours(1);
  CHECK(HasBegun(ticket));
  CHECK(HeldFor(ticket) == absl::Hours(1));
  CHECK(EndOfWindow(ticket) == kNow + absl::Hours(1));
  CHECK(WantedEnd(ticket) == kNow + absl::Hours(3));

  ticket.spec.duration.reset();
  CHECK(HeldFor(ticket) == absl::Hours(1));
  CHECK(WantedEnd(ticket) == absl::InfiniteFuture());

  ticket.spec.duration = DurationField::FromText("a while");
  CHECK(WantedEnd(ticket) == std::nullopt);

  ticket.status.expiration_time.reset();
  CHECK(HeldFor(ticket) == std::nullopt);
  CHECK(EndOfWindow(ticket) == absl::InfiniteFuture());
}

TEST_CASE("ticket window: with a startTime it is as long for who becomes Ready late",
          "[ticket][window]") {
  Ticket ticket = TicketOf(absl::Hours(1));
  ticket.spec.start_time = kNow;
  CHECK(WindowStart(ticket) == kNow);
  CHECK(WantedEnd(ticket) == kNow + absl::Hours(1));
  ticket.status.activation_time = kNow + absl::Minutes(20);
  ticket.status.expiration_time = kNow + absl::Hours(1);
  CHECK(WindowStart(ticket) == kNow);
  CHECK(HeldFor(ticket) == absl::Hours(1));
}

}  // namespace
}  // namespace korder::api
