#include "ticket-svc/joined_charges.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace korder::ticket {

using runtime::LedgerConfirmation;
using runtime::LedgerDecision;

absl::StatusOr<LedgerDecision> JoinedCharges::Confirm(const LedgerConfirmation& asked,
                                                      std::stop_token stop,
                                                      absl::Duration at_most) {
  if (at_most < kInAHurry) {
    return AskAlone(asked, std::move(stop), at_most);
  }
  const auto mine = std::make_shared<Question>();
  mine->asked = asked;
  {
    const MutexLock lock(mu_);
    waiting_.push_back(mine);
  }
  RETURN_IF_ERROR(AwaitAnswer(mine, stop));
  // What is wrong with one of several, and a stop of the one that called, is not about the others.
  const bool mine_to_keep =
      mine->answer->ok() || mine->alone || IsRetryable(mine->answer->status());
  return mine_to_keep ? std::move(*mine->answer) : AskAlone(asked, std::move(stop), at_most);
}

size_t JoinedCharges::Waiting() const {
  const MutexLock lock(mu_);
  return waiting_.size();
}

absl::Status JoinedCharges::AwaitAnswer(const QuestionPtr& mine, const std::stop_token& stop) {
  while (true) {
    std::vector<QuestionPtr> together;
    {
      const MutexLock lock(mu_);
      mine->changed.Wait(mu_, stop, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return mine->answer || (!mine->taken && !under_way_);
      });
      if (mine->answer) {
        return absl::OkStatus();
      }
      if (stop.stop_requested()) {
        std::erase(waiting_, mine);
        if (const QuestionPtr next = NextToCall()) {
          next->changed.NotifyOne();  // perhaps it was this one that had to see to it
        }
        return CancelledError("stopped while it waited for quota-svc");
      }
      together = TakeSome();
      under_way_ = true;
    }
    Call(together, stop);
  }
}

absl::StatusOr<LedgerDecision> JoinedCharges::AskAlone(const LedgerConfirmation& asked,
                                                       std::stop_token stop,
                                                       absl::Duration at_most) {
  absl::StatusOr<std::vector<LedgerDecision>> decisions = ask_({asked}, std::move(stop), at_most);
  if (!decisions.ok()) {
    return decisions.status();
  }
  return std::move(decisions->front());
}

std::vector<JoinedCharges::QuestionPtr> JoinedCharges::TakeSome() {
  const auto end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMostInCall));
  std::vector<QuestionPtr> some(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  for (const QuestionPtr& question : some) {
    question->taken = true;
    question->alone = some.size() == 1;
  }
  return some;
}

JoinedCharges::QuestionPtr JoinedCharges::NextToCall() const {
  return under_way_ || waiting_.empty() ? nullptr : waiting_.front();
}

void JoinedCharges::Call(const std::vector<QuestionPtr>& questions, std::stop_token stop) {
  std::vector<LedgerConfirmation> asked;
  asked.reserve(questions.size());
  for (const QuestionPtr& question : questions) {
    asked.push_back(question->asked);
  }
  absl::StatusOr<std::vector<LedgerDecision>> decisions =
      ask_(asked, std::move(stop), absl::InfiniteDuration());
  QuestionPtr next;
  {
    const MutexLock lock(mu_);
    for (size_t i = 0; i < questions.size(); ++i) {
      questions[i]->answer = decisions.ok()
                                 ? absl::StatusOr<LedgerDecision>(std::move((*decisions)[i]))
                                 : decisions.status();
    }
    under_way_ = false;
    next = NextToCall();
  }
  if (next != nullptr) {
    next->changed.NotifyOne();  // first: quota-svc is idle
  }
  for (const QuestionPtr& question : questions) {
    question->changed.NotifyOne();
  }
}

}  // namespace korder::ticket
