// Runs scenarios/: what Decide and DecideClaims make of a situation, as YAML. scenarios/README.md
// says how to write one.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/v1alpha1/reasons.h"
#include "api/value/duration.h"
#include "kube/testing/scenario_files.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/decide.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/prolong.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

using Lines = std::vector<std::string>;
using Strings = std::map<std::string, std::string>;

absl::Duration DurationOf(const std::string& text) {
  if (text.empty()) {
    return absl::ZeroDuration();
  }
  const absl::StatusOr<absl::Duration> parsed = api::ParseDuration(text);
  INFO("duration " << text);
  REQUIRE(parsed.ok());
  return *parsed;
}

struct ANode {
  std::string name;
  bool cordoned = false;
  std::string not_ready_for;  // "" while it is Ready

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("cordoned", self.cordoned);
    v("notReadyFor", self.not_ready_for);
  }

  api::Node Make(absl::Time now) const {
    api::Node node = MakeNode(name);
    node.spec.unschedulable = cordoned;
    if (!not_ready_for.empty()) {
      node.status.conditions[0].status = "Unknown";
      node.status.conditions[0].last_transition_time = now - DurationOf(not_ready_for);
    }
    return node;
  }
};

struct AGuardian {
  int32_t incarnation = 1;
  std::string node;
  std::string phase;
  std::string refused;  // the scheduler's words
  std::string age;
  std::string cpu;  // when it is not what the ticket asks for
  bool deleting = false;
  std::vector<std::string> avoids;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("incarnation", self.incarnation);
    v("node", self.node);
    v("phase", self.phase);
    v("refused", self.refused);
    v("age", self.age);
    v("cpu", self.cpu);
    v("deleting", self.deleting);
    v("avoids", self.avoids);
  }

  api::Pod Make(const api::Ticket& ticket, absl::Time now) const {
    api::Pod pod = MakeGuardian(ticket, incarnation, {avoids.begin(), avoids.end()});
    pod.metadata.creation_timestamp = now - DurationOf(age);
    pod.spec.node_name = node;
    pod.status.phase = phase.empty() ? node.empty() ? "Pending" : "Running" : phase;
    if (!refused.empty()) {
      pod = Refused(std::move(pod), refused);
    }
    if (!cpu.empty()) {
      pod.spec.containers[0].resources.requests["cpu"] = *api::Quantity::Parse(cpu);
    }
    if (deleting) {
      pod.metadata.deletion_timestamp = now;
    }
    return pod;
  }
};

struct TicketScenario {
  std::string name;
  api::Ticket ticket = MakeTicket("web-0");
  // What has happened: "", "Ready on n1", "promised on n1", "claimed on n1", "healing".
  std::string state;
  std::string changed_duration;  // after that; "none" is without end
  std::string refused_for;       // the longer window was denied, and is not asked for so long
  std::string age;
  std::vector<AGuardian> guardians;
  std::vector<ANode> nodes;
  std::string claimed_pod;  // its phase; "" when there is none
  std::vector<std::string> busy_nodes;
  std::string hold_back;
  std::string node_grace = "1m";
  Lines expect;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("ticket", self.ticket);
    v("state", self.state);
    v("changedDuration", self.changed_duration);
    v("refusedFor", self.refused_for);
    v("age", self.age);
    v("guardians", self.guardians);
    v("nodes", self.nodes);
    v("claimedPod", self.claimed_pod);
    v("busyNodes", self.busy_nodes);
    v("holdBack", self.hold_back);
    v("nodeGrace", self.node_grace);
    v("expect", self.expect);
  }

  // The ticket after what `state` says, at the moment when it was made.
  api::Ticket Made() const {
    api::Ticket made = Before();
    if (changed_duration == "none") {
      made.spec.duration.reset();
    } else if (!changed_duration.empty()) {
      made.spec.duration = DurationOf(changed_duration);
    }
    return made;
  }

  // As Made, before its duration was changed.
  api::Ticket Before() const {
    if (state == "healing") {
      api::Ticket lost = Ready(ticket, "n1");
      lost.status =
          PendingStatus(Reduced(lost), api::kReasonHealing, "its guardian was lost", kNow);
      return lost;
    }
    const size_t on = state.find(" on ");
    const std::string what = state.substr(0, on);
    api::Ticket made = ticket;
    if (what.empty()) {
      return made;
    }
    REQUIRE(on != std::string::npos);
    made = Ready(std::move(made), state.substr(on + 4));
    const api::Pod pod = Running(MakeClaimPod("shop"), made.status.node_name);
    if (what == "promised" || what == "claimed") {
      made.status = AssignedStatus(Reduced(made), pod,
                                   {.id = "h",
                                    .step = "Assigned",
                                    .pod_uid = pod.metadata.uid,
                                    .guardian_uid = MakeGuardian(made, 1).metadata.uid,
                                    .node = made.status.node_name,
                                    .started_at = kNow},
                                   kNow);
    } else {
      INFO("state " << state);
      REQUIRE(what == "Ready");
    }
    if (what == "claimed") {
      made.status = ClaimedStatus(Reduced(made), pod, kNow);
    }
    return made;
  }

  Observed Look() const {
    Observed observed;
    observed.now = kNow + DurationOf(age);
    const api::Ticket made = Made();
    observed.ticket = Share(Reduced(made));
    for (const AGuardian& guardian : guardians) {
      const auto node = std::find_if(nodes.begin(), nodes.end(), [&](const ANode& candidate) {
        return candidate.name == guardian.node;
      });
      observed.guardians.push_back(
          {Share(Reduced(guardian.Make(made, observed.now))),
           node == nodes.end() ? nullptr : Share(node->Make(observed.now))});
    }
    if (!claimed_pod.empty()) {
      api::Pod pod = Running(MakeClaimPod("shop"), "n1");
      pod.status.phase = claimed_pod;
      observed.claimed_pod = Share(std::move(pod));
    }
    observed.busy_nodes = {busy_nodes.begin(), busy_nodes.end()};
    observed.hold_back = DurationOf(hold_back);
    observed.node_grace = DurationOf(node_grace);
    observed.charge_confirmed = observed.ticket->status.incarnation > 0;
    if (!refused_for.empty()) {
      observed.refused_end = RefusedEnd{.end = *LongerEnd(*observed.ticket, observed.now),
                                        .wait = DurationOf(refused_for)};
    }
    return observed;
  }
};

