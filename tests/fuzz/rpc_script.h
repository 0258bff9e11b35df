// Calls one after the other on the same services, as a text. A line is a method and its request as
// JSON, or how many seconds pass.
//
//   /korder.quota.v1.QuotaLedger/Reserve {"namespace":"default","claim":{},"reservationIds":["a"]}
//   advance 30
//   /korder.ticket.v1.TicketDesk/Handoffs {}
//
// Every answer is checked: OK, or INVALID_ARGUMENT with the path of a field; never an error that
// blames the service, never one that would not reach the caller, never late.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace korder::fuzz {

enum class Mangling {
  kNone,
  kFields,  // of the requests that the lines stand for, some fields are others
  kBytes,   // of the requests as they travel, some bytes are others
};

// How many calls of each method were answered with OK.
using Answered = std::map<std::string, int>;

Answered RunScript(std::string_view script, Mangling mangling);

}  // namespace korder::fuzz
