#include "quota-svc/ledger.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;
using testing::MakeQuota;

constexpr absl::Duration kTtl = absl::Seconds(60);

// A ledger with one quota over the namespace "default".
Ledger LedgerWith(const api::Quota& quota) {
  Ledger ledger;
  ledger.PutNamespace("default", {});
  ledger.PutQuota(Compile(quota), kNow);
  return ledger;
}

Amounts Used(const Ledger& ledger, const std::string& quota = "q") {
  return ledger.book().Usage(quota)->used;
}
Amounts Tickets(int64_t n) {
  return n == 0 ? Amounts{} : Amounts{{"tickets", api::Quantity::FromInt(n)}};
}

// "granted", "granted until +60", or the denial's message.
std::string Text(const Verdict& verdict) {
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    return denial->message;
  }
  const auto& until = std::get<Granted>(verdict).expire_time;
  return until ? absl::StrCat("granted until +", absl::ToInt64Seconds(*until - kNow)) : "granted";
}
std::string Text(const absl::StatusOr<Verdict>& verdict) {
  return verdict.ok() ? Text(*verdict) : ToString(verdict.status());
}
std::string Text(const absl::StatusOr<std::vector<Outcome>>& outcomes) {
  if (!outcomes.ok()) {
    return ToString(outcomes.status());
  }
  std::string text;
  for (const Outcome& outcome : *outcomes) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", outcome.id, ": ", Text(outcome.verdict));
  }
  return text;
}

TicketView View(const std::string& uid, const Claim& claim, const std::string& reservation = "") {
  return {.uid = uid,
          .reservation_id = reservation,
          .claim = claim,
          .acted_on = false,
          .finished = false};
}
TicketView ActedOn(TicketView view) {
  view.acted_on = true;
  return view;
}
TicketView Finished(TicketView view) {
  view.finished = true;
  return view;
}

TEST_CASE("ledger reserve: the first that fit are granted, the others told why",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  CHECK(Text(ledger.Reserve({MakeClaim(), {"a", "b", "c"}}, kNow)) ==
        "a: granted until +60; b: granted until +60; "
        "c: quota q: tickets: requested 1, used 2 of 2");
  CHECK(Used(ledger) == Tickets(2));
  CHECK(ledger.grants().size() == 2);
}

TEST_CASE("ledger reserve: all or nothing", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  CHECK(Text(ledger.Reserve({MakeClaim(), {"a", "b", "c"}, true}, kNow)) ==
        "a: quota q: tickets: requested 3, used 0 of 2; "
        "b: quota q: tickets: requested 3, used 0 of 2; "
        "c: quota q: tickets: requested 3, used 0 of 2");
  CHECK(Used(ledger) == Tickets(0));
  CHECK(Text(ledger.Reserve({MakeClaim(), {"a", "b"}, true}, kNow)) ==
        "a: granted until +60; b: granted until +60");
}

TEST_CASE("ledger reserve: the same id again is the same answer and no second charge",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  const Claim claim = MakeClaim().With("cpu", "1");
  const std::string first = Text(ledger.Reserve({claim, {"a"}}, kNow));
  uint64_t revision = ledger.revision();
  CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow + absl::Seconds(5))) == first);
  CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(1));
  // Nothing to write down, and still a write: it proves that we lead.
  CHECK(ledger.revision() > revision);
  CHECK(ledger.TakeGrantChanges().size() == 1);
  revision = ledger.revision();
  SECTION("with other content it is refused, and nothing changes") {
    CHECK(Text(ledger.Reserve({MakeClaim().With("cpu", "2"), {"x", "a"}}, kNow)) ==
          "INVALID_ARGUMENT: reservation_ids: \"a\": was used before for another claim or ticket");
    CHECK(Text(ledger.Reserve({MakeClaim().With("cpu", "1").Label("a", "b"), {"a"}}, kNow)) ==
          "INVALID_ARGUMENT: reservation_ids: \"a\": was used before for another claim or ticket");
    CHECK(Text(ledger.Reserve({.claim = claim, .ids = {"a"}, .ticket_names = {"web-0"}}, kNow)) ==
          "INVALID_ARGUMENT: reservation_ids: \"a\": was used before for another claim or ticket");
    CHECK(ledger.revision() == revision);
  }
  SECTION("once it belongs to a ticket there is no end to it") {
    REQUIRE(Text(ledger.Confirm({"uid", "a", claim}, kNow)) == "granted");
    CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow)) == "a: granted");
    ledger.Observe(ActedOn(View("uid", claim, "a")));
    CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow)) == "a: granted");
    CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(1));
  }
  SECTION("also when the ticket has brought other labels") {
    REQUIRE(Text(ledger.Confirm({"uid", "a", MakeClaim().With("cpu", "1").Label("c", "d")},
                                kNow)) == "granted");
    CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow)) == "a: granted");
    CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(1));
  }
  SECTION("until the ticket has become another one, or is gone") {
    REQUIRE(Text(ledger.Confirm({"uid", "a", claim}, kNow)) == "granted");
    ledger.Observe(ActedOn(View("uid", MakeClaim().With("cpu", "2"), "a")));
    CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow)) == "a: granted until +60");
    CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(2));
    ledger.Release({"a"});
    ledger.TicketGone("uid");
    CHECK(Text(ledger.Reserve({claim, {"a"}}, kNow)) == "a: granted until +60");
    CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(1));
  }
}

