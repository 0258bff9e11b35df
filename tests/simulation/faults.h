// What may go wrong in a run, by kind, and the dice that say when.
//
//   FaultKinds kinds = *ParseFaults("F4,F6");   // "all", "none"
//
// Each kind has dice of its own, so that one that is switched off changes nothing about the others.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace korder::simulation {

enum class Fault {
  kCrash,      // F2: a process dies right before or after a write, or a call of quota-svc
  kStale,      // F4: watches that lag, break, repeat themselves, or have to begin anew
  kAmbiguous,  // F6: requests and calls that are lost, answered by nothing, or arrive twice
  kTime,       // F9: two leaders, processes that stand still, a clock that is set
  kCluster,    // F11: guardians killed, nodes lost, preemption, thieves, namespaces deleted
};

struct FaultName {
  Fault fault;
  std::string_view name;
  std::string_view meaning;
};
inline constexpr std::array<FaultName, 5> kFaultNames = {
    {{Fault::kCrash, "F2", "crashes before or after any write or call"},
     {Fault::kStale, "F4", "watches that lag, break, repeat or begin anew"},
     {Fault::kAmbiguous, "F6", "requests lost, unanswered or doubled"},
     {Fault::kTime, "F9", "two leaders, stalled processes, a clock that is set"},
     {Fault::kCluster, "F11", "guardians, nodes, pods and namespaces come to harm"}}};

using FaultKinds = std::set<Fault>;

FaultKinds AllFaults();
// Nothing when a name is unknown.
std::optional<FaultKinds> ParseFaults(std::string_view text);
std::string NamesOf(const FaultKinds& kinds);

}  // namespace korder::simulation
