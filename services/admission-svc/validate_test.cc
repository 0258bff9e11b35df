#include "admission-svc/validate.h"

#include <catch2/catch.hpp>

#include "admission-svc/testing/fake_peers.h"
#include "admission-svc/testing/requests.h"
#include "admission-svc/testing/yaml_json.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/claim_policy.h"
#include "base/testing/fake_clock.h"

namespace korder::admission {
namespace {

struct Fixture {
  FakeQuotaDesk desk;
  kube::Store<api::Quota> quotas;
  FakeClock clock;
  NodeSizes sizes;
  Validator validator{desk, quotas, sizes, clock};

  Verdict Order(const std::string& yaml) {
    return validator.Order(CreateRequest<api::Order>(JsonFromYaml(yaml)));
  }
  Verdict ChangeOrder(const std::string& old, const std::string& now) {
    return validator.Order(UpdateRequest<api::Order>(JsonFromYaml(old), JsonFromYaml(now)));
  }
  Verdict Ticket(const std::string& yaml) {
    return validator.Ticket(CreateRequest<api::Ticket>(JsonFromYaml(yaml)));
  }
  Verdict ChangeTicket(const std::string& old, const std::string& now) {
    return validator.Ticket(UpdateRequest<api::Ticket>(JsonFromYaml(old), JsonFromYaml(now)));
  }
  Verdict Quota(const std::string& yaml) {
    return validator.Quota(CreateRequest<api::Quota>(JsonFromYaml(yaml)));
  }
  Verdict ClaimPolicy(const std::string& yaml) {
    return validator.ClaimPolicy(CreateRequest<api::ClaimPolicy>(JsonFromYaml(yaml)));
  }
};

// The problems as one reads them, one a line.
std::string Problems(const Verdict& verdict) {
  std::string text;
  if (verdict.refusal) {
    for (const api::FieldError& problem : verdict.refusal->problems) {
      text += Render(problem) + "\n";
    }
  }
  return text;
}

constexpr char kOrder[] = R"(
metadata: {name: web, namespace: default, labels: {team: backend}}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec: {duration: 24h, resources: {requests: {cpu: 500m}, limits: {cpu: "1", memory: 1Gi}}}
)";

constexpr char kTicket[] = R"(
metadata: {name: mine, namespace: default, uid: u-1, labels: {app: web}}
spec: {duration: 1h, resources: {requests: {cpu: 500m}}}
)";

TEST_CASE("validate: tickets larger than every node so far are a warning", "[validate]") {
  Fixture f;
  f.sizes.Note({{"cpu", *api::Quantity::Parse("400m")}, {"memory", *api::Quantity::Parse("8Gi")}});
  for (const Verdict& verdict : {f.Order(kOrder), f.Ticket(kTicket)}) {
    CHECK_FALSE(verdict.refusal);
    REQUIRE(verdict.warnings.size() == 1);
    CHECK_THAT(verdict.warnings[0], Catch::Contains("500m of cpu") && Catch::Contains("400m"));
  }
}

TEST_CASE("validate: the seed's examples pass as they are", "[validate]") {
  Fixture f;
  for (const char* file : {"order.yaml", "scheduled-order.yaml", "daemonset-order.yaml"}) {
    INFO(file);
    CHECK(f.validator.Order(CreateRequest<api::Order>(ExampleJson(file))) == Verdict{});
  }
  CHECK(f.validator.Quota(CreateRequest<api::Quota>(ExampleJson("quota.yaml"))) == Verdict{});
  CHECK(f.desk.orders.size() == 3);
}