TEST_CASE("ledger reserve: nothing is decided while the namespace is not known",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  CHECK(Text(ledger.Reserve({MakeClaim("new"), {"a"}}, kNow)) ==
        "UNAVAILABLE: namespace new is not known yet");
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim("new")}, kNow)) ==
        "UNAVAILABLE: namespace new is not known yet");
  CHECK(ledger.grants().size() == 0);
}

TEST_CASE("ledger reserve: a full ledger refuses instead of growing", "[quota][ledger]") {
  Ledger ledger({.max_bytes = 1000});
  ledger.PutNamespace("default", {});
  int granted = 0;
  for (; ledger.Reserve({MakeClaim(), {absl::StrCat("id-", granted)}}, kNow).ok(); ++granted) {
    REQUIRE(granted < 100);
  }
  CHECK(granted > 3);
  CHECK(ledger.grants().bytes() <= 1000);
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, kNow)) ==
        "UNAVAILABLE: the ledger holds as many pending grants as it can");
  CHECK(absl::IsUnavailable(ledger
                                .AdmitOrder({.ns = "default",
                                             .name = "of-a-name-that-needs-some-room-in-the-ledger",
                                             .claim = MakeClaim(),
                                             .create = true},
                                            kNow)
                                .status()));
  CHECK(Text(ledger.Confirm({"uid", "id-0", MakeClaim()}, kNow)) == "granted");
  ledger.Release({"id-1", "id-2"});
  CHECK(Text(ledger.Confirm({"uid-2", "", MakeClaim()}, kNow)) == "granted");
}

TEST_CASE("ledger reserve: what fits to the last byte is granted", "[quota][ledger]") {
  const Grant grant{.id = "a", .claim = MakeClaim().Share(), .ticket_uid = "", .expire_time = kNow};
  const size_t needed = Ledger().grants().BytesWith({grant});
  Ledger enough({.max_bytes = needed});
  Ledger too_small({.max_bytes = needed - 1});
  enough.PutNamespace("default", {});
  too_small.PutNamespace("default", {});
  CHECK(Text(enough.Reserve({MakeClaim(), {"a"}}, kNow)) == "a: granted until +60");
  CHECK(absl::IsUnavailable(too_small.Reserve({MakeClaim(), {"a"}}, kNow).status()));
}

TEST_CASE("ledger confirm: the grant that the ticket carries becomes the ticket's",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  CHECK(Text(ledger.Confirm({"uid", "a", MakeClaim()}, kNow)) == "granted");
  CHECK(Used(ledger) == Tickets(1));
  CHECK(ledger.grants().Find("a")->ticket_uid == "uid");
  const uint64_t revision = ledger.revision();
  CHECK(Text(ledger.Confirm({"uid", "a", MakeClaim()}, kNow)) == "granted");
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, kNow)) == "granted");
  CHECK(ledger.revision() == revision);
}

TEST_CASE("ledger confirm: a ticket without a grant is charged now or denied", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  CHECK(Text(ledger.Confirm({"uid-1", "", MakeClaim()}, kNow)) == "granted");
  CHECK(ledger.grants().Find("ticket/uid-1")->expire_time == kNow + kTtl);
  CHECK(Text(ledger.Confirm({"uid-2", "", MakeClaim()}, kNow)) ==
        "quota q: tickets: requested 1, used 1 of 1");
  ledger.TicketGone("uid-1");
  CHECK(Text(ledger.Confirm({"uid-2", "", MakeClaim()}, kNow)) == "granted");
}

