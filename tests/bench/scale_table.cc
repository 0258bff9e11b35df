#include "scale_table.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace korder::bench {

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
    total.share_before += memory.share_before;
    total.share_ready += memory.share_ready;
  }
  return total;
}

// Bytes by which the services together had grown for each ticket when all were Ready.
double Growth(const Figures& figures) {
  const Memory total = Total(figures);
  return Each(static_cast<double>(total.ready - total.before), figures);
}

namespace {

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

}  // namespace

void PrintTable(const std::vector<Figures>& runs, const ScaleOptions& options) {
  std::vector<const Figures*> columns, of_tickets;
  for (const Figures& figures : runs) {
    columns.push_back(&figures);
    if (!figures.writes.empty()) {
      of_tickets.push_back(&figures);
    }
  }
  const Table all(columns);
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
  const Table tickets(of_tickets);
  std::map<std::string, int> kinds;
  for (const Figures* figures : of_tickets) {
    for (const auto& [what, count] : figures->writes) {
      ++kinds[what];
    }
  }
  for (const auto& [what, seen] : kinds) {
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
  tickets.Row("  all four, shared pages once (PSS)", [](const Figures& figures) {
    const Memory total = Total(figures);
    return absl::StrFormat("%.0f %.0f", MiB(total.share_before), MiB(total.share_ready));
  });
  tickets.Numbers(
      "bytes per ticket, grown", [](const Figures& f) { return Growth(f); }, 0);
  tickets.Numbers(
      "bytes per ticket, slope", [](const Figures& f) { return f.slope; }, 0);
}

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
    number("shareBefore", static_cast<double>(memory.share_before));
    number("shareReady", static_cast<double>(memory.share_ready));
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

}  // namespace korder::bench
