// How the services reach each other: gRPC without a network, with everything that a network does.
// The client is the one that ships (runtime::LedgerClient), and so is the server (LedgerService).
//
//   Peers peers(machine, network);
//   LedgerRoute route(peers, process);
//   runtime::LedgerClient ledger(route);
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "admission-svc/pod_webhook.h"
#include "admission-svc/validate.h"
#include "machine.h"
#include "network.h"
#include "quota-svc/ledger_service.h"
#include "runtime/ledger_stubs.h"
#include "ticket-svc/ticket_desk.h"

namespace korder::simulation {

// What a process offers to others, as long as it lives.
struct LedgerServer {
  Process& process;
  quota::LedgerService& service;
  bool serving = false;
  int calls = 0;  // under way
};
struct DeskServer {
  Process& process;
  ticket::TicketDesk& desk;
};
struct WebhookServer {
  Process& process;
  const admission::PodWebhook& pods;
  const admission::Validator& validator;
  int calls = 0;  // under way
};

// An answer on its way to a client.
struct LedgerAnswer {
  const Process& client;
  const Process& server;
  int64_t epoch = 0;
  std::vector<std::string> granted;  // reservations
};

class Peers {
 public:
  Peers(Machine& machine, Network& network, uint64_t seed)
      : machine_(machine), network_(network), dice_(seed, "peers") {}

  std::vector<LedgerServer*> ledgers;
  std::vector<DeskServer*> desks;
  std::vector<WebhookServer*> webhooks;

  // Leaves the list, and waits until every call has ended.
  void Leave(LedgerServer& server);
  void Leave(WebhookServer& server);
  template <class Server>
  Server* PickAlive(const std::vector<Server*>& servers) {
    std::vector<Server*> alive;
    for (Server* server : servers) {
      if (!server->process.dead) {
        alive.push_back(server);
      }
    }
    return alive.empty() ? nullptr : dice_.Pick(alive);
  }
  // One that says it serves.
  LedgerServer* PickLedger();

  int64_t calls = 0;
  std::function<void(const LedgerAnswer&)> on_answer = [](const LedgerAnswer&) {};

  Machine& machine() { return machine_; }
  Network& network() { return network_; }

 private:
  Machine& machine_;
  Network& network_;
  Dice dice_;
};

// The way of one process to the ledger.
class LedgerRoute final : public runtime::LedgerStubs {
 public:
  LedgerRoute(Peers& peers, Process& client) : peers_(peers), client_(client) {}
  std::unique_ptr<quota::v1::QuotaLedger::StubInterface> New() override;

  // Of the next call.
  absl::Duration timeout = absl::Seconds(3);

 private:
  Peers& peers_;
  Process& client_;
};

}  // namespace korder::simulation
