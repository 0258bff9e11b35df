#include "scale_run.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/order.h"
#include "base/parallel.h"

namespace korder::bench {
namespace {

// Who make bare pods, or Orders, at the same time.
constexpr size_t kCallers = 16;

// How often a measurement of so many is looked at: a few are there within a second or two, and what
// goes on after the last one must not count.
absl::Duration SampleEvery(int count) {
  return std::clamp(count * absl::Milliseconds(1), absl::Milliseconds(200), absl::Seconds(1));
}
constexpr absl::Duration kTellEvery = absl::Seconds(3);
// After all is gone: until korder, which counts in its whole life what it still writes, has written
// the last of it; or until what is measured next is not disturbed.
constexpr absl::Duration kLastWrites = absl::Seconds(1);
constexpr absl::Duration kQuiet = absl::Milliseconds(300);
void Sleep(absl::Duration time) { std::this_thread::sleep_for(absl::ToChronoNanoseconds(time)); }

// The last (or first) time at which each object was written successfully.
std::map<std::string, absl::Time> WrittenAt(const std::vector<Request>& requests,
                                            const std::string& ns, const std::string& resource,
                                            bool last) {
  std::map<std::string, absl::Time> times;
  for (const Request& request : requests) {
    if (request.ns == ns && request.resource == resource && request.mutates() && request.ok()) {
      const auto [at, is_new] = times.emplace(request.name, request.at);
      at->second = last ? std::max(at->second, request.at) : std::min(at->second, request.at);
    }
  }
  return times;
}

void Take(const std::map<std::string, absl::Time>& times, Figures& figures) {
  for (const auto& [name, time] : times) {
    figures.ready.push_back(time);
  }
  std::sort(figures.ready.begin(), figures.ready.end());
  figures.thirds = RatesOfThirds(figures.ready);
}

}  // namespace

int64_t Figures::total_writes() const {
  int64_t total = 0;
  for (const auto& [what, times] : writes) {
    total += times;
  }
  return total;
}

int64_t Figures::WritesOf(const std::string& what) const {
  int64_t total = 0;
  for (const auto& [key, times] : writes) {
    total += key.ends_with(" " + what) ? times : 0;
  }
  return total;
}

// A measurement under way.
struct ScaleRun::Begin {
  Figures figures;
  std::string ns;
  absl::Time at;
  Usages services;
  std::map<std::string, int64_t> shares;
  Usages others;
  int64_t etcd_updates = 0;
  size_t read = 0;              // of the audit log's requests
  int made = 0;                 // tickets
  std::vector<Point> resident;  // bytes of all services, by tickets made
};

ScaleRun::ScaleRun(ScaleOptions options)
    : options_(std::move(options)),
      plane_(options_.kubeconfig),
      audit_(options_.audit_log),
      services_(options_.services),
      others_(options_.others) {}

Figures ScaleRun::Bare(const std::string& name, int count) {
  Begin begin = Start(name, count);
  const std::string pods = PodsOf(begin.ns);
  {
    std::jthread generator([&] {
      ParallelFor(static_cast<size_t>(count), kCallers,
                  [&](size_t i) { plane_.Try("POST", pods, PodText(absl::StrCat("bare-", i))); });
    });
    std::set<std::string> running;
    size_t seen = 0;
    Await(
        begin, "Running",
        [&] {
          for (; seen < audit_.requests().size(); ++seen) {
            const Request& request = audit_.requests()[seen];
            if (request.ns == begin.ns && request.resource == "pods/status" && request.ok()) {
              running.insert(request.name);
            }
          }
          return static_cast<int>(running.size());
        },
        count);
  }
  Ready(begin);
  Take(WrittenAt(audit_.requests(), begin.ns, "pods/status", false), begin.figures);
  begin.figures.seconds = absl::ToDoubleSeconds(begin.figures.ready.back() - begin.at);
  const absl::Time deletion = absl::Now();
  // As guardians go: at once.
  plane_.Do("DELETE", absl::StrCat(pods, "?gracePeriodSeconds=0"));
  Await(
      begin, "gone", [&] { return count - plane_.Count(pods); }, count);
  begin.figures.gone_seconds = absl::ToDoubleSeconds(absl::Now() - deletion);
  Gone(begin, kQuiet);
  return begin.figures;
}

Figures ScaleRun::Orders(const std::string& name, int orders, int size) {
  const int count = orders * size;
  Begin begin = Start(name, count);
  std::jthread generator([&] {
    ParallelFor(static_cast<size_t>(orders), kCallers, [&](size_t i) {
      plane_.Try("POST", OrdersOf(begin.ns), OrderText(begin.ns, absl::StrCat("order-", i), size));
    });
  });
  Await(
      begin, "Ready",
      [&] {
        const auto all = kube::ListAll<api::Order>(plane_.client(), begin.ns);
        if (!all.ok()) {
          throw std::runtime_error(ToString(all.status()));
        }
        int ready = 0;
        for (const api::Order& order : all->items) {
          ready += order.status.ready_replicas;
        }
        return ready;
      },
      count);
  generator.join();
  Ready(begin);
  Take(WrittenAt(audit_.requests(), begin.ns, "tickets/status", true), begin.figures);
  begin.figures.seconds = absl::ToDoubleSeconds(begin.figures.ready.back() - begin.at);

  const absl::Time deletion = absl::Now();
  plane_.Do("DELETE", OrdersOf(begin.ns) + (orders == 1 ? "/order-0" : ""));
  Await(
      begin, "gone",
      [&] {
        return 2 * count - plane_.Count(TicketsOf(begin.ns)) - plane_.Count(PodsOf(begin.ns));
      },
      2 * count);
  begin.figures.gone_seconds = absl::ToDoubleSeconds(absl::Now() - deletion);
  Gone(begin, kLastWrites);
  return begin.figures;
}

void ScaleRun::PrepareWritesAlone() { alone_.emplace(plane_); }

Figures ScaleRun::WritesAlone(const std::string& name, int count) {
  alone_->TakeModel();
  Begin begin = Start(name, count);
  {
    bench::WritesAlone::Writing writing(*alone_, begin.ns, count);
    Await(
        begin, "Ready", [&] { return writing.ready(); }, count);
  }
  Ready(begin);
  CheckLeftAlone(begin.ns);
  Take(WrittenAt(audit_.requests(), begin.ns, "tickets/status", true), begin.figures);
  begin.figures.seconds = absl::ToDoubleSeconds(begin.figures.ready.back() - begin.at);

  const std::string copies = CopiesOf(begin.ns);
  const std::string pods = PodsOf(begin.ns);
  const absl::Time deletion = absl::Now();
  plane_.Do("DELETE", absl::StrCat(pods, "?gracePeriodSeconds=0"));
  plane_.Do("DELETE", copies);
  Await(
      begin, "gone", [&] { return 2 * count - plane_.Count(copies) - plane_.Count(pods); },
      2 * count);
  begin.figures.gone_seconds = absl::ToDoubleSeconds(absl::Now() - deletion);
  Gone(begin, kQuiet);
  return begin.figures;
}

void ScaleRun::CheckLeftAlone(const std::string& ns) {
  for (const Request& request : audit_.requests()) {
    if (request.by_korder() && request.mutates() && request.ns == ns &&
        (request.group == TicketCopy::kResource.group || request.resource.starts_with("pods"))) {
      throw std::runtime_error(absl::StrCat("the writes alone were not alone: ", request.user, " ",
                                            request.verb, " ", request.resource, " ",
                                            request.name));
    }
  }
}

ScaleRun::Begin ScaleRun::Start(const std::string& name, int count) {
  std::cerr << name << ": " << count << "\n";
  Begin begin;
  begin.ns = plane_.MakeNamespace();
  begin.figures.name = name;
  begin.figures.count = count;
  begin.shares = services_.ReadShares();
  begin.services = services_.Read();
  begin.others = others_.Read();
  begin.etcd_updates = EtcdUpdates();
  audit_.Poll();
  audit_.Clear();
  begin.at = absl::Now();
  return begin;
}

void ScaleRun::Await(Begin& begin, const std::string& what, const std::function<int()>& done,
                     int count) {
  const absl::Time start = absl::Now();
  absl::Time moved = start, told = start;
  for (int before = -1;;) {
    audit_.Poll();
    const int now = done();
    int64_t resident = 0;
    for (const auto& [service, usage] : services_.Read()) {
      resident += usage.resident;
    }
    for (; begin.read < audit_.requests().size(); ++begin.read) {
      const Request& request = audit_.requests()[begin.read];
      begin.made += request.ns == begin.ns && request.resource == "tickets" &&
                    request.verb == "create" && request.ok();
    }
    if (what == "Ready" && begin.made > 0) {
      begin.resident.push_back({static_cast<double>(begin.made), static_cast<double>(resident)});
    }
    if (now != before) {
      moved = absl::Now();
      before = now;
    }
    if (absl::Now() - told >= kTellEvery || now >= count) {
      told = absl::Now();
      std::cerr << absl::StreamFormat("  %5.0f s  %6d of %d %s, services %.1f MiB\n",
                                      absl::ToDoubleSeconds(told - start), now, count, what,
                                      static_cast<double>(resident) / (1 << 20));
    }
    if (now >= count) {
      return;
    }
    if (absl::Now() - moved > options_.patience) {
      throw std::runtime_error(
          absl::StrCat(begin.figures.name, ": stuck at ", now, " of ", count, " ", what));
    }
    Sleep(SampleEvery(count));
  }
}

void ScaleRun::Ready(Begin& begin) {
  const absl::Time ready = absl::Now();
  const Usages services = services_.Read();
  for (const auto& [name, usage] : services) {
    begin.figures.cpu[name] = usage.cpu - begin.services[name].cpu;
    begin.figures.memory[name] = {.before = begin.services[name].resident,
                                  .ready = usage.resident,
                                  .share_before = begin.shares[name]};
  }
  for (const auto& [name, usage] : others_.Read()) {
    begin.figures.cpu[name] = usage.cpu - begin.others[name].cpu;
  }
  for (const auto& [name, share] : services_.ReadShares()) {
    begin.figures.memory[name].share_ready = share;
  }
  begin.figures.slope = Slope(begin.resident);
  audit_.Poll();
  CountRequests(begin, ready);
}

void ScaleRun::CountRequests(Begin& begin, absl::Time ready) {
  Figures& figures = begin.figures;
  int64_t of_objects = 0;
  for (const Request& request : audit_.requests()) {
    const bool object = request.group == api::kGroup && (request.resource.starts_with("orders") ||
                                                         request.resource.starts_with("tickets"));
    of_objects += object && request.ok() && (request.verb == "patch" || request.verb == "update");
    if (!request.by_korder() || request.resource == "leases" || request.at > ready) {
      continue;
    }
    if (!request.mutates()) {
      ++figures.reads;
    } else if (request.ok()) {
      ++figures.writes[absl::StrCat(request.verb, " ", request.resource)];
    } else {
      ++(request.code == 409 ? figures.conflicts : figures.refused);
    }
  }
  // The API server answers a write that changes nothing without asking etcd.
  figures.noops = std::max<int64_t>(0, of_objects - (EtcdUpdates() - begin.etcd_updates));
}

void ScaleRun::Gone(Begin& begin, absl::Duration settle) {
  Sleep(settle);
  audit_.Poll();
  for (const Request& request : audit_.requests()) {
    if (!request.mutates() || !request.ok() || request.resource == "leases") {
      continue;
    }
    if (request.by_korder()) {
      ++begin.figures.life_writes;
    } else if (request.verb == "delete" && request.ns == begin.ns &&
               (request.resource == "tickets" || request.resource == "pods")) {
      ++begin.figures.life_deletes_of_others;
    }
  }
  for (const auto& [name, usage] : services_.Read()) {
    begin.figures.memory[name].after = usage.resident;
  }
  plane_.DropNamespace(begin.ns);
}

int64_t ScaleRun::EtcdUpdates() {
  int64_t updates = 0;
  for (const absl::string_view line : absl::StrSplit(plane_.Do("GET", "/metrics"), '\n')) {
    if (absl::StartsWith(line, "etcd_requests_total{group=\"core.korder.dev\"") &&
        absl::StrContains(line, "operation=\"update\"") &&
        (absl::StrContains(line, "resource=\"orders\"") ||
         absl::StrContains(line, "resource=\"tickets\""))) {
      double value = 0;
      (void)absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value);
      updates += static_cast<int64_t>(value);
    }
  }
  return updates;
}

}  // namespace korder::bench
