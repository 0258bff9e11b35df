// An API server that only answers TokenReviews and SubjectAccessReviews.
//
//   ReviewingApiServer server({.knows = {"jane", "joe"}, .may = {"jane"}});   // tokens
//   kube::Client client(server);
//
// The user of a token "t" is "user-of-t". Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/core/subject_access_review.h"
#include "api/core/token_review.h"
#include "base/mutex.h"
#include "json/fields.h"
#include "kube/transport.h"

namespace korder::runtime {

class ReviewingApiServer final : public kube::HttpTransport {
 public:
  struct Tokens {
    std::set<std::string> knows;
    std::set<std::string> may;                                 // everywhere
    std::map<std::string, std::set<std::string>> may_in = {};  // only in these namespaces
  };
  explicit ReviewingApiServer(Tokens tokens) : tokens_(std::move(tokens)) {}

  int requests() const { return requests_; }
  void SetAway(bool away) { away_ = away; }
  // Requests wait until LetGo.
  void Hold() {
    const MutexLock lock(mu_);
    held_ = true;
  }
  void LetGo() {
    const MutexLock lock(mu_);
    held_ = false;
    let_go_.NotifyAll();
  }
  void Forget(const std::string& token) {
    const MutexLock lock(mu_);
    tokens_.knows.erase(token);
  }

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions&) override {
    ++requests_;
    if (away_) {
      return UnavailableError("connection refused");
    }
    const MutexLock lock(mu_);
    let_go_.Wait(mu_, {}, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !held_; });
    kube::HttpResponse response{.status = 201};
    if (absl::StrContains(request.target, "/tokenreviews")) {
      auto review = Read<api::TokenReview>(request.body);
      review.status.authenticated = tokens_.knows.contains(review.spec.token);
      if (review.status.authenticated) {
        review.status.user.username = absl::StrCat("user-of-", review.spec.token);
      }
      response.body = json::Print(review);
    } else {
      auto review = Read<api::SubjectAccessReview>(request.body);
      for (const std::string& token : tokens_.may) {
        review.status.allowed |= review.spec.user == absl::StrCat("user-of-", token);
      }
      for (const auto& [token, namespaces] : tokens_.may_in) {
        review.status.allowed |= review.spec.user == absl::StrCat("user-of-", token) &&
                                 namespaces.contains(review.spec.resource.ns);
      }
      response.body = json::Print(review);
    }
    return response;
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest&,
                                            const kube::CallOptions&) override {
    return UnavailableError("no streams here");
  }

 private:
  template <class T>
  static T Read(const std::string& body) {
    T object;
    if (const absl::Status read = json::Parse(body, object); !read.ok()) {
      throw std::runtime_error(ToString(read));
    }
    return object;
  }

  std::atomic<int> requests_ = 0;
  std::atomic<bool> away_ = false;
  Mutex mu_;
  CondVar let_go_;
  Tokens tokens_ ABSL_GUARDED_BY(mu_);
  bool held_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace korder::runtime
