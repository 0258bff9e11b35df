#include <catch2/catch.hpp>

#include "api/core/pod.h"
#include "api/meta/bytes.h"
#include "api/meta/condition.h"
#include "api/meta/dns_name.h"
#include "api/meta/list_meta.h"
#include "api/meta/micro_time.h"
#include "api/meta/object_identity.h"
#include "api/meta/object_meta.h"
#include "api/meta/problems.h"
#include "api/meta/resource_type.h"
#include "api/meta/status.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/order.h"

namespace korder::api {
namespace {

constexpr int64_t kNow = 1'893'553'445;  // 2030-01-02T03:04:05Z

TEST_CASE("meta: a resource type knows its apiVersion, with and without group", "[meta]") {
  CHECK(Pod::kResource.ApiVersion() == "v1");
  CHECK(Order::kResource.ApiVersion() == "core.korder.dev/v1alpha1");
}

TEST_CASE("meta: object metadata survives writing and reading", "[meta]") {
  const std::string text =
      R"({"name":"web-1","namespace":"default","uid":"7c2f","resourceVersion":"42",)"
      R"("generation":3,"creationTimestamp":"2030-01-02T03:04:05Z",)"
      R"("deletionTimestamp":"2030-01-02T03:04:06Z","labels":{"app":"web"},)"
      R"("annotations":{"a":"b"},"ownerReferences":[{"apiVersion":"core.korder.dev/v1alpha1",)"
      R"("kind":"Order","name":"web","uid":"u-1","controller":true,"blockOwnerDeletion":false}],)"
      R"("finalizers":["x/y"]})";
  const auto meta = FromJson<ObjectMeta>(text);
  CHECK(meta.ns == "default");
  CHECK(meta.generation == 3);
  CHECK(meta.creation_timestamp == absl::FromUnixSeconds(kNow));
  CHECK(meta.deleting());
  CHECK(meta.owner_references[0].block_owner_deletion == false);
  CHECK(json::Print(meta) == text);
}

TEST_CASE("meta: what nobody set is not written", "[meta]") {
  CHECK(json::Print(ObjectMeta{.name = "web"}) == R"({"name":"web"})");
  CHECK(json::Print(Order{}).find("metadata") == std::string::npos);
}

TEST_CASE("meta: an identity is taken out of the metadata, and nothing else is", "[meta]") {
  ObjectMeta meta{.name = "web-1",
                  .ns = "default",
                  .uid = "7c2f",
                  .resource_version = "42",
                  .generation = 3,
                  .labels = {{"app", "web"}}};
  CHECK(TakeIdentity(meta) ==
        ObjectIdentity{.name = "web-1", .ns = "default", .uid = "7c2f", .resource_version = "42"});
  CHECK(meta == ObjectMeta{.generation = 3, .labels = {{"app", "web"}}});
}

TEST_CASE("meta: the controller is the owner that says so", "[meta]") {
  ObjectMeta meta;
  CHECK(ControllerOf(meta) == nullptr);
  meta.owner_references = {{.kind = "Job", .uid = "1"},
                           {.kind = "Node", .uid = "2", .controller = false},
                           {.kind = "Order", .uid = "3", .controller = true}};
  REQUIRE(ControllerOf(meta) != nullptr);
  CHECK(ControllerOf(meta)->uid == "3");
}

TEST_CASE("meta: a controller reference names kind, name and uid of the owner", "[meta]") {
  Order order;
  order.metadata.name = "web";
  order.metadata.uid = "u-1";
  CHECK(ControllerReference(order) == OwnerReference{.api_version = "core.korder.dev/v1alpha1",
                                                     .kind = "Order",
                                                     .name = "web",
                                                     .uid = "u-1",
                                                     .controller = true,
                                                     .block_owner_deletion = true});
}

TEST_CASE("meta: the value of an absent label is empty", "[meta]") {
  const Labels labels = {{"app", "web"}};
  CHECK(ValueOf(labels, "app") == "web");
  CHECK(ValueOf(labels, "tier") == "");
}

TEST_CASE("conditions: the transition time moves only when the status does", "[meta][condition]") {
  const absl::Time first = absl::FromUnixSeconds(kNow);
  const absl::Time later = first + absl::Minutes(5);
  std::vector<Condition> conditions;
  SetCondition(conditions,
               {.type = "Ready", .status = ConditionStatus::kFalse, .reason = "Creating"}, first);
  SetCondition(conditions, {.type = "Other", .status = ConditionStatus::kTrue, .reason = "Fine"},
               first);

  SECTION("same status: reason, message and generation change, the time stays") {
    SetCondition(conditions,
                 {.type = "Ready",
                  .status = ConditionStatus::kFalse,
                  .observed_generation = 2,
                  .reason = "Unschedulable",
                  .message = "no node"},
                 later);
    CHECK(conditions[0] == Condition{.type = "Ready",
                                     .status = ConditionStatus::kFalse,
                                     .observed_generation = 2,
                                     .last_transition_time = first,
                                     .reason = "Unschedulable",
                                     .message = "no node"});
  }
  SECTION("another status: the time is now") {
    SetCondition(conditions,
                 {.type = "Ready", .status = ConditionStatus::kTrue, .reason = "Running"}, later);
    CHECK(conditions[0].last_transition_time == later);
    CHECK(IsConditionTrue(conditions, "Ready"));
  }
  CHECK(conditions.size() == 2);
  CHECK(FindCondition(conditions, "Ready") == &conditions[0]);
  CHECK(FindCondition(conditions, "Missing") == nullptr);
  CHECK_FALSE(IsConditionTrue(conditions, "Missing"));
  RemoveCondition(conditions, "Ready");
  CHECK(conditions.size() == 1);
}

TEST_CASE("conditions: a condition read back equals the one that was set", "[meta][condition]") {
  std::vector<Condition> conditions;
  SetCondition(conditions, {.type = "Ready", .status = ConditionStatus::kTrue, .reason = "Running"},
               absl::FromUnixMillis(kNow * 1000 + 987));
  const std::string text = json::Print(conditions);
  CHECK(text == R"([{"type":"Ready","status":"True","observedGeneration":0,)"
                R"("lastTransitionTime":"2030-01-02T03:04:05Z","reason":"Running","message":""}])");
  CHECK(FromJson<std::vector<Condition>>(text) == conditions);
}

TEST_CASE("meta: an unknown enum value is refused with path and choices", "[meta][enum]") {
  Order order;
  const absl::Status status = json::Parse(R"({"spec":{"strategy":{"type":"Daily"}}})", order);
  CHECK(Message(status) ==
        "spec.strategy.type: \"Daily\": must be one of OneTime, Scheduled, Recurring");
}

TEST_CASE("meta: every enumerator has the name of its place", "[meta][enum]") {
  CHECK(Name(RefreshPolicy::kAlways) == "Always");
  CHECK(Name(RefreshPolicy::kNever) == "Never");
  CHECK(FromName<RefreshPolicy>("OnClaim") == RefreshPolicy::kOnClaim);
  CHECK(FromName<RefreshPolicy>("onclaim") == std::nullopt);
}

TEST_CASE("meta: a micro time always has six digits", "[meta]") {
  const MicroTime time{absl::FromUnixMicros(kNow * 1'000'000 + 120'000)};
  CHECK(json::Print(time) == R"("2030-01-02T03:04:05.120000Z")");
  CHECK(FromJson<MicroTime>(json::Print(time)) == time);
  CHECK(json::Print(MicroTime{absl::FromUnixSeconds(kNow)}) == R"("2030-01-02T03:04:05.000000Z")");
}

TEST_CASE("meta: bytes travel as base64", "[meta]") {
  const Bytes bytes{std::string("\x00\xff korder\n", 9)};
  CHECK(json::Print(bytes) == R"("AP8ga29yZGVy")");
  CHECK(FromJson<Bytes>(json::Print(bytes)) == bytes);
  Bytes none;
  CHECK(Message(json::Parse(R"("not base64!")", none)) == "the string is not base64");
}

TEST_CASE("meta: a refusal of the API server is read with its causes", "[meta]") {
  const auto status = FromJson<Status>(R"({
    "kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
    "message":"Order.core.korder.dev \"web\" is invalid: spec.replicas: Invalid value: -1",
    "reason":"Invalid",
    "details":{"name":"web","group":"core.korder.dev","kind":"Order","retryAfterSeconds":2,
      "causes":[{"reason":"FieldValueInvalid","message":"Invalid value: -1",
                 "field":"spec.replicas"}]},
    "code":422})");
  CHECK(status.code == 422);
  CHECK(status.reason == "Invalid");
  CHECK(status.details.retry_after_seconds == 2);
  CHECK(status.details.causes.at(0).field == "spec.replicas");
}

TEST_CASE("meta: a list's metadata is read under its JSON names", "[meta]") {
  const auto meta =
      FromJson<ListMeta>(R"({"resourceVersion":"9","continue":"abc","remainingItemCount":7})");
  CHECK(meta ==
        ListMeta{.resource_version = "9", .continue_token = "abc", .remaining_item_count = 7});
}

TEST_CASE("problems: paths are written as kubectl writes them", "[meta][problems]") {
  Problems problems;
  const FieldPath spec("spec");
  problems.Add(spec / "replicas", "-1", "must be 0 or more");
  problems.Missing((spec / "skip")[2], "is required");
  problems.Add((spec / "hard").Key("reserved.cpu"), "x", "must be a quantity");
  problems.AddIf(spec / "fine", "value", "");
  CHECK(JoinErrors(problems.Take()) ==
        "spec.replicas: \"-1\": must be 0 or more; spec.skip[2]: is required; "
        "spec.hard[reserved.cpu]: \"x\": must be a quantity");
  CHECK(problems.Take().empty());
}

TEST_CASE("meta: names are checked as Kubernetes checks them", "[meta][names]") {
  struct Case {
    std::string name;
    bool label;
    bool subdomain;
  };
  const Case cases[] = {
      {"web", true, true},
      {"web-1", true, true},
      {"1web", true, true},
      {"node.example.com", false, true},
      {"", false, false},
      {"Web", false, false},
      {"-web", false, false},
      {"web-", false, false},
      {"a..b", false, false},
      {"a.", false, false},
      {".a", false, false},
      {"a_b", false, false},
      {std::string(63, 'a'), true, true},
      {std::string(64, 'a'), false, true},
      {std::string(253, 'a'), false, true},
      {std::string(254, 'a'), false, false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION("\"" << c.name << "\"") {
      CHECK(DnsLabelProblem(c.name).empty() == c.label);
      CHECK(DnsSubdomainProblem(c.name).empty() == c.subdomain);
    }
  }
}

}  // namespace
}  // namespace korder::api
