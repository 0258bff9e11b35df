// An order, its tickets and nodes as they would be in a cluster where everything that order-svc
// plans is done. For Catch tests.
//
//   World world(3);
//   const Plan plan = world.Turn();
//   world.SetPhase("web-0", api::TicketPhase::kClaimed);
//   world.Turn();
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/meta/condition.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/ticket_window.h"
#include "order-svc/books.h"
#include "order-svc/decide.h"
#include "order-svc/ticket_form.h"

namespace korder::order {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// An order and its tickets, as order-svc would see them; defaults: OneTime, OnClaim, three tickets.
class World {
 public:
  explicit World(int replicas, api::RefreshPolicy policy = api::RefreshPolicy::kOnClaim) {
    order_.metadata.name = "web";
    order_.metadata.ns = "default";
    order_.metadata.uid = "order-uid";
    order_.metadata.generation = 1;
    order_.metadata.creation_timestamp = kNow;
    order_.spec.replicas = replicas;
    order_.spec.strategy.refresh_policy = policy;
    order_.spec.ticket_template.metadata.labels = {{"app", "shop"}};
    order_.spec.ticket_template.spec.resources.requests = {{"cpu", api::Quantity::FromInt(1)}};
  }

  explicit World(const api::OrderSpec& spec) : World(0) { order_.spec = spec; }

  api::Order& order() { return order_; }

