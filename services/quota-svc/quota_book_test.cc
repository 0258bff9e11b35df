#include "quota-svc/quota_book.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;
using testing::MakeQuota;

std::string MessageOf(const std::optional<Denial>& denial) { return denial ? denial->message : ""; }

QuotaBook BookWith(const api::Quota& quota) {
  QuotaBook book;
  book.PutQuota(Compile(quota), kNow);
  book.PutNamespace("default", {{"team", "backend"}});
  return book;
}

TEST_CASE("claim: a request that is none counts as nothing, one beyond all bounds as the largest",
          "[quota][book]") {
  const api::Quantity largest = *api::Quantity::Parse("9223372036854775807");
  const Claim claim = MakeTicketClaim("default", {},
                                      {{"cpu", *api::Quantity::Parse("-1")},
                                       {"memory", *api::Quantity::Parse("0")},
                                       {"a", *api::Quantity::Parse("1m")},
                                       {"b", *api::Quantity::Parse("99999999999999999999")}},
                                      absl::Hours(1));
  CHECK(claim.amounts == Amounts{{"tickets", api::Quantity::FromInt(1)},
                                 {"reserved.a", *api::Quantity::Parse("1m")},
                                 {"reserved.b", largest}});
}

TEST_CASE("quota book: a claim fits up to the limit and not beyond", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("team-quota").Hard("reserved.cpu", "20"));
  const ClaimPtr claim = MakeClaim().With("cpu", "500m").Share();
  for (int i = 0; i < 40; ++i) {
    REQUIRE_FALSE(book.Check(*claim));
    book.Put(absl::StrCat(i), claim);
  }
  const std::optional<Denial> denial = book.Check(*claim);
  REQUIRE(denial);
  CHECK(*denial ==
        Denial{.quota = "team-quota",
               .resource = "reserved.cpu",
               .requested = "500m",
               .used = "20",
               .limit = "20",
               .message = "quota team-quota: reserved.cpu: requested 500m, used 20 of 20",
               .next_change = {}});
}

TEST_CASE("quota book: every kind of limit refuses with its numbers", "[quota][book]") {
  struct Case {
    const char* name;
    api::Quota quota;
    Claim claim;
    const char* want;
  };
  const Case cases[] = {
      {"cpu by a thousandth", MakeQuota("q").Hard("reserved.cpu", "20"),
       MakeClaim().With("cpu", "20001m"), "quota q: reserved.cpu: requested 20001m, used 0 of 20"},
      {"memory in its own format", MakeQuota("q").Hard("reserved.memory", "40Gi"),
       MakeClaim().With("memory", "41Gi"),
       "quota q: reserved.memory: requested 41Gi, used 0 of 40Gi"},
      {"an extended resource", MakeQuota("q").Hard("reserved.nvidia.com/gpu", "0"),
       MakeClaim().With("nvidia.com/gpu", "1"),
       "quota q: reserved.nvidia.com/gpu: requested 1, used 0 of 0"},
      {"tickets", MakeQuota("q").Hard("tickets", "0"), MakeClaim(),
       "quota q: tickets: requested 1, used 0 of 0"},
      {"orders", MakeQuota("q").Hard("orders", "0"), MakeOrderClaim("default", {}),
       "quota q: orders: requested 1, used 0 of 0"},
      {"too long", MakeQuota("q").Hard("max-duration", "24h"), MakeClaim().For(absl::Hours(25)),
       "quota q: max-duration: requested 25h, at most 24h"},
      {"without end", MakeQuota("q").Hard("max-duration", "24h"), MakeClaim().For(std::nullopt),
       "quota q: max-duration: requested no end, at most 24h"},
      {"the cap of a namespace", MakeQuota("q").Hard("tickets", "9").Cap("default", "tickets", "0"),
       MakeClaim(), "quota q: namespace default: tickets: requested 1, used 0 of 0"},
      {"exactly as long", MakeQuota("q").Hard("max-duration", "24h"),
       MakeClaim().For(absl::Hours(24)), ""},
      {"exactly as much", MakeQuota("q").Hard("reserved.cpu", "1"),
       MakeClaim().With("cpu", "1000m"), ""},
      {"a resource the quota does not name", MakeQuota("q").Hard("reserved.cpu", "0"),
       MakeClaim().With("memory", "1Gi"), ""},
      {"an order is not a ticket", MakeQuota("q").Hard("tickets", "0").Hard("max-duration", "1s"),
       MakeOrderClaim("default", {}), ""},
      {"another namespace's cap", MakeQuota("q").Hard("tickets", "9").Cap("dev", "tickets", "0"),
       MakeClaim(), ""},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(MessageOf(BookWith(c.quota).Check(c.claim)) == c.want); }
  }
}

