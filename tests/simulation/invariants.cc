#include "invariants.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/core/daemon_nodes.h"
#include "api/core/node_fit.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/order_windows.h"
#include "api/v1alpha1/ticket_window.h"
#include "services.h"
#include "ticket-svc/claim_decide.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/guardian_pod.h"

namespace korder::simulation {
namespace {

// A message that was sent when things were otherwise arrives no later than this.
constexpr absl::Duration kInFlight = absl::Seconds(8);
// Nor does what a process had decided before it stood still, or before the clock was set.
constexpr absl::Duration kLongestTrance = absl::Seconds(25);
// A limit that was lowered binds when the ledger has heard of it, and grants that were given before
// last as long as they last.
constexpr absl::Duration kLimitLag = absl::Seconds(40);
constexpr absl::Duration kLateness = absl::Seconds(1);
constexpr absl::Duration kSettling = absl::Seconds(5);

bool IsGuardian(const api::Pod& pod) {
  return api::ValueOf(pod.metadata.labels, api::kLabelRole) == api::kRoleGuardian;
}
bool Runs(const api::Pod& pod) {
  return api::IsBound(pod) && pod.status.phase == api::kPodRunning && !pod.metadata.deleting();
}
std::string NameOf(const api::Pod& pod) { return kube::KeyOf(pod).ToString(); }
std::string NameOf(const api::Ticket& ticket) { return kube::KeyOf(ticket).ToString(); }
bool HasStarted(const api::Ticket& ticket) { return ticket.status.incarnation >= 1; }
bool IsOver(const api::Ticket& ticket) { return api::IsFinished(ticket.status.phase); }

// One ticket more.
void Charge(std::map<std::string, api::Quantity>& uses, const api::Quantity& cpu) {
  api::Quantity& tickets = uses["tickets"];
  tickets = *tickets.Add(api::Quantity::FromInt(1));
  api::Quantity& reserved = uses["reserved.cpu"];
  reserved = *reserved.Add(cpu);
}

std::string NodeOfRoom(const api::Ticket& ticket) { return ticket.status.node_name; }

}  // namespace

Invariants::Invariants(Machine& machine, World& world, SchedulerModel& scheduler, Peers& peers,
                       ticket::HandoffMethodName method)
    : machine_(machine),
      world_(world),
      scheduler_(scheduler),
      nominates_(ticket::MethodOf(method).nominates()) {
  world_.tickets.OnChange([this](const auto* was, const auto* is) { OnTicket(was, is); });
  world_.pods.OnChange([this](const auto* was, const auto* is) { OnPod(was, is); });
  world_.quotas.OnChange([this](const auto* was, const auto* is) { OnQuota(was, is); });
  world_.orders.OnChange(
      [this](const auto* was, const auto* is) { SpecsAreNotForgotten(was, is); });
  world_.config_maps.OnChange([this](const auto*, const auto* is) { OnConfigMap(is); });
  peers.on_answer = [this](const LedgerAnswer& answer) {
    for (const std::string& id : answer.granted) {
      if (!ever_granted_.contains(id)) {
        Fail("I15", absl::StrCat(answer.server.name, " told ", answer.client.name, " that ", id,
                                 " is granted, and no ledger object ever said so"));
      }
    }
  };
}

void Invariants::Fail(const std::string& invariant, const std::string& what) {
  if (!broken_) {
    broken_ = Broken{invariant, what};
  }
}

void Invariants::OnTicket(const api::Ticket* was, const api::Ticket* is) {
  if (is == nullptr) {
    if (const api::OwnerReference* owner = api::ControllerOf(was->metadata)) {
      lost_tickets_.insert(owner->uid);
    }
    return;
  }
  TicketServiceActs();
  if (was != nullptr && was->status.handoff && !is->status.handoff) {
    handoff_ended_at_[is->metadata.uid] = machine_.Mono();
  }
  OneTicketPerPod(*is);
  ReadyMeansHeld(was, *is);
  EndIsFinal(was, *is);
  WindowIsKept(was, *is);
  SpecsAreNotForgotten(was, is);
  if (was == nullptr) {
    WindowIsOfTheSchedule(*is);
  }
  if (HasStarted(*is) && (was == nullptr || !HasStarted(*was))) {
    LimitsHold();
  }
  if (was != nullptr && was->status.handoff && !is->status.handoff &&
      is->status.phase == api::TicketPhase::kClaimed) {
    ++handoffs_;
  }
}

void Invariants::TicketServiceActs() {
  if (absl::StartsWith(world_.writer(), "korder-ticket-svc")) {
    if (ticket_service_acted_at_ < scheduler_.restarted_at()) {
      ticket_service_back_at_ = machine_.Mono();
    }
    ticket_service_acted_at_ = machine_.Mono();
  }
}

void Invariants::OnPod(const api::Pod* was, const api::Pod* is) {
  TicketServiceActs();
  const api::Pod& pod = is != nullptr ? *is : *was;
  const bool lost_nomination = was != nullptr && !was->status.nominated_node_name.empty() &&
                               !api::IsBound(pod) &&
                               (is == nullptr || is->metadata.deleting() ||
                                is->status.nominated_node_name != was->status.nominated_node_name);
  if (lost_nomination || (was != nullptr && is == nullptr && !IsGuardian(pod))) {
    unnominated_at_[pod.metadata.uid] = machine_.Mono();
  }
  // The server marks an object before it takes it away, and then it is too late to ask.
  if (was != nullptr && IsGuardian(*was) && !was->metadata.deleting() &&
      (is == nullptr || is->metadata.deleting())) {
    RoomIsHandedOnOnly(*was);
    if (!absl::StartsWith(world_.writer(), "korder-ticket-svc")) {
      taken_away_at_[was->metadata.uid] = machine_.Mono();
    }
  }
  if (is == nullptr) {
    return;
  }
  if (IsGuardian(*is)) {
    if (Runs(*is)) {
      held_[NameOf(*is)] = {is->spec.node_name, RequestsOf(*is)};
    }
    if (was == nullptr) {
      OneGuardianAtATime(*is);
      RoomIsNotHeldTooEarly(*is);
    }
  }
  if (api::IsBound(*is) && (was == nullptr || !api::IsBound(*was))) {
    NobodyStoleTheRoom(*is);
  }
  NoNodeIsTooFull(*is);
}

void Invariants::OnQuota(const api::Quota* was, const api::Quota* is) {
  SpecsAreNotForgotten(was, is);
  if (is != nullptr && (was == nullptr || was->spec != is->spec)) {
    // Before there was one, everything was allowed.
    old_limits_[is->metadata.name].push_back(
        {machine_.Mono(), was == nullptr ? api::QuotaLimits() : was->spec.hard});
  }
}

void Invariants::OnConfigMap(const api::ConfigMap* is) {
  if (is == nullptr || is->metadata.name != "korder-quota-ledger") {
    return;
  }
  const auto text = is->data.find("ledger");
  const absl::StatusOr<quota::LedgerImage> image =
      quota::Decode(text == is->data.end() ? std::string_view() : std::string_view(text->second));
  if (!image.ok()) {
    return Fail("I3", absl::StrCat("the ledger object is unreadable: ", ToString(image.status())));
  }
  GrantsAreOnlyPromisedOnce(*image);
  grants_ = image->grants;
  LimitsHold();
}

// --- I1: never more than the limits

// Confirm writes nothing for a grant that names its ticket: that ticket and the grant are one
// charge.
std::string Invariants::ChargedFor(const quota::Grant& grant) const {
  if (!grant.ticket_uid.empty()) {
    return grant.ticket_uid;
  }
  const api::Ticket* const ticket = grant.ticket_name.empty()
                                        ? nullptr
                                        : world_.tickets.Find({grant.claim->ns, grant.ticket_name});
  const bool its = ticket != nullptr &&
                   api::ValueOf(ticket->metadata.annotations, api::kAnnotationGrant) == grant.id;
  return its ? ticket->metadata.uid : grant.id;
}

std::set<std::string> Invariants::Charged() const {
  std::set<std::string> charged;
  for (const quota::Grant& grant : grants_) {
    if (!quota::HeldOrder(grant)) {
      charged.insert(ChargedFor(grant));
    }
  }
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (HasStarted(*ticket) && !IsOver(*ticket)) {
      charged.insert(ticket->metadata.uid);
    }
  }
  return charged;
}

