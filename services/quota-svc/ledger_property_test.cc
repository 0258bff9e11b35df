// Random histories of a ledger against a model that knows only what was promised to whom.
#include <map>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "quota-svc/ledger.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;
using testing::MakeQuota;

constexpr int64_t kTickets = 12;
constexpr int64_t kMilliCpu = 9000;

// The world as an API server holds it: tickets, and the grants that somebody was told of.
struct WorldTicket {
  TicketView view;
  bool confirmed = false;
};

class History {
 public:
  explicit History(uint32_t seed) : random_(seed) { Start(ledger_); }

  void Step() {
    switch (Pick(11)) {
      case 0:
      case 1:
      case 2:
        return Reserve();
      case 3:
        return CreateTicket();
      case 4:
      case 5:
        return Confirm();
      case 6:
        return ActOn();
      case 7:
        return EndTicket();
      case 8:
        return LoseAndRebuild();
      case 9:
        now_ += absl::Seconds(Pick(30));
        return Sweep();
      default:
        return RetrySomething();
    }
  }

  // I1: nothing that the ledger promised, added up, is more than the limits.
  void CheckNeverOver() const {
    Amounts promised = Promised();
    CHECK(promised["tickets"] <= api::Quantity::FromInt(kTickets));
    CHECK(promised["reserved.cpu"].MilliValue() <= kMilliCpu);
    const Amounts used = ledger_.book().Usage("q")->used;
    for (const auto& [key, amount] : promised) {
      CHECK(amount <= (used.contains(key) ? used.at(key) : api::Quantity()));
    }
  }

