#include "quota-svc/ledger_codec.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "quota-svc/testing/builders.h"

namespace korder::quota {
namespace {

using testing::kNow;
using testing::MakeClaim;

LedgerImage SomeImage() {
  const ClaimPtr web =
      MakeClaim().With("cpu", "500m").With("memory", "1Gi").Label("app", "web").Share();
  const ClaimPtr bare = MakeClaim("team-b").For(std::nullopt).Share();
  return {.epoch = 7,
          .writer = "host_1f2e",
          .seq = 42,
          .closed_until = {},
          .grants = {{"a-1", web, "", kNow + absl::Seconds(60)},
                     {"a-2", web, "6f1d", kNow + absl::Seconds(61)},
                     {"a-3", web, "", kNow + absl::Seconds(62), "web-3"},
                     {"a-4", web, "7c2e", kNow + absl::Seconds(62), "web-4"},
                     {"ticket/77aa", bare, "77aa", kNow}}};
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<LedgerImage> image = Decode(text);
  return image.ok() ? "" : std::string(Message(image.status()));
}

TEST_CASE("ledger codec: what is written is read back", "[quota][codec]") {
  LedgerImage image = SomeImage();
  CHECK(*Decode(Encode(image)) == image);
  image.closed_until = kNow + absl::Milliseconds(1);
  CHECK(*Decode(Encode(image)) == image);
  CHECK(*Decode(Encode({})) == LedgerImage{});
}

TEST_CASE("ledger codec: the text can be read by people", "[quota][codec]") {
  const std::string text = Encode(SomeImage());
  CHECK(text.substr(text.find('\n') + 1) ==
        "epoch 7\n"
        "writer host_1f2e\n"
        "seq 42\n"
        "claim default 1h0m0s reserved.cpu=500m,reserved.memory=1Gi,tickets=1 app=web\n"
        "grant a-1 1800000060000 -\n"
        "grant a-2 1800000061000 6f1d\n"
        "grant a-3 1800000062000 - web-3\n"
        "grant a-4 1800000062000 7c2e web-4\n"
        "claim team-b - tickets=1 -\n"
        "grant ticket/77aa 1800000000000 77aa\n"
        "end\n");
}

TEST_CASE("ledger codec: the order of grants does not matter", "[quota][codec]") {
  LedgerImage image = SomeImage();
  const std::string text = Encode(image);
  std::reverse(image.grants.begin(), image.grants.end());
  CHECK(Encode(image) == text);
}

TEST_CASE("ledger codec: any text survives as a word", "[quota][codec]") {
  for (const char* word :
       {"", "-", "%", "a b", "a=b,c", "line\nbreak", "\xc3\xa9", "%41", "a\tb"}) {
    LedgerImage image = SomeImage();
    image.writer = word;
    image.grants[0].id = absl::StrCat("x", word);
    image.grants[0].ticket_uid = absl::StrCat(word, "y");
    image.grants[2].claim = MakeClaim().Label("key", word).Share();
    std::sort(image.grants.begin(), image.grants.end(),
              [](const Grant& a, const Grant& b) { return a.id < b.id; });
    CAPTURE(word);
    const absl::StatusOr<LedgerImage> read = Decode(Encode(image));
    REQUIRE(read.ok());
    CHECK(*read == image);
  }
}

TEST_CASE("ledger codec: every changed byte and every cut is noticed", "[quota][codec]") {
  const std::string text = Encode(SomeImage());
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char change : {'\x01', '\x20', '\x7f'}) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      CAPTURE(at, damaged);
      REQUIRE(ErrorOf(damaged) != "");
    }
    CAPTURE(at);
    REQUIRE(ErrorOf(text.substr(0, at)) != "");
    REQUIRE(ErrorOf(text.substr(0, at) + text.substr(at + 1)) != "");
  }
  CHECK(ErrorOf(text + "\n") != "");
  CHECK(ErrorOf(text) == "");
}

TEST_CASE("ledger codec: a wrong text with a right checksum is refused with its line",
          "[quota][codec]") {
  const std::string claim = "claim default - tickets=1 -\n";
  struct Case {
    const char* name;
    std::string body;
    const char* want;
  };
  const Case cases[] = {
      {"nothing", "", "the end is missing"},
      {"cut", "epoch 1\n", "the end is missing"},
      {"no line break at the end", "epoch 1\nend", "line 3: the line is not understood"},
      {"more after the end", "end\nend\n", "line 3: something follows the end"},
      {"unknown line", "colour red\nend\n", "line 2: the line is not understood"},
      {"too few words", "epoch\nend\n", "line 2: the line is not understood"},
      {"too many words", "epoch 1 2\nend\n", "line 2: the line is not understood"},
      {"not a number", "epoch x\nend\n", "line 2: a number is expected"},
      {"a negative number", "seq -3\nend\n", "line 2: a number is expected"},
      {"too large a number", "epoch 99999999999999999999\nend\n", "line 2: a number is expected"},
      {"a number that cannot grow any more", "seq 9223372036854775807\nend\n",
       "line 2: a number is out of range"},
      {"no objects", "segments 0\nend\n", "line 2: the number of objects is out of range"},
      {"more objects than have a name", "segments 65\nend\n",
       "line 2: the number of objects is out of range"},
      {"a negative duration", "claim default -1h tickets=1 -\nend\n",
       "line 2: a duration is negative"},
      {"a grant that is called nothing", claim + "grant % 1 -\nend\n",
       "line 3: a grant without an id"},
      {"a grant without a claim", "grant a 1 -\nend\n", "line 2: a grant without a claim"},
      {"a grant twice", claim + "grant a 1 -\ngrant a 2 -\nend\n", "line 4: a grant occurs twice"},
      {"a ticket twice", claim + "grant a 1 u\ngrant b 2 u\nend\n",
       "line 4: a ticket has two grants"},
      {"a negative amount", "claim default - tickets=-1 -\nend\n",
       "line 2: an amount is out of range"},
      {"a larger amount than can be", "claim default - tickets=9223372036854775808 -\nend\n",
       "line 2: an amount is out of range"},
      {"an amount that is none", "claim default - tickets=x -\nend\n",
       "line 2: must be a quantity such as 500m, 2 or 1.5Gi"},
      {"no equals sign", "claim default - tickets -\nend\n", "line 2: key=value is expected"},
      {"a key twice", "claim default - a=1,a=2 -\nend\n", "line 2: a key occurs twice"},
      {"a broken escape", "writer a%4\nend\n",
       "line 2: a word has a character that it must not have"},
      {"an escape that begins well", "writer a%4g\nend\n",
       "line 2: a word has a character that it must not have"},
      {"an escape that ends well", "writer a%g4\nend\n",
       "line 2: a word has a character that it must not have"},
      {"a bad character", "writer a*b\nend\n",
       "line 2: a word has a character that it must not have"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(ErrorOf(Seal(c.body)) == c.want); }
  }
  CHECK(ErrorOf(Seal(claim + "grant a 1 -\nend\n")) == "");
}