Invariants::Uses Invariants::UsesOf(const api::Quota& quota) const {
  const auto concerns = [&](const std::string& ns) {
    const auto& names = quota.spec.scope.namespaces;
    return quota.spec.scope.type == api::ScopeType::kCluster ||
           std::find(names.begin(), names.end(), ns) != names.end();
  };
  Uses uses;
  std::set<std::string> counted;
  const auto count = [&](const std::string& id, const std::string& ns, api::Quantity cpu) {
    if (concerns(ns) && counted.insert(id).second) {
      Charge(uses, cpu);
    }
  };
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (HasStarted(*ticket) && !IsOver(*ticket)) {
      const api::ResourceList requests = api::EffectiveRequests(ticket->spec);
      const auto cpu = requests.find("cpu");
      count(ticket->metadata.uid, key.ns, cpu == requests.end() ? api::Quantity() : cpu->second);
    }
  }
  for (const quota::Grant& grant : grants_) {
    const auto cpu = grant.claim->amounts.find("reserved.cpu");
    if (!quota::HeldOrder(grant)) {
      count(ChargedFor(grant), grant.claim->ns,
            cpu == grant.claim->amounts.end() ? api::Quantity() : cpu->second);
    }
  }
  return uses;
}

void Invariants::LimitsHold() {
  for (const auto& [key, quota] : world_.quotas.all()) {
    const Uses uses = UsesOf(*quota);
    Uses& last = last_use_[key.name];
    for (const auto& [limit, use] : uses) {
      const bool grew = last[limit] < use;
      last[limit] = use;
      if (!grew) {
        continue;
      }
      std::vector<const api::QuotaLimits*> in_force = {&quota->spec.hard};
      for (const Limit& old : old_limits_[key.name]) {
        if (Recently(old.until, kLimitLag)) {
          in_force.push_back(&old.hard);
        }
      }
      const bool allowed =
          std::any_of(in_force.begin(), in_force.end(), [&](const api::QuotaLimits* hard) {
            const auto it = hard->find(limit);
            return it == hard->end() || use <= *api::Quantity::Parse(it->second.text);
          });
      if (!allowed) {
        Fail("I1", absl::StrCat("quota ", key.name, ": ", limit, " is used ", use.ToString(),
                                " of ", quota->spec.hard.at(limit).text));
      }
    }
    for (auto& [limit, use] : last) {
      if (!uses.contains(limit)) {
        use = api::Quantity();
      }
    }
  }
}

