// What ticket-svc knows of one Ticket at one moment.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "ticket-svc/guarded_ticket.h"
#include "ticket-svc/own_pod.h"

namespace korder::ticket {

using PodPtr = std::shared_ptr<const api::Pod>;
using NodePtr = std::shared_ptr<const api::Node>;

// The node controller needs some 40 s to notice; a node that is restarted takes about a minute.
inline constexpr absl::Duration kDefaultNodeGrace = absl::Minutes(1);

struct Guardian {
  OwnPodPtr pod;
  NodePtr node;  // the one it is bound to; null when it is not bound, or the node is gone
};

// A later end of the window that was asked for and not granted.
struct RefusedEnd {
  absl::Time end;
  absl::Duration wait;  // until it may be asked for again
};

struct Observed {
  TicketPtr ticket;
  // Pods whose managing owner is this ticket, by UID (IncarnationOf is not 0).
  std::vector<Guardian> guardians;
  // The pod of status.claimedPodUID; null when there is none, or none any more.
  PodPtr claimed_pod;
  // quota-svc has confirmed the charge: this process asked, or the status proves it.
  bool charge_confirmed = false;
  // How long a guardian counts on a node that is not Ready.
  absl::Duration node_grace = kDefaultNodeGrace;
  // Nodes where handoffs are under way: guardians that look for room stay away
  // (guardian_traffic.h).
  std::set<std::string> busy_nodes;
  // How long no guardian is to be made, because the one before had to step aside.
  absl::Duration hold_back;
  // The last one that quota-svc did not grant, as far as this process remembers.
  std::optional<RefusedEnd> refused_end;
  // Since this process last wrote the status.
  absl::Duration since_status_write = absl::InfiniteDuration();
  absl::Time now;
};

}  // namespace korder::ticket
