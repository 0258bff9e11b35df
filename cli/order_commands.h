// `korderctl preview`, `calendar`, `orders`, `tickets`: what orders will do, and what there is.
// Read only. The output is written already when they return.
#pragma once

#include <string>

#include "base/status.h"
#include "cli/quota_commands.h"

namespace korder::cli {

struct PreviewOptions {
  std::string file;  // "-" = standard input
  int windows = 5;
  std::string from;  // as ParseMoment takes it; empty: now
};
// True when every window fits its quotas.
absl::StatusOr<bool> PreviewOrders(Session& session, const PreviewOptions& options);

struct CalendarOptions {
  std::string order;  // empty: all
  std::string from;   // empty: now
  std::string to;     // empty: 7 days later
  int limit = 1000;
  bool all_namespaces = false;
};
absl::Status ShowCalendar(Session& session, const CalendarOptions& options);

// Of the namespace of -n or the context's, or of all.
absl::Status ListOrders(Session& session, bool all_namespaces);
// All, or those of one order, which NOT_FOUND says is not there.
absl::Status ListTickets(Session& session, const std::string& order, bool all_namespaces);

// Of -n, or the context's, or "default".
std::string NamespaceOf(Session& session);

}  // namespace korder::cli