// --- I3 and I11: one charge per reservation, and no word of a former leader

void Invariants::GrantsAreOnlyPromisedOnce(const quota::LedgerImage& image) {
  if (image.epoch < epoch_) {
    Fail("I11", absl::StrCat("the ledger of epoch ", epoch_, " was overwritten by epoch ",
                             image.epoch, " (", image.writer, ")"));
  }
  epoch_ = image.epoch;
  std::set<std::string> tickets;
  for (const quota::Grant& grant : image.grants) {
    ever_granted_.insert(grant.id);
    if (!grant.ticket_uid.empty() && !tickets.insert(grant.ticket_uid).second) {
      Fail("I3", absl::StrCat("ticket ", grant.ticket_uid, " is charged twice"));
    }
  }
}

// --- I4: one ticket per pod

void Invariants::OneTicketPerPod(const api::Ticket& ticket) {
  const std::string& pod = ticket.status.claimed_pod_uid;
  if (pod.empty() || ticket.status.phase != api::TicketPhase::kClaimed) {
    return;
  }
  for (const auto& [key, other] : world_.tickets.all()) {
    if (other->metadata.uid != ticket.metadata.uid && other->status.claimed_pod_uid == pod &&
        other->status.phase == api::TicketPhase::kClaimed) {
      Fail("I4", absl::StrCat("tickets ", NameOf(ticket), " and ", NameOf(*other),
                              " are both claimed by pod ", ticket.status.claimed_pod));
    }
  }
}

// --- I5: Ready means held

void Invariants::ReadyMeansHeld(const api::Ticket* was, const api::Ticket& is) {
  const bool became = is.status.phase == api::TicketPhase::kReady &&
                      (was == nullptr || was->status.phase != api::TicketPhase::kReady);
  if (!became) {
    return;
  }
  const auto held = held_.find(is.status.guardian_pod);
  if (held == held_.end() || held->second.node != is.status.node_name) {
    return Fail("I5",
                absl::StrCat("ticket ", NameOf(is), " says Ready on node ", is.status.node_name,
                             ", and guardian \"", is.status.guardian_pod, "\" never ran there"));
  }
  const api::ResourceList asked = api::EffectiveRequests(is.spec);
  const auto cpu = asked.find("cpu");
  if (cpu != asked.end() && held->second.requests.cpu < cpu->second.MilliValue()) {
    Fail("I5", absl::StrCat("the guardian of ticket ", NameOf(is), " holds less than it asks for"));
  }
}

