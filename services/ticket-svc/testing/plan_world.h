// One ticket and its guardians in memory; performs plans as the reconciler does, with everything
// granted. For tests of Decide.
//
//   PlanWorld world(MakeTicket("web-0"));
//   world.Settle();                    // decides and performs until nothing is left to do
//   world.guardian("web-0-g1");
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "ticket-svc/decide.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {

class PlanWorld {
 public:
  explicit PlanWorld(api::Ticket ticket) : ticket_(std::move(ticket)) { AddNode("n1"); }

  api::Ticket& ticket() { return ticket_; }
  const api::TicketStatus& status() const { return ticket_.status; }
  bool ticket_deleted() const { return ticket_deleted_; }
  int status_writes() const { return status_writes_; }
  int confirms() const { return confirms_; }
  // The later ends that were asked for.
  const std::vector<absl::Time>& asked_ends() const { return asked_ends_; }
  std::map<std::string, api::Pod>& guardians() { return guardians_; }
  api::Pod& guardian(const std::string& name) {
    REQUIRE(guardians_.contains(name));
    return guardians_.at(name);
  }
  void AddNode(const std::string& name) { nodes_[name] = MakeNode(name); }
  void DropNode(const std::string& name) { nodes_.erase(name); }
  void Advance(absl::Duration by) {
    now_ += by;
    hold_back_ = std::max(hold_back_ - by, absl::ZeroDuration());
  }
  // Where handoffs are under way.
  std::set<std::string>& busy_nodes() { return busy_nodes_; }
  absl::Time now() const { return now_; }
  std::optional<api::Pod>& claimed_pod() { return claimed_pod_; }
  // As after a restart: only what the API server has is known.
  void Restart() {
    confirmed_ = false;
    wrote_ = absl::InfinitePast();
  }
  // What scheduler and kubelet do.
  void RunGuardians(const std::string& node = "n1") {
    for (auto& [name, pod] : guardians_) {
      pod = Running(std::move(pod), node);
      pod.status.conditions.clear();
    }
  }

  Observed Look() const {
    Observed observed{.ticket = Share(Reduced(ticket_)),
                      .charge_confirmed = confirmed_ || ticket_.status.incarnation > 0,
                      .busy_nodes = busy_nodes_,
                      .hold_back = hold_back_,
                      .since_status_write = now_ - wrote_,
                      .now = now_};
    for (const auto& [name, pod] : guardians_) {
      const auto node = nodes_.find(pod.spec.node_name);
      observed.guardians.push_back(
          {Share(Reduced(pod)), node == nodes_.end() ? nullptr : Share(node->second)});
    }
    if (claimed_pod_) {
      observed.claimed_pod = Share(*claimed_pod_);
    }
    return observed;
  }
  void Perform(const Plan& plan) {
    for (const Action& action : plan.actions) {
      if (std::holds_alternative<ConfirmCharge>(action)) {
        confirmed_ = true;
        ++confirms_;
      } else if (const auto* longer = std::get_if<ConfirmLonger>(&action)) {
        asked_ends_.push_back(longer->end);
      } else if (const auto* create = std::get_if<CreateGuardian>(&action)) {
        api::Pod pod = MakeGuardian(ticket_, create->incarnation, busy_nodes_);
        pod.metadata.creation_timestamp = now_;
        REQUIRE(guardians_.emplace(pod.metadata.name, pod).second);
      } else if (const auto* gone = std::get_if<DeleteGuardian>(&action)) {
        REQUIRE(guardians_.contains(gone->key.name));
        guardians_.erase(gone->key.name);
      } else if (const auto* aside = std::get_if<StepAside>(&action)) {
        REQUIRE(guardians_.contains(aside->key.name));
        guardians_.erase(aside->key.name);
        hold_back_ = absl::Seconds(1);
      } else if (const auto* write = std::get_if<WriteStatus>(&action)) {
        REQUIRE_FALSE(write->status == ticket_.status);
        ticket_.status = write->status;
        wrote_ = now_;
        ++status_writes_;
      } else if (std::holds_alternative<DeleteTicket>(action)) {
        ticket_deleted_ = true;
      }
    }
    for (const EventNote& note : plan.events) {
      events_.push_back(note.reason);
    }
  }
  Plan Turn() {
    const Plan plan = Decide(Look());
    Perform(plan);
    return plan;
  }
  // Until a plan does nothing; returns that plan.
  Plan Settle() {
    for (int i = 0; i < 8; ++i) {
      Plan plan = Turn();
      if (plan.actions.empty() || ticket_deleted_) {
        return plan;
      }
    }
    FAIL("it never comes to rest");
    return {};
  }
  const std::vector<std::string>& events() const { return events_; }

 private:
  api::Ticket ticket_;
  std::map<std::string, api::Pod> guardians_;
  std::map<std::string, api::Node> nodes_;
  std::optional<api::Pod> claimed_pod_;
  bool confirmed_ = false;
  bool ticket_deleted_ = false;
  int status_writes_ = 0;
  int confirms_ = 0;
  std::vector<absl::Time> asked_ends_;
  std::set<std::string> busy_nodes_;
  absl::Duration hold_back_;
  absl::Time now_ = kNow;
  absl::Time wrote_ = absl::InfinitePast();
  std::vector<std::string> events_;
};

}  // namespace korder::ticket
