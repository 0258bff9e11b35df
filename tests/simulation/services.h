// The four services as processes of the simulation. Each function is what the service's main.cc is:
// a list of constructions, with the machine's clock and network instead of the real ones; it
// returns when the process is to end.
#pragma once

#include "machine.h"
#include "network.h"
#include "peers.h"
#include "ticket-svc/handoff_options.h"

namespace korder::simulation {

// Shorter than in real life: a run lasts a minute or two.
inline constexpr absl::Duration kGrantTtl = absl::Seconds(10);

struct Surroundings {
  Machine& machine;
  Network& network;
  Peers& peers;
  const Clock& clock;
  ticket::HandoffOptions handoff;
};

void RunOrderService(Surroundings& around, Process& process);
void RunTicketService(Surroundings& around, Process& process);
void RunQuotaService(Surroundings& around, Process& process);
void RunAdmissionService(Surroundings& around, Process& process);

}  // namespace korder::simulation
