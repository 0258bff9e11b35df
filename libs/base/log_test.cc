#include "base/log.h"

#include <catch2/catch.hpp>

namespace korder::log {
namespace {

TEST_CASE("log: JSON keeps numbers and booleans and escapes text", "[log]") {
  CHECK(RenderJson("created", {{"n", 3}, {"ok", true}, {"why", "a \"b\"\n\x01"}}) ==
        ",\"msg\":\"created\",\"n\":3,\"ok\":true,\"why\":\"a \\\"b\\\"\\n\\u0001\"");
}

TEST_CASE("log: text quotes only what needs it", "[log]") {
  CHECK(RenderText("created", {{"ticket", "web-1"}, {"why", "no room"}, {"empty", ""}}) ==
        "created ticket=web-1 why=\"no room\" empty=\"\"");
}

TEST_CASE("log: an unknown level is refused with the choices", "[log]") {
  CHECK(ParseLevel("warn").value() == Level::kWarn);
  CHECK(Message(ParseLevel("loud").status()) == "log level must be debug, info, warn or error");
  CHECK(ParseFormat("json").value() == Format::kJson);
  CHECK_FALSE(ParseFormat("xml").ok());
}

}  // namespace
}  // namespace korder::log
