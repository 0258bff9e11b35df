#include "api/value/quantity.h"

#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include "json/fields.h"

namespace korder::api {
namespace {

std::string Canonical(std::string_view text) {
  const absl::StatusOr<Quantity> quantity = Quantity::Parse(text);
  return quantity.ok() ? quantity->ToString() : "error";
}

TEST_CASE("quantity: the canonical text is the one Kubernetes prints", "[quantity]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"0", "0"},
      {"500m", "500m"},
      {"0.5", "500m"},
      {"1", "1"},
      {"1000m", "1"},
      {"1.5", "1500m"},
      {"+2", "2"},
      {"-2", "-2"},
      {"1000", "1k"},
      {"1024", "1024"},
      {"1500k", "1500k"},
      {"1Gi", "1Gi"},
      {"1024Mi", "1Gi"},
      {"1.5Gi", "1536Mi"},
      {"0.5Ki", "512"},
      {"1e3", "1e3"},
      {"1.2e3", "1200"},
      {"12E2", "1200"},
      {"1E", "1E"},
      {"1E3", "1e3"},
      {"100n", "100n"},
      {"0.1n", "1n"},
      {"-0.1n", "-1n"},
      {".5", "500m"},
      {"5.", "5"},
      {"007", "7"},
      {"1.1Ki", "1126400m"},
      {"9223372036854775807", "9223372036854775807"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) { CHECK(Canonical(c.text) == c.want); }
  }
}

TEST_CASE("quantity: what is no quantity is refused with the text", "[quantity]") {
  for (const char* text :
       {"", "m", "1x", "1.2.3", "--1", "1 Gi", "Gi", "1e", "1e+", "0x10", "1ki", "NaN"}) {
    INFO(text);
    CHECK_FALSE(Quantity::Parse(text).ok());
  }
}

TEST_CASE("quantity: values beyond 2^63-1 are cut to it", "[quantity]") {
  const Quantity max = Quantity::FromInt(std::numeric_limits<int64_t>::max());
  for (const char* text : {"9223372036854775808", "1e40", "8Ei", "1000000E", "1e999999"}) {
    INFO(text);
    CHECK(Quantity::Parse(text).value() == max);
  }
  CHECK(Quantity::Parse("1e-999999").value().nanos() == 1);
}

TEST_CASE("quantity: whole and milli values round up", "[quantity]") {
  const Quantity quantity = Quantity::Parse("1500001u").value();
  CHECK(quantity.Value() == 2);
  CHECK(quantity.MilliValue() == 1501);
  CHECK(Quantity::Parse("-1500001u").value().Value() == -1);
}

TEST_CASE("quantity: sums are checked", "[quantity]") {
  const Quantity max = Quantity::FromInt(std::numeric_limits<int64_t>::max());
  CHECK_FALSE(max.Add(Quantity::FromInt(1)).ok());
  CHECK(Quantity::Parse("500m")->Add(*Quantity::Parse("500m")).value() == Quantity::FromInt(1));
  CHECK(Quantity::Parse("1Gi")->Sub(*Quantity::Parse("1Mi")).value().ToString() == "1023Mi");
  CHECK(Quantity::FromInt(5).MulRatio(1, 2).value().ToString() == "2500m");
}

TEST_CASE("quantity: printing and parsing again changes nothing", "[quantity]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto format = static_cast<Quantity::Format>(random() % 3);
    const Quantity::Nanos nanos = static_cast<int64_t>(random()) >> (random() % 60);
    const Quantity quantity =
        Quantity::FromNanos(nanos * (random() % 2 == 0 ? 1 : 1'000'000'000), format);
    const Quantity again = Quantity::Parse(quantity.ToString()).value();
    REQUIRE(again == quantity);
    REQUIRE(again.ToString() == quantity.ToString());
  }
}

TEST_CASE("quantity: a number or a string in JSON, with the path of an error", "[quantity]") {
  Quantity quantity;
  REQUIRE(json::Parse("2", quantity).ok());
  CHECK(json::Print(quantity) == "\"2\"");
  REQUIRE(json::Parse("\"250m\"", quantity).ok());
  CHECK(quantity.MilliValue() == 250);
  std::map<std::string, Quantity, std::less<>> list;
  const absl::Status status = json::Parse(R"({"cpu":"fast"})", list);
  CHECK_THAT(std::string(Message(status)), Catch::StartsWith("cpu: \"fast\" is not a quantity"));
}

}  // namespace
}  // namespace korder::api
