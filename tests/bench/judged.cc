#include "judged.h"

#include <iostream>

#include "absl/strings/str_format.h"

namespace korder::bench {

void PrintJudged(const std::vector<Judged>& judged) {
  std::cout << absl::StreamFormat("%-52s%12s%25s  %5s   %-10s%s\n", "", "median", "(least - most)",
                                  "runs", "gate", "goal");
  for (const Judged& one : judged) {
    const std::string spread =
        one.value.runs < 2 ? "" : absl::StrFormat("%.3f - %.3f", one.value.least, one.value.most);
    std::cout << absl::StreamFormat("%-52s%12.3f%25s  %5d   %-10s%s\n", one.name, one.value.median,
                                    spread, one.value.runs, one.gate, one.goal);
  }
}

void Write(json::Writer& w, const std::vector<Judged>& judged) {
  w.BeginArray();
  for (const Judged& one : judged) {
    w.BeginObject();
    w.Key("name");
    w.String(one.name);
    w.Key("value");
    w.Double(one.value.median);
    w.Key("least");
    w.Double(one.value.least);
    w.Key("most");
    w.Double(one.value.most);
    w.Key("runs");
    w.Int64(one.value.runs);
    w.Key("gate");
    w.String(one.gate);
    w.Key("goal");
    w.String(one.goal);
    w.Key("beside");
    w.String(one.beside);
    w.EndObject();
  }
  w.EndArray();
}

}  // namespace korder::bench