TEST_CASE("ledger confirm: a forged grant gives nothing", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  ledger.PutNamespace("other", {});
  const Claim claim = MakeClaim().With("cpu", "1");
  REQUIRE(ledger.Reserve({claim, {"a"}}, kNow).ok());
  const char* const full = "quota q: tickets: requested 1, used 1 of 1";
  struct Case {
    const char* name;
    Claim claim;
    const char* reservation;
  };
  const Case cases[] = {
      {"an id that the ledger does not know", claim, "b"},
      {"another namespace", MakeClaim("other").With("cpu", "1"), "a"},
      {"other content", MakeClaim().With("cpu", "2"), "a"},
      {"another duration", MakeClaim().With("cpu", "1").For(absl::Hours(9)), "a"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(Text(ledger.Confirm({"thief", c.reservation, c.claim}, kNow)) == full);
      CHECK(ledger.grants().Find("a")->ticket_uid.empty());
    }
  }
  SECTION("another ticket's") {
    REQUIRE(Text(ledger.Confirm({"owner", "a", claim}, kNow)) == "granted");
    CHECK(Text(ledger.Confirm({"thief", "a", claim}, kNow)) == full);
    ledger.Observe(ActedOn(View("owner", claim, "a")));
    CHECK(Text(ledger.Confirm({"thief", "a", claim}, kNow)) == full);
  }
  SECTION("a charge that is not a reservation") {
    REQUIRE(
        Text(
            ledger.AdmitOrder({.ns = "default", .name = "o", .claim = claim, .create = true}, kNow)
                ->verdict) == "granted until +30");
    CHECK(Text(ledger.Confirm({"thief", "order/default/o", claim}, kNow)) == full);
  }
  SECTION("an id that is reserved later") {
    ledger.PutQuota(Compile(MakeQuota("q").Hard("tickets", "2")), kNow);
    REQUIRE(Text(ledger.Confirm({"thief", "b", claim}, kNow)) == "granted");
    ledger.Observe(ActedOn(View("thief", claim, "b")));
    CHECK(Text(ledger.Reserve({claim, {"b"}}, kNow)) ==
          "b: quota q: tickets: requested 1, used 2 of 2");
  }
  SECTION("a ticket that nobody confirmed") {
    ledger.Observe(View("thief", claim, "a"));
    CHECK(Used(ledger)["tickets"] == api::Quantity::FromInt(1));
    CHECK(Text(ledger.Confirm({"thief-2", "", claim}, kNow)) == full);
  }
}

TEST_CASE("ledger confirm: a grant that names its ticket is confirmed without a change to write",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  const Reservation asked{.claim = MakeClaim(), .ids = {"a"}, .ticket_names = {"web-0"}};
  REQUIRE(ledger.Reserve(asked, kNow).ok());
  const std::vector<GrantChange> written = ledger.TakeGrantChanges();
  const TicketRequest web{
      .uid = "uid", .reservation_id = "a", .claim = MakeClaim(), .name = "web-0"};
  SECTION("by that ticket, and the caller finds out whether it still leads") {
    const uint64_t revision = ledger.revision();
    CHECK(Text(ledger.Confirm(web, kNow)) == "granted");
    CHECK(ledger.TakeGrantChanges().empty());
    CHECK(ledger.revision() > revision);
    CHECK(ledger.grants().FindByTicket("uid") != nullptr);
    ledger.Release({"a"});  // it is not the caller's any more
    CHECK(Used(ledger) == Tickets(1));
  }
  SECTION("not by another one, although it carries the grant") {
    TicketRequest thief = web;
    thief.name = "thief";
    CHECK(Text(ledger.Confirm(thief, kNow)) == "quota q: tickets: requested 1, used 1 of 1");
    CHECK(Text(ledger.Confirm(web, kNow)) == "granted");
  }
  SECTION("with other labels it is written down, as they decide which quotas count it") {
    TicketRequest relabelled = web;
    relabelled.claim = MakeClaim().Label("tier", "tin");
    CHECK(Text(ledger.Confirm(relabelled, kNow)) == "granted");
    const std::vector<GrantChange> changes = ledger.TakeGrantChanges();
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].grant->claim->labels.at("tier") == "tin");
    ledger.TicketGone("uid");
    CHECK(ledger.grants().bytes() == 0);
  }
  SECTION("it lapses when only another ticket carries it") {
    TicketView thief = View("other", MakeClaim(), "a");
    thief.name = "thief";
    const Grant grant = *ledger.grants().Find("a");
    CHECK_FALSE(ledger.BelongsTo(grant, thief));
    thief.name = "web-0";
    CHECK(ledger.BelongsTo(grant, thief));
  }
  SECTION("the next leader charges the ticket once, when its status proves the charge") {
    REQUIRE(ledger.Confirm(web, kNow).ok());
    Ledger next = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
    next.Load({*written[0].grant}, std::nullopt);
    TicketView view = View("uid", MakeClaim(), "a");
    view.name = "web-0";
    next.Observe(ActedOn(view));
    CHECK(next.grants().size() == 0);
    CHECK(Used(next) == Tickets(1));
  }
  SECTION("one that was made for nobody in particular is no other's by having acted") {
    Ledger next = LedgerWith(MakeQuota("q").Hard("tickets", "3"));
    REQUIRE(next.Reserve({MakeClaim(), {"a"}}, kNow).ok());
    next.Observe(ActedOn(View("uid", MakeClaim(), "a")));
    CHECK(next.grants().size() == 1);
    CHECK(Used(next) == Tickets(2));
  }
}

