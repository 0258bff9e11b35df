#include "tape.h"

#include <ctime>
#include <memory>
#include <string_view>

namespace korder::bench {

absl::Duration ThreadCpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

class Tape::Stream final : public kube::ByteStream {
 public:
  explicit Stream(Tape& tape) : tape_(tape) {}

  absl::StatusOr<std::string> Read(absl::Duration) override {
    const std::string_view all = tape_.recording_.watch;
    if (at_ >= all.size()) {
      tape_.ended_ = ThreadCpu();
      tape_.end_.request_stop();
      return std::string();
    }
    const std::string_view chunk = all.substr(at_, tape_.recording_.chunk);
    at_ += chunk.size();
    return std::string(chunk);
  }

 private:
  Tape& tape_;
  size_t at_ = 0;
};

absl::StatusOr<kube::HttpResponse> Tape::Do(const kube::HttpRequest&, const kube::CallOptions&) {
  if (!asked_) {
    asked_ = ThreadCpu();
  }
  if (next_page_ >= recording_.pages.size()) {
    return UnavailableError("the list has been read to its end");
  }
  kube::HttpResponse response;
  response.status = 200;
  response.body = recording_.pages[next_page_++];
  return response;
}

absl::StatusOr<kube::StreamResponse> Tape::Open(const kube::HttpRequest&,
                                                const kube::CallOptions&) {
  opened_ = ThreadCpu();
  kube::StreamResponse response;
  response.status = 200;
  response.body = std::make_unique<Stream>(*this);
  return response;
}

void Play(const Tape& tape, kube::InformerBase& informer) { informer.Run(tape.at_end()); }

}  // namespace korder::bench
