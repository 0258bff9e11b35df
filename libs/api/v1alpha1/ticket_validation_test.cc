#include <catch2/catch.hpp>

#include "api/testing/from_json.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/validation.h"

namespace korder::api {
namespace {

struct Case {
  std::string name;
  std::string spec;  // merged into nothing: the whole spec of a ticket
  std::string want;  // all problems, "" = none
};

// The rest of a spec that has something to reserve.
std::string With(const std::string& fields) {
  return R"({"resources":{"requests":{"cpu":"1"}},)" + fields + "}";
}

std::string Problems(const std::string& spec) {
  Ticket ticket;
  ticket.metadata.name = "web-0";
  ticket.spec = FromJson<TicketSpec>(spec);
  return JoinErrors(Validate(ticket));
}

TEST_CASE("ticket validation: times, names and lifecycle", "[ticket][validation]") {
  const Case cases[] = {
      {"the least there can be", R"({"resources":{"requests":{"cpu":"1"}}})", ""},
      {"everything", With(R"("lifecycle":{"ttlSecondsAfterFinished":0,"cleanupPolicy":"Retain"},
               "startTime":"2030-01-02T03:04:05Z","duration":"1h30m",
               "schedulerName":"my-scheduler","priorityClassName":"high",
               "nodeName":"node-3.example.com","nodeSelector":{"node-type":"compute"})"),
       ""},
      {"a malformed duration", With(R"("duration":"1 day")"),
       R"(spec.duration: "1 day": must be a duration in the units h, m, s, ms, us and ns)"},
      {"a duration of zero", With(R"("duration":"0s")"),
       R"(spec.duration: "0s": must be longer than zero)"},
      {"a negative duration", With(R"("duration":"-1h")"),
       R"(spec.duration: "-1h": must be longer than zero)"},
      {"a negative ttl", With(R"("lifecycle":{"ttlSecondsAfterFinished":-1})"),
       R"(spec.lifecycle.ttlSecondsAfterFinished: "-1": must be 0 or more)"},
      {"a bad node label", With(R"("nodeSelector":{"zone":"-a"})"),
       "spec.nodeSelector: \"-a\": " + LabelValueProblem("-a")},
      {"a bad node name", With(R"("nodeName":"Node_3")"),
       R"(spec.nodeName: "Node_3": must be at most 253 lower-case letters, digits, '-' or '.', )"
       R"(each part beginning and ending with a letter or digit)"},
      {"everything at once",
       R"({"duration":"x","nodeName":"a/b","tolerations":[{"operator":"Equal"}]})",
       "spec.duration: \"x\": must be a duration such as 24h, 90m or 1h30m; "
       "spec.resources.requests: a ticket must ask for something: set requests or limits above 0; "
       "spec.nodeName: \"a/b\": must be at most 253 lower-case letters, digits, '-' or '.', each "
       "part beginning and ending with a letter or digit; "
       "spec.tolerations[0].key: is required unless the operator is Exists"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(c.spec) == c.want); }
  }
}

TEST_CASE("ticket validation: the name is a label value", "[ticket][validation]") {
  Ticket ticket;
  ticket.spec = FromJson<TicketSpec>(R"({"resources":{"limits":{"cpu":"1"}}})");
  ticket.metadata.name = std::string(63, 'a');
  CHECK(Validate(ticket).empty());
  ticket.metadata.name = std::string(64, 'a');
  REQUIRE(Validate(ticket).size() == 1);
  CHECK(Validate(ticket)[0].path == "metadata.name");
}

TEST_CASE("ticket validation: resources follow the rules for containers", "[ticket][validation]") {
  const std::string nothing =
      "spec.resources.requests: a ticket must ask for something: set requests or limits above 0";
  const Case cases[] = {
      {"limits alone", R"({"limits":{"cpu":"1","memory":"1Gi"}})", ""},
      {"extended resources and hugepages",
       R"({"requests":{"nvidia.com/gpu":"2","hugepages-2Mi":"4Mi","memory":"1Gi",
                       "ephemeral-storage":"1Gi"}})",
       ""},
      {"nothing", "{}", nothing},
      {"only zeros", R"({"requests":{"cpu":"0","memory":"0"}})", nothing},
      {"claims", R"({"requests":{"cpu":"1"},"claims":[{"name":"gpu"}]})",
       "spec.resources.claims: \"gpu\": claims of dynamic resource allocation cannot be reserved; "
       "remove them"},
      {"a negative amount", R"({"requests":{"cpu":"-1","memory":"1Gi"}})",
       R"(spec.resources.requests[cpu]: "-1": must be 0 or more)"},
      {"more than the limit", R"({"requests":{"cpu":"2"},"limits":{"cpu":"1500m"}})",
       R"(spec.resources.requests[cpu]: "2": must not be more than the limit of 1500m)"},
      {"half a device", R"({"requests":{"nvidia.com/gpu":"500m"}})",
       R"(spec.resources.requests[nvidia.com/gpu]: "500m": must be a whole number)"},
      {"devices are not overcommitted",
       R"({"requests":{"nvidia.com/gpu":"1"},"limits":{"nvidia.com/gpu":"2"}})",
       R"(spec.resources.requests[nvidia.com/gpu]: "1": must equal the limit of 2)"},
      {"half a page", R"({"requests":{"memory":"1Gi","hugepages-2Mi":"3Mi"}})",
       R"(spec.resources.requests[hugepages-2Mi]: "3Mi": must be a multiple of the page size)"},
      {"pages of no size", R"({"limits":{"cpu":"1","hugepages-big":"3Mi"}})",
       R"(spec.resources.limits[hugepages-big]: "3Mi": the name must end with the size of a page, )"
       R"(as in hugepages-2Mi)"},
      {"hugepages alone", R"({"requests":{"hugepages-2Mi":"4Mi"}})",
       "spec.resources: hugepages need cpu or memory beside them"},
      {"a resource nobody knows", R"({"requests":{"cpus":"1"}})",
       R"(spec.resources.requests: "cpus": is not a resource that a pod can ask for; known are )"
       R"(cpu, memory, ephemeral-storage, hugepages-<size> and names with a domain such as )"
       R"(nvidia.com/gpu)"},
      {"a resource of Kubernetes' own domain", R"({"requests":{"kubernetes.io/x":"1"}})",
       R"(spec.resources.requests: "kubernetes.io/x": is not a resource that a pod can ask for)"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(R"({"resources":)" + c.spec + "}") == c.want); }
  }
}