  // I2: once everything has settled, use is what unfinished, charged tickets take; nothing leaks.
  void CheckConservationAtRest() {
    for (int round = 0; round < 3; ++round) {
      now_ += absl::Seconds(61);
      WriteDown();
      Sweep();
    }
    Amounts want;
    for (const auto& [uid, ticket] : tickets_) {
      if (ticket.confirmed) {
        Add(want, ticket.view.claim);
      }
    }
    // A ticket that carries a grant and was not confirmed yet keeps the grant alive. So does one
    // that an earlier leader confirmed, and is charged by it.
    for (const Grant& grant : ledger_.grants().All()) {
      if (grant.ticket_uid.empty()) {
        const WorldTicket* carrier = Carrier(grant);
        REQUIRE(carrier != nullptr);
        if (!carrier->confirmed) {
          Add(want, *grant.claim);
        }
      }
    }
    CHECK(ledger_.book().Usage("q")->used == want);
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  template <class Map>
  auto Any(Map& map) {
    return map.empty() ? map.end() : std::next(map.begin(), Pick(static_cast<int>(map.size())));
  }
  static void Add(Amounts& sum, const Claim& claim) {
    for (const auto& [key, amount] : claim.amounts) {
      sum[key] = *sum[key].Add(amount);
    }
  }

  void Start(Ledger& ledger) {
    ledger.PutNamespace("default", {});
    ledger.PutQuota(Compile(MakeQuota("q")
                                .Hard("tickets", absl::StrCat(kTickets))
                                .Hard("reserved.cpu", absl::StrCat(kMilliCpu, "m"))),
                    now_);
  }

  // What somebody may rely on: live pending grants and confirmed tickets.
  Amounts Promised() const {
    Amounts sum;
    for (const auto& [id, grant] : promised_) {
      Add(sum, grant.claim);
    }
    for (const auto& [uid, ticket] : tickets_) {
      if (ticket.confirmed) {
        Add(sum, ticket.view.claim);
      }
    }
    return sum;
  }

  void Reserve() {
    Reservation asked{.claim = MakeClaim().With("cpu", absl::StrCat(200 * (1 + Pick(9)), "m")),
                      .ids = {},
                      .all_or_nothing = Pick(3) == 0};
    for (int i = 0; i <= Pick(4); ++i) {
      asked.ids.push_back(absl::StrCat("r-", next_++));
    }
    if (Pick(3) > 0) {
      for (const std::string& id : asked.ids) {
        asked.ticket_names.push_back("for-" + id);
      }
    }
    const auto outcomes = ledger_.Reserve(asked, now_);
    REQUIRE(outcomes.ok());
    for (const Outcome& outcome : *outcomes) {
      if (std::holds_alternative<Granted>(outcome.verdict)) {
        promised_[outcome.id] = {asked.claim, now_ + absl::Seconds(60),
                                 asked.ticket_names.empty() ? "" : "for-" + outcome.id};
      }
    }
  }

  // With a grant of somebody, a forged one, or none.
  void CreateTicket() {
    WorldTicket ticket;
    ticket.view.uid = absl::StrCat("uid-", next_++);
    ticket.view.name = "name-of-" + ticket.view.uid;
    ticket.view.claim = MakeClaim().With("cpu", "400m");
    if (const auto grant = Any(promised_); grant != promised_.end() && Pick(4) > 0) {
      ticket.view.reservation_id = grant->first;
      if (Pick(4) > 0) {
        ticket.view.claim = grant->second.claim;
      }
      // One name, one ticket: an API server has no two.
      if (Pick(4) > 0 && !grant->second.ticket.empty() && !IsTaken(grant->second.ticket)) {
        ticket.view.name = grant->second.ticket;
      }
    } else if (Pick(2) == 0) {
      ticket.view.reservation_id = absl::StrCat("r-", Pick(50));
    }
    ledger_.Observe(ticket.view);
    tickets_[ticket.view.uid] = ticket;
  }

  void Confirm() {
    const auto it = Any(tickets_);
    if (it == tickets_.end()) {
      return;
    }
    const TicketView& view = it->second.view;
    const bool owned = promised_.contains(view.reservation_id) &&
                       ledger_.grants().Find(view.reservation_id) != nullptr &&
                       ledger_.grants().Find(view.reservation_id)->ticket_uid.empty();
    const auto verdict = ledger_.Confirm(RequestOf(view), now_);
    REQUIRE(verdict.ok());
    if (!std::holds_alternative<Granted>(*verdict)) {
      CHECK_FALSE(it->second.confirmed);  // what was granted once stays granted
      return;
    }
    it->second.confirmed = true;
    const Grant* grant = ledger_.grants().FindByTicket(view.uid);
    if (owned && grant != nullptr && grant->id == view.reservation_id) {
      promised_.erase(view.reservation_id);
    }
  }

  void ActOn() {
    const auto it = Any(tickets_);
    if (it != tickets_.end() && it->second.confirmed) {
      it->second.view.acted_on = true;
      ledger_.Observe(it->second.view);
    }
  }

  void EndTicket() {
    const auto it = Any(tickets_);
    if (it == tickets_.end()) {
      return;
    }
    if (Pick(2) == 0) {
      it->second.view.finished = true;
      ledger_.Observe(it->second.view);
    } else {
      ledger_.TicketGone(it->first);
    }
    tickets_.erase(it);
  }

  void WriteDown() {
    for (GrantChange& change : ledger_.TakeGrantChanges()) {
      durable_.erase(change.id);
      if (change.grant) {
        durable_.emplace(change.id, *std::move(change.grant));
      }
    }
  }

  // kill -9: what is left are the grants, and the tickets as a list returns them.
  void LoseAndRebuild() {
    WriteDown();
    std::vector<Grant> grants;
    for (const auto& [id, grant] : durable_) {
      grants.push_back(grant);
    }
    // The changes add up to all there is.
    CHECK(durable_.size() == ledger_.grants().size());
    ledger_ = Ledger();
    Start(ledger_);
    ledger_.Load(grants, std::nullopt);
    for (const auto& [uid, ticket] : tickets_) {
      ledger_.Observe(ticket.view);
    }
  }

  // The ticket that keeps the grant alive, or nullptr.
  const WorldTicket* Carrier(const Grant& grant) const {
    for (const auto& [uid, ticket] : tickets_) {
      if (ledger_.BelongsTo(grant, ticket.view)) {
        return &ticket;
      }
    }
    return nullptr;
  }
  bool IsTaken(const std::string& name) const {
    return std::any_of(tickets_.begin(), tickets_.end(),
                       [&](const auto& entry) { return entry.second.view.name == name; });
  }
  static TicketRequest RequestOf(const TicketView& view) {
    return {.uid = view.uid,
            .reservation_id = view.reservation_id,
            .claim = view.claim,
            .name = view.name};
  }

  // What the sweeper does after a consistent read.
  void Sweep() {
    for (const Grant& grant : ledger_.Due(now_)) {
      Carrier(grant) != nullptr ? ledger_.Keep(grant.id, now_) : ledger_.Lapse(grant);
    }
    std::erase_if(promised_, [&](const auto& entry) {
      return entry.second.until <= now_ && ledger_.grants().Find(entry.first) == nullptr;
    });
  }

  // Any call may come twice, and any observation, too.
  void RetrySomething() {
    const Amounts before = ledger_.book().Usage("q")->used;
    if (const auto grant = Any(promised_);
        grant != promised_.end() && ledger_.grants().Find(grant->first) != nullptr) {
      Reservation same{.claim = grant->second.claim, .ids = {grant->first}};
      if (!grant->second.ticket.empty()) {
        same.ticket_names = {grant->second.ticket};
      }
      const auto again = ledger_.Reserve(same, now_);
      REQUIRE(again.ok());
      CHECK(std::holds_alternative<Granted>(again->front().verdict));
    }
    if (const auto it = Any(tickets_); it != tickets_.end()) {
      ledger_.Observe(it->second.view);
      if (it->second.confirmed) {
        const TicketView& view = it->second.view;
        const auto again = ledger_.Confirm(RequestOf(view), now_);
        REQUIRE(again.ok());
        CHECK(std::holds_alternative<Granted>(*again));
      }
    }
    CHECK(ledger_.book().Usage("q")->used == before);
  }

  struct Promise {
    Claim claim;
    absl::Time until;
    std::string ticket;  // that it is for, if it is for one only
  };

  std::mt19937 random_;
  absl::Time now_ = kNow;
  int next_ = 0;
  Ledger ledger_;
  std::map<std::string, Promise> promised_;
  std::map<std::string, Grant> durable_;
  std::map<std::string, WorldTicket> tickets_;
};

TEST_CASE("ledger: random histories with crashes never promise more than the limit",
          "[quota][ledger][property]") {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    History history(seed);
    for (int step = 0; step < 120; ++step) {
      CAPTURE(step);
      history.Step();
      history.CheckNeverOver();
    }
    history.CheckConservationAtRest();
  }
}

