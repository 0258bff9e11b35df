#include <catch2/catch.hpp>

#include "api/testing/from_json.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/validation.h"
#include "api/value/duration.h"

namespace korder::api {
namespace {

struct Case {
  std::string name;
  std::string spec;  // what the test is about, beside what a spec must have
  std::string want;  // all problems, "" = none
};

std::string Problems(const std::string& spec) {
  Quota quota;
  quota.spec = FromJson<QuotaSpec>(spec);
  return JoinErrors(Validate(quota));
}

TEST_CASE("quota validation: exactly the member of the scope's type is set",
          "[quota][validation]") {
  const Case cases[] = {
      {"cluster", R"({"type":"Cluster"})", ""},
      {"list", R"({"type":"NamespaceList","namespaces":["a","b"]})", ""},
      {"namespace selector",
       R"({"type":"NamespaceSelector","namespaceSelector":{"matchLabels":{"team":"backend"}}})",
       ""},
      {"object selector",
       R"({"type":"ObjectSelector","objectSelector":{"matchLabels":{"tier":"db"}}})", ""},
      {"list without namespaces", R"({"type":"NamespaceList"})",
       "spec.scope.namespaces: is needed for scope type NamespaceList"},
      {"cluster with namespaces", R"({"type":"Cluster","namespaces":["a"]})",
       "spec.scope.namespaces: is not allowed for scope type Cluster"},
      {"the wrong selector", R"({"type":"ObjectSelector","namespaceSelector":{}})",
       "spec.scope.namespaceSelector: is not allowed for scope type ObjectSelector; "
       "spec.scope.objectSelector: is needed for scope type ObjectSelector"},
      {"a bad namespace", R"({"type":"NamespaceList","namespaces":["a","Team B"]})",
       R"(spec.scope.namespaces[1]: "Team B": must be 1 to 63 lower-case letters, digits or '-', )"
       R"(beginning and ending with a letter or digit)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(Problems(R"({"hard":{"orders":"1"},"scope":)" + c.spec + "}") == c.want);
    }
  }
  SECTION("a selector that is wrong in itself") {
    Quota quota;
    quota.spec = FromJson<QuotaSpec>(R"({"hard":{"orders":1},"scope":{"type":"ObjectSelector",
        "objectSelector":{"matchExpressions":[{"key":"a","operator":"Like"}]}}})");
    REQUIRE(Validate(quota).size() == 1);
    CHECK(Validate(quota)[0].path.starts_with("spec.scope.objectSelector.matchExpressions[0]"));
  }
}

TEST_CASE("quota validation: limits", "[quota][validation]") {
  const Case cases[] = {
      {"the seed of all quotas",
       R"({"orders":"10","tickets":"50","reserved.cpu":"20","reserved.memory":"40Gi",
           "max-duration":"24h"})",
       ""},
      {"numbers", R"({"orders":10,"tickets":0,"reserved.cpu":2,"reserved.nvidia.com/gpu":4,
                      "reserved.hugepages-2Mi":"1Gi"})",
       ""},
      {"nothing", "{}", "spec.hard: at least one limit is needed"},
      {"an unknown key", R"({"orders":1,"pods":"10"})",
       R"(spec.hard: "pods": is not a known key; known are orders, tickets, reserved.<resource> )"
       R"(and max-duration)"},
      {"two unknown keys", R"({"Orders":1,"cpu":"10"})",
       R"(spec.hard: "Orders": is not a known key; known are orders, tickets, )"
       R"(reserved.<resource> and max-duration; spec.hard: "cpu": is not a known key; known are )"
       R"(orders, tickets, reserved.<resource> and max-duration)"},
      {"half an order", R"({"orders":"500m"})",
       R"(spec.hard[orders]: "500m": must be a whole number, 0 or more)"},
      {"a fraction of a ticket", R"({"tickets":1.5})",
       R"(spec.hard[tickets]: "1.5": must be a whole number, 0 or more)"},
      {"a negative count", R"({"tickets":-1})",
       R"(spec.hard[tickets]: "-1": must be a whole number, 0 or more)"},
      {"no quantity", R"({"reserved.cpu":"many"})",
       R"(spec.hard[reserved.cpu]: "many": must be a quantity such as 20, 500m or 40Gi)"},
      {"a negative quantity", R"({"reserved.cpu":"-1"})",
       R"(spec.hard[reserved.cpu]: "-1": must be 0 or more)"},
      {"a resource nobody knows", R"({"reserved.cpus":"1"})",
       R"(spec.hard: "reserved.cpus": is not a resource that a pod can ask for; known are cpu, )"
       R"(memory, ephemeral-storage, hugepages-<size> and names with a domain such as )"
       R"(nvidia.com/gpu)"},
      {"a duration that is a number", R"({"max-duration":24})",
       "spec.hard[max-duration]: \"24\": " + std::string(Message(ParseDuration("24").status()))},
      {"a negative duration", R"({"max-duration":"-1h"})",
       R"(spec.hard[max-duration]: "-1h": must not be negative)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(Problems(R"({"scope":{"type":"Cluster"},"hard":)" + c.spec + "}") == c.want);
    }
  }
}

