// An API server for the tests of this folder.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "kube/transport.h"

namespace korder::cli {

// An API server that has one answer for each "METHOD path", and 404 for others.
class Answers final : public kube::HttpTransport {
 public:
  using ByRequest = std::map<std::string, kube::HttpResponse>;

  // Borrows the answers, which may change.
  explicit Answers(const ByRequest& answers) : answers_(answers) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions&) override {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const auto it = answers_.find(request.method + " " + path);
    return it == answers_.end() ? kube::HttpResponse{.status = 404} : it->second;
  }
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest&,
                                            const kube::CallOptions&) override {
    return UnavailableError("no streams here");
  }

 private:
  const ByRequest& answers_;
};

}  // namespace korder::cli
