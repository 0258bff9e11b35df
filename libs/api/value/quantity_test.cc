#include "api/value/quantity.h"

#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "absl/hash/hash.h"
#include "json/fields.h"

namespace korder::api {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();

std::string Canonical(std::string_view text) {
  const absl::StatusOr<Quantity> quantity = Quantity::Parse(text);
  return quantity.ok() ? quantity->ToString() : "error";
}

Quantity Q(std::string_view text) { return Quantity::Parse(text).value(); }

struct Pair {
  const char* text;
  const char* want;
};

TEST_CASE("quantity: the canonical text is the one Kubernetes prints", "[quantity]") {
  const Pair cases[] = {
      {"0", "0"},
      {"-0", "0"},
      {"0Ki", "0"},
      {"0e9", "0"},
      {"500m", "500m"},
      {"0.5", "500m"},
      {"1", "1"},
      {"1000m", "1"},
      {"1.5", "1500m"},
      {"+2", "2"},
      {"-2", "-2"},
      {"-1.5Gi", "-1536Mi"},
      {"1000", "1k"},
      {"10000", "10k"},
      {"1024", "1024"},
      {"1500k", "1500k"},
      {"1Gi", "1Gi"},
      {"1024Mi", "1Gi"},
      {"1.5Gi", "1536Mi"},
      {"1000Ki", "1000Ki"},
      {"1e3", "1e3"},
      {"1.2e3", "1200"},
      {"12E2", "1200"},
      {"1E", "1E"},
      {"1E3", "1e3"},
      {"1e+3", "1e3"},
      {"1e-3", "1e-3"},
      {"1e21", "1e21"},
      {"1e20", "100e18"},
      {"100n", "100n"},
      {".5", "500m"},
      {"5.", "5"},
      {"007", "7"},
      {"100E", "100E"},
      {"1.1Ki", "1126400m"},
      {"4Ei", "4Ei"},
      {"123456789012345678901n", "123456789012345678901n"},
      {"9223372036854775807", "9223372036854775807"},
  };
  for (const Pair& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK(Canonical(c.text) == c.want); }
  }
}

TEST_CASE("quantity: binary amounts below 1024 or with a fraction print as decimal ones",
          "[quantity]") {
  CHECK(Canonical("1Ki") == "1Ki");
  CHECK(Canonical("0.5Ki") == "512");
  CHECK(Canonical("0.9765625Ki") == "1k");
  CHECK(Canonical("0.0005Ki") == "512m");
  CHECK(Canonical("1023.5Ki") == "1048064");
  CHECK(Canonical("1.0001Ki") == "1024102400u");
  CHECK(Q("0.0005Ki").format() == Quantity::Format::kDecimalSI);
}

TEST_CASE("quantity: what is finer than a nano is rounded away from zero", "[quantity]") {
  const Pair cases[] = {
      {"0.1n", "1n"},
      {"-0.1n", "-1n"},
      {"1.1n", "2n"},
      {"1e-10", "1e-9"},
      {"1e-99999999999999999999", "1e-9"},
      {"0.0000000001Ki", "103n"},
      // Seventy digits behind the point still count: a binary suffix multiplies them first.
      {"0.0000000000000000000000000000000000000000000000000000000000000000000001Ei", "1n"},
      {"0.00000000000000000000000000000000000000000000000000000000000000000000000Ei", "0"},
      {"0.000000001000000000000000000000000000000000000000000000000000000000000001k", "1001n"},
  };
  for (const Pair& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK(Canonical(c.text) == c.want); }
  }
}

TEST_CASE("quantity: a long fraction and a large exponent make up for each other", "[quantity]") {
  CHECK(Canonical("0." + std::string(150, '0') + "1e152") == "10");
  CHECK(Canonical("1" + std::string(150, '0') + "e-150") == "1");
}

TEST_CASE("quantity: a binary amount is cut to 2^63-1", "[quantity]") {
  for (const char* text : {"8Ei", "9000Pi", "99999999999999999999999999999999999999999999Ki"}) {
    CAPTURE(text);
    CHECK(Q(text) == Quantity::FromInt(kMaxInt));
    CHECK(Canonical(text) == "9223372036854775807");
  }
  CHECK(Q("-8Ei") == Quantity::FromInt(-kMaxInt));
  CHECK(Canonical("7.5Ei") == "7680Pi");
}

TEST_CASE("quantity: a decimal amount is cut to 10^29", "[quantity]") {
  CHECK(Canonical("100000000000E") == "100000000000E");
  CHECK(Canonical("99999999999999999999999999999") == "99999999999999999999999999999");
  for (const char* text : {"1e30", "100000000000.1E", "1e999999999999999999999", "2e29",
                           "340282366920938463463374607431768211457n", "1000000000000E"}) {
    CAPTURE(text);
    CHECK(Q(text) == Q("1e29"));
  }
  CHECK(Q("-1e30") == Q("-1e29"));
  CHECK(Canonical("1e30") == "100e27");
}

TEST_CASE("quantity: a number without digits is zero, as the API server lets it pass",
          "[quantity]") {
  for (const char* text : {"m", "+", "-", ".", "Ki", "-.Ti", "e3"}) {
    CAPTURE(text);
    CHECK(Q(text) == Q("0"));
  }
}