TEST_CASE("ledger confirm: a ticket with other labels takes its grant if they fit too",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  ledger.PutQuota(
      Compile(MakeQuota("gold").Hard("tickets", "0").ForObjectsWith({{"tier", "gold"}})), kNow);
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  CHECK(Text(ledger.Confirm({"uid", "a", MakeClaim().Label("tier", "gold")}, kNow)) ==
        "quota gold: tickets: requested 1, used 0 of 0");
  CHECK(Text(ledger.Confirm({"uid", "a", MakeClaim().Label("tier", "tin")}, kNow)) == "granted");
  CHECK(Used(ledger) == Tickets(1));
}

TEST_CASE("ledger confirm: a longer duration is decided anew", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "2h"));
  const Claim hour = MakeClaim();
  REQUIRE(Text(ledger.Confirm({"uid", "", hour}, kNow)) == "granted");
  const auto ask = [&](absl::Duration duration) {
    return Text(ledger.Confirm({"uid", "", MakeClaim().For(duration)}, kNow));
  };
  const char* const too_long = "quota q: max-duration: requested 3h, at most 2h";
  CHECK(ask(absl::Hours(3)) == too_long);
  CHECK(ask(absl::Hours(2)) == "granted");
  ledger.Observe(ActedOn(View("uid", hour)));
  CHECK(ask(absl::Hours(3)) == too_long);
  CHECK(ask(absl::Hours(2)) == "granted");
}

TEST_CASE("ledger confirm: of a window that has begun only what is to come is decided",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("max-duration", "2h"));
  const Claim claim = MakeClaim().For(absl::Hours(2));
  REQUIRE(Text(ledger.Confirm({"uid", "", claim}, kNow)) == "granted");
  const auto ask = [&](absl::Duration remaining) {
    return Text(ledger.Confirm({"uid", "", claim, remaining}, kNow));
  };
  const char* const too_long = "quota q: max-duration: requested 3h, at most 2h";
  CHECK(ask(absl::Hours(3)) == too_long);
  CHECK(ask(absl::Hours(2)) == "granted");
  ledger.Observe(ActedOn(View("uid", claim)));
  CHECK(ask(absl::Hours(3)) == too_long);
  CHECK(ask(absl::Hours(2)) == "granted");
}

TEST_CASE("ledger confirm: a ticket that proves its charge is charged for what is confirmed",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("red").Hard("tickets", "9").ForObjectsWith({{"c", "red"}}));
  ledger.Observe(ActedOn(View("uid", MakeClaim())));
  REQUIRE(Used(ledger, "red") == Tickets(0));
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim().Label("c", "red")}, kNow)) == "granted");
  CHECK(Used(ledger, "red") == Tickets(1));
}

TEST_CASE("ledger: every decision is by the limits of its own instant", "[quota][ledger]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "1")
      .Hard("orders", "1")
      .quota()
      .spec.time_windows.push_back(
          {.name = "closed", .multiplier = {"0"}, .schedule = "0 8 * * *"});
  const absl::Time closed =
      absl::FromCivil(absl::CivilMinute(2027, 1, 15, 8, 30), absl::UTCTimeZone());
  Ledger ledger;
  ledger.PutNamespace("default", {});
  ledger.PutQuota(Compile(quota), closed - absl::Hours(1));
  const char* const none = "quota q: tickets: requested 1, used 0 of 0";
  SECTION("reserve") {
    CHECK(Text(ledger.Reserve({MakeClaim(), {"a"}}, closed)) == absl::StrCat("a: ", none));
  }
  SECTION("confirm") { CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, closed)) == none); }
  SECTION("admit a ticket") {
    CHECK(Text(ledger.AdmitTicket({"uid", "", MakeClaim()}, false, closed)) == none);
  }
  SECTION("admit an order") {
    CHECK(Text(ledger
                   .AdmitOrder({.ns = "default", .name = "o", .claim = MakeClaim(), .create = true},
                               closed)
                   ->verdict) == "quota q: orders: requested 1, used 0 of 0");
  }
}

