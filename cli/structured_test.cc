#include "cli/structured.h"

#include <catch2/catch.hpp>

#include "cli/table.h"
#include "cli/text.h"
#include "kube/yaml_json.h"

namespace korder::cli {
namespace {

constexpr char kJson[] =
    R"({"a":1,"list":[{"x":"20","y":true},{}],"empty":[],"none":null,"text":"two words",)"
    R"("nested":[[1,2],[]],"o":{"p":{"nvidia.com/gpu":"1Gi"}},"r":0.6,"yes":"no","n":"-"})";

TEST_CASE("structured: JSON is indented as kubectl does", "[structured]") {
  CHECK(PrettyJson(R"({"a":1,"list":[{"x":"20"},{}],"empty":[],"s":"q\"\n"})") == R"({
  "a": 1,
  "list": [
    {
      "x": "20"
    },
    {}
  ],
  "empty": [],
  "s": "q\"\n"
}
)");
  CHECK(PrettyJson("[]") == "[]\n");
  CHECK(PrettyJson("5") == "5\n");
}

TEST_CASE("structured: YAML quotes what would be read as something else", "[structured]") {
  CHECK(YamlFromJson(kJson) == R"(a: 1
list:
- x: "20"
  "y": true
- {}
empty: []
none: null
text: "two words"
nested:
- - 1
  - 2
- []
o:
  p:
    nvidia.com/gpu: "1Gi"
r: 0.6
"yes": "no"
"n": "-"
)");
  CHECK(YamlFromJson("{}") == "{}\n");
}

TEST_CASE("structured: YAML says the same as the JSON it was made of", "[structured]") {
  CHECK(*kube::YamlToJson(YamlFromJson(kJson)) == std::vector<std::string>{kJson});
  CHECK(*kube::YamlToJson(PrettyJson(kJson)) == std::vector<std::string>{kJson});
}

TEST_CASE("table: columns are aligned by what is seen, not by bytes", "[table]") {
  Table table({{"NAME"}, {"USED", Align::kRight}, {"BAR"}});
  table.AddRow({"a", "5", "██"});
  table.AddRow({"\x1b[1mlong\x1b[0m", "12345", ""});
  CHECK(table.Render("> ") ==
        "> NAME    USED   BAR\n"
        "> a          5   ██\n"
        "> \x1b[1mlong\x1b[0m   12345   -\n");
}

TEST_CASE("text: durations show their two largest neighbours", "[text]") {
  CHECK(ShortDuration(absl::Hours(3) + absl::Minutes(12) + absl::Seconds(5)) == "3h12m");
  CHECK(ShortDuration(absl::Hours(49)) == "2d1h");
  CHECK(ShortDuration(absl::Hours(24) + absl::Seconds(5)) == "1d");
  CHECK(ShortDuration(absl::Seconds(59)) == "59s");
  CHECK(ShortDuration(absl::Hours(1)) == "1h");
  CHECK(ShortDuration(absl::ZeroDuration()) == "0s");
  CHECK(ShortDuration(-absl::Seconds(1)) == "0s");
}

TEST_CASE("text: a time says how far away it is, in both directions", "[text]") {
  const absl::Time now = absl::FromUnixSeconds(1'000'000'000);
  CHECK(WhenText(now + absl::Seconds(90), now) == "2001-09-09T01:48:10Z (in 1m30s)");
  CHECK(WhenText(now - absl::Seconds(90), now) == "2001-09-09T01:45:10Z (1m30s ago)");
}

}  // namespace
}  // namespace korder::cli
