// Runs scenarios/: what Decide makes of situations as time goes by, as YAML. scenarios/README.md
// says how to write one.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "kube/testing/scenario_files.h"
#include "order-svc/testing/world.h"

namespace korder::order {
namespace {

using api::TicketPhase;
using Lines = std::vector<std::string>;

absl::Time TimeOf(const std::string& text) {
  absl::Time time;
  std::string problem;
  INFO("time " << text);
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &problem));
  return time;
}

std::string TextOf(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

struct ANode {
  std::string name;
  api::Labels labels;
  std::vector<api::Taint> taints;
  bool cordoned = false;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("labels", self.labels);
    v("taints", self.taints);
    v("cordoned", self.cordoned);
  }

  api::Node Make() const {
    api::Node node;
    node.metadata.name = name;
    node.metadata.labels = labels;
    node.spec.taints = taints;
    node.spec.unschedulable = cordoned;
    return node;
  }
};

struct Step {
  std::string at;  // the time of day then; "" = no time has passed
  std::vector<std::string> when;
  std::optional<api::OrderSpec> order;      // the spec is replaced by this one
  std::optional<std::vector<ANode>> nodes;  // the nodes are these now
  std::optional<int32_t> quota;             // tickets that it grants at most
  Lines expect;
  std::map<std::string, std::string> status;  // some fields of it

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("at", self.at);
    v("when", self.when);
    v("order", self.order);
    v("nodes", self.nodes);
    v("quota", self.quota);
    v("expect", self.expect);
    v("status", self.status);
  }
};

struct Scenario {
  std::string name;
  api::OrderSpec order;
  std::vector<ANode> nodes;
  std::vector<Step> steps;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("order", self.order);
    v("nodes", self.nodes);
    v("steps", self.steps);
  }
};

// "web-1 is claimed": what happened since the step before.
void Happen(const std::string& what, World& world) {
  const std::vector<std::string> words = absl::StrSplit(what, ' ');
  const std::string& ticket = words[0];
  INFO("when " << what);
  if (what == "all are Ready") {
    world.AllBecomeReady();
  } else if (what == "order-svc begins anew") {
    world.Restart();
  } else if (what == "the order is paused" || what == "the order is resumed") {
    world.order().spec.paused = what == "the order is paused";
  } else if (absl::EndsWith(what, " is Ready")) {
    world.BecomeReady(ticket);
  } else if (absl::EndsWith(what, " is claimed")) {
    world.SetPhase(ticket, TicketPhase::kClaimed);
  } else if (absl::EndsWith(what, " is in a handoff")) {
    world.Find(ticket).status.handoff = api::TicketHandoff{.id = "h"};
  } else if (absl::EndsWith(what, " is Completed")) {
    world.Finish(ticket, TicketPhase::kCompleted);
  } else if (absl::EndsWith(what, " is Expired")) {
    world.Finish(ticket, TicketPhase::kExpired);
  } else if (absl::EndsWith(what, " is Failed")) {
    world.Finish(ticket, TicketPhase::kFailed, "GuardianRefused");
  } else if (absl::EndsWith(what, " is Healing") || absl::EndsWith(what, " is Unschedulable")) {
    world.SetPhase(ticket, TicketPhase::kPending);
    world.Find(ticket).status.reason = words.back();
  } else {
    REQUIRE(absl::EndsWith(what, " is deleted"));
    world.Drop(ticket);
  }
}

Lines LinesOf(const Plan& plan, const World& world) {
  Lines lines;
  for (const NewTicket& wanted : plan.create) {
    const api::Ticket ticket = world.Make(wanted);
    const api::TicketSpec& spec = ticket.spec;
    lines.push_back(absl::StrCat(
        "create ", ticket.metadata.name,
        wanted.cell.node.empty() ? "" : absl::StrCat(" on ", spec.node_name),
        !spec.start_time ? "" : absl::StrCat(" from ", TextOf(*spec.start_time)),
        !spec.start_time || !spec.duration
            ? ""
            : absl::StrCat(" to ", TextOf(*spec.start_time + spec.duration->value()))));
  }
  for (const RenewTicket& renewal : plan.renew) {
    lines.push_back(absl::StrCat("renew ", renewal.key.name, " to ",
                                 TextOf(*world.Find(renewal.key.name).status.expiration_time)));
  }
  for (const DeleteTicket& gone : plan.remove) {
    lines.push_back(absl::StrCat("delete ", gone.key.name));
  }
  for (const EventNote& note : plan.events) {
    if (note.reason != api::kEventTicketsDeleted) {
      lines.push_back(absl::StrCat(note.type == "Warning" ? "warn " : "tell ", note.reason, ": ",
                                   note.message));
    }
  }
  const api::Condition& ready = world.Condition(api::kConditionReady);
  lines.push_back(
      absl::StrCat(ready.status == api::ConditionStatus::kTrue ? "Ready, " : "not Ready, ",
                   ready.reason, ": ", ready.message));
  if (plan.requeue_after) {
    lines.push_back(absl::StrCat("look again in ", absl::FormatDuration(*plan.requeue_after)));
  }
  return lines;
}

