// How soon korder decides again: after the kill -9 of a leader, when another replica stands by, or
// when there is none and its container starts again; and after the start of a service that finds
// many tickets.
//
//   recovery_bench --audit-log FILE --name NAME [--tickets 15000] [--rounds 5] [--json FILE]
//
// On a control plane with the services of `scripts/services up --name NAME`, one replica of each;
// from the top folder of the repository. A decision is seen in the API server's audit log: for
// order-svc and quota-svc, the Ticket of an Order that was made meanwhile; for ticket-svc, the
// guardian of that Ticket. Nothing of it is taken from korder's own words.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "api/v1alpha1/order.h"
#include "audit_tail.h"
#include "base/pause.h"
#include "bench_main.h"
#include "plane.h"

namespace korder::bench {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(2);
const std::vector<std::string> kServices = {"quota-svc", "order-svc", "ticket-svc"};

struct Settings {
  std::string audit_log;
  std::string name;
  int rounds = 5;
  int tickets = 15'000;
};

// --- processes ---

std::string OutputOf(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string output;
  char buffer[4096];
  while (const size_t got = pipe == nullptr ? 0 : ::fread(buffer, 1, sizeof buffer, pipe)) {
    output.append(buffer, got);
  }
  if (pipe == nullptr || ::pclose(pipe) != 0) {
    throw std::runtime_error(command + " failed: " + output);
  }
  return output;
}

// The fields of /proc/PID/stat after the name in brackets; none when there is no such process.
std::vector<std::string> Stat(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  std::istringstream words(
      text.substr(text.rfind(')') == std::string::npos ? text.size() : text.rfind(')') + 1));
  std::vector<std::string> fields;
  for (std::string word; words >> word;) {
    fields.push_back(word);
  }
  return fields;
}

absl::Time StartOf(int pid) {
  constexpr size_t kStartTime = 19;  // the 22nd of all
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const double began =
      std::stod(Stat(pid).at(kStartTime)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return absl::Now() - (absl::DurationFromTimespec(since_boot) - absl::Seconds(began));
}

void AwaitEnd(int pid) {
  for (const absl::Time begin = absl::Now(); absl::Now() - begin < kPatience;) {
    const std::vector<std::string> stat = Stat(pid);
    if (stat.empty() || stat.front() == "Z") {
      return;
    }
    Pause(absl::Milliseconds(10), {});
  }
  throw std::runtime_error(absl::StrCat("process ", pid, " does not end"));
}

// The services of scripts/services.
class Services {
 public:
  explicit Services(std::string name) : name_(std::move(name)) {}

  void Start(const std::string& service, int replica) const {
    (void)OutputOf(absl::StrCat("scripts/services start ", service, " --replica ", replica,
                                " --name ", name_, " 2>&1"));
  }
  int Pid(const std::string& service, int replica) const {
    const std::string process = replica == 1 ? service : absl::StrCat(service, "-", replica);
    std::istringstream lines(OutputOf("scripts/services status --name " + name_));
    std::string who, word;
    int pid = 0;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      if (words >> who >> word >> pid && who == process && word == "pid") {
        return pid;
      }
    }
    throw std::runtime_error(process + " does not run");
  }
  void End(const std::string& service, int replica, int signal) const {
    const int pid = Pid(service, replica);
    ::kill(pid, signal);
    AwaitEnd(pid);
  }

 private:
  const std::string name_;
};

// --- the run ---

class Recovery {
 public:
  explicit Recovery(const Settings& settings)
      : settings_(settings), services_(settings.name), audit_(settings.audit_log) {}

  // One service at a time stops in good order and starts again, with all the tickets.
  void ColdStarts() {
    std::cerr << "making " << settings_.tickets << " tickets\n";
    const std::string ns = plane_.MakeNamespace();
    plane_.Do("POST", OrdersOf(ns), OrderText(ns, "many", settings_.tickets));
    AwaitReady(ns);
    for (int round = 1; round <= settings_.rounds; ++round) {
      for (const std::string& service : kServices) {
        services_.End(service, 1, SIGTERM);
        const std::string asked = Ask();
        services_.Start(service, 1);
        const absl::Time start = StartOf(services_.Pid(service, 1));
        Take("cold start", service, absl::ToDoubleSeconds(AwaitDecision(service, asked) - start));
        plane_.DropNamespace(asked);
      }
    }
    plane_.Do("DELETE", OrdersOf(ns) + "/many");
    while (plane_.Count(TicketsOf(ns)) + plane_.Count(PodsOf(ns)) > 0) {
      Pause(absl::Seconds(1), {});
    }
    plane_.DropNamespace(ns);
  }

  // The only replica dies, and starts again where it was, as kubelet has a container do.
  void Restarts() {
    for (int round = 1; round <= settings_.rounds; ++round) {
      for (const std::string& service : kServices) {
        const absl::Time begin = absl::Now();
        services_.End(service, 1, SIGKILL);
        services_.Start(service, 1);
        const std::string asked = Ask();
        Take("kill -9 and start", service,
             absl::ToDoubleSeconds(AwaitDecision(service, asked) - begin));
        plane_.DropNamespace(asked);
      }
    }
  }