TEST_CASE("quantity: what is no quantity is refused with the rule", "[quantity]") {
  for (const char* text : {"", "lots", "NaN", "Infinity", "--"}) {
    CAPTURE(text);
    CHECK(Message(Quantity::Parse(text).status()) == "must be a quantity such as 500m, 2 or 1.5Gi");
  }
  for (const char* text : {"1x", "1.2.3", "1 Gi", "1e", "1e+", "1e1.5", "0x10", "1ki", "1KB", "1mi",
                           "1Ei3", "1k3", "5m ", "1\u00b5", "--1", " 1"}) {
    CAPTURE(text);
    CHECK_THAT(std::string(Message(Quantity::Parse(text).status())),
               Catch::StartsWith("must be a number with no suffix or one of n, u, m"));
  }
  CHECK_FALSE(Quantity::Parse(std::string_view("1\0", 2)).ok());
}

TEST_CASE("quantity: whole and milli values are rounded away from zero and limited", "[quantity]") {
  CHECK(Q("1500001u").Value() == 2);
  CHECK(Q("1500001u").MilliValue() == 1501);
  CHECK(Q("-1500001u").Value() == -2);
  CHECK(Q("2").Value() == 2);
  CHECK(Q("500m").MilliValue() == 500);
  CHECK(Q("1e29").Value() == kMaxInt);
  CHECK(Q("-1e29").MilliValue() == std::numeric_limits<int64_t>::min());
}

TEST_CASE("quantity: sums take the format of what is not zero", "[quantity]") {
  CHECK(Q("500m").Add(Q("500m"))->ToString() == "1");
  CHECK(Q("1Gi").Sub(Q("1Mi"))->ToString() == "1023Mi");
  CHECK(Quantity().Add(Q("1Gi"))->ToString() == "1Gi");
  CHECK(Q("1Gi").Add(Q("1k"))->ToString() == "1073742824");
  CHECK(Q("1").Sub(Q("2"))->ToString() == "-1");
}

TEST_CASE("quantity: sums and products that do not fit are errors", "[quantity]") {
  CHECK(absl::IsOutOfRange(Q("1e29").Add(Q("1n")).status()));
  CHECK(absl::IsOutOfRange(Q("1e29").Add(Q("1e29")).status()));
  CHECK(absl::IsOutOfRange(Q("-1e29").Sub(Q("1n")).status()));
  CHECK(absl::IsOutOfRange(Q("1e29").MulRatio(2, 1).status()));
  CHECK(absl::IsOutOfRange(Q("1e29").MulRatio(kMaxInt, 1).status()));
  CHECK(Q("1e29").Sub(Q("1e29"))->IsZero());
  CHECK(Q("1e29").MulRatio(kMaxInt, kMaxInt).value() == Q("1e29"));
}

TEST_CASE("quantity: a multiple is rounded down", "[quantity]") {
  CHECK(Q("5").MulRatio(1, 2)->ToString() == "2500m");
  CHECK(Q("10").MulRatio(1, 3)->ToString() == "3333333333n");
  CHECK(Q("-10").MulRatio(1, 3)->ToString() == "-3333333334n");
  CHECK(Q("1Gi").MulRatio(3, 2)->ToString() == "1536Mi");
  CHECK(Q("1Gi").MulRatio(0, 7)->IsZero());
}

TEST_CASE("quantity: amounts compare and hash without regard to the format", "[quantity]") {
  CHECK(Q("1000m") == Q("1"));
  CHECK(Q("1Gi") == Q("1073741824"));
  CHECK(Q("1k") < Q("1Ki"));
  CHECK(Q("-1") < Q("0"));
  CHECK(absl::HashOf(Q("1Gi")) == absl::HashOf(Q("1048576Ki")));
  CHECK(absl::HashOf(Q("1")) != absl::HashOf(Q("2")));
}

TEST_CASE("quantity: printing and parsing again keeps the amount and settles the text",
          "[quantity]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto format = static_cast<Quantity::Format>(random() % 3);
    const Quantity::Nanos nanos = static_cast<int64_t>(random()) >> (random() % 60);
    const Quantity quantity =
        Quantity::FromNanos(nanos * (random() % 2 == 0 ? 1 : 1'000'000'000), format);
    const Quantity again = Q(quantity.ToString());
    REQUIRE(again == quantity);
    // A binary quantity may print without a suffix and is a decimal one when read again.
    REQUIRE(Q(again.ToString()).ToString() == again.ToString());
  }
}

TEST_CASE("quantity: no text makes parsing fail in any way but a status", "[quantity]") {
  constexpr std::string_view kAlphabet = "0123456789....+-eEinumkKMGTP \xff";
  std::mt19937_64 random(2);
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (size_t length = random() % 12; text.size() < length;) {
      text += kAlphabet[random() % kAlphabet.size()];
    }
    const absl::StatusOr<Quantity> quantity = Quantity::Parse(text);
    if (quantity.ok()) {
      ++accepted;
      REQUIRE(Q(quantity->ToString()) == *quantity);
    }
  }
  CHECK(accepted > 1'000);
}

TEST_CASE("quantity: a number or a string in JSON, with the path of an error", "[quantity]") {
  Quantity quantity;
  REQUIRE(json::Parse("2", quantity).ok());
  CHECK(json::Print(quantity) == "\"2\"");
  REQUIRE(json::Parse("0.25", quantity).ok());
  CHECK(quantity.MilliValue() == 250);
  REQUIRE(json::Parse("\"250m\"", quantity).ok());
  CHECK(quantity.MilliValue() == 250);
  std::map<std::string, Quantity, std::less<>> list;
  CHECK(Message(json::Parse(R"({"cpu":"fast"})", list)) ==
        "cpu: \"fast\": must be a quantity such as 500m, 2 or 1.5Gi");
}

}  // namespace
}  // namespace korder::api
