#include "open_loop.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/ticket.h"
#include "base/parallel.h"
#include "base/pause.h"

namespace korder::bench {
namespace {

// Enough that none waits for another: at 100/s, answers may take more than half a second.
constexpr size_t kCallers = 64;
constexpr absl::Duration kPatience = absl::Minutes(2);

}  // namespace

std::vector<double> OpenLoop::Bare(double per_second, int count) {
  const std::string ns = plane_.MakeNamespace();
  std::set<std::string> running;
  const auto done = [&] {
    for (const Request& request : audit_.requests()) {
      if (request.ns == ns && request.resource == "pods/status" && request.ok()) {
        running.insert(request.name);
      }
    }
    return static_cast<int>(running.size());
  };
  const Kind kind{PodsOf(ns), PodText, "pods/status", false, done};
  std::vector<double> took = Measure(ns, kind, per_second, count);
  plane_.Do("DELETE", kind.collection + "?gracePeriodSeconds=0");
  plane_.DropNamespace(ns);
  return took;
}

std::vector<double> OpenLoop::Tickets(double per_second, int count) {
  const std::string ns = plane_.MakeNamespace();
  const auto done = [&] {
    int ready = 0;
    for (const api::Ticket& ticket :
         ValueOf(kube::ListAll<api::Ticket>(plane_.client(), ns)).items) {
      ready += ticket.status.phase == api::TicketPhase::kReady;
    }
    return ready;
  };
  const Kind kind{TicketsOf(ns), TicketText, "tickets/status", true, done};
  std::vector<double> took = Measure(ns, kind, per_second, count);
  plane_.Do("DELETE", kind.collection);
  while (plane_.Count(kind.collection) + plane_.Count(PodsOf(ns)) > 0) {
    Pause(absl::Milliseconds(200), {});
  }
  plane_.DropNamespace(ns);
  return took;
}

std::vector<double> OpenLoop::Measure(const std::string& ns, const Kind& kind, double per_second,
                                      int count) {
  audit_.Poll();
  audit_.Clear();
  const absl::Time begin = absl::Now();
  ParallelFor(static_cast<size_t>(count), kCallers, [&](size_t i) {
    Pause(begin + absl::Seconds(static_cast<double>(i) / per_second) - absl::Now(), {});
    plane_.Try("POST", kind.collection, kind.text(absl::StrCat("one-", i)));
  });
  for (const absl::Time end = absl::Now(); kind.done() < count;) {
    if (absl::Now() - end > kPatience) {
      throw std::runtime_error(absl::StrCat(kind.collection, ": not all of ", count, " are there"));
    }
    Pause(absl::Milliseconds(500), {});
    audit_.Poll();
  }
  audit_.Poll();
  return Latencies(ns, kind);
}

std::vector<double> OpenLoop::Latencies(const std::string& ns, const Kind& kind) const {
  const std::string resource = kind.status.substr(0, kind.status.find('/'));
  std::map<std::string, absl::Time> asked;
  std::map<std::string, absl::Time> done;
  for (const Request& request : audit_.requests()) {
    if (request.ns != ns || !request.ok() || !request.mutates()) {
      continue;
    }
    if (request.verb == "create" && request.resource == resource) {
      asked.emplace(request.name, request.received);
    } else if (request.resource == kind.status) {
      const auto [at, is_new] = done.emplace(request.name, request.at);
      at->second = kind.last ? std::max(at->second, request.at) : at->second;
    }
  }
  std::vector<double> took;
  for (const auto& [name, time] : done) {
    if (const auto at = asked.find(name); at != asked.end()) {
      took.push_back(absl::ToDoubleMilliseconds(time - at->second));
    }
  }
  return took;
}

}  // namespace korder::bench