// --- I6: a room is given up only for somebody who is on his way

const api::Ticket* Invariants::TicketOf(const api::Pod& guardian) const {
  const api::OwnerReference* owner = api::ControllerOf(guardian.metadata);
  if (owner == nullptr) {
    return nullptr;
  }
  const api::Ticket* const ticket = world_.tickets.Find({guardian.metadata.ns, owner->name});
  return ticket != nullptr && ticket->metadata.uid == owner->uid ? ticket : nullptr;
}

void Invariants::RoomIsHandedOnOnly(const api::Pod& guardian) {
  const api::Ticket* const ticket = TicketOf(guardian);
  if (!absl::StartsWith(world_.writer(), "korder-ticket-svc") || ticket == nullptr ||
      !Runs(guardian) || ticket->metadata.deleting()) {
    return;
  }
  if (!ticket->status.handoff || ticket->status.handoff->guardian_uid != guardian.metadata.uid) {
    const api::Node* const node = world_.nodes.Find({"", guardian.spec.node_name});
    const bool is_its_guardian = ticket->status.guardian_pod == NameOf(guardian);
    const bool over =
        ticket->status.expiration_time && *ticket->status.expiration_time <= machine_.Wall();
    if (ticket->status.phase == api::TicketPhase::kReady && is_its_guardian && !over &&
        node != nullptr && api::IsReady(*node) && !Recently(disturbed_at_, kInFlight)) {
      Fail("I6", absl::StrCat(world_.writer(), " deleted guardian ", NameOf(guardian),
                              " of the Ready ticket ", NameOf(*ticket), " for nobody"));
    }
    return;
  }
  const api::TicketHandoff& handoff = *ticket->status.handoff;
  const auto gone = unnominated_at_.find(handoff.pod_uid);
  if (gone != unnominated_at_.end() && Recently(gone->second, kInFlight)) {
    return;  // it lost its nomination or went away while the request was under way
  }
  const api::Pod* pod = nullptr;
  for (const auto& [key, candidate] : world_.pods.all()) {
    pod = candidate->metadata.uid == handoff.pod_uid ? candidate.get() : pod;
  }
  if (pod == nullptr) {
    return Fail("I6", absl::StrCat("guardian ", NameOf(guardian),
                                   " was deleted for a pod that is not there"));
  }
  const bool ready = nominates_ ? pod->status.nominated_node_name == handoff.node
                                : ticket::HandoffMark(*pod) == handoff.id;
  const bool on_its_way = api::IsBound(*pod) ? pod->spec.node_name == handoff.node : ready;
  if (!on_its_way) {
    Fail("I6", absl::StrCat("guardian ", NameOf(guardian), " was deleted while pod ", NameOf(*pod),
                            " was not ", nominates_ ? "nominated to its node" : "marked"));
  }
  if (!api::IsBound(*pod) && !api::HasGate(*pod, api::kGateClaim)) {
    Fail("I6", absl::StrCat("pod ", NameOf(*pod), " had its gate open before guardian ",
                            NameOf(guardian), " was gone"));
  }
}

// --- I7: nobody slips into a room on its way

Amount Invariants::FreeOn(const std::string& node) const {
  const api::Node* const object = world_.nodes.Find({"", node});
  Amount free = object == nullptr ? Amount() : AllocatableOf(*object);
  for (const auto& [key, pod] : world_.pods.all()) {
    if (pod->spec.node_name == node && !api::IsTerminal(*pod)) {
      free -= RequestsOf(*pod);
    }
  }
  return free;
}