// "..." at its end says how a line begins; "look again" counts only where it is expected.
bool Says(const Lines& lines, const Lines& expected) {
  size_t i = 0;
  for (const std::string& want : expected) {
    const bool begins = absl::EndsWith(want, "...");
    if (i == lines.size() || (begins ? !absl::StartsWith(lines[i], want.substr(0, want.size() - 3))
                                     : lines[i] != want)) {
      return false;
    }
    ++i;
  }
  return i == lines.size() || (i + 1 == lines.size() && absl::StartsWith(lines[i], "look again"));
}

std::string StatusField(const api::OrderStatus& status, const std::string& name) {
  const auto window = [](const std::optional<api::TimeWindow>& shown) {
    return !shown ? std::string("none")
                  : absl::StrCat(TextOf(*shown->start), " to ",
                                 shown->end ? TextOf(*shown->end) : "for ever");
  };
  if (name == "currentWindow") {
    return window(status.current_window);
  }
  if (name == "nextWindow") {
    return window(status.next_window);
  }
  if (name == "lastScheduleTime") {
    return status.last_schedule_time ? TextOf(*status.last_schedule_time) : "none";
  }
  const std::map<std::string, int64_t> counts = {
      {"desired", status.desired_replicas},
      {"replicas", status.replicas},
      {"ready", status.ready_replicas},
      {"available", status.available_replicas},
      {"unavailable", status.unavailable_replicas},
      {"claimed", status.claimed_replicas},
      {"terminal", status.terminal_replicas},
      {"updated", status.updated_replicas},
      {"nodesReady", status.nodes ? status.nodes->ready : -1},
      {"nodesEligible", status.nodes ? status.nodes->eligible : -1}};
  INFO("status field " << name);
  REQUIRE(counts.contains(name));
  return absl::StrCat(counts.at(name));
}

void SetNodes(const std::vector<ANode>& nodes, World& world) {
  world.nodes().clear();
  for (const ANode& node : nodes) {
    world.nodes().push_back(node.Make());
  }
}

// Resources are beside the point of most scenarios.
api::OrderSpec WithRequests(api::OrderSpec spec) {
  api::ResourceList& requests = spec.ticket_template.spec.resources.requests;
  if (requests.empty()) {
    requests = {{"cpu", api::Quantity::FromInt(1)}};
  }
  return spec;
}

void Run(const Scenario& scenario) {
  World world(WithRequests(scenario.order));
  SetNodes(scenario.nodes, world);
  bool first = true;
  for (const Step& step : scenario.steps) {
    INFO("at " << step.at << " " << absl::StrJoin(step.when, ", "));
    if (!step.at.empty()) {
      world.SetNow(TimeOf(step.at));
    }
    if (std::exchange(first, false)) {
      world.order().metadata.creation_timestamp = world.now();
    }
    if (step.order) {
      world.order().spec = WithRequests(*step.order);
      ++world.order().metadata.generation;
    }
    if (step.nodes) {
      SetNodes(*step.nodes, world);
    }
    if (step.quota) {
      world.SetQuota(static_cast<size_t>(*step.quota));
    }
    for (const std::string& what : step.when) {
      Happen(what, world);
    }
    const Plan plan = world.Turn();
    const Lines lines = LinesOf(plan, world);
    INFO("decided:\n  - \"" << absl::StrJoin(lines, "\"\n  - \"") << "\"\nexpected:\n  - \""
                            << absl::StrJoin(step.expect, "\"\n  - \"") << "\"");
    REQUIRE(Says(lines, step.expect));
    for (const auto& [field, want] : step.status) {
      INFO(field);
      REQUIRE(StatusField(world.order().status, field) == want);
    }
  }
}

TEST_CASE("scenarios: orders as time goes by", "[scenario][order]") {
  for (const auto& file : kube::ReadScenarios<Scenario>(KORDER_SCENARIOS)) {
    for (const Scenario& scenario : file.scenarios) {
      DYNAMIC_SECTION(file.name << ": " << scenario.name) { Run(scenario); }
    }
  }
}

}  // namespace
}  // namespace korder::order