struct ActionLine {
  std::string operator()(const ConfirmCharge&) const { return "confirm the charge"; }
  std::string operator()(const ConfirmLonger& longer) const {
    return longer.end == absl::InfiniteFuture()
               ? "ask for a window without end"
               : absl::StrCat("ask for a window until ", TimeText(longer.end));
  }
  std::string operator()(const CreateGuardian& create) const {
    return absl::StrCat("create guardian ", create.incarnation);
  }
  std::string operator()(const DeleteGuardian& gone) const {
    return absl::StrCat("delete ", gone.key.name);
  }
  std::string operator()(const StepAside& aside) const {
    return absl::StrCat("let ", aside.key.name, " step aside");
  }
  std::string operator()(const WriteStatus& write) const {
    const api::TicketStatus& s = write.status;
    const auto part = [](const char* label, const std::string& text) {
      return text.empty() ? std::string() : absl::StrCat(label, text);
    };
    return absl::StrCat("write ", std::string(api::Name(s.phase)), part(" on ", s.node_name),
                        part(", ", s.reason), part(": ", s.message));
  }
  std::string operator()(const DeleteTicket&) const { return "delete the ticket"; }
};

void AddLook(const std::optional<absl::Duration>& after, Lines& lines) {
  if (after) {
    lines.push_back(absl::StrCat("look again in ", absl::FormatDuration(*after)));
  }
}

Lines LinesOf(const Plan& plan) {
  Lines lines;
  for (const Action& action : plan.actions) {
    lines.push_back(std::visit(ActionLine{}, action));
  }
  for (const EventNote& note : plan.events) {
    lines.push_back(absl::StrCat(note.warning ? "warn " : "tell ", note.reason));
  }
  AddLook(plan.requeue_after, lines);
  return lines;
}

struct ATicket {
  std::string name;
  std::string node = "n1";
  std::string cpu = "500m";
  std::string memory = "1Gi";
  std::string duration = "1h";
  std::optional<absl::Time> start_time;
  Strings labels;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("node", self.node);
    v("cpu", self.cpu);
    v("memory", self.memory);
    v("duration", self.duration);
    v("startTime", self.start_time);
    v("labels", self.labels);
  }

  Room Make(const std::vector<ANode>& nodes) const {
    api::Ticket ticket = MakeTicket(name);
    ticket.spec.resources.requests = Resources(cpu.c_str(), memory.c_str());
    ticket.spec.duration = DurationOf(duration);
    ticket.spec.start_time = start_time;
    for (const auto& [key, value] : labels) {
      ticket.metadata.labels[key] = value;
    }
    Room room = MakeRoomOn(node, ticket);
    for (const ANode& known : nodes) {
      if (known.name == node) {
        room.node = Share(known.Make(kNow));
      }
    }
    return room;
  }
};

