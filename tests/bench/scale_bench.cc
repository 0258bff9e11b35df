// How korder does with many tickets, beside bare pods and beside the same writes alone in the same
// run: rates and how flat they stay, how long one takes, writes, memory, processor time.
// scripts/bench starts the cluster.
//
//   scale_bench --audit-log FILE --service order-svc=4711 ... [--quick] [--json FILE]
//
// First rounds of few bare pods, few tickets and few of the writes alone in turn; then rounds at
// half of the rate that the tickets gave, in an open loop; then bare pods, the writes alone, one
// Order of many tickets, and many Orders. A size of 0 leaves its part out.
#include <algorithm>
#include <iostream>
#include <optional>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench_main.h"
#include "open_loop.h"
#include "scale_table.h"

namespace korder::bench {
namespace {

struct Sizes {
  int rounds = 5;
  int round_size = 300;
  int open_size = 300;  // tickets in each round of the open loop
  int bare = 3'000;
  int writes_alone = 15'000;
  int tickets = 15'000;
  int orders = 1'000;
  int order_size = 15;
};
constexpr Sizes kQuick{
    .rounds = 2, .open_size = 100, .bare = 500, .writes_alone = 0, .tickets = 1'000, .orders = 0};

using Rounds = std::vector<std::vector<double>>;

struct Results {
  std::vector<Figures> bare_rounds;
  std::vector<Figures> ticket_rounds;
  std::vector<Figures> alone_rounds;
  double open_rate = 0;
  Rounds bare_ms;  // of each round of the open loop
  Rounds ticket_ms;
  std::optional<Figures> bare;
  std::optional<Figures> alone;
  std::optional<Figures> one;
  std::optional<Figures> many;
};

std::vector<double> Rates(const std::vector<Figures>& rounds) {
  std::vector<double> rates;
  rates.reserve(rounds.size());
  for (const Figures& figures : rounds) {
    rates.push_back(figures.per_second());
  }
  return rates;
}

std::vector<double> CpuEach(const std::vector<Figures>& rounds, const std::string& process) {
  std::vector<double> each;
  each.reserve(rounds.size());
  for (const Figures& figures : rounds) {
    each.push_back(Each(absl::ToDoubleMilliseconds(figures.cpu.at(process)), figures));
  }
  return each;
}

std::vector<double> Quantiles(const Rounds& rounds, double q) {
  std::vector<double> quantiles;
  quantiles.reserve(rounds.size());
  for (const std::vector<double>& round : rounds) {
    quantiles.push_back(Quantile(round, q));
  }
  return quantiles;
}

void MeasureOpenLoop(const ScaleOptions& options, const Sizes& sizes, Results& results) {
  results.open_rate = SpreadOf(Rates(results.ticket_rounds)).median / 2;
  OpenLoop loop(options.audit_log);
  for (int round = 1; round <= sizes.rounds; ++round) {
    std::cerr << absl::StreamFormat("open loop at %.0f/s, round %d\n", results.open_rate, round);
    results.bare_ms.push_back(loop.Bare(results.open_rate, sizes.open_size));
    results.ticket_ms.push_back(loop.Tickets(results.open_rate, sizes.open_size));
  }
}

Results Measure(const ScaleOptions& options, const Sizes& sizes) {
  ScaleRun run(options);
  Results results;
  if (sizes.rounds > 0 || sizes.writes_alone > 0) {
    run.PrepareWritesAlone();
  }
  for (int round = 1; round <= sizes.rounds; ++round) {
    results.bare_rounds.push_back(run.Bare("bare pods, a round", sizes.round_size));
    results.ticket_rounds.push_back(run.Orders("tickets, a round", 1, sizes.round_size));
    results.alone_rounds.push_back(run.WritesAlone("writes alone, a round", sizes.round_size));
  }
  if (sizes.rounds > 0 && sizes.open_size > 0) {
    MeasureOpenLoop(options, sizes, results);
  }
  if (sizes.bare > 0) {
    results.bare = run.Bare("bare pods", sizes.bare);
  }
  if (sizes.writes_alone > 0) {
    results.alone = run.WritesAlone("writes alone", sizes.writes_alone);
  }
  if (sizes.tickets > 0) {
    results.one = run.Orders("one Order", 1, sizes.tickets);
  }
  if (sizes.orders > 0) {
    results.many =
        run.Orders(absl::StrCat(sizes.orders, " Orders"), sizes.orders, sizes.order_size);
  }
  return results;
}

// --- what is judged ---

constexpr char kBarePods[] = "bare pods";
constexpr char kWritesAlone[] = "the same writes alone";

void JudgeRounds(const Results& results, std::vector<Judged>& judged) {
  judged.push_back({"P1 tickets Ready/s to bare pods Running/s, rounds",
                    RatioOf(Rates(results.ticket_rounds), Rates(results.bare_rounds)), ">= 0.45",
                    ">= 0.63", kBarePods});
  const std::vector<double> alone = Rates(results.alone_rounds);
  judged.push_back({"P1 tickets Ready/s to the writes alone/s, rounds",
                    RatioOf(Rates(results.ticket_rounds), alone), "", ">= 0.95", kWritesAlone});
  judged.push_back({"   the writes alone/s to bare pods Running/s, rounds",
                    RatioOf(alone, Rates(results.bare_rounds)), "", "", kBarePods});
  if (results.ticket_ms.empty()) {
    return;
  }
  const auto added = [&](double q) {
    return DifferenceOf(Quantiles(results.ticket_ms, q), Quantiles(results.bare_ms, q));
  };
  judged.push_back(
      {"P3 p50 to Ready, more than to Running, ms", added(0.5), "<= 40", "<= 15", kBarePods});
  judged.push_back(
      {"P3 p99 to Ready, more than to Running, ms", added(0.99), "<= 200", "<= 60", kBarePods});
}

// Of one Order.
void JudgeTickets(const Figures& one, const ScaleOptions& options, std::vector<Judged>& judged) {
  const auto add = [&](const char* name, double value, const char* gate, const char* goal) {
    judged.push_back({name, Once(value), gate, goal});
  };
  const auto writes = static_cast<double>(one.total_writes());
  const double sent = writes + static_cast<double>(one.conflicts + one.refused);
  add("   flatness, one Order: last / first third", one.thirds.flatness(), ">= 0.95", ">= 0.95");
  add("P2 writes per ticket until Ready", Each(writes, one), "<= 3.2", "<= 3.02");
  add("P2 writes per ticket, whole life", Each(static_cast<double>(one.life_writes), one), "<= 9",
      "<= 8");
  add("P2 writes that change nothing, %", 100 * Ratio(static_cast<double>(one.noops), writes),
      "<= 0.1", "<= 0");
  add("P2 conflicts, %", 100 * Ratio(static_cast<double>(one.conflicts), sent), "<= 0.5", "<= 0.1");
  add("P2 Order writes per 50 tickets",
      50 * Each(static_cast<double>(one.WritesOf("orders/status")), one), "", "<= 1");
  add("P8 KiB per ticket", Growth(one) / 1024, "<= 4", "<= 1");
  const Memory memory = Total(one);
  add("P8 MiB of the four services, all Ready", MiB(memory.ready), "<= 128", "<= 64");
  add("   MiB, pages that they share once (PSS), before", MiB(memory.share_before), "", "");
  add("   MiB, pages that they share once (PSS), all Ready", MiB(memory.share_ready), "", "");
  add("P9 CPU ms of the four services per ticket",
      Each(absl::ToDoubleMilliseconds(CpuOf(one, options.services)), one), "<= 2.0", "<= 0.8");
}

std::vector<Judged> Judge(const Results& results, const ScaleOptions& options) {
  std::vector<Judged> judged;
  if (!results.ticket_rounds.empty()) {
    JudgeRounds(results, judged);
  }
  if (results.one && results.bare) {
    judged.push_back({"P1 the same, one Order",
                      RatioOf({results.one->per_second()}, {results.bare->per_second()}), ">= 0.45",
                      ">= 0.63", kBarePods});
  }
  if (results.one && results.alone) {
    judged.push_back({"P1 tickets Ready/s to the writes alone/s, one Order",
                      RatioOf({results.one->per_second()}, {results.alone->per_second()}), "",
                      ">= 0.95", kWritesAlone});
  }
  if (results.alone && results.bare) {
    judged.push_back({"   the writes alone/s to bare pods Running/s, many",
                      RatioOf({results.alone->per_second()}, {results.bare->per_second()}), "", "",
                      kBarePods});
  }
  if (results.one) {
    JudgeTickets(*results.one, options, judged);
  }
  return judged;
}

// --- samples ---

void WriteRounds(json::Writer& w, const char* name, const Rounds& rounds) {
  w.Key(name);
  w.BeginArray();
  for (const std::vector<double>& round : rounds) {
    w.BeginArray();
    for (const double ms : round) {
      w.Double(ms);
    }
    w.EndArray();
  }
  w.EndArray();
}

void WriteSamples(json::Writer& w, const Results& results, const std::vector<Figures>& large) {
  w.Key("openLoopPerSecond");
  w.Double(results.open_rate);
  WriteRounds(w, "barePodMilliseconds", results.bare_ms);
  WriteRounds(w, "ticketMilliseconds", results.ticket_ms);
  w.Key("runs");
  w.BeginArray();
  for (const std::vector<Figures>* runs :
       {&results.bare_rounds, &results.ticket_rounds, &results.alone_rounds, &large}) {
    for (const Figures& figures : *runs) {
      Write(w, figures);
    }
  }
  w.EndArray();
}

void PrintRounds(const Results& results, const ScaleOptions& options) {
  std::cout << absl::StreamFormat("%-38s%16s%16s%16s\n", "medians of the rounds", "bare pods",
                                  "tickets", "writes alone");
  const auto row = [](const std::string& name, int digits,
                      const std::vector<std::vector<double>>& columns) {
    std::cout << absl::StreamFormat("%-38s", name);
    for (const std::vector<double>& column : columns) {
      std::cout << absl::StreamFormat("%16.*f", digits, SpreadOf(column).median);
    }
    std::cout << "\n";
  };
  row("Running, Ready per second", 1,
      {Rates(results.bare_rounds), Rates(results.ticket_rounds), Rates(results.alone_rounds)});
  for (const auto* processes : {&options.services, &options.others}) {
    for (const auto& [name, pid] : *processes) {
      row(absl::StrCat("CPU ms each, ", name), 2,
          {CpuEach(results.bare_rounds, name), CpuEach(results.ticket_rounds, name),
           CpuEach(results.alone_rounds, name)});
    }
  }
  const std::string open = absl::StrFormat(" ms at %.0f/s", results.open_rate);
  for (const double q : {0.5, 0.99}) {
    if (!results.ticket_ms.empty()) {
      row(absl::StrCat("p", 100 * q, open), 1,
          {Quantiles(results.bare_ms, q), Quantiles(results.ticket_ms, q)});
    }
  }
  std::cout << "\n";
}

std::vector<Judged> Run(const ScaleOptions& options, const Sizes& sizes, json::Writer& samples) {
  const Results results = Measure(options, sizes);
  std::vector<Figures> large;
  for (const std::optional<Figures>* figures :
       {&results.bare, &results.alone, &results.one, &results.many}) {
    if (*figures) {
      large.push_back(**figures);
    }
  }
  if (!results.ticket_rounds.empty()) {
    PrintRounds(results, options);
  }
  PrintTable(large, options);
  WriteSamples(samples, results, large);
  return Judge(results, options);
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

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  ScaleOptions options;
  Sizes sizes;
  std::vector<std::string> services, others;
  return Main(argc, argv,
              {.what = "Measures many tickets beside bare pods and beside the same writes alone",
               .flags =
                   [&](CLI::App& app) {
                     app.add_option("--audit-log", options.audit_log)->required();
                     app.add_option("--service", services, "NAME=PID of each of korder's services")
                         ->required();
                     app.add_option("--process", others, "NAME=PID of what else works for them");
                     // Before the sizes, which so can be said besides.
                     app.add_flag_callback(
                            "--quick", [&] { sizes = kQuick; },
                            "1,000 tickets and no part with many Orders")
                         ->trigger_on_parse();
                     app.add_option("--rounds", sizes.rounds);
                     app.add_option("--round-size", sizes.round_size);
                     app.add_option("--open-size", sizes.open_size,
                                    "tickets of a round at half rate");
                     app.add_option("--bare", sizes.bare);
                     app.add_option("--writes-alone", sizes.writes_alone);
                     app.add_option("--tickets", sizes.tickets);
                     app.add_option("--orders", sizes.orders);
                     app.add_option("--order-size", sizes.order_size);
                   },
               .run =
                   [&](korder::json::Writer& samples) {
                     options.services = Pids(services);
                     options.others = Pids(others);
                     options.others["scale_bench"] = ::getpid();  // what measuring costs
                     return Run(options, sizes, samples);
                   }});
}
