#include "ticket-svc/prolong.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"
#include "api/v1alpha1/ticket_window.h"
#include "ticket-svc/expiry.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {
namespace {

// A longer window that is denied leaves the ticket as it is: no need to hurry.
constexpr absl::Duration kShortestDenial = absl::Seconds(1);
constexpr absl::Duration kLongestDenial = absl::Seconds(30);

}  // namespace

std::optional<absl::Time> LongerEnd(const api::WindowTerms& ticket, absl::Time now) {
  if (!api::HasBegun(ticket)) {
    return std::nullopt;
  }
  const absl::Time granted = api::EndOfWindow(ticket);
  const std::optional<absl::Time> wanted = api::WantedEnd(ticket);
  return now < granted && wanted && *wanted > granted ? wanted : std::nullopt;
}

bool IsRefused(const Observed& observed, absl::Time end) {
  return observed.refused_end && observed.refused_end->end == end &&
         observed.refused_end->wait > absl::ZeroDuration();
}

Plan Prolong(const Observed& observed, absl::Time end) {
  Plan plan;
  plan.actions.push_back(ConfirmLonger{end});
  plan.actions.push_back(WriteStatus{ProlongedStatus(*observed.ticket, end, observed.now)});
  plan.events.push_back({false, std::string(api::kEventTicketRenewed),
                         end == absl::InfiniteFuture()
                             ? "the window has no end any more"
                             : absl::StrCat("the window ends at ", TimeText(end))});
  return plan;
}

absl::Duration AskAgainIn(std::optional<absl::Time> next_change, absl::Time now) {
  return std::clamp(next_change.value_or(absl::InfiniteFuture()) - now, kShortestDenial,
                    kLongestDenial);
}

}  // namespace korder::ticket
