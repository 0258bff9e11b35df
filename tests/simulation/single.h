// One thing that goes wrong with one message of one service, by name.
//
//   const Single single = *ParseSingle("crash-after:quota-svc:PUT configmaps#3");
//   TextOf(single);   // the same again
//
// Of all that quota-svc writes to ConfigMaps, the third is performed, and quota-svc dies before it
// sees the answer.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "network.h"

namespace korder::simulation {

struct SingleKind {
  Network::Fate fate;
  std::string_view name;
};
inline constexpr std::array<SingleKind, 6> kSingleKinds = {
    {{Network::Fate::kCrashBefore, "crash-before"},
     {Network::Fate::kCrashWhile, "crash-while"},
     {Network::Fate::kCrashAfter, "crash-after"},
     {Network::Fate::kIsLost, "lost"},
     {Network::Fate::kAnswerIsLost, "unanswered"},
     {Network::Fate::kArrivesTwice, "twice"}}};

struct Single {
  Network::Fate fate = Network::Fate::kArrives;
  std::string site;  // "quota-svc:PUT configmaps"
  int ordinal = 1;   // among the messages of the site, from 1
  bool operator==(const Single&) const = default;
};

std::string TextOf(const Single& single);
std::optional<Single> ParseSingle(std::string_view text);

// Where messages of a kind come from: the service and what it asks for.
std::string SiteOf(const Network::Message& message);

}  // namespace korder::simulation
