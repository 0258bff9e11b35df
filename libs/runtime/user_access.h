// Lets users of the cluster call methods with their bearer token: a TokenReview says who they are,
// a SubjectAccessReview whether Kubernetes lets them do what the method stands for. So RBAC
// decides, and korder keeps no list of users.
//
//   UserAccess users(client, clock, {.access = {.verb = "get", .group = "core.korder.dev",
//                                               .resource = "quotas"}});
//   manager.AddBackground("users", [&](std::stop_token s) { users.Run(s); });
//   GrpcServer server({..., .user_methods = {"/korder.quota.v1.QuotaLedger/Query"}, .users =
//   &users},
//                     metrics);
//
// What is in a namespace may be somebody's in one and not in another. With `.in_namespace = true` a
// call names its namespace (kNamespaceMetadata), and who asks must be allowed there; without a
// name, in all of them. The service then holds what it is asked against CheckCallNamespace
// (grpc_call_namespace.h).
//
// Answers are remembered for a short while, refusals too. Tokens are never logged. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "api/core/subject_access_review.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "kube/client.h"

namespace korder::runtime {

// The gRPC metadata in which a call names the namespace that it is about.
inline constexpr char kNamespaceMetadata[] = "korder-namespace";

struct UserAccessOptions {
  // What a user must be allowed to do.
  api::ResourceAttributes access;
  // In the namespace that the call names, instead of access.ns.
  bool in_namespace = false;
  absl::Duration remember = absl::Seconds(10);
  // Callers that may wait for the API server at one time.
  size_t max_waiting = 64;
};

class UserAccess {
 public:
  // OK; UNAUTHENTICATED: nobody's token; PERMISSION_DENIED: somebody's who may not;
  // INVALID_ARGUMENT: no name of a namespace; UNAVAILABLE: the API server does not say;
  // RESOURCE_EXHAUSTED: too many wait for it.
  using Done = std::function<void(const absl::Status&)>;

  // Borrows client and clock.
  UserAccess(kube::Client& client, const Clock& clock, UserAccessOptions options);

  // Does not block: `done` is called at once when the answer is remembered, otherwise on the thread
  // of Run. Every `done` is called. `ns` is what the call names: empty for all namespaces; without
  // `in_namespace` it means nothing.
  void Check(std::string token, std::string ns, Done done);
  // Asks the API server for those who wait, until stop; then answers them UNAVAILABLE.
  void Run(std::stop_token stop);

 private:
  using Question = std::pair<std::string, std::string>;  // token and namespace
  struct Waiting {
    Question question;
    Done done;
  };
  struct Answer {
    absl::Status status;
    MonoTime until;
  };

  absl::Status AnswerFor(const Question& question, std::stop_token stop);
  absl::Status Review(const Question& question, std::stop_token stop);
  const Answer* Remembered(const Question& question) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remember(const Question& question, const absl::Status& status);

  kube::Client& client_;
  const Clock& clock_;
  const UserAccessOptions options_;

  Mutex mu_;
  CondVar work_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Question, Answer> answers_ ABSL_GUARDED_BY(mu_);
  bool running_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace korder::runtime