TEST_CASE("ledger observe: a ticket that was acted on proves its charge", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "3"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  ledger.Observe(View("uid", MakeClaim(), "a"));
  CHECK(ledger.grants().size() == 1);
  REQUIRE(ledger.Confirm({"uid", "a", MakeClaim()}, kNow).ok());
  ledger.Observe(View("uid", MakeClaim(), "a"));
  CHECK(ledger.grants().size() == 1);
  const uint64_t revision = ledger.revision();
  ledger.Observe(ActedOn(View("uid", MakeClaim(), "a")));
  CHECK(ledger.grants().size() == 0);
  CHECK(ledger.revision() > revision);
  CHECK(Used(ledger) == Tickets(1));
  SECTION("until it is finished") {
    ledger.Observe(Finished(ActedOn(View("uid", MakeClaim(), "a"))));
    CHECK(Used(ledger) == Tickets(0));
  }
  SECTION("until it is gone, and gone again") {
    ledger.TicketGone("uid");
    ledger.TicketGone("uid");
    CHECK(Used(ledger) == Tickets(0));
    CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, kNow)) == "granted");
    CHECK(Used(ledger) == Tickets(1));
  }
  SECTION("whatever older versions of it are seen") {
    ledger.Observe(View("uid", MakeClaim(), "a"));
    CHECK(Used(ledger) == Tickets(1));
  }
  SECTION("with the labels it has now") {
    ledger.PutQuota(Compile(MakeQuota("red").Hard("tickets", "0").ForObjectsWith({{"c", "red"}})),
                    kNow);
    ledger.Observe(ActedOn(View("uid", MakeClaim().Label("c", "red"), "a")));
    CHECK(Used(ledger, "red") == Tickets(1));
    CHECK(Used(ledger) == Tickets(1));
  }
}

TEST_CASE("ledger observe: a ticket that proves its charge takes no second grant",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "3"));
  TicketView ticket = ActedOn(View("uid", MakeClaim()));
  ticket.name = "web-0";
  ledger.Observe(ticket);
  REQUIRE(
      ledger.Reserve({.claim = MakeClaim(), .ids = {"a"}, .ticket_names = {"web-0"}}, kNow).ok());
  ticket.reservation_id = "a";
  ledger.Observe(ticket);
  CHECK(ledger.grants().Find("a") != nullptr);
  CHECK(Used(ledger) == Tickets(2));
}

TEST_CASE("ledger observe: a grant whose ticket is gone is nobody's when its id is used again",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  REQUIRE(Text(ledger.Confirm({"uid", "a", MakeClaim()}, kNow)) == "granted");
  ledger.TicketGone("uid");
  REQUIRE(Text(ledger.Reserve({MakeClaim(), {"a"}}, kNow)) == "a: granted until +60");
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, kNow)) ==
        "quota q: tickets: requested 1, used 1 of 1");
}

TEST_CASE("ledger observe: what exists counts, whether it fits or not", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  ledger.Observe(ActedOn(View("a", MakeClaim())));
  ledger.Observe(ActedOn(View("b", MakeClaim())));
  CHECK(Used(ledger) == Tickets(2));
  CHECK(Text(ledger.Confirm({"a", "", MakeClaim()}, kNow)) == "granted");
  CHECK(Text(ledger.Confirm({"c", "", MakeClaim()}, kNow)) ==
        "quota q: tickets: requested 1, used 2 of 1");
}

TEST_CASE("ledger admit: a ticket is charged before it exists", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  CHECK(Text(ledger.AdmitTicket({"", "", MakeClaim()}, true, kNow)) == "granted");
  CHECK(ledger.revision() == 0);
  CHECK(Text(ledger.AdmitTicket({"", "", MakeClaim("new")}, true, kNow)) ==
        "UNAVAILABLE: namespace new is not known yet");
  CHECK(Text(ledger.AdmitTicket({"uid", "", MakeClaim()}, false, kNow)) == "granted until +60");
  CHECK(Text(ledger.AdmitTicket({"uid", "", MakeClaim()}, false, kNow)) == "granted");
  CHECK(Text(ledger.AdmitTicket({"", "", MakeClaim()}, true, kNow)) ==
        "quota q: tickets: requested 1, used 1 of 1");
  CHECK(Text(ledger.Confirm({"uid", "", MakeClaim()}, kNow)) == "granted");
  ledger.Observe(ActedOn(View("uid", MakeClaim())));
  CHECK(Used(ledger) == Tickets(1));
  CHECK(ledger.grants().size() == 0);
}

