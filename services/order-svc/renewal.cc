#include "order-svc/renewal.h"

#include <algorithm>

#include "api/v1alpha1/ticket_window.h"

namespace korder::order {
namespace {

constexpr absl::Duration kLongestMargin = absl::Seconds(30);

absl::Time RenewedFor(const OrderTicket& ticket) {
  return ticket.renewal ? ticket.renewal->tick : absl::InfinitePast();
}

class Renewer {
 public:
  Renewer(const Situation& situation, Plan& plan)
      : windows_(situation.windows),
        now_(situation.now()),
        margin_(std::min(windows_.duration() / 10, kLongestMargin)),
        plan_(plan) {
    last_tick_ = windows_.PreviousTick(now_);
    next_tick_ = windows_.NextTick(now_);
    const auto& deadline = situation.order().spec.strategy.starting_deadline;
    if (last_tick_ && !windows_.Skips(*last_tick_) &&
        !(deadline && now_ > *last_tick_ + deadline->value())) {
      due_tick_ = last_tick_;
    }
  }

  void Consider(const Entry& entry) {
    const OrderTicket& ticket = *entry.ticket;
    const auto renewed = plan_.memory.renewed.find(entry.ordinal);
    if (renewed != plan_.memory.renewed.end()) {
      if (renewed->second == ticket.metadata.resource_version) {
        return;  // the store shows it as it was before
      }
      plan_.memory.renewed.erase(renewed);
    }
    if (!ticket.activation_time) {
      return;
    }
    const absl::Time start = ticket.form->spec.start_time.value_or(*ticket.activation_time);
    const std::optional<absl::Time> end = api::WindowEnd(start, ticket.duration());
    if (!end || *end == absl::InfiniteFuture() || *end <= now_) {
      return;
    }
    const std::optional<absl::Time> meeting = windows_.NextTick(*end - margin_);
    const bool meets = meeting && *meeting <= *end + margin_ && !windows_.Skips(*meeting);
    if (meets && now_ >= *end - 2 * margin_) {
      // The tick itself is still to come, and will find that the ticket ends before the next.
      Renew(entry, start, *end, last_tick_.value_or(now_));
    } else if (due_tick_ && *due_tick_ > RenewedFor(ticket) &&
               *due_tick_ > *ticket.activation_time && next_tick_ && *end < *next_tick_) {
      Renew(entry, start, *end, *due_tick_);
    } else if (meets) {
      plan_.LookAgainIn(*end - 2 * margin_ - now_);
    }
  }

 private:
  void Renew(const Entry& entry, absl::Time start, absl::Time end, absl::Time tick) {
    const absl::Time whole = absl::FromUnixSeconds(absl::ToUnixSeconds(now_));
    if (whole + windows_.duration() <= end) {
      return;
    }
    if (plan_.renew.size() >= kBatch) {  // as with creations, the next plan goes on
      plan_.LookAgainIn(absl::ZeroDuration());
      return;
    }
    const OrderTicket& ticket = *entry.ticket;
    plan_.renew.push_back({.ordinal = entry.ordinal,
                           .key = kube::KeyOf(ticket),
                           .uid = ticket.metadata.uid,
                           .resource_version = ticket.metadata.resource_version,
                           .duration = whole + windows_.duration() - start,
                           .tick = tick});
  }

  const api::OrderWindows& windows_;
  const absl::Time now_;
  const absl::Duration margin_;
  Plan& plan_;
  std::optional<absl::Time> last_tick_;
  std::optional<absl::Time> due_tick_;  // the last one, if it counts
  std::optional<absl::Time> next_tick_;
};

}  // namespace

void RenewTickets(const Situation& situation, Plan& plan) {
  const api::Order& order = situation.order();
  if (order.spec.strategy.refresh_policy == api::RefreshPolicy::kNever || order.spec.paused ||
      situation.windows.duration() == absl::InfiniteDuration()) {
    return;
  }
  const Book& book = plan.memory.books.at(kNoOccurrence);
  Renewer renewer(situation, plan);
  for (const Entry& entry : situation.EntriesOf(kNoOccurrence)) {
    if (entry.IsFree() && !entry.outdated && book.slots.Contains(entry.ordinal)) {
      renewer.Consider(entry);
    }
  }
}

}  // namespace korder::order
