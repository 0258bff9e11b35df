#include "cli/explanation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/core/pod_requests.h"
#include "api/v1alpha1/claim_request.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/names.h"
#include "api/v1alpha1/reasons.h"
#include "cli/structured.h"
#include "cli/table.h"
#include "cli/text.h"
#include "json/writer.h"

namespace korder::cli {
namespace {

using api::TicketPhase;

std::string Ago(std::optional<absl::Time> since, absl::Time now) {
  return since ? absl::StrCat("for ", ShortDuration(now - *since)) : "";
}

std::string Listed(const api::ResourceList& resources) {
  return absl::StrJoin(resources, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, entry.second.ToString(), " ", entry.first);
  });
}

std::string NameOf(const std::string& key) { return key.substr(key.find('/') + 1); }

// When it was last seen; each kind of writer fills in another field.
absl::Time TimeOf(const api::Event& event) {
  if (event.last_timestamp) {
    return *event.last_timestamp;
  }
  return event.event_time ? event.event_time->time
                          : event.metadata.creation_timestamp.value_or(absl::InfinitePast());
}

Explanation About(const char* kind, const api::ObjectMeta& meta,
                  const std::vector<api::Event>& events) {
  Explanation explained{.kind = kind, .ns = meta.ns, .name = meta.name, .events = events};
  std::stable_sort(explained.events.begin(), explained.events.end(),
                   [](const api::Event& a, const api::Event& b) { return TimeOf(a) < TimeOf(b); });
  return explained;
}

// "a ticket of order web with labels app=shop"
std::string Wish(const api::ClaimRequest& request) {
  std::string wish = request.ticket.empty() ? "a ticket" : "ticket " + request.ticket;
  if (!request.order.empty()) {
    absl::StrAppend(&wish, " of order ", request.order);
  }
  return wish;
}

std::string WithoutOne(const api::ClaimRequest& request, const api::Pod& pod, absl::Time now) {
  switch (request.fallback) {
    case api::ClaimFallback::kSchedule: {
      const absl::Time end = pod.metadata.creation_timestamp.value_or(now) + request.timeout;
      return end > now ? absl::StrCat("goes on without one in ", ShortDuration(end - now))
                       : "goes on without one any moment";
    }
    case api::ClaimFallback::kWait:
    case api::ClaimFallback::kDeny:
      break;
  }
  return "waits until there is one";
}

void ExplainWaiting(const PodFacts& facts, Explanation& explained) {
  const api::Pod& pod = facts.pod;
  const api::ClaimRequest request = api::ParseClaimRequest(pod.metadata).request;
  explained.state = "Waiting";
  explained.waits_for = absl::StrCat(
      Wish(request), " that holds ", Listed(api::PodRequests(pod.spec)), ", ",
      Ago(pod.metadata.creation_timestamp, facts.now), "; ", WithoutOne(request, pod, facts.now));
  if (!facts.offer) {
    explained.why = facts.offer_problem;
  } else if (facts.offer->ticket.empty()) {
    explained.why = facts.offer->why;
    explained.help = facts.offer->help;
  } else {
    explained.why = absl::StrCat("ticket ", facts.offer->ticket, " on node ", facts.offer->node,
                                 " fits; it is the pod's turn soon");
  }
}

void ExplainHandoff(const PodFacts& facts, Explanation& explained) {
  explained.state = "HandingOver";
  const std::string ticket(
      api::ValueOf(facts.pod.metadata.annotations, api::kAnnotationClaimedTicket));
  explained.waits_for = absl::StrCat("the room of ticket ", ticket);
  if (!facts.ticket || !facts.ticket->status.handoff) {
    explained.why = "the handoff it is marked with is over; the mark goes soon";
    return;
  }
  const api::TicketHandoff& handoff = *facts.ticket->status.handoff;
  absl::StrAppend(&explained.waits_for, " on node ", handoff.node);
  explained.why = absl::StrCat("the guardian makes room; the handoff is under way ",
                               Ago(handoff.started_at, facts.now));
}

void ExplainUnbound(const PodFacts& facts, Explanation& explained) {
  const api::Pod& pod = facts.pod;
  explained.state = "Scheduling";
  explained.waits_for =
      pod.status.nominated_node_name.empty()
          ? "the scheduler"
          : absl::StrCat("the scheduler, to bind it to node ", pod.status.nominated_node_name);
  if (const api::PodCondition* refused = api::Unschedulable(pod)) {
    explained.why = refused->message;
  }
}