TEST_CASE("quota validation: time windows", "[quota][validation]") {
  const std::string hours =
      "must be HH:MM-HH:MM with two different times, such as 09:00-18:00 or 22:00-06:00";
  const Case cases[] = {
      {"by schedule",
       R"({"name":"day","multiplier":"1.5","schedule":"0 9-17 * * 1-5","duration":"1h",
           "timeZone":"Europe/Berlin"})",
       ""},
      {"by hours", R"({"name":"night","multiplier":2,"days":["Mon","Tue"],"hours":"22:00-06:00"})",
       ""},
      {"until midnight", R"({"name":"late","multiplier":0,"days":["Sun"],"hours":"18:00-24:00"})",
       ""},
      {"no name", R"({"multiplier":1,"schedule":"0 9 * * *"})",
       "spec.timeWindows[0].name: is required"},
      {"no multiplier", R"({"name":"a","schedule":"0 9 * * *"})",
       "spec.timeWindows[0].multiplier: must be a decimal number, 0 or more, such as 1.5"},
      {"a negative multiplier", R"({"name":"a","multiplier":-1,"schedule":"0 9 * * *"})",
       R"(spec.timeWindows[0].multiplier: "-1": must be a decimal number, 0 or more, such as 1.5)"},
      {"a multiplier with an exponent", R"({"name":"a","multiplier":"1e3","schedule":"0 9 * * *"})",
       R"(spec.timeWindows[0].multiplier: "1e3": must be a decimal number, 0 or more, such as )"
       R"(1.5)"},
      {"neither", R"({"name":"a","multiplier":1})",
       "spec.timeWindows[0]: either schedule, or days and hours, is needed"},
      {"both",
       R"({"name":"a","multiplier":1,"schedule":"0 9 * * *","days":["Mon"],"hours":"09:00-10:00"})",
       R"(spec.timeWindows[0].schedule: "0 9 * * *": is not allowed beside days and hours)"},
      {"days without hours", R"({"name":"a","multiplier":1,"days":["Mon"]})",
       "spec.timeWindows[0].hours: is needed beside days"},
      {"hours without days", R"({"name":"a","multiplier":1,"hours":"09:00-10:00"})",
       "spec.timeWindows[0].days: is needed beside hours"},
      {"a day twice", R"({"name":"a","multiplier":1,"days":["Mon","Mon"],"hours":"09:00-10:00"})",
       R"(spec.timeWindows[0].days[1]: "Mon": stands there twice)"},
      {"bad hours", R"({"name":"a","multiplier":1,"days":["Mon"],"hours":"9-18"})",
       "spec.timeWindows[0].hours: \"9-18\": " + hours},
      {"no time at all", R"({"name":"a","multiplier":1,"days":["Mon"],"hours":"09:00-09:00"})",
       "spec.timeWindows[0].hours: \"09:00-09:00\": " + hours},
      {"hours with a duration",
       R"({"name":"a","multiplier":1,"days":["Mon"],"hours":"09:00-10:00","duration":"1h"})",
       R"(spec.timeWindows[0].duration: "1h": belongs to schedule; hours already say how long )"
       R"(the window is)"},
      {"a bad schedule", R"({"name":"a","multiplier":1,"schedule":"0 25 * * *"})",
       R"(spec.timeWindows[0].schedule: "0 25 * * *": hour must be 0-23)"},
      {"a window of no length",
       R"({"name":"a","multiplier":1,"schedule":"0 9 * * *","duration":"0s"})",
       R"(spec.timeWindows[0].duration: "0s": must be longer than zero)"},
      {"an unknown zone",
       R"({"name":"a","multiplier":1,"days":["Mon"],"hours":"09:00-10:00","timeZone":"Mars"})",
       R"(spec.timeWindows[0].timeZone: "Mars": must be an IANA time zone name such as )"
       R"(Europe/Berlin or UTC)"},
      {"a name twice",
       R"({"name":"a","multiplier":1,"schedule":"0 9 * * *"},
          {"name":"a","multiplier":1,"schedule":"0 10 * * *"})",
       R"(spec.timeWindows[1].name: "a": stands there twice)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(Problems(R"({"scope":{"type":"Cluster"},"hard":{"orders":1},"timeWindows":[)" + c.spec +
                     "]}") == c.want);
    }
  }
}

