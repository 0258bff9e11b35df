#include <catch2/catch.hpp>

#include "api/testing/from_json.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/validation.h"
#include "api/value/duration.h"

namespace korder::api {
namespace {

struct Case {
  std::string name;
  std::string fields;  // of the spec, beside a template that is fine
  std::string want;    // all problems, "" = none
};

Order MakeOrder(const std::string& fields) {
  Order order;
  order.metadata.name = "my-order";
  order.spec = FromJson<OrderSpec>(
      R"({"template":{"metadata":{"labels":{"app":"web"}},"spec":{"duration":"24h",
          "resources":{"requests":{"cpu":"500m","memory":"1Gi"}}}})" +
      (fields.empty() ? "" : "," + fields) + "}");
  return order;
}

std::string Problems(const std::string& fields) { return JoinErrors(Validate(MakeOrder(fields))); }

TEST_CASE("order validation: numbers", "[order][validation]") {
  const Case cases[] = {
      {"the least there can be", "", ""},
      {"no ticket at all", R"("replicas":0)", ""},
      {"negative replicas", R"("replicas":-1)", R"(spec.replicas: "-1": must be 0 or more)"},
      {"negative minReadySeconds", R"("minReadySeconds":-5)",
       R"(spec.minReadySeconds: "-5": must be 0 or more)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(c.fields) == c.want); }
  }
}

TEST_CASE("order validation: strategy and schedule belong together", "[order][validation]") {
  const Case cases[] = {
      {"OneTime", R"("strategy":{"type":"OneTime","refreshPolicy":"Always"})", ""},
      {"Scheduled", R"("strategy":{"type":"Scheduled","schedule":"0 2 * * *"})", ""},
      {"Recurring in a zone",
       R"("strategy":{"type":"Recurring","schedule":"0 */6 * * *","timeZone":"Europe/Berlin"})",
       ""},
      {"Scheduled without schedule", R"("strategy":{"type":"Scheduled"})",
       "spec.strategy.schedule: is needed for strategy type Scheduled"},
      {"Recurring without schedule", R"("strategy":{"type":"Recurring"})",
       "spec.strategy.schedule: is needed for strategy type Recurring"},
      {"OneTime with schedule", R"("strategy":{"schedule":"0 2 * * *"})",
       R"(spec.strategy.schedule: "0 2 * * *": is not allowed for strategy type OneTime)"},
      {"a minute that does not exist", R"("strategy":{"type":"Scheduled","schedule":"61 * * * *"})",
       R"(spec.strategy.schedule: "61 * * * *": minute must be 0-59)"},
      {"an unknown zone",
       R"("strategy":{"type":"Scheduled","schedule":"0 2 * * *","timeZone":"Mars/Base"})",
       R"(spec.strategy.timeZone: "Mars/Base": must be an IANA time zone name such as )"
       R"(Europe/Berlin or UTC)"},
      {"an unknown zone of a OneTime order", R"("strategy":{"timeZone":"/etc/passwd"})",
       R"(spec.strategy.timeZone: "/etc/passwd": must be an IANA time zone name such as )"
       R"(Europe/Berlin or UTC)"},
      {"an unknown zone and a bad minute are two problems",
       R"("strategy":{"type":"Scheduled","schedule":"61 * * * *","timeZone":"Mars/Base"})",
       R"(spec.strategy.timeZone: "Mars/Base": must be an IANA time zone name such as )"
       R"(Europe/Berlin or UTC; spec.strategy.schedule: "61 * * * *": minute must be 0-59)"},
      {"durations",
       R"("strategy":{"type":"Scheduled","schedule":"0 2 * * *","leadTime":"0s",
                      "startingDeadline":"10m"})",
       ""},
      {"bad durations",
       R"("strategy":{"type":"Scheduled","schedule":"0 2 * * *","leadTime":"-5m",
                      "startingDeadline":"0s"})",
       R"(spec.strategy.leadTime: "-5m": must not be negative; )"
       R"(spec.strategy.startingDeadline: "0s": must be longer than zero)"},
      {"malformed durations", R"("strategy":{"leadTime":"5 minutes","startingDeadline":"x"})",
       "spec.strategy.leadTime: \"5 minutes\": " +
           std::string(Message(ParseDuration("5 minutes").status())) +
           "; spec.strategy.startingDeadline: \"x\": " +
           std::string(Message(ParseDuration("x").status()))},
      {"things to skip",
       R"("strategy":{"skip":["2026-12-24","2026-12-31T02:00:00Z","2026-12-31T02:00:00+01:00"]})",
       ""},
      {"things that are no times", R"("strategy":{"skip":["2026-12-24","tomorrow","2026-02-30"]})",
       R"(spec.strategy.skip[1]: "tomorrow": must be an RFC 3339 instant (2026-12-24T02:00:00Z) )"
       R"(or a date (2026-12-24); spec.strategy.skip[2]: "2026-02-30": must be an RFC 3339 )"
       R"(instant (2026-12-24T02:00:00Z) or a date (2026-12-24))"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(c.fields) == c.want); }
  }
}

TEST_CASE("order validation: a zone in the schedule must agree with timeZone",
          "[order][validation]") {
  CHECK(Problems(R"("strategy":{"type":"Scheduled","schedule":"TZ=UTC 0 2 * * *"})") == "");
  const auto errors = Validate(MakeOrder(
      R"("strategy":{"type":"Scheduled","schedule":"TZ=UTC 0 2 * * *","timeZone":"Europe/Berlin"})"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].path == "spec.strategy.schedule");
}

