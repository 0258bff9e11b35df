#include "order-svc/occurrences.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/reasons.h"

namespace korder::order {
namespace {

constexpr char kSkipped[] = "spec.strategy.skip names it";
// More that were missed are not counted one by one.
constexpr int kMostMissed = 100;

void Tell(std::string_view reason, std::string message, Plan& plan) {
  plan.events.push_back({"Normal", std::string(reason), std::move(message)});
}
void Warn(std::string_view reason, std::string message, Plan& plan) {
  plan.events.push_back({"Warning", std::string(reason), std::move(message)});
}

// Why a tick that has come is left out; empty when it is not.
std::string WhyLeftOut(const Situation& situation, absl::Time tick) {
  const auto& deadline = situation.order().spec.strategy.starting_deadline;
  if (situation.windows.Skips(tick)) {
    return kSkipped;
  }
  if (deadline && situation.now() > tick + deadline->value()) {
    return absl::StrCat("it could not start within ", deadline->text(),
                        " (spec.strategy.startingDeadline)");
  }
  return "";
}

// The last tick that was dealt with, or the order's creation: ticks before it are none of ours.
absl::Time DealtWith(const Situation& situation, const Plan& plan) {
  return plan.memory.last_tick.value_or(
      situation.order().metadata.creation_timestamp.value_or(absl::InfinitePast()));
}

// Windows that came and went while nobody served the order.
void ReportMissed(const Situation& situation, absl::Time before, Plan& plan) {
  if (!plan.memory.last_tick) {
    return;
  }
  int missed = 0;
  absl::Time last;
  for (std::optional<absl::Time> tick = situation.windows.NextTick(*plan.memory.last_tick);
       tick && *tick < before && missed <= kMostMissed; tick = situation.windows.NextTick(*tick)) {
    if (!situation.windows.Skips(*tick) && situation.windows.At(*tick).end <= situation.now()) {
      ++missed;
      last = *tick;
    }
  }
  if (missed > 0) {
    Warn(api::kEventOccurrenceSkipped,
         absl::StrCat(
             missed > kMostMissed ? absl::StrCat("more than ", kMostMissed) : absl::StrCat(missed),
             missed == 1 ? " window" : " windows",
             " passed while the order was paused or "
             "korder did not run, the last of them at ",
             situation.TimeText(last)),
         plan);
  }
}

void LeaveOut(const Situation& situation, absl::Time tick, const std::string& why, Plan& plan) {
  const bool by_wish = why == kSkipped;
  (by_wish ? Tell : Warn)(
      api::kEventOccurrenceSkipped,
      absl::StrCat("the window of ", situation.TimeText(tick), " is left out: ", why), plan);
}

void Begin(const Situation& situation, const api::Window& window, Plan& plan) {
  ReportMissed(situation, window.start, plan);
  Book& book = plan.memory.books[window.start];
  book.skipped = WhyLeftOut(situation, window.start);
  plan.memory.last_tick = std::max(plan.memory.last_tick.value_or(window.start), window.start);
  if (!book.skipped.empty()) {
    LeaveOut(situation, window.start, book.skipped, plan);
    return;
  }
  plan.start_delays.push_back(std::max(
      situation.now() - (window.start - situation.windows.lead_time()), absl::ZeroDuration()));
}

// Tells of the newest window that is open, once. It may have been begun before, by leadTime.
void TellOpening(const Situation& situation, Plan& plan) {
  const auto& books = plan.memory.books;
  const auto newest = std::find_if(books.rbegin(), books.rend(), [&](const auto& entry) {
    return entry.first <= situation.now() && entry.second.skipped.empty();
  });
  std::optional<absl::Time>& told = plan.memory.told_open;
  if (newest != books.rend() && (!told || *told < newest->first)) {
    told = newest->first;
    Tell(api::kEventWindowOpened,
         absl::StrCat("the window of ", situation.TimeText(newest->first), " is open"), plan);
  }
}

// Nothing is to be kept of the window any more: it is over, or not called off any more and to be
// begun anew. One that is called off before it began stays, to be told once.
bool IsSettled(const Situation& situation, absl::Time start, Book& book, Plan& plan) {
  if (situation.IsAhead(start)) {
    return false;
  }
  if (!situation.IsOpen(start)) {
    if (book.skipped.empty() && start <= situation.now()) {
      Tell(api::kEventWindowClosed,
           absl::StrCat("the window of ", situation.TimeText(start), " is over"), plan);
    }
    return true;
  }
  const bool skips = situation.windows.Skips(start);
  if (book.skipped.empty() && skips && start > situation.now()) {
    book.skipped = kSkipped;
    LeaveOut(situation, start, kSkipped, plan);
  }
  return book.skipped == kSkipped && !skips;
}

}  // namespace

void FollowWindows(const Situation& situation, Plan& plan) {
  std::map<absl::Time, Book>& books = plan.memory.books;
  for (auto it = books.begin(); it != books.end();) {
    it = IsSettled(situation, it->first, it->second, plan) ? books.erase(it) : std::next(it);
  }
  for (const api::Window& window : situation.open) {
    if (!books.contains(window.start) && !situation.order().spec.paused) {
      Begin(situation, window, plan);
    }
  }
  TellOpening(situation, plan);
}

bool FollowTicks(const Situation& situation, Plan& plan) {
  const std::optional<absl::Time> tick = situation.windows.PreviousTick(situation.now());
  if (!tick || *tick <= DealtWith(situation, plan) || situation.order().spec.paused) {
    return false;
  }
  ReportMissed(situation, *tick, plan);
  plan.memory.last_tick = *tick;
  if (const std::string why = WhyLeftOut(situation, *tick); !why.empty()) {
    LeaveOut(situation, *tick, why, plan);
    return false;
  }
  plan.start_delays.push_back(situation.now() - *tick);
  return true;
}

}  // namespace korder::order
