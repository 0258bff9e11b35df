// Tickets that ask for their charge at the same time ask together: what comes while a call is under
// way goes into the next one. A call costs both sides more than a decision does.
//
//   JoinedCharges charges([&](const auto& asked, std::stop_token stop, absl::Duration at_most) {
//     return client.Confirm(asked, stop, at_most);
//   });
//   charges.Confirm({ticket, grant, claim}, stop, absl::InfiniteDuration());
//
// Whoever finds no call under way makes it, at once: a ticket by itself waits for nobody. An answer
// wakes those whom it is for, and one of those who wait, for the next call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "ticket-svc/charges.h"

namespace korder::ticket {

// Thread-safe.
class JoinedCharges final : public Charges {
 public:
  // One decision for each that is asked for, in order. Called by several threads.
  using Ask = std::function<absl::StatusOr<std::vector<runtime::LedgerDecision>>(
      const std::vector<runtime::LedgerConfirmation>& asked, std::stop_token stop,
      absl::Duration at_most)>;
  static constexpr size_t kMostInCall = 64;
  // Who has less time than this asks alone: nobody else is to be cut short by it.
  static constexpr absl::Duration kInAHurry = absl::Seconds(10);

  explicit JoinedCharges(Ask ask) : ask_(std::move(ask)) {}

  absl::StatusOr<runtime::LedgerDecision> Confirm(const runtime::LedgerConfirmation& asked,
                                                  std::stop_token stop,
                                                  absl::Duration at_most) override;
  // How many wait for the next call.
  size_t Waiting() const;

 private:
  struct Question {
    runtime::LedgerConfirmation asked;
    bool taken = false;  // by a call
    bool alone = false;  // in its call
    std::optional<absl::StatusOr<runtime::LedgerDecision>> answer;
    CondVar changed;  // of mu_: it is answered, or has to see to the next call
  };
  using QuestionPtr = std::shared_ptr<Question>;  // a caller may have given up

  // Makes calls, too, when nobody else does. OK once there is an answer.
  absl::Status AwaitAnswer(const QuestionPtr& mine, const std::stop_token& stop);
  absl::StatusOr<runtime::LedgerDecision> AskAlone(const runtime::LedgerConfirmation& asked,
                                                   std::stop_token stop, absl::Duration at_most);
  std::vector<QuestionPtr> TakeSome() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Who sees to the next call when none is under way, if somebody waits.
  QuestionPtr NextToCall() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Call(const std::vector<QuestionPtr>& questions, std::stop_token stop);

  const Ask ask_;
  mutable Mutex mu_;
  std::vector<QuestionPtr> waiting_ ABSL_GUARDED_BY(mu_);  // the oldest first
  bool under_way_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace korder::ticket
