// What a pod or a ticket holds, what it waits for, why, and what would help, in plain words. Pure.
//
//   const Explanation explained = ExplainPod(facts);
//   out << Render(explained, facts.now, style);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/event.h"
#include "api/core/pod.h"
#include "api/v1alpha1/ticket.h"
#include "cli/style.h"

namespace korder::cli {

// What ticket-svc answers to "would this pod get a ticket now?".
struct Offer {
  std::string ticket;  // empty: none
  std::string node;
  std::string why;  // when there is none
  std::vector<std::string> help;
};

struct PodFacts {
  api::Pod pod;
  std::optional<api::Ticket> ticket;  // the one that the pod is marked with
  std::optional<Offer> offer;         // only asked for pods that wait
  std::string offer_problem;          // why there is no offer, if it was asked for
  std::vector<api::Event> events;
  absl::Time now;
};

struct TicketFacts {
  api::Ticket ticket;
  std::optional<api::Pod> guardian;
  std::optional<api::Pod> claimed_pod;
  std::string system_namespace;
  std::vector<api::Event> events;
  absl::Time now;
};

struct Explanation {
  std::string kind;
  std::string ns;
  std::string name;
  std::string state;  // one word, for programs: "Waiting", "Ready"
  std::string holds;  // each may be empty
  std::string waits_for;
  std::string why;
  std::vector<std::string> help;
  std::vector<api::Event> events;  // the newest last
};

Explanation ExplainPod(const PodFacts& facts);
Explanation ExplainTicket(const TicketFacts& facts);

// True for a pod that stands behind korder's gate without a ticket: an offer says why.
bool WaitsForTicket(const api::Pod& pod);

// Text, JSON or YAML, as the style says.
std::string Render(const Explanation& explanation, absl::Time now, const Style& style);

}  // namespace korder::cli