  // Performs a whole turn as the reconciler does, everything granted.
  Plan Turn() {
    return Turn([] { return Fate::kDone; }, [] { return false; });
  }
  // As Turn, but requests fail or their answers get lost, and the process may die before its write.
  void TurnWithFaults(std::mt19937& random) {
    Turn([&random] { return static_cast<Fate>(random() % 3); },
         [&random] { return random() % 3 == 0; });
  }
  void Wait(absl::Duration time) { now_ += time; }
  void SetNow(absl::Time now) { now_ = now; }
  absl::Time now() const { return now_; }
  std::vector<api::Node>& nodes() { return nodes_; }
  // How many tickets quota-svc grants at most at one time.
  void SetQuota(size_t tickets) { quota_ = tickets; }
  // As ticket-svc does when the guardian runs: the window begins, unless its start is still to
  // come.
  void BecomeReady(const std::string& name) {
    api::Ticket& ticket = Find(name);
    api::TicketStatus& status = ticket.status;
    status.phase = api::TicketPhase::kReady;
    status.reason.clear();
    if (!status.activation_time) {
      status.activation_time = std::max(now_, ticket.spec.start_time.value_or(now_));
      GrantEnd(ticket);
    }
    api::SetCondition(status.conditions,
                      {.type = std::string(api::kConditionReady),
                       .status = api::ConditionStatus::kTrue,
                       .reason = std::string(api::kReasonGuardianRunning)},
                      now_);
  }
  void AllBecomeReady() {
    for (const api::Ticket& ticket : tickets_) {
      if (ticket.status.phase == api::TicketPhase::kPending) {
        BecomeReady(ticket.metadata.name);
      }
    }
  }
  void Finish(const std::string& name, api::TicketPhase phase, const std::string& reason = "") {
    api::TicketStatus& status = Find(name).status;
    status.phase = phase;
    status.reason = reason;
    status.finished_time = now_;
  }
  // As after a restart: only what the API server has is known.
  void Restart() { memory_.reset(); }
  void SetPhase(const std::string& name, api::TicketPhase phase) {
    Find(name).status.phase = phase;
  }
  // The watch shows it, also when nobody has looked since its creation (Reconciler::Gone).
  void Drop(const std::string& name) {
    if (memory_) {
      memory_->unseen.erase(OrdinalOf(name));
    }
    std::erase_if(tickets_, [&](const api::Ticket& t) { return t.metadata.name == name; });
  }
  const api::Ticket& Find(const std::string& name) const {
    const auto it = std::find_if(tickets_.begin(), tickets_.end(),
                                 [&](const api::Ticket& t) { return t.metadata.name == name; });
    INFO("ticket " << name);
    REQUIRE(it != tickets_.end());
    return *it;
  }
  api::Ticket& Find(const std::string& name) {
    return const_cast<api::Ticket&>(std::as_const(*this).Find(name));
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const api::Ticket& ticket : tickets_) {
      names.push_back(ticket.metadata.name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  Observed Look() const {
    Observed observed{
        .order = std::make_shared<api::Order>(order_), .memory = memory_, .now = now_};
    for (const api::Ticket& ticket : tickets_) {
      observed.tickets.push_back(std::make_shared<OrderTicket>(Reduced(ticket)));
    }
    for (const api::Node& node : nodes_) {
      observed.nodes.push_back(std::make_shared<api::Node>(node));
    }
    return observed;
  }
  const api::Condition& Condition(std::string_view type) const {
    const api::Condition* condition = api::FindCondition(order_.status.conditions, type);
    REQUIRE(condition != nullptr);
    return *condition;
  }
  std::vector<api::Ticket>& tickets() { return tickets_; }
  // As the shell makes it now.
  api::Ticket Make(const NewTicket& wanted) const {
    return MakeTicket(order_, wanted.cell, wanted.ordinal, now());
  }

 private:
  enum class Fate { kDone, kRefused, kAnswerLost };

  Plan Turn(const std::function<Fate()>& fate, const std::function<bool()>& dies) {
    const Plan plan = Decide(Look());
    Outcome outcome;
    for (const NewTicket& wanted : plan.create) {
      const Fate it = fate();
      api::Ticket ticket = Make(wanted);
      const bool there = Has(ticket.metadata.name);
      if (!there && Charged() >= quota_) {
        outcome.denied = absl::StrCat("quota team: tickets: used ", Charged(), " of ", quota_);
        continue;
      }
      if (it != Fate::kRefused && !there) {
        ticket.metadata.uid = "uid-" + ticket.metadata.name;
        tickets_.push_back(ticket);
      }
      (it == Fate::kDone ? outcome.created : outcome.failed).push_back(wanted.ordinal);
    }
    for (const RenewTicket& renewal : plan.renew) {
      api::Ticket& ticket = Find(renewal.key.name);
      ticket.spec.duration = renewal.duration;
      ticket.metadata.annotations[std::string(api::kAnnotationRenewed)] =
          absl::FormatTime(absl::RFC3339_sec, renewal.tick, absl::UTCTimeZone());
      absl::StrAppend(&ticket.metadata.resource_version, "'");
      GrantEnd(ticket);
      outcome.renewed.push_back(renewal.ordinal);
    }
    for (const DeleteTicket& gone : plan.remove) {
      const Fate it = fate();
      if (it != Fate::kRefused) {
        Drop(gone.key.name);
      }
      if (it == Fate::kDone) {
        outcome.deleted.push_back(gone.ordinal);
      }
    }
    if (dies()) {
      Restart();
      return plan;
    }
    memory_ = Remember(plan, outcome, now_);
    order_.status = Settle(order_, plan, outcome, *memory_, now_);
    return plan;
  }
  static void GrantEnd(api::Ticket& ticket) {
    const absl::Time end = api::WantedEnd(ticket).value_or(absl::InfiniteFuture());
    ticket.status.expiration_time =
        end == absl::InfiniteFuture() ? std::nullopt : std::optional(end);
  }
  size_t Charged() const {
    return static_cast<size_t>(
        std::count_if(tickets_.begin(), tickets_.end(),
                      [](const auto& ticket) { return !api::IsFinished(ticket.status.phase); }));
  }
  bool Has(const std::string& name) const {
    return std::any_of(tickets_.begin(), tickets_.end(),
                       [&](const api::Ticket& t) { return t.metadata.name == name; });
  }

  api::Order order_;
  std::vector<api::Ticket> tickets_;
  std::vector<api::Node> nodes_;
  size_t quota_ = 1'000'000;
  std::optional<Memory> memory_;
  absl::Time now_ = kNow;
};

}  // namespace korder::order