void Invariants::NobodyStoleTheRoom(const api::Pod& bound) {
  const std::string& node = bound.spec.node_name;
  if (world_.nodes.Find({"", node}) == nullptr) {
    return;
  }
  Amount promised;
  std::string whose;
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (!ticket->status.handoff || ticket->status.handoff->node != node) {
      continue;
    }
    const api::TicketHandoff& handoff = *ticket->status.handoff;
    if (handoff.pod_uid == bound.metadata.uid) {
      continue;
    }
    const api::Pod* pod = nullptr;
    bool guarded = false;
    for (const auto& [pod_key, candidate] : world_.pods.all()) {
      pod = candidate->metadata.uid == handoff.pod_uid ? candidate.get() : pod;
      guarded = guarded || candidate->metadata.uid == handoff.guardian_uid;
    }
    if (guarded || pod == nullptr || api::IsBound(*pod) || pod->metadata.deleting() ||
        pod->status.nominated_node_name != node ||
        bound.spec.priority.value_or(0) > pod->spec.priority.value_or(0)) {
      continue;
    }
    const auto lost = unnominated_at_.find(pod->metadata.uid);
    if (lost != unnominated_at_.end() && Recently(lost->second, kInFlight)) {
      continue;
    }
    // Perhaps before the scheduler had heard of the nomination.
    const auto taken = taken_away_at_.find(handoff.guardian_uid);
    if (taken != taken_away_at_.end() && Recently(taken->second, kInFlight)) {
      continue;
    }
    promised += RequestsOf(*pod);
    whose = NameOf(*pod);
  }
  if (whose.empty() || FreeOn(node).Holds(promised)) {
    return;
  }
  // The scheduler has forgotten the nomination, and ticket-svc needs a while to notice, or to lead.
  const MonoTime restarted_at = scheduler_.restarted_at();
  const MonoTime from = std::max(restarted_at, ticket_service_back_at_);
  if (restarted_at != MonoTime{} &&
      (ticket_service_acted_at_ < restarted_at || Recently(from, absl::Seconds(5)))) {
    ++known_losses_;
    return;
  }
  Fail("I7", absl::StrCat("pod ", NameOf(bound), " was bound to node ", node,
                          " into the room that was on its way to pod ", whose));
}

void Invariants::NoNodeIsTooFull(const api::Pod& pod) {
  if (pod.status.phase == api::kPodFailed && pod.status.reason == "OutOfcpu" &&
      !Recently(scheduler_.restarted_at(), absl::Seconds(5))) {
    Fail("I7", absl::StrCat("the kubelet refused pod ", NameOf(pod), ": ", pod.status.reason));
  }
}

// --- I8: one guardian

void Invariants::OneGuardianAtATime(const api::Pod& guardian) {
  const api::Ticket* const ticket = TicketOf(guardian);
  if (ticket == nullptr) {
    return;
  }
  const ticket::GuardedTicket owner = ticket::Reduced(*ticket);
  int32_t mine = ticket::IncarnationOf(owner, guardian);
  for (const auto& [key, other] : world_.pods.all()) {
    if (other->metadata.uid != guardian.metadata.uid && IsGuardian(*other) &&
        TicketOf(*other) == ticket && ticket::IncarnationOf(owner, *other) == mine) {
      Fail("I8",
           absl::StrCat("ticket ", NameOf(*ticket), " has two guardians of incarnation ", mine));
    }
  }
}

// --- I9: the end is final, and in time

void Invariants::EndIsFinal(const api::Ticket* was, const api::Ticket& is) {
  if (was != nullptr && was->metadata.uid == is.metadata.uid && IsOver(*was)) {
    if (was->status.phase != is.status.phase ||
        was->status.finished_time != is.status.finished_time) {
      Fail("I9", absl::StrCat("ticket ", NameOf(is), " was over and is so again, or no more"));
    }
    return;
  }
  if (is.status.phase != api::TicketPhase::kExpired || !is.status.expiration_time) {
    return;
  }
  absl::Duration late = machine_.Wall() - *is.status.expiration_time;
  // A pod that is on its way into the room is not stopped by the end.
  if (const auto ended = handoff_ended_at_.find(is.metadata.uid);
      ended != handoff_ended_at_.end() && late > absl::ZeroDuration()) {
    late = std::min(late, absl::FromChrono(machine_.Mono() - ended->second));
  }
  if (late < absl::ZeroDuration() && !Recently(disturbed_at_, kInFlight)) {
    Fail("I9", absl::StrCat("ticket ", NameOf(is), " expired ", absl::FormatDuration(-late),
                            " too early"));
  }
  const bool calm = calm_since_ && machine_.Mono() - *calm_since_ >
                                       absl::ToChronoNanoseconds(late + absl::Seconds(12));
  if (calm && late > kLateness) {
    Fail("I9",
         absl::StrCat("ticket ", NameOf(is), " expired ", absl::FormatDuration(late), " too late"));
  }
}