TEST_CASE("quota book: the largest quantities add up without wrapping around", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("q").Hard("reserved.x", "9223372036854775807"));
  const ClaimPtr huge = MakeClaim().With("x", "9223372036854775807").Share();
  book.Put("a", huge);
  book.Put("b", huge);  // as observed tickets may
  CHECK(book.Check(*huge));
  CHECK(book.Room(*huge) == 0);
  book.Erase("a");
  book.Erase("b");
  CHECK(book.Room(*huge) == 1);
  CHECK(MakeTicketClaim("default", {}, {{"x", *api::Quantity::Parse("1e29")}}, std::nullopt)
            .amounts == MakeTicketClaim("default", {}, {{"x", kMaxAmount}}, std::nullopt).amounts);
}

TEST_CASE("quota book: all matching quotas must agree, and the first by name speaks",
          "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("b").Hard("tickets", "0"));
  book.PutQuota(Compile(MakeQuota("a").Hard("tickets", "5")), kNow);
  CHECK(MessageOf(book.Check(MakeClaim())) == "quota b: tickets: requested 1, used 0 of 0");
  book.PutQuota(Compile(MakeQuota("a").Hard("tickets", "0")), kNow);
  CHECK(MessageOf(book.Check(MakeClaim())) == "quota a: tickets: requested 1, used 0 of 0");
  CHECK(book.Room(MakeClaim()) == 0);
  book.PutQuota(Compile(MakeQuota("0").Hard("tickets", "0").ForObjectsWith({{"t", "gold"}})), kNow);
  CHECK(MessageOf(book.Check(MakeClaim().Label("t", "gold"))) ==
        "quota 0: tickets: requested 1, used 0 of 0");
}

TEST_CASE("quota book: room counts whole copies in the tightest quota", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("a").Hard("reserved.cpu", "10").Hard("tickets", "9"));
  book.PutQuota(Compile(MakeQuota("b").Hard("reserved.memory", "7Gi")), kNow);
  CHECK(book.Room(MakeClaim().With("cpu", "3")) == 3);
  CHECK(book.Room(MakeClaim().With("cpu", "1m")) == 9);
  CHECK(book.Room(MakeClaim().With("cpu", "1").With("memory", "2Gi")) == 3);
  CHECK(book.Room(MakeClaim("elsewhere").With("memory", "8Gi")) == 0);
  book.PutQuota(Compile(MakeQuota("c").Hard("max-duration", "24h")), kNow);
  CHECK(book.Room(MakeClaim().With("cpu", "3").For(absl::Hours(25))) == 0);
}

TEST_CASE("quota book: use follows a namespace's labels", "[quota][book]") {
  QuotaBook book =
      BookWith(MakeQuota("q").Hard("tickets", "5").ForNamespacesWith({{"team", "backend"}}));
  const auto used = [&] { return book.Usage("q")->used; };
  book.Put("a", MakeClaim().Share());
  CHECK(used() == Amounts{{"tickets", api::Quantity::FromInt(1)}});
  book.PutNamespace("default", {{"team", "web"}});
  CHECK(used().empty());
  CHECK_FALSE(book.Check(MakeClaim()));
  book.PutNamespace("default", {{"team", "backend"}});
  CHECK(used() == Amounts{{"tickets", api::Quantity::FromInt(1)}});
  book.EraseNamespace("default");
  CHECK(used().empty());
}

