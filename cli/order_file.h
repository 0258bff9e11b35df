// Orders and Tickets in a file, as questions to quota-svc: would they fit? Pure.
//
//   ASSIGN_OR_RETURN(const OrderFile file, ReadOrderFile(text, {.source = "order.yaml"}));
//   for (const CheckItem& item : file.items) { ledger.Check(item.request); }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket_spec.h"
#include "base/status.h"
#include "cli/pb.h"

namespace korder::cli {

// One Order or Ticket.
struct CheckItem {
  std::string kind;
  std::string ns;
  std::string name;
  pb::CheckRequest request;
  // One ticket for each eligible node: request.tickets is not known yet.
  bool daemon_set = false;
  api::TicketSpec spec;
  std::optional<api::Order> order;  // as it stands in the file; nothing for a Ticket
  // What people should know about the answer.
  std::vector<std::string> notes;

  std::string Title() const;  // "order default/my-order"
};

struct OrderFile {
  std::vector<CheckItem> items;
  // Objects of other kinds: "ConfigMap settings".
  std::vector<std::string> skipped;
};

struct OrderFileOptions {
  std::string source = "-";      // for messages
  std::string ns;                // asked for: every object must be in it
  std::string default_ns = {};   // of objects that name none
  std::optional<absl::Time> at;  // judge by the limits of then
};

// YAML or JSON, several documents and lists, too. INVALID_ARGUMENT names the object and everything
// that is wrong with it; also when there is neither an Order nor a Ticket.
absl::StatusOr<OrderFile> ReadOrderFile(const std::string& text, const OrderFileOptions& options);

}  // namespace korder::cli