TEST_CASE("ticket validation: placement follows the rules for pods", "[ticket][validation]") {
  const std::string required =
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const auto term = [](const std::string& text) {
    return With(R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
                   {"nodeSelectorTerms":[)" +
                text + "]}}}");
  };
  const Case cases[] = {
      {"good terms", term(R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["8"]},
                                    {"key":"zone","operator":"In","values":["a"]}],
                "matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]})"),
       ""},
      {"no term", term(""), required + ": at least one term is needed"},
      {"In without values", term(R"({"matchExpressions":[{"key":"zone","operator":"In"}]})"),
       required + "[0].matchExpressions[0].values: at least one value is needed for In"},
      {"Exists with values",
       term(R"({"matchExpressions":[{"key":"zone","operator":"Exists","values":["a"]}]})"),
       required + "[0].matchExpressions[0].values: no value is allowed for Exists"},
      {"Gt of text",
       term(R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["many"]}]})"),
       required + "[0].matchExpressions[0].values: \"many\": exactly one value, an integer, is "
                  "needed for Gt"},
      {"an unknown operator",
       term(R"({"matchExpressions":[{"key":"zone","operator":"Like","values":["a"]}]})"),
       required + "[0].matchExpressions[0].operator: \"Like\": must be one of In, NotIn, Exists, "
                  "DoesNotExist, Gt, Lt"},
      {"an unknown field",
       term(R"({"matchFields":[{"key":"spec.x","operator":"In","values":["n"]}]})"),
       required + "[0].matchFields[0].key: \"spec.x\": must be metadata.name"},
      {"two names",
       term(R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["n","m"]}]})"),
       required + "[0].matchFields[0].values: exactly one value is needed"},
      {"a weight out of range",
       With(R"("affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
               {"weight":101,"preference":{}}]}})"),
       "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
       "\"101\": must be 1 to 100"},
      {"no topology key",
       With(R"("affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
               {"labelSelector":{"matchLabels":{"app":"web"}}}]}})"),
       "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey"
       ": is required"},
      {"label keys without a selector",
       With(R"("affinity":{"podAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
               {"weight":1,"podAffinityTerm":{"topologyKey":"zone","matchLabelKeys":["app"],
                                              "namespaces":["Bad"]}}]}})"),
       "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
       "podAffinityTerm.namespaces[0]: \"Bad\": must be 1 to 63 lower-case letters, digits or '-', "
       "beginning and ending with a letter or digit; "
       "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
       "podAffinityTerm.matchLabelKeys: needs a labelSelector"},
      {"tolerations that are fine",
       With(R"("tolerations":[{"operator":"Exists"},{"key":"a","value":"b"},
               {"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}])"),
       ""},
      {"Exists with a value",
       With(R"("tolerations":[{"key":"a","operator":"Exists","value":"b"}])"),
       R"(spec.tolerations[0].value: "b": no value is allowed for Exists)"},
      {"seconds without NoExecute",
       With(R"("tolerations":[{"key":"a","operator":"Exists","tolerationSeconds":5}])"),
       "spec.tolerations[0].effect: must be NoExecute when tolerationSeconds is set"},
      {"an unknown effect",
       With(R"("tolerations":[{"key":"a","operator":"Exists","effect":"Never"}])"),
       R"(spec.tolerations[0].effect: "Never": must be one of NoSchedule, PreferNoSchedule, )"
       R"(NoExecute)"},
      {"a good constraint",
       With(R"("topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","minDomains":2,
               "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"a":"b"}}}])"),
       ""},
      {"a bad constraint",
       With(R"("topologySpreadConstraints":[{"maxSkew":0,"topologyKey":"zone","minDomains":2,
               "whenUnsatisfiable":"ScheduleAnyway","nodeTaintsPolicy":"Maybe"}])"),
       "spec.topologySpreadConstraints[0].maxSkew: \"0\": must be 1 or more; "
       "spec.topologySpreadConstraints[0].minDomains: \"2\": needs whenUnsatisfiable: "
       "DoNotSchedule; spec.topologySpreadConstraints[0].nodeTaintsPolicy: \"Maybe\": must be one "
       "of Honor, Ignore"},
      {"the same constraint twice", With(R"("topologySpreadConstraints":[
               {"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"},
               {"maxSkew":2,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}])"),
       "spec.topologySpreadConstraints[1].topologyKey: \"zone\": stands there twice with the same "
       "whenUnsatisfiable"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Problems(c.spec) == c.want); }
  }
}

