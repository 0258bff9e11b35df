// Tickets as the API server has them: a table, JSON or YAML. Pure.
//
//   out << TicketsText(tickets, {.all_namespaces = true, .now = now}, style);
#pragma once

#include <string>
#include <vector>

#include "api/v1alpha1/ticket.h"
#include "cli/orders_view.h"
#include "cli/style.h"

namespace korder::cli {

// By namespace, order and number, so that web-2 comes before web-10.
std::string TicketsText(std::vector<api::Ticket> tickets, const ListView& view, const Style& style);

}  // namespace korder::cli
