#include "runtime/user_access.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/token_review.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace korder::runtime {
namespace {

// More would be an attack, not a team.
constexpr size_t kMaxAnswers = 10'000;

kube::CallOptions Call(std::stop_token stop) {
  return {.timeout = absl::Seconds(3), .stop = std::move(stop)};
}

absl::Status NobodyAsks() { return UnavailableError("users cannot be told apart at the moment"); }

}  // namespace

UserAccess::UserAccess(kube::Client& client, const Clock& clock, UserAccessOptions options)
    : client_(client), clock_(clock), options_(std::move(options)) {}

void UserAccess::Check(std::string token, Done done) {
  absl::Status answer;
  {
    const MutexLock lock(mu_);
    if (const Answer* known = Remembered(token)) {
      answer = known->status;
    } else if (!running_) {
      answer = NobodyAsks();
    } else if (waiting_.size() >= options_.max_waiting) {
      answer = ResourceExhaustedError("too many users wait for the API server");
    } else {
      waiting_.push_back({std::move(token), std::move(done)});
      work_.NotifyOne();
      return;
    }
  }
  done(answer);
}

void UserAccess::Run(std::stop_token stop) {
  {
    const MutexLock lock(mu_);
    running_ = true;
  }
  while (true) {
    Waiting next;
    {
      const MutexLock lock(mu_);
      if (!work_.Wait(mu_, stop,
                      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !waiting_.empty(); })) {
        break;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next.done(AnswerFor(next.token, stop));
  }
  std::deque<Waiting> left;
  {
    const MutexLock lock(mu_);
    running_ = false;
    left.swap(waiting_);
  }
  for (const Waiting& waiting : left) {
    waiting.done(NobodyAsks());
  }
}

absl::Status UserAccess::AnswerFor(const std::string& token, std::stop_token stop) {
  {
    // Somebody with the same token may have been answered while this one waited.
    const MutexLock lock(mu_);
    if (const Answer* answer = Remembered(token)) {
      return answer->status;
    }
  }
  absl::Status status = Review(token, std::move(stop));
  Remember(token, status);
  return status;
}

absl::Status UserAccess::Review(const std::string& token, std::stop_token stop) {
  api::TokenReview who;
  who.spec.token = token;
  const auto reviewed = client_.Create(who, Call(stop));
  if (!reviewed.ok()) {
    log::Warn("token not reviewed", {{"error", ToString(reviewed.status())}});
    return NobodyAsks();
  }
  if (!reviewed->status.authenticated) {
    return UnauthenticatedError(absl::StrCat("the API server does not know this bearer token",
                                             reviewed->status.error.empty() ? "" : ": ",
                                             reviewed->status.error));
  }
  const api::UserInfo& user = reviewed->status.user;
  api::SubjectAccessReview may;
  may.spec = {.resource = options_.access,
              .user = user.username,
              .groups = user.groups,
              .uid = user.uid,
              .extra = user.extra};
  const auto allowed = client_.Create(may, Call(std::move(stop)));
  if (!allowed.ok()) {
    log::Warn("access not reviewed", {{"error", ToString(allowed.status())}});
    return NobodyAsks();
  }
  if (!allowed->status.allowed) {
    const api::ResourceAttributes& access = options_.access;
    return PermissionDeniedError(absl::StrCat(user.username, " may not ", access.verb, " ",
                                              access.resource, ".", access.group));
  }
  return absl::OkStatus();
}

const UserAccess::Answer* UserAccess::Remembered(const std::string& token) {
  const auto it = answers_.find(token);
  return it == answers_.end() || it->second.until < clock_.Mono() ? nullptr : &it->second;
}

void UserAccess::Remember(const std::string& token, const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return;
  }
  const MonoTime now = clock_.Mono();
  const MutexLock lock(mu_);
  absl::erase_if(answers_, [now](const auto& entry) { return entry.second.until < now; });
  if (answers_.size() < kMaxAnswers) {
    answers_[token] = {status, now + absl::ToChronoNanoseconds(options_.remember)};
  }
}

}  // namespace korder::runtime