  // The leader dies, another replica stands by; then the dead one comes back and stands by.
  void Failovers() {
    for (const std::string& service : kServices) {
      services_.Start(service, 2);
    }
    Pause(absl::Seconds(5), {});  // until they stand by
    for (int round = 1; round <= settings_.rounds; ++round) {
      const int leader = round % 2 == 1 ? 1 : 2;
      for (const std::string& service : kServices) {
        const absl::Time begin = absl::Now();
        services_.End(service, leader, SIGKILL);
        const std::string asked = Ask();
        Take("kill -9", service, absl::ToDoubleSeconds(AwaitDecision(service, asked) - begin));
        services_.Start(service, leader);
        Pause(absl::Seconds(3), {});
        plane_.DropNamespace(asked);
      }
    }
    for (const std::string& service : kServices) {
      services_.End(service, 2, SIGTERM);
    }
  }

  std::vector<Judged> Judge() const {
    std::vector<Judged> judged;
    for (const std::string& service : kServices) {
      judged.push_back({absl::StrCat("P10 s from kill -9 of ", service, "'s leader to a decision"),
                        SpreadOf(seconds_.at("kill -9 " + service)), "<= 8", "<= 3"});
    }
    for (const std::string& service : kServices) {
      judged.push_back(
          {absl::StrCat("P10 s from kill -9 of ", service, ", which starts again, to a decision"),
           SpreadOf(seconds_.at("kill -9 and start " + service)), "<= 8", "<= 3"});
    }
    for (const std::string& service : kServices) {
      judged.push_back({absl::StrCat("P10 s from start of ", service, ", ", settings_.tickets,
                                     " tickets, to a decision"),
                        SpreadOf(seconds_.at("cold start " + service)), "<= 5", "<= 1.5"});
    }
    return judged;
  }
  void Write(json::Writer& w) const {
    for (const auto& [what, samples] : seconds_) {
      w.Key(what);
      w.BeginArray();
      for (const double seconds : samples) {
        w.Double(seconds);
      }
      w.EndArray();
    }
  }

 private:
  // An Order of one ticket, in a namespace of its own.
  std::string Ask() {
    std::string ns = plane_.MakeNamespace();
    plane_.Do("POST", OrdersOf(ns), OrderText(ns, "one", 1));
    return ns;
  }

  absl::Time AwaitDecision(const std::string& service, const std::string& ns) {
    const std::string made = service == "ticket-svc" ? "pods" : "tickets";
    for (const absl::Time begin = absl::Now(); absl::Now() - begin < kPatience;) {
      audit_.Clear();
      audit_.Poll();
      for (const Request& request : audit_.requests()) {
        if (request.ns == ns && request.resource == made && request.verb == "create" &&
            request.ok()) {
          return request.at;
        }
      }
      Pause(absl::Milliseconds(50), {});
    }
    throw std::runtime_error(service + " decides nothing");
  }

  void AwaitReady(const std::string& ns) {
    absl::Time moved = absl::Now();
    for (int before = 0, now = 0; now < settings_.tickets; before = now) {
      Pause(absl::Seconds(1), {});
      now = ReadyIn(ns);
      moved = now == before ? moved : absl::Now();
      if (absl::Now() - moved > kPatience) {
        throw std::runtime_error(absl::StrCat("stuck at ", now, " tickets Ready"));
      }
    }
  }
  int ReadyIn(const std::string& ns) {
    const auto order = ValueOf(plane_.client().Get<api::Order>({ns, "many"}));
    return static_cast<int>(order.status.ready_replicas);
  }

  void Take(const std::string& what, const std::string& service, double seconds) {
    std::cerr << absl::StreamFormat("%s, %s: %.2f s\n", what, service, seconds);
    seconds_[what + " " + service].push_back(seconds);
  }

  const Settings settings_;
  const Services services_;
  Plane plane_;
  AuditTail audit_;
  std::map<std::string, std::vector<double>> seconds_;
};

std::vector<Judged> Run(const Settings& settings, json::Writer& samples) {
  Recovery recovery(settings);
  recovery.ColdStarts();
  recovery.Restarts();
  recovery.Failovers();
  recovery.Write(samples);
  return recovery.Judge();
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  Settings settings;
  return Main(argc, argv,
              {.what = "Measures how soon korder decides again",
               .flags =
                   [&](CLI::App& app) {
                     app.add_option("--audit-log", settings.audit_log)->required();
                     app.add_option("--name", settings.name, "of the control plane")->required();
                     app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
                     app.add_option("--tickets", settings.tickets)->check(CLI::Range(1, 100'000));
                   },
               .run = [&](korder::json::Writer& samples) { return Run(settings, samples); }});
}