struct APod {
  std::string name;
  std::string age;
  std::string cpu = "500m";
  std::string memory = "1Gi";
  Strings annotations;
  Strings node_selector;
  std::vector<std::string> other_gates;
  std::string marked;  // the id of a handoff
  bool promised = false;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("age", self.age);
    v("cpu", self.cpu);
    v("memory", self.memory);
    v("annotations", self.annotations);
    v("nodeSelector", self.node_selector);
    v("otherGates", self.other_gates);
    v("marked", self.marked);
    v("promised", self.promised);
  }

  api::Pod Make() const {
    api::Pod pod = MakeClaimPod(name);
    pod.metadata.creation_timestamp = kNow - DurationOf(age);
    pod.spec.containers[0].resources.requests = Resources(cpu.c_str(), memory.c_str());
    for (const auto& [key, value] : annotations) {
      pod.metadata.annotations["korder.dev/" + key] = value;
    }
    for (const auto& [key, value] : node_selector) {
      pod.spec.node_selector[key] = value;
    }
    for (const std::string& gate : other_gates) {
      pod.spec.scheduling_gates.push_back({gate});
    }
    if (!marked.empty()) {
      pod.metadata.annotations["korder.dev/handoff"] = marked;
    }
    return pod;
  }
};

struct ClaimsScenario {
  std::string name;
  std::vector<APod> pods;
  std::vector<ATicket> tickets;
  std::vector<ANode> nodes;
  std::vector<std::string> busy_nodes;
  Lines expect;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("pods", self.pods);
    v("tickets", self.tickets);
    v("nodes", self.nodes);
    v("busyNodes", self.busy_nodes);
    v("expect", self.expect);
  }

  ClaimsObserved Look() const {
    ClaimsObserved observed;
    observed.now = kNow;
    observed.busy_nodes = {busy_nodes.begin(), busy_nodes.end()};
    for (const ATicket& ticket : tickets) {
      observed.rooms.push_back(ticket.Make(nodes));
    }
    for (const APod& pod : pods) {
      observed.pods.push_back(Share(pod.Make()));
      if (pod.promised) {
        observed.handoff_pods.insert(observed.pods.back()->metadata.uid);
      }
    }
    return observed;
  }
};

Lines LinesOf(const ClaimsPlan& plan) {
  Lines lines;
  for (const PodPtr& pod : plan.stale_marks) {
    lines.push_back(absl::StrCat(pod->metadata.name, " loses its stale mark"));
  }
  for (const Assignment& a : plan.assignments) {
    lines.push_back(
        absl::StrCat(a.pod->metadata.name, " gets ", a.ticket->metadata.name, " on ", a.node));
  }
  for (const Waiter& waiter : plan.fallbacks) {
    lines.push_back(
        absl::StrCat(waiter.pod->metadata.name, " goes on without a ticket: ", waiter.why));
  }
  for (const Waiter& waiter : plan.waiting) {
    lines.push_back(absl::StrCat(waiter.pod->metadata.name, " waits: ", waiter.why));
  }
  for (const std::string& node : plan.wanted_nodes) {
    lines.push_back(absl::StrCat("look again when ", node, " is free"));
  }
  AddLook(plan.requeue_after, lines);
  return lines;
}

// A line that is expected to end in "..." says how the line begins.
bool Says(const std::string& line, const std::string& expected) {
  return expected.ends_with("...") ? line.starts_with(expected.substr(0, expected.size() - 3))
                                   : line == expected;
}

template <class Scenario, class DecideFn>
void RunAll(const char* directory, DecideFn decide) {
  // Catch2 comes by once for every section.
  static const auto files = kube::ReadScenarios<Scenario>(directory);
  for (const auto& file : files) {
    for (const Scenario& scenario : file.scenarios) {
      DYNAMIC_SECTION(file.name << ": " << scenario.name) {
        const Lines lines = LinesOf(decide(scenario.Look()));
        INFO("decided:\n  " << absl::StrJoin(lines, "\n  ") << "\nexpected:\n  "
                            << absl::StrJoin(scenario.expect, "\n  "));
        CHECK(std::equal(lines.begin(), lines.end(), scenario.expect.begin(), scenario.expect.end(),
                         Says));
      }
    }
  }
}

TEST_CASE("scenarios: one ticket", "[scenario][ticket]") {
  RunAll<TicketScenario>(KORDER_SCENARIOS "/ticket", Decide);
}

TEST_CASE("scenarios: who gets which ticket", "[scenario][claim]") {
  RunAll<ClaimsScenario>(KORDER_SCENARIOS "/claims", DecideClaims);
}

}  // namespace
}  // namespace korder::ticket
