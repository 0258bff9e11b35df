// A transport that answers from a script and takes note of what it was asked.
//
//   ScriptedTransport transport;
//   transport.Answer({.status = 404});
//   client.Get<api::Pod>(key);
//   CHECK(transport.requests[0].target == "...");
//
// Once the script is at its end, `at_end` is called (to stop what is under test) and requests get
// UNAVAILABLE. Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube/api_error.h"
#include "kube/transport.h"

namespace korder::kube {

// What one stream gives: pieces of the body, then an orderly end or an error.
struct StreamScript {
  std::vector<std::string> chunks;
  absl::Status end;  // OK = the orderly end of the body
};

class ScriptedStream final : public ByteStream {
 public:
  explicit ScriptedStream(StreamScript script) : script_(std::move(script)) {}

  absl::StatusOr<std::string> Read(absl::Duration) override {
    if (next_ < script_.chunks.size()) {
      return script_.chunks[next_++];
    }
    if (!script_.end.ok()) {
      return script_.end;
    }
    return std::string();
  }

 private:
  StreamScript script_;
  size_t next_ = 0;
};

class ScriptedTransport final : public HttpTransport {
 public:
  void Answer(absl::StatusOr<HttpResponse> response) { answers_.push_back({std::move(response)}); }
  void AnswerStream(StreamScript script) {
    answers_.push_back({HttpResponse{.status = 200}, std::move(script)});
  }

  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions&) override {
    return Next(request).response;
  }
  absl::StatusOr<StreamResponse> Open(const HttpRequest& request, const CallOptions&) override {
    Scripted answer = Next(request);
    if (!answer.response.ok()) {
      return answer.response.status();
    }
    StreamResponse response;
    response.status = answer.response->status;
    response.retry_after = answer.response->retry_after;
    if (IsSuccess(response.status)) {
      response.body = std::make_unique<ScriptedStream>(std::move(answer.stream));
    } else {
      response.error_body = answer.response->body;
    }
    return response;
  }

  std::vector<HttpRequest> requests;
  std::function<void()> at_end = [] {};

 private:
  struct Scripted {
    absl::StatusOr<HttpResponse> response;
    StreamScript stream;
  };

  Scripted Next(const HttpRequest& request) {
    requests.push_back(request);
    if (answers_.empty()) {
      at_end();
      return {UnavailableError("the script is at its end")};
    }
    Scripted next = std::move(answers_.front());
    answers_.pop_front();
    return next;
  }

  std::deque<Scripted> answers_;
};

}  // namespace korder::kube