// A pod that korder let go.
void ExplainDecided(const PodFacts& facts, Explanation& explained) {
  const api::Pod& pod = facts.pod;
  const std::string_view result =
      api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimResult);
  const std::string ticket(api::ValueOf(pod.metadata.annotations, api::kAnnotationClaimedTicket));
  if (!api::IsBound(pod)) {
    ExplainUnbound(facts, explained);
  } else {
    explained.state = api::IsTerminal(pod) ? "Finished" : "Running";
  }
  const std::string at = api::IsBound(pod) ? absl::StrCat(" on node ", pod.spec.node_name) : "";
  if (result == api::kClaimResultClaimed && api::IsBound(pod)) {
    explained.holds = absl::StrCat("the room of ticket ", ticket, at);
    if (!facts.ticket) {
      explained.why = absl::StrCat("ticket ", ticket, " is gone; the pod runs on");
    }
  } else if (result == api::kClaimResultLost) {
    explained.holds = absl::StrCat("room of its own", at);
    explained.why = absl::StrCat("the room of ticket ", ticket,
                                 " was lost on the way; the ticket gets new room");
    explained.help = {"the events of the ticket say how: korderctl explain ticket " + ticket};
  } else if (result == api::kClaimResultFallback) {
    explained.holds = absl::StrCat("room of its own", at);
    explained.why = "no ticket came in time, so the pod went on without one";
    explained.help = {"annotation korder.dev/fallback: wait, so that the next such pod waits"};
  }
}

void ExplainUnseen(const PodFacts& facts, Explanation& explained) {
  const bool bound = api::IsBound(facts.pod);
  explained.state = bound ? "Running" : "Scheduling";
  if (bound) {
    explained.holds = absl::StrCat("room of its own on node ", facts.pod.spec.node_name);
  } else {
    ExplainUnbound(facts, explained);
  }
  if (!api::AsksForTicket(facts.pod.metadata)) {
    explained.why = absl::StrCat(explained.why, explained.why.empty() ? "" : "; ",
                                 "the pod does not ask korder for room");
    explained.help = {
        "to ask, a pod must be made with the annotation korder.dev/required: \"true\""};
    return;
  }
  explained.why = "the pod asks for a ticket, but korder did not see it when it was made";
  explained.help = {
      "make it anew; a pod can be held back only while it is made",
      "was korder's admission-svc running, and is the namespace one that korder looks at?"};
}

// What would help a ticket that is Pending for this reason.
std::vector<std::string> HelpFor(const TicketFacts& facts) {
  const std::string& reason = facts.ticket.status.reason;
  if (reason == api::kReasonQuotaDenied) {
    return {"what is used and by whom: korderctl quota usage -n " + facts.ticket.metadata.ns,
            "a smaller or shorter order, or a larger quota"};
  }
  if (reason == api::kReasonQuotaUnavailable) {
    return {"is quota-svc running? kubectl -n " + facts.system_namespace + " get pods"};
  }
  if (reason == api::kReasonUnschedulable) {
    return {"room on the nodes that the ticket may be on, or another node",
            "smaller resources, or fewer demands on the node, in the order's template"};
  }
  if (reason == api::kReasonGuardianRefused) {
    return {
        "what refused it: a policy, a ResourceQuota or a missing PriorityClass, as the message "
        "says"};
  }
  if (reason == api::kReasonInvalidSpec) {
    return {"a correct template in the order; tickets are not changed afterwards"};
  }
  return {};
}

void ExplainPending(const TicketFacts& facts, Explanation& explained) {
  const api::TicketStatus& status = facts.ticket.status;
  explained.waits_for =
      facts.guardian
          ? absl::StrCat("its guardian ", facts.guardian->metadata.name, " to find room and run")
      : facts.ticket.spec.start_time && *facts.ticket.spec.start_time > facts.now
          ? "its start at " + WhenText(*facts.ticket.spec.start_time, facts.now)
          : "a guardian";
  explained.why =
      status.reason.empty()
          ? "it has just been made"
          : absl::StrCat(status.reason, status.message.empty() ? "" : ": " + status.message);
  explained.help = HelpFor(facts);
}

void ExplainClaimed(const TicketFacts& facts, Explanation& explained) {
  const api::TicketStatus& status = facts.ticket.status;
  const std::string pod = NameOf(status.claimed_pod);
  if (!status.handoff) {
    explained.holds = absl::StrCat("its room on node ", status.node_name, " is pod ", pod, "'s");
    return;
  }
  explained.state = "HandingOver";
  explained.waits_for = absl::StrCat("pod ", pod, " to be bound to node ", status.handoff->node);
  explained.why = absl::StrCat(
      facts.guardian ? "guardian " + facts.guardian->metadata.name + " still holds the room"
                     : "the guardian has made room",
      "; the handoff is under way ", Ago(status.handoff->started_at, facts.now));
}