void Invariants::WindowIsKept(const api::Ticket* was, const api::Ticket& is) {
  const std::optional<absl::Time>& start = is.spec.start_time;
  if (start && is.status.activation_time && *is.status.activation_time < *start) {
    Fail("I9", absl::StrCat("the window of ticket ", NameOf(is), " begins before its startTime"));
  }
  const bool claimed = is.status.phase == api::TicketPhase::kClaimed &&
                       (was == nullptr || was->status.phase != api::TicketPhase::kClaimed);
  if (claimed && start && machine_.Wall() < *start && !Recently(disturbed_at_, kLongestTrance)) {
    Fail("I9", absl::StrCat("ticket ", NameOf(is), " was claimed before its window opened"));
  }
  if (was == nullptr || was->metadata.uid != is.metadata.uid || !was->status.activation_time) {
    return;
  }
  if (is.status.activation_time != was->status.activation_time) {
    Fail("I9", absl::StrCat("the window of ticket ", NameOf(is), " has begun a second time"));
  }
  if (is.status.expiration_time.value_or(absl::InfiniteFuture()) <
      was->status.expiration_time.value_or(absl::InfiniteFuture())) {
    Fail("I9", absl::StrCat("the window of ticket ", NameOf(is), " was made shorter"));
  }
}

void Invariants::WindowIsOfTheSchedule(const api::Ticket& made) {
  const api::OwnerReference* owner = api::ControllerOf(made.metadata);
  const api::Order* const order =
      owner == nullptr ? nullptr : world_.orders.Find({made.metadata.ns, owner->name});
  if (order == nullptr || order->metadata.uid != owner->uid ||
      order->spec.strategy.type != api::StrategyType::kScheduled) {
    return;
  }
  const absl::StatusOr<api::OrderWindows> windows = api::OrderWindows::Of(order->spec);
  if (!made.spec.start_time || !windows.ok() || !windows->IsTick(*made.spec.start_time)) {
    Fail("I9", absl::StrCat("ticket ", NameOf(made), " is for no window of its order"));
  }
}

void Invariants::RoomIsNotHeldTooEarly(const api::Pod& guardian) {
  const api::Ticket* const found = TicketOf(guardian);
  if (found == nullptr) {
    return;
  }
  const ticket::GuardedTicket owner = ticket::Reduced(*found);
  // A later guardian takes the place of one that was there in time, by a clock that may have been
  // set back since.
  if (ticket::IncarnationOf(owner, guardian) == 1 &&
      machine_.Wall() < ticket::GuardianFrom(owner) && !Recently(disturbed_at_, kLongestTrance)) {
    Fail("I9", absl::StrCat("guardian ", NameOf(guardian), " was made before its time"));
  }
}

// --- I12: nobody goes back to what he knew before

template <class T>
void Invariants::SpecsAreNotForgotten(const T* was, const T* is) {
  if (was != nullptr && is != nullptr && was->metadata.uid == is->metadata.uid &&
      is->status.observed_generation < was->status.observed_generation) {
    Fail("I12",
         absl::StrCat(world_.writer(), " wrote the status of ", std::string(T::kResource.plural),
                      " ", kube::KeyOf(*is).ToString(), " by its spec of generation ",
                      is->status.observed_generation, ", and generation ",
                      was->status.observed_generation, " was dealt with before"));
  }
}

// --- at rest

void Invariants::CheckAtRest() {
  UseIsWhatTicketsUse();
  NothingIsOverdue();
  RoomsAreWhereTheyShouldBe();
  ClaimsAreSettled();
  OrdersHaveTheirTickets();
}

void Invariants::UseIsWhatTicketsUse() {
  std::set<std::string> live;  // UIDs, and what their tickets carry
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (!IsOver(*ticket)) {
      live.insert(ticket->metadata.uid);
      live.insert(std::string(api::ValueOf(ticket->metadata.annotations, api::kAnnotationGrant)));
    }
  }
  for (const quota::Grant& grant : grants_) {
    if (!quota::HeldOrder(grant) &&
        !live.contains(grant.ticket_uid.empty() ? grant.id : grant.ticket_uid)) {
      Fail("I2", absl::StrCat("grant ", grant.id, " is still charged and belongs to nothing"));
    }
  }
  for (const auto& [key, quota] : world_.quotas.all()) {
    const Uses uses = UsesOf(*quota);
    for (const auto& [limit, text] : quota->status.used) {
      if (limit != "tickets" && limit != "reserved.cpu") {
        continue;
      }
      const auto it = uses.find(limit);
      const api::Quantity use = it == uses.end() ? api::Quantity() : it->second;
      if (*api::Quantity::Parse(text) != use) {
        Fail("I2", absl::StrCat("quota ", key.name, " says that ", limit, " is used ", text,
                                ", and tickets use ", use.ToString()));
      }
    }
  }
}