TEST_CASE("ledger: the order of observations does not matter", "[quota][ledger][property]") {
  std::vector<TicketView> views;
  for (int i = 0; i < 12; ++i) {
    views.push_back({.uid = absl::StrCat("uid-", i),
                     .reservation_id = absl::StrCat("r-", i % 5),
                     .claim = MakeClaim(i % 2 == 0 ? "default" : "other").With("cpu", "1"),
                     .acted_on = i % 3 != 0,
                     .finished = i % 7 == 0});
  }
  std::mt19937 random(3);
  std::optional<std::vector<QuotaUsage>> want;
  for (int round = 0; round < 50; ++round) {
    std::shuffle(views.begin(), views.end(), random);
    Ledger ledger;
    ledger.Load({{"r-1", MakeClaim("other").With("cpu", "1").Share(), "uid-1", kNow},
                 {"r-9", MakeClaim().Share(), "", kNow}},
                std::nullopt);
    const bool quota_first = round % 2 == 0;
    const auto put_quota = [&] {
      ledger.PutNamespace("default", {{"team", "red"}});
      ledger.PutQuota(
          Compile(MakeQuota("q").Hard("tickets", "9").ForNamespacesWith({{"team", "red"}})), kNow);
      ledger.PutQuota(Compile(MakeQuota("all").Hard("tickets", "9")), kNow);
    };
    if (quota_first) {
      put_quota();
    }
    for (const TicketView& view : views) {
      ledger.Observe(view);
    }
    if (!quota_first) {
      put_quota();
    }
    if (!want) {
      want = ledger.book().Usage();
    }
    REQUIRE(ledger.book().Usage() == *want);
    REQUIRE(ledger.grants().size() == 1);
  }
}

}  // namespace
}  // namespace korder::quota