TEST_CASE("quota validation: allocations", "[quota][validation]") {
  const Case cases[] = {
      {"two namespaces",
       R"({"namespace":"a","limits":{"orders":1}},{"namespace":"b","limits":{"tickets":"2"}})", ""},
      {"a namespace twice",
       R"({"namespace":"a","limits":{"orders":1}},{"namespace":"a","limits":{"tickets":"2"}})",
       R"(spec.allocation[1].namespace: "a": stands there twice)"},
      {"an unknown key", R"({"namespace":"a","limits":{"pods":1}})",
       R"(spec.allocation[0].limits: "pods": is not a known key; known are orders, tickets, )"
       R"(reserved.<resource> and max-duration)"},
      {"a bad value", R"({"namespace":"a","limits":{"reserved.cpu":"x"}})",
       R"(spec.allocation[0].limits[reserved.cpu]: "x": must be a quantity such as 20, 500m or )"
       R"(40Gi)"},
      {"no limit", R"({"namespace":"a","limits":{}})",
       "spec.allocation[0].limits: at least one limit is needed"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      CHECK(Problems(R"({"scope":{"type":"Cluster"},"hard":{"orders":1},"allocation":[)" + c.spec +
                     "]}") == c.want);
    }
  }
}

TEST_CASE("quota validation: a cap above the quota's own limit is a warning",
          "[quota][validation]") {
  Quota quota;
  quota.spec = FromJson<QuotaSpec>(R"({"scope":{"type":"Cluster"},
      "hard":{"orders":10,"reserved.cpu":"2","max-duration":"24h"},
      "allocation":[{"namespace":"a","limits":{"orders":10,"reserved.cpu":"2000m"}},
                    {"namespace":"b","limits":{"orders":11,"reserved.cpu":"2001m",
                                               "max-duration":"25h","tickets":5}}]})");
  CHECK(Validate(quota).empty());
  CHECK(Warnings(quota) ==
        std::vector<std::string>{
            "spec.allocation[1].limits[max-duration]: \"25h\": is above the quota's own limit of "
            "24h",
            "spec.allocation[1].limits[orders]: \"11\": is above the quota's own limit of 10",
            "spec.allocation[1].limits[reserved.cpu]: \"2001m\": is above the quota's own limit of "
            "2"});
}

TEST_CASE("quota validation: an update is checked like a new quota, a deletion is not",
          "[quota][validation]") {
  Quota now;
  CHECK_FALSE(ValidateUpdate(Quota{}, now).empty());
  now.metadata.deletion_timestamp = absl::UnixEpoch();
  CHECK(ValidateUpdate(Quota{}, now).empty());
}

TEST_CASE("quota defaults: a scheduled window lasts an hour unless it says otherwise",
          "[quota][defaults]") {
  QuotaTimeWindow window;
  CHECK(EffectiveDuration(window) == absl::Hours(1));
  window.duration = absl::Minutes(30);
  CHECK(EffectiveDuration(window) == absl::Minutes(30));
}

}  // namespace
}  // namespace korder::api