std::string UpdateProblems(TicketPhase phase, const std::string& old_fields,
                           const std::string& new_fields) {
  Ticket old;
  old.spec = FromJson<TicketSpec>(With(old_fields));
  old.status.phase = phase;
  Ticket now = old;
  now.spec = FromJson<TicketSpec>(With(new_fields));
  return JoinErrors(ValidateUpdate(old, now));
}

TEST_CASE("ticket validation: only the window changes, and only so far", "[ticket][validation]") {
  const std::string too_late =
      "can change only before the ticket is Ready, and be made longer until it is claimed";
  struct Row {
    std::string name;
    TicketPhase phase;
    std::string old_fields;
    std::string new_fields;
    std::string want;
  };
  const Row rows[] = {
      {"nothing changes", TicketPhase::kClaimed, R"("duration":"1h")", R"("duration":"60m")", ""},
      {"shorter while Pending", TicketPhase::kPending, R"("duration":"2h")", R"("duration":"1h")",
       ""},
      {"longer while Ready", TicketPhase::kReady, R"("duration":"1h")", R"("duration":"2h")", ""},
      {"endless while Ready", TicketPhase::kReady, R"("duration":"1h")", R"("nodeName":"")", ""},
      {"shorter while Ready", TicketPhase::kReady, R"("duration":"2h")", R"("duration":"1h")",
       "spec.duration: \"1h\": " + too_late},
      {"no longer endless while Ready", TicketPhase::kReady, R"("nodeName":"")",
       R"("duration":"1h")", "spec.duration: \"1h\": " + too_late},
      {"longer while Claimed", TicketPhase::kClaimed, R"("duration":"1h")", R"("duration":"2h")",
       "spec.duration: \"2h\": " + too_late},
      {"another start while Pending", TicketPhase::kPending, R"("nodeName":"")",
       R"("startTime":"2030-01-02T03:04:05Z")", ""},
      {"another start while Ready", TicketPhase::kReady, R"("nodeName":"")",
       R"("startTime":"2030-01-02T03:04:05Z")",
       "spec.startTime: can change only before the ticket is Ready"},
      {"another node while Pending", TicketPhase::kPending, R"("nodeName":"a")",
       R"("nodeName":"b")", "spec.nodeName: is immutable; make a new ticket"},
      {"several fields", TicketPhase::kPending, R"("schedulerName":"a")",
       R"("nodeSelector":{"a":"b"},"lifecycle":{"cleanupPolicy":"Retain"},
          "tolerations":[{"operator":"Exists"}],"affinity":{},"priorityClassName":"p")",
       "spec.lifecycle: is immutable; make a new ticket; "
       "spec.schedulerName: is immutable; make a new ticket; "
       "spec.priorityClassName: is immutable; make a new ticket; "
       "spec.nodeSelector: is immutable; make a new ticket; "
       "spec.affinity: is immutable; make a new ticket; "
       "spec.tolerations: is immutable; make a new ticket"},
      {"what is wrong anyway is said, too", TicketPhase::kPending, R"("duration":"1h")",
       R"("duration":"x")", "spec.duration: \"x\": must be a duration such as 24h, 90m or 1h30m"},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      CHECK(UpdateProblems(row.phase, row.old_fields, row.new_fields) == row.want);
    }
  }
}