TEST_CASE("validate: a wrong order is refused with path, value and rule", "[validate]") {
  struct Case {
    const char* name;
    const char* spec;
    const char* want;
  };
  const Case cases[] = {
      {"a schedule on OneTime",
       "strategy: {type: OneTime, schedule: 0 2 * * *}\n"
       "  template: {spec: {resources: {requests: {cpu: 1}}}}",
       "spec.strategy.schedule: \"0 2 * * *\": is not allowed for strategy type OneTime\n"},
      {"negative replicas", "replicas: -1\n  template: {spec: {resources: {requests: {cpu: 1}}}}",
       "spec.replicas: \"-1\": must be 0 or more\n"},
      {"a minute that is none",
       "strategy: {type: Scheduled, schedule: 61 * * * *}\n"
       "  template: {spec: {resources: {requests: {cpu: 1}}}}",
       "spec.strategy.schedule: \"61 * * * *\": minute must be 0-59\n"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Fixture f;
      const Verdict verdict = f.Order(std::string("metadata: {name: web}\nspec:\n  ") + c.spec);
      CHECK(Problems(verdict) == c.want);
      CHECK(verdict.refusal->code == 422);
      CHECK(verdict.refusal->reason == "Invalid");
      CHECK(f.desk.orders.empty());  // no question about what is invalid anyway
    }
  }
}

TEST_CASE("validate: all problems of an object are told at once", "[validate]") {
  Fixture f;
  const Verdict verdict = f.Order(R"(
metadata: {name: web}
spec:
  replicas: -2
  strategy: {type: Scheduled, schedule: "61 * * * *", timeZone: Mars/Olympus}
  template: {spec: {duration: one day, resources: {}}}
)");
  REQUIRE_FALSE(verdict.allowed());
  REQUIRE(verdict.refusal->problems.size() == 5);
  CHECK(verdict.refusal->problems[0].path == "spec.replicas");
  CHECK(verdict.refusal->problems[1].path == "spec.strategy.timeZone");
  CHECK(verdict.refusal->problems[2].path == "spec.strategy.schedule");
  CHECK(verdict.refusal->problems[3].path == "spec.template.spec.duration");
  CHECK(verdict.refusal->problems[3].value == "one day");
  CHECK(verdict.refusal->problems[4].path == "spec.template.spec.resources.requests");
  CHECK(verdict.refusal->message == api::JoinErrors(verdict.refusal->problems));
}

TEST_CASE("validate: a value that does not fit its type is refused with its path", "[validate]") {
  Fixture f;
  const Verdict verdict = f.Order("metadata: {name: web}\nspec: {strategy: {type: Daily}}");
  REQUIRE_FALSE(verdict.allowed());
  CHECK(verdict.refusal->code == 422);
  CHECK(verdict.refusal->message ==
        "spec.strategy.type: \"Daily\": must be one of OneTime, Scheduled, Recurring");
  CHECK_FALSE(f.validator.Order(CreateRequest<api::Order>("[]")).allowed());
  CHECK_FALSE(f.validator.Order(CreateRequest<api::Order>("")).allowed());
}

TEST_CASE("validate: quota-svc is told what the order's tickets will take", "[validate]") {
  Fixture f;
  CHECK(f.Order(kOrder) == Verdict{});
  REQUIRE(f.desk.orders.size() == 1);
  CHECK(f.desk.orders[0].ns == "default");
  CHECK(f.desk.orders[0].name == "web");
  CHECK(f.desk.orders[0].replicas == 3);
  CHECK(f.desk.orders[0].create);
  CHECK(f.desk.orders[0].labels == api::Labels{{"team", "backend"}});
  const runtime::LedgerClaim& claim = f.desk.claims[0];
  CHECK(claim.requests.at("cpu").MilliValue() == 500);
  CHECK(claim.requests.at("memory").ToString() == "1Gi");  // from the limit
  CHECK(claim.duration == absl::Hours(24));
  CHECK(claim.labels == api::Labels{{"app", "web"}, {"korder.dev/order", "web"}});
}

TEST_CASE("validate: a denial of quota-svc refuses, with its numbers and warnings", "[validate]") {
  Fixture f;
  f.desk.answer = runtime::AdmitAnswer{
      .denied = runtime::LedgerDenial{.quota = "team",
                                      .resource = "orders",
                                      .message = "quota team: orders: requested 1, used 10 of 10",
                                      .next_change = {}},
      .warnings = {"w"}};
  const Verdict verdict = f.Order(kOrder);
  REQUIRE_FALSE(verdict.allowed());
  CHECK(verdict.refusal->code == 403);
  CHECK(verdict.refusal->message == "quota team: orders: requested 1, used 10 of 10");
  CHECK(verdict.warnings == std::vector<std::string>{"w"});
}