void Invariants::NothingIsOverdue() {
  for (const auto& [key, ticket] : world_.tickets.all()) {
    const std::optional<absl::Time> end = ticket::WindowEnd(*ticket);
    if (api::IsLive(ticket->status.phase) && end && *end + kSettling < machine_.Wall()) {
      Fail("I9", absl::StrCat("the window of ticket ", NameOf(*ticket), " is over, and it is ",
                              std::string(api::Name(ticket->status.phase)), " still"));
    }
  }
}

void Invariants::RoomsAreWhereTheyShouldBe() {
  for (const auto& [key, pod] : world_.pods.all()) {
    const std::string_view role = api::ValueOf(pod->metadata.labels, api::kLabelRole);
    if (role == api::kRoleFence) {
      Fail("I8", absl::StrCat("fence ", NameOf(*pod), " was left behind"));
    }
    if (role != api::kRoleGuardian) {
      continue;
    }
    const api::Ticket* const ticket = TicketOf(*pod);
    if (ticket == nullptr || IsOver(*ticket) ||
        ticket->status.phase == api::TicketPhase::kClaimed) {
      Fail("I8", absl::StrCat("guardian ", NameOf(*pod), " holds room for nobody"));
    }
  }
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (ticket->status.phase != api::TicketPhase::kReady) {
      continue;
    }
    const size_t slash = ticket->status.guardian_pod.find('/');
    const api::Pod* const guardian =
        slash == std::string::npos
            ? nullptr
            : world_.pods.Find({ticket->status.guardian_pod.substr(0, slash),
                                ticket->status.guardian_pod.substr(slash + 1)});
    if (guardian == nullptr || !Runs(*guardian) ||
        guardian->spec.node_name != NodeOfRoom(*ticket)) {
      Fail("I5", absl::StrCat("ticket ", NameOf(*ticket), " is Ready and nothing holds its room"));
    }
  }
}

void Invariants::ClaimsAreSettled() {
  for (const auto& [key, ticket] : world_.tickets.all()) {
    if (ticket->status.handoff) {
      Fail("I13", absl::StrCat("the handoff of ticket ", NameOf(*ticket), " never ends"));
    }
    if (ticket->status.phase != api::TicketPhase::kClaimed) {
      continue;
    }
    const size_t slash = ticket->status.claimed_pod.find('/');
    const api::Pod* const pod = world_.pods.Find({ticket->status.claimed_pod.substr(0, slash),
                                                  ticket->status.claimed_pod.substr(slash + 1)});
    if (pod == nullptr || pod->metadata.uid != ticket->status.claimed_pod_uid ||
        api::IsTerminal(*pod) || pod->spec.node_name != NodeOfRoom(*ticket)) {
      Fail("I6", absl::StrCat("ticket ", NameOf(*ticket), " is claimed by pod ",
                              ticket->status.claimed_pod, ", which is not in its room"));
    }
  }
  for (const auto& [key, pod] : world_.pods.all()) {
    if (!api::HasGate(*pod, api::kGateClaim)) {
      continue;
    }
    const api::ParsedClaimRequest asked = api::ParseClaimRequest(pod->metadata);
    if (asked.request.fallback != api::ClaimFallback::kWait) {
      Fail("I13", absl::StrCat("pod ", NameOf(*pod), " is never let go"));
    }
    if (!nominates_ && pod->spec.priority.value_or(0) <= kGuardianPriority) {
      continue;  // no ticket is for it
    }
    for (const auto& [ticket_key, ticket] : world_.tickets.all()) {
      const std::string_view order = api::ValueOf(ticket->metadata.labels, api::kLabelOrder);
      const std::string_view wanted =
          api::ValueOf(pod->metadata.annotations, api::kAnnotationOrder);
      const api::ResourceList room = api::EffectiveRequests(ticket->spec);
      const api::Node* const node = world_.nodes.Find({"", NodeOfRoom(*ticket)});
      const bool open = api::WindowStart(*ticket).value_or(absl::InfinitePast()) <= machine_.Wall();
      if (ticket->status.phase == api::TicketPhase::kReady && open && ticket_key.ns == key.ns &&
          (wanted.empty() || wanted == order) &&
          room.at("cpu").MilliValue() >= RequestsOf(*pod).cpu && node != nullptr &&
          !api::WhyNodeDoesNotFit(api::PlacementOf(pod->spec), *node)) {
        Fail("I13", absl::StrCat("pod ", NameOf(*pod), " waits for ever, and ticket ",
                                 NameOf(*ticket), " is free"));
      }
    }
  }
}