TEST_CASE("ledger admit: orders are counted from their admission on", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("orders", "2"));
  const auto admit = [&](const std::string& name, bool dry_run = false) {
    return Text(ledger
                    .AdmitOrder({.ns = "default",
                                 .name = name,
                                 .claim = MakeClaim(),
                                 .create = true,
                                 .dry_run = dry_run},
                                kNow)
                    ->verdict);
  };
  ledger.OrderSeen("uid-1", "default/one", MakeOrderClaim("default", {}));
  CHECK(admit("two", true) == "granted until +30");
  CHECK(admit("two") == "granted until +30");
  const uint64_t revision = ledger.revision();
  CHECK(admit("two") == "granted until +30");
  CHECK(ledger.revision() > revision);  // a promise that is repeated is written, too
  CHECK(admit("three") == "quota q: orders: requested 1, used 2 of 2");
  ledger.OrderSeen("uid-2", "default/two", MakeOrderClaim("default", {}));
  CHECK(ledger.grants().size() == 0);
  CHECK(Used(ledger) == Amounts{{"orders", api::Quantity::FromInt(2)}});
  CHECK(admit("two") == "granted");
  ledger.OrderGone("uid-1");
  ledger.OrderGone("uid-1");
  CHECK(admit("three") == "granted until +30");
  CHECK(admit("one") == "quota q: orders: requested 1, used 2 of 2");
  ledger.OrderSeen("uid-3", "default/three", MakeOrderClaim("default", {}));
  ledger.OrderGone("uid-1");
  CHECK(admit("three") == "granted");
}

TEST_CASE("ledger admit: a grant tells which order it holds a place for, if any",
          "[quota][ledger]") {
  const auto held = [](const std::string& id) {
    return HeldOrder({.id = id, .claim = MakeClaim().Share()});
  };
  CHECK(held(OrderGrantId("default/o")) == "default/o");
  CHECK(held(TicketGrantId("uid")) == std::nullopt);
}

TEST_CASE("ledger observe: an order counts with the labels that it has now", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("red").Hard("orders", "9").ForObjectsWith({{"c", "red"}}));
  const Amounts one{{"orders", api::Quantity::FromInt(1)}};
  ledger.OrderSeen("uid", "default/o", MakeOrderClaim("default", {}));
  CHECK(Used(ledger, "red").empty());
  ledger.OrderSeen("uid", "default/o", MakeOrderClaim("default", {{"c", "red"}}));
  CHECK(Used(ledger, "red") == one);
  ledger.OrderGone("uid");
  CHECK(Used(ledger, "red").empty());
}

TEST_CASE(
    "ledger admit: an order's hold is written at once where a quota limits orders, else later",
    "[quota][ledger]") {
  struct Case {
    std::string limited;
    bool at_once;
  };
  const auto [limited, at_once] = GENERATE(Case{"orders", true}, Case{"tickets", false});
  CAPTURE(limited);
  Ledger ledger = LedgerWith(MakeQuota("q").Hard(limited, "1"));
  const OrderRequest first{.ns = "default", .name = "first", .claim = MakeClaim(), .create = true};
  const uint64_t before = ledger.revision();
  REQUIRE(Text(ledger.AdmitOrder(first, kNow)->verdict) == "granted until +30");
  CHECK(ledger.revision() > before);  // so that nobody answers who does not lead
  CHECK(ledger.HasGrantChanges());
  CHECK(ledger.HasNewGrants() == at_once);
  // A limit that comes while the Order is on its way counts it, and is written down with the hold.
  ledger.PutQuota(Compile(MakeQuota("q").Hard("orders", "2")), kNow);
  OrderRequest second = first;
  second.name = "second";
  REQUIRE(Text(ledger.AdmitOrder(second, kNow)->verdict) == "granted until +30");
  CHECK(ledger.HasNewGrants());
  CHECK(ledger.TakeGrantChanges().size() == 2);
  OrderRequest third = first;
  third.name = "third";
  CHECK(Text(ledger.AdmitOrder(third, kNow)->verdict) ==
        "quota q: orders: requested 1, used 2 of 2");
}

TEST_CASE("ledger admit: an order that was made again while the old one goes is not lost",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("orders", "1"));
  ledger.OrderSeen("uid-1", "default/o", MakeOrderClaim("default", {}));
  ledger.OrderGone("uid-1");  // it is being deleted
  ledger.OrderSeen("uid-2", "default/o", MakeOrderClaim("default", {}));
  ledger.OrderGone("uid-1");  // it is gone
  CHECK(Text(ledger
                 .AdmitOrder({.ns = "default", .name = "o", .claim = MakeClaim(), .create = true},
                             kNow)
                 ->verdict) == "granted");
}