TEST_CASE("validate: warnings of quota-svc reach the user", "[validate]") {
  Fixture f;
  f.desk.answer->warnings = {"2 of 3 tickets fit quota team-quota now"};
  const Verdict verdict = f.Order(kOrder);
  CHECK(verdict.allowed());
  CHECK(verdict.warnings == f.desk.answer->warnings);
}

TEST_CASE("validate: without quota-svc a new object is allowed with a warning", "[validate]") {
  Fixture f;
  f.desk.answer = UnavailableError("admit order: no connection");
  for (const Verdict& verdict : {f.Order(kOrder), f.Ticket(kTicket)}) {
    CHECK(verdict.allowed());
    CHECK(verdict.error_type == kQuotaUnavailable);
    REQUIRE(verdict.warnings.size() == 1);
    CHECK(verdict.warnings[0].find("no connection") != std::string::npos);
  }
}

TEST_CASE("validate: a dry run asks quota-svc for a dry run", "[validate]") {
  Fixture f;
  auto order = CreateRequest<api::Order>(JsonFromYaml(kOrder));
  auto ticket = CreateRequest<api::Ticket>(JsonFromYaml(kTicket));
  f.validator.Order(order);
  f.validator.Ticket(ticket);
  order.dry_run = ticket.dry_run = true;
  f.validator.Order(order);
  f.validator.Ticket(ticket);
  CHECK(f.desk.dry_runs == std::vector<bool>{false, false, true, true});
}

