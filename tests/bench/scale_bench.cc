// How korder does with many tickets, beside bare pods in the same run: rates and how flat they
// stay, writes, memory, processor time. scripts/bench starts the cluster for it.
//
//   scale_bench --audit-log FILE --service order-svc=4711 ... [--quick] [--json FILE]
//
// First rounds of few bare pods and few tickets in turn, whose medians are compared; then bare
// pods, one Order of many tickets, and many Orders.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/log.h"
#include "json/writer.h"
#include "judged.h"
#include "scale_run.h"

namespace korder::bench {
namespace {

struct Sizes {
  int rounds = 3;
  int round_size = 300;
  int bare = 3'000;
  int tickets = 15'000;
  int orders = 1'000;
  int order_size = 15;
};
constexpr Sizes kQuick{
    .rounds = 1, .round_size = 300, .bare = 1'500, .tickets = 1'500, .orders = 100};

struct Results {
  std::vector<Figures> bare_rounds;
  std::vector<Figures> ticket_rounds;
  Figures bare;
  Figures one;
  Figures many;
};

double MedianRate(const std::vector<Figures>& rounds) {
  std::vector<double> rates;
  rates.reserve(rounds.size());
  for (const Figures& figures : rounds) {
    rates.push_back(figures.per_second());
  }
  std::sort(rates.begin(), rates.end());
  return rates.empty() ? 0 : rates[rates.size() / 2];
}

Results Measure(ScaleRun& run, const Sizes& sizes) {
  Results results;
  for (int round = 1; round <= sizes.rounds; ++round) {
    results.bare_rounds.push_back(run.Bare("bare pods, a round", sizes.round_size));
    results.ticket_rounds.push_back(run.Orders("tickets, a round", 1, sizes.round_size));
  }
  results.bare = run.Bare("bare pods", sizes.bare);
  results.one = run.Orders("one Order", 1, sizes.tickets);
  results.many = run.Orders(absl::StrCat(sizes.orders, " Orders"), sizes.orders, sizes.order_size);
  return results;
}

double Ratio(double a, double b) { return b == 0 ? 0 : a / b; }
double Each(double total, const Figures& figures) { return Ratio(total, figures.count); }
double MiB(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

absl::Duration CpuOf(const Figures& figures, const std::map<std::string, int>& processes) {
  absl::Duration total;
  for (const auto& [name, pid] : processes) {
    total += figures.cpu.at(name);
  }
  return total;
}

Memory Total(const Figures& figures) {
  Memory total;
  for (const auto& [name, memory] : figures.memory) {
    total.before += memory.before;
    total.ready += memory.ready;
    total.after += memory.after;
  }
  return total;
}

// Bytes by which the services together had grown for each ticket when all were Ready.
double Growth(const Figures& figures) {
  const Memory total = Total(figures);
  return Each(static_cast<double>(total.ready - total.before), figures);
}

std::vector<Judged> Judge(const Results& results, const ScaleOptions& options) {
  const Figures& one = results.one;
  const auto writes = static_cast<double>(one.total_writes());
  const double sent = writes + static_cast<double>(one.conflicts + one.refused);
  return {
      {"P1 tickets/s to bare pods/s, rounds",
       Ratio(MedianRate(results.ticket_rounds), MedianRate(results.bare_rounds)), ">= 0.45",
       ">= 0.63"},
      {"P1 tickets/s to bare pods/s, one Order", Ratio(one.per_second(), results.bare.per_second()),
       ">= 0.45", ">= 0.63"},
      {"   flatness, one Order: last / first third", one.thirds.flatness(), ">= 0.95", ">= 0.95"},
      {"P2 writes per ticket until Ready", Each(writes, one), "<= 3.2", "<= 3.02"},
      {"P2 writes per ticket, whole life", Each(static_cast<double>(one.life_writes), one), "<= 9",
       "<= 8"},
      {"P2 writes that change nothing, %", 100 * Ratio(static_cast<double>(one.noops), writes),
       "<= 0.1", "0"},
      {"P2 conflicts, %", 100 * Ratio(static_cast<double>(one.conflicts), sent), "<= 0.5",
       "<= 0.1"},
      {"P2 Order writes per 50 tickets",
       50 * Each(static_cast<double>(one.WritesOf("orders/status")), one), "", "<= 1"},
      {"P8 KiB per ticket", Growth(one) / 1024, "<= 4", "<= 1"},
      {"P8 MiB of the four services, all Ready", MiB(Total(one).ready), "<= 128", "<= 64"},
      {"P9 CPU ms of the four services per ticket",
       Each(absl::ToDoubleMilliseconds(CpuOf(one, options.services)), one), "<= 2.0", "<= 0.8"},
  };
}

// --- the table ---

class Table {
 public:
  explicit Table(std::vector<const Figures*> columns) : columns_(std::move(columns)) {}

  template <class Cell>
  void Row(const std::string& name, Cell cell) const {
    std::cout << absl::StreamFormat("%-38s", name);
    for (const Figures* figures : columns_) {
      std::cout << absl::StreamFormat("%16s", cell(*figures));
    }
    std::cout << "\n";
  }
  void Numbers(const std::string& name, double (*cell)(const Figures&), int digits) const {
    Row(name,
        [&](const Figures& figures) { return absl::StrFormat("%.*f", digits, cell(figures)); });
  }

 private:
  std::vector<const Figures*> columns_;
};

void PrintTable(const Results& results, const ScaleOptions& options) {
  const Table all({&results.bare, &results.one, &results.many});
  all.Row("", [](const Figures& figures) { return figures.name; });
  all.Numbers(
      "pods, tickets", [](const Figures& f) { return double(f.count); }, 0);
  all.Numbers(
      "seconds until all Running, Ready", [](const Figures& f) { return f.seconds; }, 1);
  all.Numbers(
      "per second", [](const Figures& f) { return f.per_second(); }, 1);
  all.Numbers(
      "  first third", [](const Figures& f) { return f.thirds.first; }, 1);
  all.Numbers(
      "  middle third", [](const Figures& f) { return f.thirds.middle; }, 1);
  all.Numbers(
      "  last third", [](const Figures& f) { return f.thirds.last; }, 1);
  all.Numbers(
      "seconds until all gone", [](const Figures& f) { return f.gone_seconds; }, 1);
  for (const auto* processes : {&options.services, &options.others}) {
    for (const auto& [name, pid] : *processes) {
      all.Row(absl::StrCat("CPU ms each, ", name), [&, name = name](const Figures& figures) {
        return absl::StrFormat("%.2f",
                               Each(absl::ToDoubleMilliseconds(figures.cpu.at(name)), figures));
      });
    }
  }
  std::cout << "\nper ticket, by korder\n";
  const Table tickets({&results.one, &results.many});
  std::map<std::string, int> kinds;
  for (const Figures* figures : {&results.one, &results.many}) {
    for (const auto& [what, count] : figures->writes) {
      ++kinds[what];
    }
  }
  for (const auto& [what, columns] : kinds) {
    tickets.Row("  " + what, [&, what = what](const Figures& figures) {
      const auto at = figures.writes.find(what);
      const auto count = at == figures.writes.end() ? 0 : at->second;
      return absl::StrFormat("%.3f", Each(static_cast<double>(count), figures));
    });
  }
  tickets.Numbers(
      "writes until Ready", [](const Figures& f) { return Each(double(f.total_writes()), f); }, 3);
  tickets.Numbers(
      "writes, whole life", [](const Figures& f) { return Each(double(f.life_writes), f); }, 3);
  tickets.Numbers(
      "deletes by others",
      [](const Figures& f) { return Each(double(f.life_deletes_of_others), f); }, 3);
  tickets.Numbers(
      "reads until Ready", [](const Figures& f) { return Each(double(f.reads), f); }, 3);
  tickets.Numbers(
      "conflicts, refusals: how many",
      [](const Figures& f) { return double(f.conflicts + f.refused); }, 0);
  tickets.Numbers(
      "writes that change nothing: how many", [](const Figures& f) { return double(f.noops); }, 0);
  std::cout << "\nresident MiB: before, all Ready, all gone\n";
  for (const auto& [name, pid] : options.services) {
    tickets.Row("  " + name, [&, name = name](const Figures& figures) {
      const Memory& memory = figures.memory.at(name);
      return absl::StrFormat("%.0f %.0f %.0f", MiB(memory.before), MiB(memory.ready),
                             MiB(memory.after));
    });
  }
  tickets.Numbers(
      "bytes per ticket, grown", [](const Figures& f) { return Growth(f); }, 0);
  tickets.Numbers(
      "bytes per ticket, slope", [](const Figures& f) { return f.slope; }, 0);
  std::cout << "\n";
  PrintJudged(Judge(results, options));
}

// --- the file ---

void Write(json::Writer& w, const Figures& figures) {
  const auto number = [&](std::string_view key, double value) {
    w.Key(key);
    w.Double(value);
  };
  w.BeginObject();
  w.Key("name");
  w.String(figures.name);
  number("count", figures.count);
  number("seconds", figures.seconds);
  number("perSecond", figures.per_second());
  number("firstThirdPerSecond", figures.thirds.first);
  number("middleThirdPerSecond", figures.thirds.middle);
  number("lastThirdPerSecond", figures.thirds.last);
  number("goneSeconds", figures.gone_seconds);
  number("conflicts", static_cast<double>(figures.conflicts));
  number("refused", static_cast<double>(figures.refused));
  number("noopWrites", static_cast<double>(figures.noops));
  number("reads", static_cast<double>(figures.reads));
  number("lifeWrites", static_cast<double>(figures.life_writes));
  number("lifeDeletesOfOthers", static_cast<double>(figures.life_deletes_of_others));
  number("slopeBytes", figures.slope);
  w.Key("writes");
  w.BeginObject();
  for (const auto& [what, count] : figures.writes) {
    number(what, static_cast<double>(count));
  }
  w.EndObject();
  w.Key("cpuMilliseconds");
  w.BeginObject();
  for (const auto& [name, cpu] : figures.cpu) {
    number(name, absl::ToDoubleMilliseconds(cpu));
  }
  w.EndObject();
  w.Key("residentBytes");
  w.BeginObject();
  for (const auto& [name, memory] : figures.memory) {
    w.Key(name);
    w.BeginObject();
    number("before", static_cast<double>(memory.before));
    number("ready", static_cast<double>(memory.ready));
    number("after", static_cast<double>(memory.after));
    w.EndObject();
  }
  w.EndObject();
  w.Key("readyMilliseconds");  // after the first
  w.BeginArray();
  for (const absl::Time time : figures.ready) {
    w.Int64(absl::ToInt64Milliseconds(time - figures.ready.front()));
  }
  w.EndArray();
  w.EndObject();
}

std::string Json(const Results& results, const ScaleOptions& options) {
  json::Writer w;
  w.BeginObject();
  w.Key("figures");
  Write(w, Judge(results, options));
  w.Key("runs");
  w.BeginArray();
  for (const std::vector<Figures>* rounds : {&results.bare_rounds, &results.ticket_rounds}) {
    for (const Figures& figures : *rounds) {
      Write(w, figures);
    }
  }
  for (const Figures* figures : {&results.bare, &results.one, &results.many}) {
    Write(w, *figures);
  }
  w.EndArray();
  w.EndObject();
  return w.Take();
}

// "order-svc=4711"
std::map<std::string, int> Pids(const std::vector<std::string>& texts) {
  std::map<std::string, int> pids;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    int pid = 0;
    if (equals == std::string::npos || !absl::SimpleAtoi(text.substr(equals + 1), &pid)) {
      throw std::runtime_error(text + " is not NAME=PID");
    }
    pids[text.substr(0, equals)] = pid;
  }
  return pids;
}

int Main(int argc, char** argv) {
  ScaleOptions options;
  Sizes sizes;
  std::vector<std::string> services, others;
  std::string json_file;
  CLI::App app("Measures korder with many tickets beside bare pods");
  app.add_option("--audit-log", options.audit_log)->required();
  app.add_option("--service", services, "NAME=PID of each of korder's services")->required();
  app.add_option("--process", others, "NAME=PID of what else works for them");
  app.add_option("--json", json_file, "a file for all figures and samples");
  bool quick = false;
  app.add_flag("--quick", quick, "1,500 tickets and 100 Orders");
  auto* sized = app.add_option_group("sizes");
  int rounds = -1, round_size = -1, bare = -1, tickets = -1, orders = -1, order_size = -1;
  sized->add_option("--rounds", rounds);
  sized->add_option("--round-size", round_size);
  sized->add_option("--bare", bare);
  sized->add_option("--tickets", tickets);
  sized->add_option("--orders", orders);
  sized->add_option("--order-size", order_size);
  CLI11_PARSE(app, argc, argv);
  sizes = quick ? kQuick : sizes;
  const auto set = [](int& size, int given) { size = given < 0 ? size : given; };
  set(sizes.rounds, rounds);
  set(sizes.round_size, round_size);
  set(sizes.bare, bare);
  set(sizes.tickets, tickets);
  set(sizes.orders, orders);
  set(sizes.order_size, order_size);
  options.services = Pids(services);
  options.others = Pids(others);
  options.others["scale_bench"] = ::getpid();  // what measuring costs

  ScaleRun run(options);
  const Results results = Measure(run, sizes);
  PrintTable(results, options);
  if (!json_file.empty()) {
    std::ofstream(json_file) << Json(results, options) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  korder::log::Init({.level = korder::log::Level::kError});
  try {
    return korder::bench::Main(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "scale_bench: " << failure.what() << "\n";
    return 1;
  }
}
