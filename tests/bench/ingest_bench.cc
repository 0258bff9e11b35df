// How fast an informer takes what the API server sends into its cache, beside a pass of RapidJSON's
// SAX reader over the same bytes, which keeps nothing; and what it takes to list 50,000 pods.
//
//   ingest_bench [--rounds 5] [--pods 50000] [--events 20000] [--json FILE]   # no cluster
//
// The pods are guardians, of the type, with the store and the indexes that ticket-svc has; the
// bytes are as a real API server sends them (objects/). Time is that of the one thread that works.
#include <iostream>
#include <malloc.h>
#include <rapidjson/reader.h>
#include <rapidjson/stream.h>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "bench_main.h"
#include "kube/informer.h"
#include "sample_objects.h"
#include "tape.h"
#include "ticket-svc/world.h"

namespace korder::bench {
namespace {

constexpr int kPage = 500;  // as informers list

struct Settings {
  int rounds = 5;
  int pods = 50'000;
  int events = 20'000;
};

std::vector<std::string> Pages(const SampleObjects& objects, int pods) {
  std::vector<std::string> pages;
  for (int from = 0; from < pods; from += kPage) {
    std::vector<std::string> page;
    for (int i = from; i < std::min(pods, from + kPage); ++i) {
      page.push_back(objects.Guardian(i, i + 1));
    }
    pages.push_back(
        PageText(pods, from + kPage < pods ? absl::StrCat("from-", from + kPage) : "", page));
  }
  return pages;
}

// Changes of pods that are in the list, each to another.
std::string Watch(const SampleObjects& objects, int pods, int events) {
  std::string watch;
  for (int i = 0; i < events; ++i) {
    absl::StrAppend(&watch, EventText("MODIFIED", objects.Guardian(i % pods, pods + 1 + i)));
  }
  return watch;
}

// --- what is compared ---

struct Ingested {
  absl::Duration list;
  absl::Duration watch;
  int64_t bytes_per_pod = 0;
};

Ingested Ingest(const Tape::Recording& recording, int pods) {
  Tape tape(recording);
  kube::Client client(tape);
  const SystemClock clock;
  const size_t before = ::mallinfo2().uordblks;
  kube::Informer<ticket::GuardedTicket> tickets(client);
  kube::Informer<ticket::OwnPod> guardians(client);
  kube::Informer<api::Pod> claim_pods(client);
  kube::Informer<api::Node> nodes(client);
  ticket::World world({tickets.store(), guardians.store(), claim_pods.store(), nodes.store()},
                      clock);
  guardians.OnChange([&world](auto* was, auto* is) { world.OnGuardian(was, is); });
  Play(tape, guardians);
  if (static_cast<int>(guardians.store().size()) != pods) {
    throw std::runtime_error("not all pods are in the store");
  }
  const size_t after = ::mallinfo2().uordblks;
  return {tape.list_cpu(), tape.watch_cpu(),
          static_cast<int64_t>(after - before) / std::max(1, pods)};
}

// Every text one after the other, by a handler that looks at nothing.
absl::Duration Sax(const std::string& texts) {
  const absl::Duration begin = ThreadCpu();
  rapidjson::BaseReaderHandler<> nobody;
  rapidjson::Reader reader;
  rapidjson::StringStream stream(texts.c_str());
  while (reader.Parse<rapidjson::kParseStopWhenDoneFlag>(stream, nobody)) {
  }
  if (reader.GetParseErrorCode() != rapidjson::kParseErrorDocumentEmpty) {
    throw std::runtime_error("the bytes cannot be read");
  }
  return ThreadCpu() - begin;
}

absl::Duration Sax(const std::vector<std::string>& texts) {
  absl::Duration total;
  for (const std::string& text : texts) {
    total += Sax(text);
  }
  return total;
}

// --- the run ---

struct Rounds {
  std::vector<double> informer_events, sax_events;  // per second
  std::vector<double> informer_list, sax_list;      // seconds
  std::vector<double> bytes_per_pod;
};

Rounds Measure(const Settings& settings, const Tape::Recording& recording) {
  Rounds rounds;
  const auto rate = [&](absl::Duration cpu) {
    return settings.events / absl::ToDoubleSeconds(cpu);
  };
  for (int round = 1; round <= settings.rounds; ++round) {
    std::cerr << "round " << round << "\n";
    const Ingested ingested = Ingest(recording, settings.pods);
    rounds.informer_list.push_back(absl::ToDoubleSeconds(ingested.list));
    rounds.sax_list.push_back(absl::ToDoubleSeconds(Sax(recording.pages)));
    rounds.informer_events.push_back(rate(ingested.watch));
    rounds.sax_events.push_back(rate(Sax(recording.watch)));
    rounds.bytes_per_pod.push_back(static_cast<double>(ingested.bytes_per_pod));
  }
  return rounds;
}

void WriteSamples(json::Writer& w, const char* name, const std::vector<double>& values) {
  w.Key(name);
  w.BeginArray();
  for (const double value : values) {
    w.Double(value);
  }
  w.EndArray();
}

std::vector<Judged> Run(const Settings& settings, json::Writer& samples) {
  const SampleObjects objects;
  const Tape::Recording recording{.pages = Pages(objects, settings.pods),
                                  .watch = Watch(objects, settings.pods, settings.events)};
  const Rounds rounds = Measure(settings, recording);
  const auto event_bytes =
      static_cast<double>(recording.watch.size()) / static_cast<double>(settings.events);
  const auto row = [](const std::string& name, const std::vector<double>& values, int digits) {
    const Spread spread = SpreadOf(values);
    std::cout << absl::StreamFormat("%-38s %12.*f %12.*f - %.*f\n", name, digits, spread.median,
                                    digits, spread.least, digits, spread.most);
  };
  std::cout << absl::StreamFormat("an event has %.0f bytes\n", event_bytes);
  row("events/s, informer", rounds.informer_events, 0);
  row("events/s, SAX", rounds.sax_events, 0);
  row(absl::StrCat("list of ", settings.pods, ", s, informer"), rounds.informer_list, 3);
  row(absl::StrCat("list of ", settings.pods, ", s, SAX"), rounds.sax_list, 3);
  samples.Key("bytesPerEvent");
  samples.Double(event_bytes);
  WriteSamples(samples, "informerEventsPerSecond", rounds.informer_events);
  WriteSamples(samples, "saxEventsPerSecond", rounds.sax_events);
  WriteSamples(samples, "informerListSeconds", rounds.informer_list);
  WriteSamples(samples, "saxListSeconds", rounds.sax_list);
  WriteSamples(samples, "bytesPerPod", rounds.bytes_per_pod);
  const char* sax = "RapidJSON SAX, same bytes";
  return {{"P7 events/s per core, informer to SAX",
           RatioOf(rounds.informer_events, rounds.sax_events), ">= 0.4", ">= 0.8", sax},
          {absl::StrCat("P7 CPU s to sync ", settings.pods, " pods"),
           SpreadOf(rounds.informer_list), "<= 1.5", "<= 0.5"},
          {"   SAX over the same list, s", SpreadOf(rounds.sax_list), "", "", sax},
          {"   bytes in memory for each guardian pod", SpreadOf(rounds.bytes_per_pod), "", ""}};
}

}  // namespace
}  // namespace korder::bench

int main(int argc, char** argv) {
  using namespace korder::bench;
  Settings settings;
  return Main(argc, argv,
              {.what = "Measures an informer beside a JSON parser that keeps nothing",
               .flags =
                   [&](CLI::App& app) {
                     app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
                     app.add_option("--pods", settings.pods)->check(CLI::Range(1, 1'000'000));
                     app.add_option("--events", settings.events)->check(CLI::Range(1, 1'000'000));
                   },
               .run = [&](korder::json::Writer& samples) { return Run(settings, samples); }});
}
