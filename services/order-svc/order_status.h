// The status of an Order as a pure function of what is observed.
//
// Conditions: Ready names the first cause when False; Progressing is True while tickets are being
// made, replaced or deleted; QuotaLimited, Failure, Suspended say why less is there than was asked
// for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "order-svc/observed.h"
#include "order-svc/plan.h"
#include "order-svc/situation.h"

namespace korder::order {

// Counts, windows, selector, Suspended and Ready from the tickets as they are and plan.memory.
api::OrderStatus ComputeStatus(const Situation& situation, const Memory& memory);

// Adds what became of the plan: Progressing, QuotaLimited, and the cause of Ready=False.
void SetProgress(const api::Order& order, const Plan& plan, const Outcome& outcome, absl::Time now,
                 api::OrderStatus& status);

// Why the order is not Ready while quota-svc cannot be asked.
void SetNoLedger(const api::Order& order, const std::string& why, absl::Time now,
                 api::OrderStatus& status);

void SetFailure(const api::Order& order, std::string_view reason, const std::string& message,
                absl::Time now, api::OrderStatus& status);

// Tickets were made, and there is nothing to tell or to remember but that they are not Ready yet.
bool OnItsWay(const api::OrderStatus& status);

// How long until a Ready ticket has been Ready for spec.minReadySeconds; nullopt when none waits.
std::optional<absl::Duration> UntilNextAvailable(const Observed& observed);

}  // namespace korder::order