std::string Changed(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("validate: scaling and pausing an order ask nobody", "[validate]") {
  Fixture f;
  f.desk.answer = runtime::AdmitAnswer{.denied = runtime::LedgerDenial{}, .warnings = {}};
  CHECK(f.ChangeOrder(kOrder, Changed(kOrder, "replicas: 3", "replicas: 1")).allowed());
  CHECK(f.ChangeOrder(kOrder, Changed(kOrder, "replicas: 3", "paused: true")).allowed());
  CHECK(f.desk.orders.empty());
}

TEST_CASE("validate: a longer duration in an order's template asks quota-svc", "[validate]") {
  Fixture f;
  CHECK(f.ChangeOrder(kOrder, Changed(kOrder, "24h", "48h")).allowed());
  REQUIRE(f.desk.orders.size() == 1);
  CHECK_FALSE(f.desk.orders[0].create);
  CHECK(f.desk.claims[0].duration == absl::Hours(48));
}

TEST_CASE("validate: what may not change is refused", "[validate]") {
  Fixture f;
  const std::string selecting =
      Changed(kOrder, "replicas: 3", "selector: {matchLabels: {app: web}}");
  CHECK(Problems(f.ChangeOrder(kOrder, selecting)) == "spec.selector: is immutable\n");
  CHECK(Problems(f.ChangeTicket(kTicket, Changed(kTicket, "cpu: 500m", "cpu: 400m"))) ==
        "spec.resources: is immutable; make a new ticket\n");
}

TEST_CASE("validate: an object that slipped past earlier can be replaced by a valid one",
          "[validate]") {
  Fixture f;
  CHECK(f.ChangeOrder("{spec: {strategy: {type: Daily}}}", kOrder).allowed());
  CHECK(f.ChangeOrder("{spec: {replicas: -1, template: {spec: {}}}}", kOrder).allowed());
}

TEST_CASE("validate: an object being deleted can lose its finalizers whatever its spec says",
          "[validate]") {
  Fixture f;
  const std::string deleting =
      "metadata: {name: web, deletionTimestamp: '2030-01-02T03:04:05Z'}\nspec: {replicas: -1}";
  CHECK(f.ChangeOrder(deleting, deleting).allowed());
  CHECK(f.desk.orders.empty());
}

TEST_CASE("validate: a ticket made by hand is put before quota-svc", "[validate]") {
  Fixture f;
  CHECK(f.Ticket(kTicket) == Verdict{});
  REQUIRE(f.desk.tickets.size() == 1);
  CHECK(f.desk.tickets[0].ns == "default");
  CHECK(f.desk.tickets[0].name == "mine");
  CHECK(f.desk.tickets[0].uid == "u-1");
  CHECK(f.desk.claims[0].labels == api::Labels{{"app", "web"}});
  CHECK(f.desk.claims[0].duration == absl::Hours(1));
}

TEST_CASE("validate: a wrong ticket is refused", "[validate]") {
  Fixture f;
  const Verdict verdict =
      f.Ticket("metadata: {name: t}\nspec: {duration: 1 day, resources: {requests: {cpu: -1}}}");
  REQUIRE_FALSE(verdict.allowed());
  REQUIRE(verdict.refusal->problems.size() == 2);
  CHECK(verdict.refusal->problems[0].path == "spec.duration");
  CHECK(verdict.refusal->problems[1].path == "spec.resources.requests[cpu]");
}

TEST_CASE("validate: a ticket whose guardian is there lasts longer only if quota-svc agrees",
          "[validate]") {
  Fixture f;
  const std::string held = std::string(kTicket) + "status: {phase: Pending, incarnation: 1}\n";
  const std::string longer = Changed(held, "1h", "2h");
  CHECK(f.ChangeTicket(held, longer).allowed());
  f.desk.answer = UnavailableError("no connection");
  const Verdict verdict = f.ChangeTicket(held, longer);
  REQUIRE_FALSE(verdict.allowed());
  CHECK(verdict.refusal->code == 503);
  CHECK(verdict.error_type == kQuotaUnavailable);
  // One that waits is decided on again before its guardian is made.
  CHECK(f.ChangeTicket(kTicket, Changed(kTicket, "1h", "2h")).allowed());
}

TEST_CASE("validate: for a longer window counts what is still to come", "[validate]") {
  Fixture f;
  // The clock stands at 08:00.
  const auto ready_since = [](const std::string& time) {
    return std::string(kTicket) + "status: {phase: Ready, incarnation: 1, activationTime: '" +
           time + "', expirationTime: '2027-01-15T08:10:00Z'}\n";
  };
  const std::string ready = ready_since("2027-01-15T07:10:00Z");
  CHECK(f.ChangeTicket(ready, Changed(ready, "1h", "2h")).allowed());
  REQUIRE(f.desk.claims.size() == 1);
  CHECK(f.desk.claims[0].duration == absl::Hours(2));
  CHECK(f.desk.claims[0].remaining == absl::Minutes(70));
  SECTION("without an end there is no such thing") {
    f.ChangeTicket(ready, Changed(ready, "duration: 1h, ", ""));
    CHECK(f.desk.claims[1].duration == std::nullopt);
    CHECK(f.desk.claims[1].remaining == std::nullopt);
  }
  SECTION("of a window that lies ahead all is to come") {
    const std::string early = ready_since("2027-01-15T09:00:00Z");
    f.ChangeTicket(early, Changed(early, "1h", "2h"));
    CHECK(f.desk.claims[1].remaining == absl::Hours(2));
  }
  SECTION("of one that is long over nothing is") {
    const std::string late = ready_since("2027-01-15T01:00:00Z");
    f.ChangeTicket(late, Changed(late, "1h", "2h"));
    CHECK(f.desk.claims[1].remaining == absl::ZeroDuration());
  }
  SECTION("ticket-svc asks again, so it may change without an answer") {
    f.desk.answer = UnavailableError("no connection");
    const Verdict verdict = f.ChangeTicket(ready, Changed(ready, "1h", "2h"));
    CHECK(verdict.allowed());
    CHECK(verdict.warnings.size() == 1);
  }
}

TEST_CASE("validate: a wrong quota is refused by the name of its key", "[validate]") {
  Fixture f;
  CHECK(Problems(f.Quota("metadata: {name: q}\nspec: {scope: {type: Cluster}, hard: {cpus: 3}}")) ==
        "spec.hard: \"cpus\": is not a known key; known are orders, tickets, "
        "reserved.<resource> and max-duration\n");
  CHECK(Problems(f.Quota("metadata: {name: q}\n"
                         "spec: {scope: {type: Cluster}, hard: {max-duration: a day}}"))
            .starts_with("spec.hard[max-duration]: \"a day\": "));
}

TEST_CASE("validate: a cap above the quota's own limit is a warning", "[validate]") {
  Fixture f;
  const Verdict verdict = f.Quota(
      "metadata: {name: q}\nspec: {scope: {type: Cluster}, hard: {tickets: 5},"
      " allocation: [{namespace: a, limits: {tickets: 6}}]}");
  CHECK(verdict.allowed());
  CHECK(verdict.warnings.size() == 1);
}

TEST_CASE("validate: only one quota may be for the whole cluster", "[validate]") {
  Fixture f;
  const std::string cluster = "spec: {scope: {type: Cluster}, hard: {tickets: 5}}";
  api::Quota first;
  first.metadata.name = "first";
  f.quotas.Put(std::make_shared<const api::Quota>(first));
  const std::string second = "metadata: {name: second}\n" + cluster;
  CHECK(Problems(f.Quota(second)) ==
        "spec.scope.type: \"Cluster\": at most one Quota may be for the whole cluster, and first "
        "is\n");
  // Two that exist already, perhaps made while korder was down, can still be changed.
  CHECK(f.validator
            .Quota(UpdateRequest<api::Quota>(JsonFromYaml(second),
                                             JsonFromYaml(Changed(second, "5", "6"))))
            .allowed());
  CHECK(f.Quota("metadata: {name: first}\n" + cluster).allowed());
  first.metadata.deletion_timestamp = absl::FromUnixSeconds(1);
  f.quotas.Put(std::make_shared<const api::Quota>(first));
  CHECK(f.Quota(second).allowed());
}

TEST_CASE("validate: a claim policy must select something", "[validate]") {
  Fixture f;
  CHECK(f.ClaimPolicy("metadata: {name: p}\nspec: {podSelector: {matchLabels: {app: web}}}")
            .allowed());
  CHECK(Problems(f.ClaimPolicy("metadata: {name: p}\nspec: {podSelector: {}, claimTimeout: 0s}")) ==
        "spec.podSelector: must select something: an empty one would catch every pod of the "
        "namespace\nspec.claimTimeout: \"0s\": must be longer than zero\n");
}

TEST_CASE("validate: what is allowed and hardly meant is warned of, beside quota-svc's warnings",
          "[validate]") {
  Fixture f;
  f.desk.answer = runtime::AdmitAnswer{.denied = {}, .warnings = {"2 of 3 fit"}};
  const std::string doubtful = Changed(kOrder, "replicas: 3", "replicas: 3\n  daemonSet: true");
  CHECK(f.Order(doubtful).warnings ==
        std::vector<std::string>{"2 of 3 fit",
                                 "spec.replicas: \"3\": has no effect with daemonSet, which has "
                                 "one ticket per node"});
  CHECK(f.ClaimPolicy("metadata: {name: p}\nspec: {podSelector: {matchLabels: {app: web}}, "
                      "fallback: Wait, claimTimeout: 5s}")
            .warnings.size() == 1);
}

TEST_CASE("validate: deleting and subresources are nobody's business here", "[validate]") {
  Fixture f;
  auto request = CreateRequest<api::Order>("{\"spec\":{\"replicas\":-1}}");
  request.operation = api::kOperationDelete;
  CHECK(f.validator.Order(request).allowed());
  request.operation = api::kOperationUpdate;
  request.sub_resource = "status";
  CHECK(f.validator.Order(request).allowed());
}

}  // namespace
}  // namespace korder::admission