TEST_CASE("ticket validation: a ticket that heals is Pending, and its window goes on",
          "[ticket][validation]") {
  Ticket old;
  old.spec = FromJson<TicketSpec>(With(R"("duration":"2h")"));
  old.status.activation_time = absl::UnixEpoch();
  const auto problems = [&](const char* fields) {
    Ticket now = old;
    now.spec = FromJson<TicketSpec>(With(fields));
    return JoinErrors(ValidateUpdate(old, now));
  };
  CHECK(problems(R"("duration":"3h")").empty());
  CHECK(problems(R"("duration":"1h")") ==
        "spec.duration: \"1h\": can change only before the ticket is Ready, and be made longer "
        "until it is claimed");
  CHECK(problems(R"("duration":"2h","startTime":"2030-01-02T03:04:05Z")") ==
        "spec.startTime: can change only before the ticket is Ready");
}

TEST_CASE("ticket validation: resources are immutable by amount", "[ticket][validation]") {
  Ticket old;
  old.spec = FromJson<TicketSpec>(R"({"resources":{"requests":{"cpu":"1"}}})");
  Ticket now = old;
  now.spec = FromJson<TicketSpec>(R"({"resources":{"requests":{"cpu":"1000m"}}})");
  CHECK(ValidateUpdate(old, now).empty());
  now.spec = FromJson<TicketSpec>(R"({"resources":{"requests":{"cpu":"2"}}})");
  CHECK(JoinErrors(ValidateUpdate(old, now)) == "spec.resources: is immutable; make a new ticket");
}

TEST_CASE("ticket validation: a ticket being deleted can always lose its finalizers",
          "[ticket][validation]") {
  Ticket now;
  now.metadata.deletion_timestamp = absl::UnixEpoch();
  CHECK_FALSE(Validate(now).empty());
  CHECK(ValidateUpdate(Ticket{}, now).empty());
}

TEST_CASE("ticket defaults: requests come from limits, limits of devices from requests",
          "[ticket][defaults]") {
  const auto spec = FromJson<TicketSpec>(
      R"({"resources":{"requests":{"cpu":"500m","nvidia.com/gpu":"1","hugepages-2Mi":"2Mi"},
                       "limits":{"cpu":"1","memory":"1Gi"}}})");
  CHECK(json::Print(EffectiveRequests(spec)) ==
        R"({"cpu":"500m","hugepages-2Mi":"2Mi","memory":"1Gi","nvidia.com/gpu":"1"})");
  CHECK(json::Print(EffectiveLimits(spec)) ==
        R"({"cpu":"1","hugepages-2Mi":"2Mi","memory":"1Gi","nvidia.com/gpu":"1"})");
}

}  // namespace
}  // namespace korder::api
