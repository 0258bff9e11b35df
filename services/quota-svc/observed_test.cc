#include "quota-svc/observed.h"

#include <catch2/catch.hpp>

#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeQuota;

// For an hour, from kNow on.
api::Ticket ReadyTicket() {
  api::Ticket ticket;
  ticket.metadata.name = "web-0";
  ticket.metadata.ns = "default";
  ticket.metadata.uid = "uid";
  ticket.spec.duration = absl::Hours(1);
  ticket.spec.resources.requests = {{"cpu", *api::Quantity::Parse("1")}};
  ticket.status.phase = api::TicketPhase::kReady;
  ticket.status.incarnation = 1;
  ticket.status.activation_time = kNow;
  ticket.status.expiration_time = kNow + absl::Hours(1);
  return ticket;
}

Ledger LedgerWith(const api::Quota& quota) {
  Ledger ledger;
  ledger.PutNamespace("default", {});
  ledger.PutQuota(Compile(quota), kNow);
  return ledger;
}

// As ticket-svc asks for a window that ends so long after kNow.
std::string AskUntil(Ledger& ledger, absl::Duration end, absl::Duration elapsed) {
  Claim claim = ViewOf(Reduced(ReadyTicket())).claim;
  claim.duration = end;
  const auto verdict = ledger.Confirm({"uid", "", claim, end - elapsed}, kNow + elapsed);
  REQUIRE(verdict.ok());
  const auto* denial = std::get_if<Denial>(&*verdict);
  return denial == nullptr ? "granted" : denial->message;
}

TEST_CASE("observed: a ticket is charged for the window that it was granted", "[quota][observed]") {
  api::Ticket ticket = ReadyTicket();
  CHECK(ViewOf(Reduced(ticket)).claim.duration == absl::Hours(1));
  ticket.spec.duration = absl::Hours(9);
  CHECK(ViewOf(Reduced(ticket)).claim.duration == absl::Hours(1));
  CHECK_FALSE(LedgerSeesChange(Reduced(ReadyTicket()), Reduced(ticket)));
  ticket.status.expiration_time = kNow + absl::Hours(9);
  CHECK(ViewOf(Reduced(ticket)).claim.duration == absl::Hours(9));
  CHECK(LedgerSeesChange(Reduced(ReadyTicket()), Reduced(ticket)));
  ticket.status.expiration_time.reset();
  CHECK(ViewOf(Reduced(ticket)).claim.duration == std::nullopt);
}

TEST_CASE("observed: before its window a ticket is charged for what its spec asks for",
          "[quota][observed]") {
  api::Ticket ticket = ReadyTicket();
  ticket.status = {};
  api::Ticket longer = ticket;
  longer.spec.duration = absl::Hours(2);
  CHECK(ViewOf(Reduced(longer)).claim.duration == absl::Hours(2));
  CHECK(LedgerSeesChange(Reduced(ticket), Reduced(longer)));
}

TEST_CASE("observed: that a window begins changes nothing, however late", "[quota][observed]") {
  api::Ticket ready = ReadyTicket();
  ready.spec.start_time = kNow - absl::Minutes(20);
  ready.status.expiration_time = kNow + absl::Minutes(40);
  api::Ticket before = ready;
  before.status.activation_time.reset();
  before.status.expiration_time.reset();
  CHECK(ViewOf(Reduced(before)).claim == ViewOf(Reduced(ready)).claim);
  CHECK_FALSE(LedgerSeesChange(Reduced(before), Reduced(ready)));
}

TEST_CASE("ledger: a longer window is decided although the watch has shown the new spec before",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "2h"));
  api::Ticket ticket = ReadyTicket();
  ledger.Observe(ViewOf(Reduced(ticket)));
  ticket.spec.duration = absl::Hours(4);
  ledger.Observe(ViewOf(Reduced(ticket)));
  CHECK(AskUntil(ledger, absl::Hours(4), absl::Minutes(50)) ==
        "quota q: max-duration: requested 3h10m, at most 2h");
}

