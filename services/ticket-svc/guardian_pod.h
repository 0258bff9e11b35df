// The guardian of a ticket: a pod that does nothing but hold room on a node. Pure.
//
//   const api::Pod guardian = GuardianPod(ticket, 1, {.image = ..., .priority_class = ...});
//   guardian.metadata.name;   // "my-order-7-g1"
//
// The template's labels are not copied (a Service must not reach a guardian); selectors by which
// the ticket's own kind is spread or kept apart are rewritten to match guardians of its order.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/core/pod.h"
#include "ticket-svc/guarded_ticket.h"
#include "ticket-svc/own_pod.h"

namespace korder::ticket {

struct GuardianOptions {
  std::string image;
  std::string priority_class;  // when the ticket names none
  // Names of Secrets for a private registry, looked for in the namespace of each pod.
  std::vector<std::string> pull_secrets = {};
};

// "my-order-7-g1"; long ticket names are shortened with a hash so that it stays a valid host name.
std::string GuardianName(const std::string& ticket, int32_t incarnation);

// Which of the ticket's guardians a pod is, counted from 1; 0 when it is none. What makes a pod a
// guardian is its managing owner, by UID, and its name; a label proves nothing.
int32_t IncarnationOf(const GuardedTicket& ticket, const OwnPod& pod);
int32_t IncarnationOf(const GuardedTicket& ticket, const api::Pod& pod);

// What every pod of ours has in common, after the Pod Security profile "restricted".
void RestrictPod(api::PodSpec& spec);
void AddPullSecrets(const GuardianOptions& options, api::PodSpec& spec);
api::Container RestrictedContainer(std::string name, std::string image);

// The node as required affinity, so that the scheduler still checks the room there.
void PinToNode(const std::string& node, Boxed<api::Affinity>& affinity);

// The pod may run on none of these nodes. At most a few: each is a term of its own.
void AvoidNodes(const std::set<std::string>& nodes, Boxed<api::Affinity>& affinity);

// `avoid`: nodes on which it must not look for room just now (guardian_traffic.h); the pod says so
// in an annotation.
api::Pod GuardianPod(const GuardedTicket& ticket, int32_t incarnation,
                     const GuardianOptions& options, const std::set<std::string>& avoid = {});

}  // namespace korder::ticket
