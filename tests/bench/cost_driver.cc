// Does one of korder's decisions so many times, or keeps so many objects, and nothing else: for
// counting what that costs in instructions (under callgrind) and bytes. tests/bench/counts.py runs
// it and compares with ceilings.json.
//
//   cost_driver ledger|claims|admission TIMES     # decides
//   cost_driver tickets|guardians|looks|charges|orders COUNT   # prints the bytes of memory they
//   hold
//
// Counts do not depend on how fast or busy a machine is, so CI can have a ceiling for them.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <malloc.h>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/clock.h"
#include "base/mono_time.h"
#include "decisions.h"
#include "json/fields.h"
#include "kube/delay_heap.h"
#include "kube/store.h"
#include "order-svc/order_ticket.h"
#include "quota-svc/ledger.h"
#include "quota-svc/observed.h"
#include "sample_objects.h"
#include "ticket-svc/guarded_ticket.h"
#include "ticket-svc/own_pod.h"
#include "ticket-svc/world.h"

namespace korder::bench {
namespace {

template <class Case>
void Decide(Case decision, int times) {
  for (int i = 0; i < times; ++i) {
    decision.Decide();
  }
}

size_t BytesInUse() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// What ticket-svc keeps: its stores with their indexes.
struct TicketService {
  SystemClock clock;
  kube::Store<ticket::GuardedTicket> tickets;
  kube::Store<ticket::OwnPod> guardians;
  kube::Store<api::Pod> claim_pods;
  kube::Store<api::Node> nodes;
  ticket::World world{{tickets, guardians, claim_pods, nodes}, clock};
};

// What quota-svc keeps for each ticket: the ticket as the ledger sees it, and the charge.
struct QuotaService {
  kube::Store<quota::LedgerTicket> tickets;
  quota::Ledger ledger;
};

// What order-svc keeps for each ticket of an order.
struct OrderService {
  OrderService() { tickets.AddIndex(std::string(order::kOwnerIndex), order::OwnerIndex); }
  kube::Store<order::OrderTicket> tickets;
};

// As an informer keeps it.
template <class T>
std::shared_ptr<const T> Read(std::string text) {
  T object;
  if (!json::Parse(std::move(text), object).ok()) {
    throw std::runtime_error("an object cannot be read");
  }
  return std::make_shared<const T>(std::move(object));
}

// `keep` puts the object of a number into a Service.
template <class Service>
void PrintBytes(int count, const std::function<void(Service&, int)>& keep) {
  Service service;
  keep(service, 0);  // what is there once
  const size_t before = BytesInUse();
  for (int i = 1; i <= count; ++i) {
    keep(service, i);
  }
  std::cout << BytesInUse() - before << "\n";
}

void KeepCharges(const SampleObjects& objects, int count) {
  PrintBytes<QuotaService>(count, [&](QuotaService& service, int i) {
    const auto ticket = Read<quota::LedgerTicket>(objects.Ticket(i, i + 1));
    service.tickets.Put(ticket);
    service.ledger.Observe(ViewOf(*ticket));
  });
}

int Run(const std::string& what, int count) {
  const SampleObjects objects;
  const std::map<std::string, std::function<void()>> all = {
      {"ledger", [&] { Decide(LedgerCase({.quotas = 10}), count); }},
      {"claims", [&] { Decide(ClaimCase({.nodes = 100, .waiting = 10}), count); }},
      {"admission", [&] { Decide(AdmissionCase(), count); }},
      {"tickets",
       [&] {
         PrintBytes<TicketService>(count, [&](TicketService& service, int i) {
           service.tickets.Put(Read<ticket::GuardedTicket>(objects.Ticket(i, i + 1)));
         });
       }},
      {"guardians",
       [&] {
         PrintBytes<TicketService>(count, [&](TicketService& service, int i) {
           service.guardians.Put(Read<ticket::OwnPod>(objects.Guardian(i, i + 1)));
         });
       }},
      {"looks",
       [&] {
         PrintBytes<kube::DelayHeap>(count, [](kube::DelayHeap& looks, int i) {
           looks.Push({"default", "web-" + std::to_string(i)},
                      MonoTime() + std::chrono::seconds(i));
         });
       }},
      {"charges", [&] { KeepCharges(objects, count); }},
      {"orders",
       [&] {
         PrintBytes<OrderService>(count, [&](OrderService& service, int i) {
           service.tickets.Put(Read<order::OrderTicket>(objects.Ticket(i, i + 1)));
         });
       }},
  };
  const auto found = all.find(what);
  if (found == all.end() || count < 1) {
    std::cerr << "usage: cost_driver "
                 "ledger|claims|admission|tickets|guardians|looks|charges|orders COUNT\n";
    return 2;
  }
  found->second();
  return 0;
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  try {
    return korder::bench::Run(argc == 3 ? argv[1] : "", argc == 3 ? std::atoi(argv[2]) : 0);
  } catch (const std::exception& failure) {
    std::cerr << "cost_driver: " << failure.what() << "\n";
    return 1;
  }
}