TEST_CASE("ledger: what is still to come of a window counts, renewal by renewal",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "1h").Hard("tickets", "1"));
  api::Ticket ticket = ReadyTicket();
  ledger.Observe(ViewOf(Reduced(ticket)));
  for (int renewal = 1; renewal < 5; ++renewal) {
    CAPTURE(renewal);
    const absl::Duration elapsed = absl::Minutes(50) * renewal;
    CHECK(AskUntil(ledger, elapsed + absl::Minutes(61), elapsed) ==
          "quota q: max-duration: requested 1h1m, at most 1h");
    CHECK(AskUntil(ledger, elapsed + absl::Minutes(60), elapsed) == "granted");
    // The guardian is lost before the watch has shown the new end.
    ticket.status.expiration_time = kNow + elapsed + absl::Minutes(60);
    CHECK(std::holds_alternative<Granted>(
        *ledger.Confirm({"uid", "", ViewOf(Reduced(ticket)).claim}, kNow + elapsed)));
    ledger.Observe(ViewOf(Reduced(ticket)));
    CHECK(ledger.book().Usage("q")->used["tickets"] == api::Quantity::FromInt(1));
  }
}

TEST_CASE("ledger: a lowered max-duration revokes nothing, and makes nothing longer",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "1h"));
  const api::Ticket ticket = ReadyTicket();
  ledger.Observe(ViewOf(Reduced(ticket)));
  ledger.PutQuota(Compile(MakeQuota("q").Hard("max-duration", "10m")), kNow);
  CHECK(std::holds_alternative<Granted>(
      *ledger.Confirm({"uid", "", ViewOf(Reduced(ticket)).claim}, kNow + absl::Minutes(5))));
  CHECK(AskUntil(ledger, absl::Minutes(61), absl::Minutes(30)) ==
        "quota q: max-duration: requested 31m, at most 10m");
}

TEST_CASE("ledger: a full quota makes no window shorter", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "0").Hard("reserved.cpu", "500m"));
  ledger.Observe(ViewOf(Reduced(ReadyTicket())));
  CHECK(AskUntil(ledger, absl::Hours(2), absl::Minutes(50)) == "granted");
}

TEST_CASE("ledger: a window without end needs a quota without max-duration", "[quota][ledger]") {
  Claim endless = ViewOf(Reduced(ReadyTicket())).claim;
  endless.duration.reset();
  Ledger limited = LedgerWith(MakeQuota("q").Hard("max-duration", "9h"));
  limited.Observe(ViewOf(Reduced(ReadyTicket())));
  const auto denied = limited.Confirm({"uid", "", endless}, kNow);
  CHECK(std::get<Denial>(*denied).message == "quota q: max-duration: requested no end, at most 9h");
  Ledger free = LedgerWith(MakeQuota("q").Hard("tickets", "9"));
  free.Observe(ViewOf(Reduced(ReadyTicket())));
  CHECK(std::holds_alternative<Granted>(*free.Confirm({"uid", "", endless}, kNow)));
}

TEST_CASE("ledger: a longer window of a ticket whose grant is not settled yet is decided, too",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "1h"));
  REQUIRE(ledger.Confirm({"uid", "", ViewOf(Reduced(ReadyTicket())).claim}, kNow).ok());
  REQUIRE(ledger.grants().size() == 1);
  CHECK(AskUntil(ledger, absl::Hours(2), absl::Minutes(30)) ==
        "quota q: max-duration: requested 1h30m, at most 1h");
  CHECK(AskUntil(ledger, absl::Hours(2), absl::Hours(1)) == "granted");
}

TEST_CASE("ledger admit: a change of a ticket is decided, and changes no charge",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "1h").Hard("tickets", "1"));
  const api::Ticket ticket = ReadyTicket();
  ledger.Observe(ViewOf(Reduced(ticket)));
  Claim longer = ViewOf(Reduced(ticket)).claim;
  longer.duration = absl::Hours(2);
  const auto admit = [&](absl::Duration remaining, bool dry_run) {
    return *ledger.AdmitTicket({"uid", "", longer, remaining}, dry_run, kNow);
  };
  CHECK(std::holds_alternative<Denial>(admit(absl::Minutes(70), false)));
  CHECK(std::holds_alternative<Granted>(admit(absl::Minutes(60), true)));
  CHECK(std::holds_alternative<Granted>(admit(absl::Minutes(60), false)));
  CHECK(*ledger.book().Find("ticket/uid") == ViewOf(Reduced(ticket)).claim);
  CHECK(ledger.book().Usage("q")->used["tickets"] == api::Quantity::FromInt(1));
}

}  // namespace
}  // namespace korder::quota
