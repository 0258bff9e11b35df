// `korderctl quota ...`: asks, and shows the answer. Each returns what went wrong, said so that the
// user knows what to do; the output is written already.
//
//   Session session{options, io, clock, connector};
//   const absl::Status status = ListQuotas(session);
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "cli/connect.h"
#include "cli/io.h"
#include "cli/options.h"
#include "cli/quota_client.h"

namespace korder::cli {

// Borrows everything.
struct Session {
  const GlobalOptions& options;
  Io io;
  const Clock& clock;
  Connector& connector;

  QuotaClient Client() const;
};

absl::Status ListQuotas(Session& session);
// NOT_FOUND when one of them does not exist; the others are shown.
absl::Status GetQuotas(Session& session, const std::vector<std::string>& names);
// All of them when none is named.
absl::Status ShowUsage(Session& session, const std::vector<std::string>& names);

struct CheckOptions {
  std::string file;                // "-" = standard input
  std::string at;                  // RFC 3339, or "+2h" from now
  std::optional<int32_t> tickets;  // instead of what the Order says
};
// True when everything fits.
absl::StatusOr<bool> CheckOrders(Session& session, const CheckOptions& options);

// Until stop.
absl::Status WatchQuotas(Session& session, const std::vector<std::string>& names,
                         std::stop_token stop);

// "2026-05-04T18:00:00Z", "2026-05-04" (its beginning in UTC), "+2h", "+7d". INVALID_ARGUMENT names
// the flag and says what may stand there. Pure.
absl::StatusOr<absl::Time> ParseMoment(const std::string& text, absl::Time now,
                                       const std::string& flag = "--at");

}  // namespace korder::cli
