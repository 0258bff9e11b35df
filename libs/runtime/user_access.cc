#include "runtime/user_access.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/core/token_review.h"
#include "api/meta/dns_name.h"
#include "api/value/field_error.h"
#include "base/log.h"
#include "base/status_macros.h"

namespace korder::runtime {
namespace {

// More would be an attack, not a team.
constexpr size_t kMaxAnswers = 10'000;

kube::CallOptions Call(std::stop_token stop) {
  return {.timeout = absl::Seconds(3), .stop = std::move(stop)};
}

// " in namespace ml", " in all namespaces".
std::string Where(const std::string& ns) {
  return ns.empty() ? " in all namespaces" : " in namespace " + ns;
}

absl::Status NobodyAsks() { return UnavailableError("users cannot be told apart at the moment"); }

}  // namespace

UserAccess::UserAccess(kube::Client& client, const Clock& clock, UserAccessOptions options)
    : client_(client), clock_(clock), options_(std::move(options)) {}

void UserAccess::Check(std::string token, std::string ns, Done done) {
  if (!options_.in_namespace) {
    ns.clear();
  } else if (!ns.empty() && !api::DnsLabelProblem(ns).empty()) {
    return done(InvalidArgumentError(
        absl::StrCat(kNamespaceMetadata, ": ", api::Quoted(ns), ": is no name of a namespace")));
  }
  Question question(std::move(token), std::move(ns));
  absl::Status answer;
  {
    const MutexLock lock(mu_);
    if (const Answer* known = Remembered(question)) {
      answer = known->status;
    } else if (!running_) {
      answer = NobodyAsks();
    } else if (waiting_.size() >= options_.max_waiting) {
      answer = ResourceExhaustedError("too many users wait for the API server");
    } else {
      waiting_.push_back({std::move(question), std::move(done)});
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
    next.done(AnswerFor(next.question, stop));
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

absl::Status UserAccess::AnswerFor(const Question& question, std::stop_token stop) {
  {
    // Somebody with the same question may have been answered while this one waited.
    const MutexLock lock(mu_);
    if (const Answer* answer = Remembered(question)) {
      return answer->status;
    }
  }
  absl::Status status = Review(question, std::move(stop));
  Remember(question, status);
  return status;
}

absl::Status UserAccess::Review(const Question& question, std::stop_token stop) {
  const auto& [token, ns] = question;
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
  api::ResourceAttributes access = options_.access;
  if (options_.in_namespace) {
    access.ns = ns;
  }
  may.spec = {.resource = access,
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
    return PermissionDeniedError(absl::StrCat(user.username, " may not ", access.verb, " ",
                                              access.resource, ".", access.group,
                                              options_.in_namespace ? Where(ns) : ""));
  }
  return absl::OkStatus();
}

const UserAccess::Answer* UserAccess::Remembered(const Question& question) {
  const auto it = answers_.find(question);
  return it == answers_.end() || it->second.until < clock_.Mono() ? nullptr : &it->second;
}

void UserAccess::Remember(const Question& question, const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    return;
  }
  const MonoTime now = clock_.Mono();
  const MutexLock lock(mu_);
  absl::erase_if(answers_, [now](const auto& entry) { return entry.second.until < now; });
  if (answers_.size() < kMaxAnswers) {
    answers_[question] = {status, now + absl::ToChronoNanoseconds(options_.remember)};
  }
}

}  // namespace korder::runtime