TEST_CASE("ledger admit: an order is warned when its tickets do not all fit", "[quota][ledger]") {
  Ledger ledger = LedgerWith(
      MakeQuota("q").Hard("reserved.cpu", "5").Hard("max-duration", "24h").Hard("orders", "9"));
  REQUIRE(ledger.Reserve({MakeClaim().With("cpu", "1"), {"a"}}, kNow).ok());
  const OrderRequest three{.ns = "default",
                           .name = "o",
                           .labels = {},
                           .replicas = 3,
                           .claim = MakeClaim().With("cpu", "2"),
                           .create = true};
  const absl::StatusOr<OrderVerdict> verdict = ledger.AdmitOrder(three, kNow);
  REQUIRE(verdict.ok());
  CHECK(verdict->warnings ==
        std::vector<std::string>{"2 of 3 tickets fit quota q now (reserved.cpu: "
                                 "used 1 of 5)"});
  OrderRequest two = three;
  two.replicas = 2;
  CHECK(ledger.AdmitOrder(two, kNow)->warnings.empty());
  OrderRequest update = three;
  update.create = false;
  CHECK(ledger.AdmitOrder(update, kNow)->warnings.empty());
  update.claim.duration = absl::Hours(25);
  CHECK(Text(ledger.AdmitOrder(update, kNow)->verdict) ==
        "quota q: max-duration: requested 25h, at most 24h");
}

TEST_CASE("ledger admit: the warning names the quota that is reached first", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("a").Hard("tickets", "3").Hard("orders", "9"));
  ledger.PutQuota(Compile(MakeQuota("b").Hard("tickets", "2")), kNow);
  const OrderRequest nine{
      .ns = "default", .name = "o", .replicas = 9, .claim = MakeClaim(), .create = true};
  CHECK(ledger.AdmitOrder(nine, kNow)->warnings ==
        std::vector<std::string>{"2 of 9 tickets fit quota b now (tickets: used 0 of 2)"});
}

TEST_CASE("ledger release: gives back what belongs to no ticket", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a", "b"}}, kNow).ok());
  REQUIRE(ledger.Confirm({"uid", "b", MakeClaim()}, kNow).ok());
  ledger.Release({"a", "b", "unknown", "a"});
  CHECK(Used(ledger) == Tickets(1));
  CHECK(ledger.grants().Find("b") != nullptr);
}

TEST_CASE("ledger time: a grant lapses only when it was found not to be needed",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  ledger.TakeGrantChanges();
  CHECK(ledger.Due(kNow + kTtl - absl::Milliseconds(1)).empty());
  const std::vector<Grant> due = ledger.Due(kNow + kTtl);
  REQUIRE(due.size() == 1);
  CHECK(Used(ledger) == Tickets(1));
  SECTION("not needed") {
    ledger.Lapse(due[0]);
    ledger.Lapse(due[0]);
    CHECK(Used(ledger) == Tickets(0));
  }
  SECTION("kept") {
    ledger.Keep("a", kNow + kTtl);
    CHECK(ledger.Due(kNow + 2 * kTtl - absl::Milliseconds(1)).empty());
    CHECK(ledger.Due(kNow + 2 * kTtl).size() == 1);
    ledger.Lapse(due[0]);
    CHECK(Used(ledger) == Tickets(1));
  }
  SECTION("taken by a ticket in the meantime") {
    REQUIRE(ledger.Confirm({"uid", "a", MakeClaim()}, kNow + kTtl).ok());
    ledger.Lapse(due[0]);
    CHECK(Used(ledger) == Tickets(1));
  }
}

TEST_CASE("ledger time: what is due comes by id, wherever it lies in memory", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "99"));
  Reservation asked{.claim = MakeClaim(), .ids = {}};
  for (int i = 99; i >= 10; --i) {
    asked.ids.push_back(absl::StrCat("id-", i));
  }
  REQUIRE(ledger.Reserve(asked, kNow).ok());
  ledger.TakeGrantChanges();
  const std::vector<Grant> due = ledger.Due(kNow + kTtl);
  REQUIRE(due.size() == 90);
  for (size_t i = 0; i < due.size(); ++i) {
    CHECK(due[i].id == absl::StrCat("id-", 10 + i));
  }
}

TEST_CASE("ledger time: a clock that was set back delays nothing", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  ledger.TakeGrantChanges();
  const absl::Time earlier = kNow - absl::Hours(1);
  CHECK(ledger.Due(earlier).empty());
  CHECK(ledger.Due(earlier + kTtl).size() == 1);
}

TEST_CASE("ledger time: a clock that is set forward takes no grant away that is not written yet",
          "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "1"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a"}}, kNow).ok());
  const absl::Time later = kNow + absl::Hours(1);
  CHECK(ledger.Due(later).empty());
  ledger.TakeGrantChanges();
  CHECK(ledger.Due(later).size() == 1);
}