TEST_CASE("quota book: a lowered limit revokes nothing and refuses what is new", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("q").Hard("tickets", "5"));
  const ClaimPtr claim = MakeClaim().Share();
  book.Put("a", claim);
  book.Put("b", claim);
  book.PutQuota(Compile(MakeQuota("q").Hard("tickets", "1")), kNow);
  CHECK(book.Usage("q")->used == Amounts{{"tickets", api::Quantity::FromInt(2)}});
  CHECK(MessageOf(book.Check(*claim)) == "quota q: tickets: requested 1, used 2 of 1");
  CHECK(book.Room(*claim) == 0);
  // What is charged already may change as long as it does not grow.
  const Claim relabelled = MakeClaim().Label("app", "x");
  CHECK_FALSE(book.Check(relabelled, {.instead_of = claim.get()}));
  CHECK(book.Check(relabelled));
  book.PutQuota(Compile(MakeQuota("another").Hard("tickets", "9")), kNow);
  CHECK_FALSE(book.Check(relabelled, {.instead_of = claim.get()}));
}

TEST_CASE("quota book: replacing a charge is refused only for what grows", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("q").Hard("reserved.cpu", "4").Hard("max-duration", "2h"));
  const ClaimPtr old = MakeClaim().With("cpu", "3").For(absl::Hours(3)).Share();
  book.Put("a", old);
  const auto check = [&](const Claim& claim) {
    return MessageOf(book.Check(claim, {.instead_of = old.get()}));
  };
  CHECK(check(MakeClaim().With("cpu", "4").For(absl::Hours(3))) == "");
  CHECK(check(MakeClaim().With("cpu", "5").For(absl::Hours(3))) ==
        "quota q: reserved.cpu: requested 5, used 0 of 4");
  CHECK(check(MakeClaim().With("cpu", "3").For(absl::Hours(4))) ==
        "quota q: max-duration: requested 4h, at most 2h");
  // A quota that did not count the old one counts the new one in full.
  book.PutQuota(Compile(MakeQuota("z").Hard("tickets", "0").ForObjectsWith({{"tier", "gold"}})),
                kNow);
  CHECK(check(MakeClaim().With("cpu", "3").For(absl::Hours(3)).Label("tier", "gold")) ==
        "quota z: tickets: requested 1, used 0 of 0");
}

TEST_CASE("quota book: caps of object quotas count only what they select there", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("q")
                                .Hard("tickets", "9")
                                .Cap("default", "tickets", "1")
                                .ForObjectsWith({{"tier", "gold"}}));
  book.Put("plain", MakeClaim().Share());
  book.Put("elsewhere", MakeClaim("other").Label("tier", "gold").Share());
  CHECK_FALSE(book.Check(MakeClaim().Label("tier", "gold")));
  book.Put("gold", MakeClaim().Label("tier", "gold").Share());
  CHECK(MessageOf(book.Check(MakeClaim().Label("tier", "gold"))) ==
        "quota q: namespace default: tickets: requested 1, used 1 of 1");
  CHECK(book.Usage("q")->used == Amounts{{"tickets", api::Quantity::FromInt(2)}});
  CHECK(book.Usage("q")->used_in.at("default") == Amounts{{"tickets", api::Quantity::FromInt(1)}});
}

TEST_CASE("quota book: which quotas changed is told, once", "[quota][book]") {
  using Names = std::set<std::string>;
  QuotaBook book;
  book.PutQuota(Compile(MakeQuota("all").Hard("tickets", "9")), kNow);
  CHECK(book.TakeChanged() == Names{"all"});
  CHECK(book.TakeChanged().empty());
  book.PutQuota(Compile(MakeQuota("gold").Hard("tickets", "9").ForObjectsWith({{"t", "gold"}})),
                kNow);
  book.PutQuota(Compile(MakeQuota("red").Hard("tickets", "9").ForNamespacesWith({{"c", "red"}})),
                kNow);
  CHECK(book.TakeChanged() == Names{"gold", "red"});
  book.PutNamespace("default", {});
  book.TakeChanged();
  book.PutNamespace("default", {});
  CHECK(book.TakeChanged().empty());
  book.Put("a", MakeClaim().Share());
  CHECK(book.TakeChanged() == Names{"all"});
  book.Put("b", MakeClaim().Label("t", "gold").Share());
  CHECK(book.TakeChanged() == Names{"all", "gold"});
  book.PutNamespace("default", {{"c", "red"}});
  CHECK(book.TakeChanged() == Names{"red"});
  book.PutNamespace("default", {});
  CHECK(book.TakeChanged() == Names{"red"});
  book.Erase("b");
  CHECK(book.TakeChanged() == Names{"all", "gold"});
  book.EraseQuota("gold");
  CHECK(book.TakeChanged() == Names{"gold"});
}