void Invariants::OrdersHaveTheirTickets() {
  for (const auto& [key, order] : world_.orders.all()) {
    for (const Share& share : SharesOf(*order)) {
      ShareIsThere(*order, share);
    }
  }
}

// All tickets of an order together, those of each window that is open, or that of each node.
std::vector<Invariants::Share> Invariants::SharesOf(const api::Order& order) const {
  std::vector<Share> shares;
  const absl::StatusOr<api::OrderWindows> windows = api::OrderWindows::Of(order.spec);
  if (order.spec.strategy.type == api::StrategyType::kScheduled && windows.ok()) {
    // One that opens at this moment has no tickets yet, and one that closes has them still.
    const absl::Time now = machine_.Wall();
    for (const api::Window& window : windows->OpenAt(now - kSettling)) {
      if (window.end <= now + kSettling) {
        continue;
      }
      shares.push_back(
          {absl::StrCat(" in the window of ", absl::FormatTime(window.start, absl::UTCTimeZone())),
           order.spec.replicas, [start = window.start](const api::Ticket& ticket) {
             return ticket.spec.start_time == start;
           }});
    }
    return shares;
  }
  if (!order.spec.daemon_set) {
    return {{"", order.spec.replicas, [](const api::Ticket&) { return true; }}};
  }
  const std::vector<std::string>& used = order.status.used_nodes;
  for (const auto& [key, node] : world_.nodes.all()) {
    const bool wants = api::IsEligibleForDaemon(order.spec.ticket_template.spec, *node) &&
                       std::find(used.begin(), used.end(), key.name) == used.end();
    shares.push_back({absl::StrCat(" on node ", key.name), wants ? 1 : 0,
                      [name = key.name](const api::Ticket& ticket) {
                        return api::ValueOf(ticket.metadata.labels, api::kLabelNode) == name;
                      }});
  }
  return shares;
}

void Invariants::ShareIsThere(const api::Order& order, const Share& share) {
  int64_t live = 0;
  int64_t ended = 0;
  for (const auto& [key, ticket] : world_.tickets.all()) {
    const api::OwnerReference* owner = api::ControllerOf(ticket->metadata);
    if (owner == nullptr || owner->uid != order.metadata.uid || !share.holds(*ticket)) {
      continue;
    }
    live += api::IsLive(ticket->status.phase) ? 1 : 0;
    ended += ticket->status.phase == api::TicketPhase::kExpired ||
                     ticket->status.phase == api::TicketPhase::kFailed
                 ? 1
                 : 0;
  }
  const std::string what =
      absl::StrCat("order ", kube::KeyOf(order).ToString(), share.what, " wants ", share.wanted);
  if (live > share.wanted) {
    Fail("I13", absl::StrCat(what, " tickets and has ", live));
  }
  if (live >= share.wanted || (order.spec.strategy.refresh_policy != api::RefreshPolicy::kAlways &&
                               (ended > 0 || lost_tickets_.contains(order.metadata.uid)))) {
    return;  // only Always replaces what was deleted or has expired
  }
  if (!AnyQuotaIsInTheWay(order)) {
    Fail("I13", absl::StrCat(what, " tickets, has ", live, ", and no quota is in the way"));
  }
}

// Of one ticket more.
bool Invariants::AnyQuotaIsInTheWay(const api::Order& order) const {
  const api::Quantity cpu = order.spec.ticket_template.spec.resources.requests.at("cpu");
  for (const auto& [key, quota] : world_.quotas.all()) {
    const auto& names = quota->spec.scope.namespaces;
    if (quota->spec.scope.type != api::ScopeType::kCluster &&
        std::find(names.begin(), names.end(), order.metadata.ns) == names.end()) {
      continue;
    }
    Uses uses = UsesOf(*quota);
    Charge(uses, cpu);
    for (const auto& [limit, text] : quota->spec.hard) {
      if (uses.contains(limit) && uses[limit] > *api::Quantity::Parse(text.text)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace korder::simulation
