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
  const auto mine = std::make_shared<Question>(Question{.asked = asked});
  {
    const MutexLock lock(mu_);
    waiting_.push_back(mine);
  }
  RETURN_IF_ERROR(AwaitAnswer(mine, stop));
  // What is wrong with one of several, and a stop of the one that called, is not about the others.
  const bool mine_to_keep =
      mine->answer->ok() || mine->alone || IsRetryable(mine->answer->status());
  return mine_to_keep ? *mine->answer : AskAlone(asked, std::move(stop), at_most);
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
      const bool go_on = changed_.Wait(mu_, stop, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return mine->answer || (!mine->taken && !under_way_);
      });
      if (!go_on) {
        std::erase(waiting_, mine);
        return CancelledError("stopped while another call to quota-svc was under way");
      }
      if (mine->answer) {
        return absl::OkStatus();
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

void JoinedCharges::Call(const std::vector<QuestionPtr>& questions, std::stop_token stop) {
  std::vector<LedgerConfirmation> asked;
  asked.reserve(questions.size());
  for (const QuestionPtr& question : questions) {
    asked.push_back(question->asked);
  }
  absl::StatusOr<std::vector<LedgerDecision>> decisions =
      ask_(asked, std::move(stop), absl::InfiniteDuration());
  {
    const MutexLock lock(mu_);
    for (size_t i = 0; i < questions.size(); ++i) {
      questions[i]->answer = decisions.ok()
                                 ? absl::StatusOr<LedgerDecision>(std::move((*decisions)[i]))
                                 : decisions.status();
    }
    under_way_ = false;
  }
  changed_.NotifyAll();
}

}  // namespace korder::ticket
