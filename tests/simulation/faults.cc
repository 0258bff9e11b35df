#include "faults.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace korder::simulation {

FaultKinds AllFaults() {
  FaultKinds all;
  for (const FaultName& name : kFaultNames) {
    all.insert(name.fault);
  }
  return all;
}

std::optional<FaultKinds> ParseFaults(std::string_view text) {
  if (text == "all") {
    return AllFaults();
  }
  FaultKinds kinds;
  if (text == "none") {
    return kinds;
  }
  for (const std::string& word : std::vector<std::string>(absl::StrSplit(std::string(text), ','))) {
    const auto it = std::find_if(kFaultNames.begin(), kFaultNames.end(),
                                 [&](const FaultName& name) { return name.name == word; });
    if (it == kFaultNames.end()) {
      return std::nullopt;
    }
    kinds.insert(it->fault);
  }
  return kinds;
}

std::string NamesOf(const FaultKinds& kinds) {
  if (kinds.empty()) {
    return "none";
  }
  if (kinds == AllFaults()) {
    return "all";
  }
  std::vector<std::string> names;
  for (const FaultName& name : kFaultNames) {
    if (kinds.contains(name.fault)) {
      names.emplace_back(name.name);
    }
  }
  return absl::StrJoin(names, ",");
}

}  // namespace korder::simulation