void WriteStrings(std::string_view key, const std::vector<std::string>& values, json::Writer& w) {
  w.Key(key);
  w.BeginArray();
  for (const std::string& value : values) {
    w.String(value);
  }
  w.EndArray();
}

std::string Json(const Explanation& e) {
  json::Writer w;
  w.BeginObject();
  const std::pair<const char*, const std::string*> fields[] = {
      {"kind", &e.kind},   {"namespace", &e.ns},       {"name", &e.name}, {"state", &e.state},
      {"holds", &e.holds}, {"waitsFor", &e.waits_for}, {"why", &e.why}};
  for (const auto& [key, value] : fields) {
    if (!value->empty()) {
      w.Key(key);
      w.String(*value);
    }
  }
  WriteStrings("wouldHelp", e.help, w);
  w.Key("events");
  w.BeginArray();
  for (const api::Event& event : e.events) {
    w.BeginObject();
    w.Key("reason");
    w.String(event.reason);
    w.Key("message");
    w.String(event.message);
    w.Key("time");
    w.String(TimeText(TimeOf(event)));
    w.EndObject();
  }
  w.EndArray();
  w.EndObject();
  return w.Take();
}

}  // namespace

bool WaitsForTicket(const api::Pod& pod) {
  return api::HasGate(pod, api::kGateClaim) &&
         api::ValueOf(pod.metadata.annotations, api::kAnnotationHandoff).empty();
}

Explanation ExplainPod(const PodFacts& facts) {
  Explanation explained = About("Pod", facts.pod.metadata, facts.events);
  if (facts.pod.metadata.deleting()) {
    explained.state = "Deleting";
    explained.why = "the pod is being deleted";
  } else if (WaitsForTicket(facts.pod)) {
    ExplainWaiting(facts, explained);
  } else if (api::HasGate(facts.pod, api::kGateClaim)) {
    ExplainHandoff(facts, explained);
  } else if (!api::ValueOf(facts.pod.metadata.annotations, api::kAnnotationClaimResult).empty()) {
    ExplainDecided(facts, explained);
  } else {
    ExplainUnseen(facts, explained);
  }
  return explained;
}

Explanation ExplainTicket(const TicketFacts& facts) {
  const api::TicketStatus& status = facts.ticket.status;
  Explanation explained = About("Ticket", facts.ticket.metadata, facts.events);
  explained.state = std::string(api::Name(status.phase));
  const std::string until =
      status.expiration_time ? ", until " + WhenText(*status.expiration_time, facts.now) : "";
  switch (status.phase) {
    case TicketPhase::kPending:
      ExplainPending(facts, explained);
      break;
    case TicketPhase::kReady:
      explained.holds =
          absl::StrCat(Listed(api::EffectiveRequests(facts.ticket.spec)), " on node ",
                       status.node_name, ", by guardian ", NameOf(status.guardian_pod), until);
      explained.waits_for = absl::StrCat("a pod of namespace ", facts.ticket.metadata.ns,
                                         " that asks (korder.dev/required: \"true\") and fits");
      break;
    case TicketPhase::kClaimed:
      ExplainClaimed(facts, explained);
      break;
    case TicketPhase::kCompleted:
    case TicketPhase::kExpired:
    case TicketPhase::kFailed:
      explained.holds = "nothing any more";
      explained.why =
          absl::StrCat(status.reason, status.message.empty() ? "" : ": " + status.message);
      break;
  }
  return explained;
}

std::string Render(const Explanation& e, absl::Time now, const Style& style) {
  if (style.format == Format::kJson || style.format == Format::kYaml) {
    return Structured(Json(e), style.format);
  }
  std::string out = absl::StrCat(Painted(absl::StrCat(e.kind, " ", e.name), "1", style.color),
                                 " in namespace ", e.ns, "\n");
  const auto line = [&out](const char* title, const std::string& text) {
    if (!text.empty()) {
      absl::StrAppend(&out, "  ", Padded(title, 13), text, "\n");
    }
  };
  line("state", e.state);
  line("holds", e.holds);
  line("waits for", e.waits_for);
  line("why", e.why);
  for (size_t i = 0; i < e.help.size(); ++i) {
    line(i == 0 ? "would help" : "", e.help[i]);
  }
  for (size_t i = 0; i < e.events.size(); ++i) {
    const api::Event& event = e.events[i];
    const std::string age = ShortDuration(now - TimeOf(event)) + " ago";
    line(i == 0 ? "events" : "", absl::StrCat(Padded(age, 11), event.reason, ": ", event.message));
  }
  return out;
}

}  // namespace korder::cli
