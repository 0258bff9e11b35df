#include "json/fields.h"

#include <limits>

#include <catch2/catch.hpp>

namespace korder::json {
namespace {

struct Inner {
  std::string name;
  std::optional<int32_t> count;
  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("count", self.count);
  }
  bool operator==(const Inner&) const = default;
};

struct Outer {
  bool paused = false;
  int64_t big = 0;
  std::vector<Inner> items;
  std::map<std::string, std::string, std::less<>> labels;
  std::optional<Inner> inner;
  std::optional<absl::Time> at;
  RawValue raw;
  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("kind", "Outer");
    v("paused", self.paused);
    v("big", self.big);
    v("items", self.items);
    v("labels", self.labels);
    v("inner", self.inner);
    v("at", self.at);
    v("raw", self.raw);
  }
  bool operator==(const Outer&) const = default;
};

TEST_CASE("json: a described type survives writing and reading", "[json]") {
  Outer outer;
  outer.paused = true;
  outer.big = std::numeric_limits<int64_t>::max();
  outer.items = {{"a \"quoted\" \u00e9", 3}, {"b", std::nullopt}};
  outer.labels = {{"app", "web"}};
  outer.inner = Inner{"in", 0};
  outer.at = absl::FromUnixSeconds(1'800'000'000);
  outer.raw.text = R"({"x":[1,2.5,null,true,"y"]})";
  Outer again;
  REQUIRE(Parse(Print(outer), again).ok());
  CHECK(again == outer);
}

TEST_CASE("json: absent optionals and empty containers are not written, numbers are", "[json]") {
  CHECK(Print(Outer{}) == R"({"kind":"Outer","paused":false,"big":0})");
}

TEST_CASE("json: unknown fields are skipped and null counts as absent", "[json]") {
  Outer outer;
  REQUIRE(
      Parse(R"({"new":{"deep":[[1],{"a":2}]},"paused":null,"big":7,"inner":null})", outer).ok());
  CHECK(outer.big == 7);
  CHECK_FALSE(outer.inner.has_value());
}

TEST_CASE("json: errors name the path, what was expected and what came", "[json]") {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {R"({"items":[{"name":"a"},{"name":3}]})", "items[1].name: expected a string, got a number"},
      {R"({"inner":{"count":3000000000}})", "inner.count: the integer does not fit 32 bits"},
      {R"({"big":18446744073709551615})", "big: the integer does not fit 64 bits"},
      {R"({"big":1.5})", "big: expected an integer"},
      {R"({"labels":{"app":{}}})", "labels.app: expected a string, got an object"},
      {R"({"at":"yesterday"})", "at: \"yesterday\" is not an RFC 3339 time"},
      {R"([])", "expected an object, got an array"},
      {R"({"paused":true} x)", "invalid JSON at byte 16"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.text) {
      Outer outer;
      const absl::Status status = Parse(c.text, outer);
      CHECK_FALSE(status.ok());
      CHECK_THAT(std::string(Message(status)),
                 Catch::Contains(c.want) || Catch::Contains("invalid JSON"));
    }
  }
}

TEST_CASE("json: broken text is an error at every cut, never a crash", "[json]") {
  const std::string whole = R"({"paused":true,"items":[{"name":"a\u00e9"}],"labels":{"a":"b"}})";
  for (size_t length = 0; length < whole.size(); ++length) {
    Outer outer;
    CHECK_FALSE(Parse(whole.substr(0, length), outer).ok());
  }
}

TEST_CASE("json: texts are escaped and read back, and what is no UTF-8 is refused", "[json]") {
  std::string all;
  for (char c = 1; c < 127; ++c) {
    all += c;
  }
  all += "\u00e9\u20ac";
  CHECK(Print(std::string("a\n\x1f\"\\/b")) == R"("a\n\u001F\"\\/b")");
  for (const std::string& text : {all, std::string("plain"), std::string("\n"), std::string()}) {
    std::string again;
    REQUIRE(Parse(Print(text), again).ok());
    CHECK(again == text);
  }
  RawValue raw;
  CHECK_FALSE(Parse("\"\xff\"", raw).ok());
  CHECK_FALSE(Parse("[\"long enough for eight\", \"\xc3(\"]", raw).ok());
  CHECK_FALSE(Parse(R"("\ud800")", raw).ok());
}

TEST_CASE("json: nesting is bounded", "[json]") {
  RawValue raw;
  CHECK(Message(Parse(std::string(100'000, '['), raw)) == "nested too deeply");
}

TEST_CASE("json: int-or-string values come as text", "[json]") {
  Reader r(R"(["500m", 2])");
  r.BeginArray();
  REQUIRE(r.NextElement());
  CHECK(r.NumberOrString() == "500m");
  REQUIRE(r.NextElement());
  CHECK(r.NumberOrString() == "2");
  CHECK_FALSE(r.NextElement());
  CHECK(r.Finish().ok());
}

TEST_CASE("json: times are whole seconds in UTC", "[json]") {
  absl::Time time;
  REQUIRE(Parse("\"2026-11-01T10:00:00+02:00\"", time).ok());
  CHECK(Print(time) == "\"2026-11-01T08:00:00Z\"");
  REQUIRE(Parse("\"2028-02-29T23:59:59Z\"", time).ok());
  CHECK(Print(time) == "\"2028-02-29T23:59:59Z\"");
  for (const char* none : {"\"2027-02-29T08:00:00Z\"", "\"2026-11-01T24:00:01Z\"",
                           "\"2026-11-01 08:00:00Z\"", "\"2026-1a-01T08:00:00Z\""}) {
    CAPTURE(none);
    CHECK_FALSE(Parse(none, time).ok());
  }
}

TEST_CASE("json: a text that ends inside a character is refused", "[json]") {
  for (const char* const cut : {"\"\xc3", "\"\xe2\x82", "\"\xf0", "\"\xf0\x9f\x98"}) {
    std::string out;
    CHECK_FALSE(Parse(std::string(cut), out).ok());
  }
}

}  // namespace
}  // namespace korder::json