TEST_CASE("quota book: what is charged in a namespace that nobody knows counts", "[quota][book]") {
  QuotaBook book = BookWith(MakeQuota("q").Hard("reserved.memory", "9Gi"));
  book.Put("a", MakeClaim("ghost").With("memory", "1Gi").Share());
  CHECK(book.Usage("q")->used.at("reserved.memory").ToString() == "1Gi");
  CHECK_FALSE(book.KnowsNamespace("ghost"));
  book.Put("b", MakeClaim().With("memory", "1Gi").Share());
  CHECK(book.Usage("q")->used.at("reserved.memory").ToString() == "2Gi");
  CHECK(book.UsedByNamespace().size() == 2);
  CHECK(book.UsedByNamespace().at("ghost").at("reserved.memory").ToString() == "1Gi");
  book.PutNamespace("empty", {});
  CHECK(book.UsedByNamespace().size() == 2);
  book.EraseNamespace("default");
  CHECK_FALSE(book.KnowsNamespace("default"));
  CHECK(book.Usage("q")->used.at("reserved.memory").ToString() == "2Gi");
}

TEST_CASE("quota book: where nothing is left not even a billionth fits", "[quota][book]") {
  const QuotaBook book = BookWith(MakeQuota("q").Hard("reserved.x", "0").Hard("tickets", "9"));
  Claim claim = MakeClaim();
  claim.amounts["reserved.x"] = api::Quantity::FromNanos(1);
  CHECK(book.Room(claim) == 0);
}

TEST_CASE("quota book: a cap for a namespace that the quota does not count has nothing used",
          "[quota][book]") {
  QuotaBook book = BookWith(
      MakeQuota("q").Hard("tickets", "9").Cap("default", "tickets", "5").ForNamespaces({"other"}));
  book.Put("a", MakeClaim().Share());
  CHECK(book.Usage("q")->used_in.at("default").empty());
}

// --- properties ---

struct World {
  std::map<std::string, api::Quota> quotas;
  std::map<std::string, api::Labels> namespaces;
  std::map<std::string, ClaimPtr> charges;
};

QuotaBook FromScratch(const World& world) {
  QuotaBook book;
  for (const auto& [name, quota] : world.quotas) {
    book.PutQuota(Compile(quota), kNow);
  }
  for (const auto& [ns, labels] : world.namespaces) {
    book.PutNamespace(ns, labels);
  }
  for (const auto& [id, claim] : world.charges) {
    book.Put(id, claim);
  }
  return book;
}

class RandomSteps {
 public:
  explicit RandomSteps(uint32_t seed) : random_(seed) {}

  // Changes the world and the book in the same way.
  void Step(World& world, QuotaBook& book) {
    const std::string ns = absl::StrCat("ns-", Pick(4));
    const std::string quota = absl::StrCat("quota-", Pick(4));
    const std::string id = absl::StrCat("charge-", Pick(30));
    switch (Pick(8)) {
      case 0:
        world.quotas[quota] = RandomQuota(quota);
        return book.PutQuota(Compile(world.quotas[quota]), kNow);
      case 1:
        world.quotas.erase(quota);
        return book.EraseQuota(quota);
      case 2:
        world.namespaces[ns] = RandomLabels();
        return book.PutNamespace(ns, world.namespaces[ns]);
      case 3:
        world.namespaces.erase(ns);
        return book.EraseNamespace(ns);
      case 4:
        CHECK(book.Erase(id) == (world.charges.erase(id) > 0));
        return;
      default:
        world.charges[id] = RandomClaim(ns);
        return book.Put(id, world.charges[id]);
    }
  }

  ClaimPtr RandomClaim(const std::string& ns) {
    Claim claim = MakeClaim(ns).With("cpu", absl::StrCat(Pick(2000), "m"));
    claim.labels = RandomLabels();
    return std::make_shared<const Claim>(claim);
  }