TEST_CASE("ledger time: a grant belongs to a ticket that may still take it", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "9"));
  REQUIRE(ledger.Reserve({MakeClaim(), {"a", "b"}}, kNow).ok());
  REQUIRE(ledger.Confirm({"owner", "b", MakeClaim()}, kNow).ok());
  REQUIRE(ledger.Confirm({"charged", "", MakeClaim()}, kNow).ok());
  const Grant a = *ledger.grants().Find("a");
  const Grant b = *ledger.grants().Find("b");
  CHECK(ledger.BelongsTo(a, View("uid", MakeClaim(), "a")));
  CHECK_FALSE(ledger.BelongsTo(a, View("uid", MakeClaim(), "")));
  CHECK_FALSE(ledger.BelongsTo(a, View("uid", MakeClaim().With("cpu", "1"), "a")));
  CHECK_FALSE(ledger.BelongsTo(a, View("uid", MakeClaim("other"), "a")));
  CHECK_FALSE(ledger.BelongsTo(a, View("charged", MakeClaim(), "a")));
  CHECK_FALSE(ledger.BelongsTo(a, Finished(View("uid", MakeClaim(), "a"))));
  CHECK(ledger.BelongsTo(b, View("owner", MakeClaim().With("cpu", "9"))));
  CHECK_FALSE(ledger.BelongsTo(b, View("uid", MakeClaim(), "b")));
  CHECK_FALSE(ledger.BelongsTo(b, Finished(View("owner", MakeClaim(), "b"))));
}

TEST_CASE("ledger load: grants of an earlier leader count, and can be taken", "[quota][ledger]") {
  Ledger first = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  REQUIRE(first.Reserve({MakeClaim(), {"a", "b"}}, kNow).ok());
  REQUIRE(first.Confirm({"uid", "b", MakeClaim()}, kNow).ok());
  Ledger second = LedgerWith(MakeQuota("q").Hard("tickets", "2"));
  second.Load(first.grants().All(), std::nullopt);
  CHECK(Used(second) == Tickets(2));
  CHECK(second.TakeGrantChanges().empty());  // they are durable already
  CHECK(Text(second.Reserve({MakeClaim(), {"a", "c"}}, kNow)) ==
        "a: granted until +60; c: quota q: tickets: requested 1, used 2 of 2");
  second.TakeGrantChanges();
  CHECK(Text(second.Confirm({"uid", "b", MakeClaim()}, kNow)) == "granted");
  CHECK(second.TakeGrantChanges().empty());  // nor is there anything new about this one
  CHECK(Text(second.Confirm({"uid-2", "a", MakeClaim()}, kNow)) == "granted");
}

TEST_CASE("ledger load: after a loss nothing new is granted for a while", "[quota][ledger]") {
  Ledger ledger = LedgerWith(MakeQuota("q").Hard("tickets", "9"));
  ledger.Load({}, kNow + kTtl);
  ledger.Observe(ActedOn(View("old", MakeClaim())));
  const std::string want =
      "UNAVAILABLE: the ledger object was lost or damaged: nothing new is granted until "
      "2027-01-15T08:01:00+00:00";
  CHECK(Text(ledger.Reserve({MakeClaim(), {"a"}}, kNow)) == want);
  CHECK(Text(ledger.Confirm({"new", "a", MakeClaim()}, kNow)) == want);
  CHECK(Text(ledger.AdmitTicket({"new", "", MakeClaim()}, false, kNow)) == want);
  CHECK(
      ledger.AdmitOrder({.ns = "default", .name = "o", .claim = MakeClaim(), .create = true}, kNow)
          .status()
          .code() == absl::StatusCode::kUnavailable);
  CHECK(Text(ledger.AdmitTicket({"", "", MakeClaim()}, true, kNow)) == want);
  CHECK(Text(ledger.Confirm({"old", "", MakeClaim()}, kNow)) == "granted");
  const uint64_t revision = ledger.revision();
  SECTION("for as long as was said") {
    CHECK_FALSE(ledger.Reserve({MakeClaim(), {"a"}}, kNow + kTtl - absl::Nanoseconds(1)).ok());
    CHECK(ledger.revision() == revision);
    CHECK(Text(ledger.Reserve({MakeClaim(), {"a"}}, kNow + kTtl)) == "a: granted until +120");
    CHECK_FALSE(ledger.closed_until());
  }
  SECTION("and that it is over is written down, whatever is decided then") {
    CHECK(Text(ledger.Reserve({MakeClaim("new"), {"a"}}, kNow + kTtl)) ==
          "UNAVAILABLE: namespace new is not known yet");
    CHECK_FALSE(ledger.closed_until());
    CHECK(ledger.revision() > revision);
  }
  SECTION("not longer because the clock was set back") {
    const absl::Time earlier = kNow - absl::Hours(1);
    CHECK_FALSE(ledger.Reserve({MakeClaim(), {"a"}}, earlier).ok());
    CHECK(ledger.closed_until() == earlier + kTtl);
    CHECK(ledger.Reserve({MakeClaim(), {"a"}}, earlier + kTtl).ok());
  }
}

}  // namespace
}  // namespace korder::quota