TEST_CASE("ledger codec: the largest and the smallest that can be are read", "[quota][codec]") {
  for (const char* line :
       {"segments 1", "segments 64", "seq 4611686018427387903", "claim default 0s tickets=1 -"}) {
    CAPTURE(line);
    CHECK(ErrorOf(Seal(absl::StrCat(line, "\nend\n"))) == "");
  }
  CHECK(ErrorOf(Seal(
            absl::StrCat("claim default - tickets=", kMaxAmount.ToString(), " -\nend\n"))) == "");
  CHECK(ErrorOf(Seal("seq 4611686018427387904\nend\n")) == "line 2: a number is out of range");
}

TEST_CASE("ledger codec: the checksum is the one that every program knows", "[quota][codec]") {
  CHECK(Seal("123456789") == "korder-ledger 1 crc32=cbf43926\n123456789");
}

TEST_CASE("ledger codec: a text of another version is refused", "[quota][codec]") {
  std::string text = Encode(SomeImage());
  text.replace(text.find(" 1 "), 3, " 2 ");
  CHECK(ErrorOf(text) == "its version is not known here");
  for (const char* other : {"{}", "{}\n", "korder-ledger 1 crc32=00000000"}) {
    CAPTURE(other);
    CHECK(ErrorOf(other) == "it does not begin like a ledger");
  }
}

TEST_CASE("ledger codec: no text is longer than was counted for it, nor much shorter",
          "[quota][codec]") {
  const std::string uid(36, 'u');
  for (const size_t length : {1U, 10U, 100U}) {
    const std::string text(length, 'x');
    const ClaimPtr claim =
        MakeClaim(text).With(text, "8191Pi").Label(text, text).Label(text + "2", "").Share();
    const LedgerImage image{
        .epoch = 1,
        .writer = "",
        .seq = 1,
        .closed_until = {},
        .grants = {{text, claim, uid, kNow, text}, {text + "2", claim, "", kNow, text}}};
    const size_t empty = Encode({.epoch = 1, .writer = "", .seq = 1, .closed_until = {}}).size();
    const size_t counted =
        EncodedBytes(*claim) + EncodedBytes(image.grants[0]) + EncodedBytes(image.grants[1]);
    const size_t written = Encode(image).size() - empty;
    CAPTURE(length, written, counted);
    CHECK(written <= counted);
    CHECK(counted <= written + 250);
  }
}

TEST_CASE("ledger codec: of a grant its name counts, of a claim its labels", "[quota][codec]") {
  Grant grant{"a", MakeClaim().Share(), "", kNow};
  const size_t nameless = EncodedBytes(grant);
  grant.ticket_name = "web-0";
  CHECK(EncodedBytes(grant) == nameless + 5);
  // "key=value" and a comma.
  CHECK(EncodedBytes(MakeClaim().Label("key", "value")) == EncodedBytes(MakeClaim()) + 10);
}

TEST_CASE("ledger codec: random images survive", "[quota][codec][property]") {
  std::mt19937 random(7);
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<uint32_t>(below));
  };
  for (int round = 0; round < 200; ++round) {
    LedgerImage image{.epoch = pick(1000),
                      .writer = absl::StrCat(pick(9)),
                      .seq = pick(99),
                      .closed_until = {},
                      .grants = {}};
    std::vector<ClaimPtr> claims;
    for (int i = 0; i <= pick(5); ++i) {
      claims.push_back(MakeClaim(absl::StrCat("ns-", pick(3)))
                           .With("cpu", absl::StrCat(pick(4000), "m"))
                           .With("memory", absl::StrCat(pick(4000), "Mi"))
                           .For(absl::Nanoseconds(pick(1'000'000'000)))
                           .Label("app", absl::StrCat(pick(3)))
                           .Share());
    }
    for (int i = 0; i < pick(40); ++i) {
      image.grants.push_back({absl::StrCat("id-", 1000 + i), claims[random() % claims.size()],
                              pick(2) == 0 ? "" : absl::StrCat("uid-", i),
                              kNow + absl::Milliseconds(pick(100'000))});
    }
    const absl::StatusOr<LedgerImage> read = Decode(Encode(image));
    REQUIRE(read.ok());
    REQUIRE(*read == image);
  }
}

}  // namespace
}  // namespace korder::quota