 private:
  int Pick(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  api::Labels RandomLabels() {
    return Pick(3) == 0 ? api::Labels{} : api::Labels{{"team", Pick(2) == 0 ? "red" : "blue"}};
  }
  api::Quota RandomQuota(const std::string& name) {
    MakeQuota quota(name);
    quota.Hard("tickets", "5").Hard("reserved.cpu", "7").Cap("ns-1", "tickets", "2");
    switch (Pick(4)) {
      case 0:
        return quota;
      case 1:
        return quota.ForNamespaces({"ns-0", "ns-1"});
      case 2:
        return quota.ForNamespacesWith({{"team", "red"}});
      default:
        return quota.ForObjectsWith({{"team", "blue"}});
    }
  }

  std::mt19937 random_;
};

TEST_CASE("quota book: after any changes the sums are those computed from scratch",
          "[quota][book][property]") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    World world;
    QuotaBook book;
    RandomSteps steps(seed);
    for (int step = 0; step < 150; ++step) {
      steps.Step(world, book);
    }
    const QuotaBook fresh = FromScratch(world);
    CAPTURE(seed);
    REQUIRE(book.Usage() == fresh.Usage());
    REQUIRE(book.UsedByNamespace() == fresh.UsedByNamespace());
    REQUIRE(book.size() == fresh.size());
    for (const auto& [ns, labels] : world.namespaces) {
      const ClaimPtr claim = steps.RandomClaim(ns);
      REQUIRE(book.Check(*claim) == fresh.Check(*claim));
      REQUIRE(book.Room(*claim) == fresh.Room(*claim));
    }
  }
}

TEST_CASE("quota book: room is exactly the number of copies that fit one by one",
          "[quota][book][property]") {
  for (uint32_t seed = 100; seed < 130; ++seed) {
    World world;
    QuotaBook book;
    RandomSteps steps(seed);
    for (int step = 0; step < 60; ++step) {
      steps.Step(world, book);
    }
    CAPTURE(seed);
    const ClaimPtr claim = steps.RandomClaim("ns-1");
    const int64_t room = std::min<int64_t>(book.Room(*claim), 50);
    CHECK_FALSE((room > 0 && book.Check(*claim, {.copies = room})));
    for (int64_t i = 0; i < room; ++i) {
      REQUIRE_FALSE(book.Check(*claim));
      book.Put(absl::StrCat("extra-", i), claim);
    }
    CHECK(book.Check(*claim).has_value() == (room < 50));
  }
}

TEST_CASE("quota book: limits follow the clock at the instant, forwards and backwards",
          "[quota][book]") {
  MakeQuota quota("q");
  quota.Hard("tickets", "1")
      .quota()
      .spec.time_windows.push_back(
          {.name = "night", .multiplier = {"2"}, .schedule = "0 22 * * *"});
  const absl::Time ten = absl::FromCivil(absl::CivilHour(2026, 11, 23, 22), absl::UTCTimeZone());
  QuotaBook book;
  book.PutNamespace("default", {});
  book.PutQuota(Compile(quota), ten - absl::Hours(1));
  const Claim claim = MakeTicketClaim("default", {}, {}, absl::Hours(1));
  book.Put("first", std::make_shared<const Claim>(claim));
  const auto fits = [&](absl::Time now) {
    book.Advance(now);
    return !book.Check(claim).has_value();
  };
  CHECK_FALSE(fits(ten - absl::Nanoseconds(1)));
  CHECK(book.Check(claim)->next_change == ten);
  CHECK(fits(ten));
  CHECK_FALSE(fits(ten - absl::Minutes(1)));  // the clock was set back
  CHECK(fits(ten + absl::Minutes(59)));
  CHECK_FALSE(fits(ten + absl::Hours(1)));
  (void)book.TakeChanged();
  CHECK_FALSE(fits(ten + absl::Hours(2)));  // nothing changed in between
  CHECK(book.TakeChanged().empty());
  // A quota that is made while its window is open knows nothing of the time before.
  book.PutQuota(Compile(quota), ten);
  CHECK(fits(ten));
  (void)book.TakeChanged();
  CHECK_FALSE(fits(ten - absl::Hours(1)));
  CHECK(book.TakeChanged() == std::set<std::string>{"q"});
  CHECK_FALSE(fits(ten + absl::Hours(2)));
  // What-if at another time leaves what is in force alone.
  CHECK(book.CheckAll(claim, 1, ten + absl::Hours(24)).empty());
  CHECK(book.Room(claim, ten + absl::Hours(24)) == 1);
  CHECK(book.Room(claim) == 0);
}

}  // namespace
}  // namespace korder::quota