TEST_CASE("order validation: an expression that never fires is refused", "[order][validation]") {
  const auto errors =
      Validate(MakeOrder(R"("strategy":{"type":"Scheduled","schedule":"0 0 30 2 *"})"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].path == "spec.strategy.schedule");
  CHECK(errors[0].value == "0 0 30 2 *");
}

TEST_CASE("order validation: the selector must match the template", "[order][validation]") {
  const std::string mismatch =
      "must match the labels of the template (and korder.dev/order=my-order)";
  const Case cases[] = {
      {"labels of the template", R"("selector":{"matchLabels":{"app":"web"}})", ""},
      {"the order's own label", R"("selector":{"matchLabels":{"korder.dev/order":"my-order"}})",
       ""},
      {"expressions", R"("selector":{"matchExpressions":[{"key":"app","operator":"Exists"},
                         {"key":"tier","operator":"DoesNotExist"}]})",
       ""},
      {"another value", R"("selector":{"matchLabels":{"app":"db"}})",
       "spec.selector: \"app=db\": " + mismatch},
      {"another order", R"("selector":{"matchLabels":{"korder.dev/order":"other"}})",
       "spec.selector: \"korder.dev/order=other\": " + mismatch},
      {"an expression that fails",
       R"("selector":{"matchExpressions":[{"key":"app","operator":"DoesNotExist"}]})",
       "spec.selector: \"!app\": " + mismatch},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(c.fields) == c.want); }
  }
  SECTION("a selector that is wrong in itself is not also a mismatch") {
    const auto errors =
        Validate(MakeOrder(R"("selector":{"matchExpressions":[{"key":"app","operator":"Like"}]})"));
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].path.starts_with("spec.selector.matchExpressions[0]"));
  }
}

TEST_CASE("order validation: the template", "[order][validation]") {
  Order order = MakeOrder("");
  TicketTemplate& ticket_template = order.spec.ticket_template;
  SECTION("its spec is a ticket's spec") {
    ticket_template.spec.duration = DurationField::FromText("1d");
    ticket_template.spec.resources = {};
    CHECK(JoinErrors(Validate(order)) ==
          "spec.template.spec.duration: \"1d\": " +
              std::string(Message(ParseDuration("1d").status())) +
              "; spec.template.spec.resources.requests: a ticket must ask for something: set "
              "requests or limits above 0");
  }
  SECTION("korder's own prefix is not for users") {
    ticket_template.metadata.labels["korder.dev/order"] = "other";
    ticket_template.metadata.annotations["korder.dev/grant"] = "forged";
    CHECK(JoinErrors(Validate(order)) ==
          "spec.template.metadata.labels: \"korder.dev/order\": names under korder.dev/ are set by "
          "korder itself; spec.template.metadata.annotations: \"korder.dev/grant\": names under "
          "korder.dev/ are set by korder itself");
  }
  SECTION("labels follow the rules for labels") {
    ticket_template.metadata.labels["tier"] = "-";
    CHECK(JoinErrors(Validate(order)) ==
          "spec.template.metadata.labels: \"-\": " + LabelValueProblem("-"));
  }
  SECTION("annotations fit into an object") {
    ticket_template.metadata.annotations["big"] = std::string(256 * 1024, 'x');
    CHECK(JoinErrors(Validate(order)) ==
          "spec.template.metadata.annotations: can have at most 256 KiB together");
  }
}

TEST_CASE("order validation: the name is a label value", "[order][validation]") {
  Order order = MakeOrder("");
  order.metadata.name = std::string(64, 'a');
  const auto errors = Validate(order);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].path == "metadata.name");
}

TEST_CASE("order validation: all problems come at once, in the order of the fields",
          "[order][validation]") {
  CHECK(Problems(R"("replicas":-3,"strategy":{"type":"Scheduled","schedule":"61 * * * *"},
                    "minReadySeconds":-1)") ==
        "spec.replicas: \"-3\": must be 0 or more; "
        "spec.strategy.schedule: \"61 * * * *\": minute must be 0-59; "
        "spec.minReadySeconds: \"-1\": must be 0 or more");
}

TEST_CASE("order validation: the selector is immutable, the rest may change",
          "[order][validation]") {
  const Order old = MakeOrder(R"("selector":{"matchLabels":{"app":"web"}})");
  CHECK(ValidateUpdate(old, MakeOrder(R"("selector":{"matchLabels":{"app":"web"}},"replicas":9,
      "strategy":{"type":"Scheduled","schedule":"0 2 * * *"}, "paused":true)")) ==
        std::vector<FieldError>{});
  CHECK(JoinErrors(ValidateUpdate(old, MakeOrder(""))) == "spec.selector: is immutable");
  CHECK(JoinErrors(ValidateUpdate(MakeOrder(""), old)) == "spec.selector: is immutable");
  CHECK(JoinErrors(ValidateUpdate(old, MakeOrder(R"("replicas":-1,
      "selector":{"matchExpressions":[{"key":"app","operator":"Exists"}]})"))) ==
        "spec.replicas: \"-1\": must be 0 or more; spec.selector: is immutable");
}

TEST_CASE("order validation: an order being deleted can always lose its finalizers",
          "[order][validation]") {
  Order now = MakeOrder(R"("replicas":-1)");
  now.metadata.deletion_timestamp = absl::UnixEpoch();
  CHECK(ValidateUpdate(MakeOrder(""), now).empty());
}

TEST_CASE("order defaults: without a selector the order's label selects", "[order][defaults]") {
  CHECK(EffectiveSelector(MakeOrder("")).ToString() == "korder.dev/order=my-order");
  CHECK(EffectiveSelector(MakeOrder(R"("selector":{"matchLabels":{"app":"web"}})")).ToString() ==
        "app=web");
}

}  // namespace
}  // namespace korder::api
