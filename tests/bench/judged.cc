#include "judged.h"

#include <iostream>

#include "absl/strings/str_format.h"

namespace korder::bench {

void PrintJudged(const std::vector<Judged>& judged) {
  std::cout << absl::StreamFormat("%-48s%10s   %-10s%s\n", "", "", "gate", "goal");
  for (const Judged& one : judged) {
    std::cout << absl::StreamFormat("%-48s%10.3f   %-10s%s\n", one.name, one.value, one.gate,
                                    one.goal);
  }
}

void Write(json::Writer& w, const std::vector<Judged>& judged) {
  w.BeginArray();
  for (const Judged& one : judged) {
    w.BeginObject();
    w.Key("name");
    w.String(one.name);
    w.Key("value");
    w.Double(one.value);
    w.Key("gate");
    w.String(one.gate);
    w.Key("goal");
    w.String(one.goal);
    w.EndObject();
  }
  w.EndArray();
}

}  // namespace korder::bench
