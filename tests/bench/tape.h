// An API server that plays one list and one watch from memory, and takes the processor time that
// whoever reads them spends in between.
//
//   Tape tape({.pages = pages, .watch = bytes});
//   kube::Client client(tape);
//   kube::Informer<api::Pod> pods(client);
//   Play(tape, pods);
//   tape.list_cpu(); tape.watch_cpu();
//
// For one informer at a time, whose thread's time it is. Not thread-safe.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "kube/informer.h"
#include "kube/transport.h"

namespace korder::bench {

// Of the calling thread.
absl::Duration ThreadCpu();

class Tape final : public kube::HttpTransport {
 public:
  struct Recording {
    std::vector<std::string> pages;  // each names the next by its continue token
    std::string watch;               // lines
    size_t chunk = 16 << 10;         // bytes of the watch that arrive together
  };

  // Borrows the recording.
  explicit Tape(const Recording& recording) : recording_(recording) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override;
  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override;

  // Requested when the watch has been read to its end.
  std::stop_token at_end() const { return end_.get_token(); }
  // From the request for the first page to the watch; from there to the end.
  absl::Duration list_cpu() const { return *opened_ - *asked_; }
  absl::Duration watch_cpu() const { return *ended_ - *opened_; }

 private:
  class Stream;

  const Recording& recording_;
  size_t next_page_ = 0;
  std::optional<absl::Duration> asked_, opened_, ended_;
  std::stop_source end_;
};

// Runs the informer on this thread until it has seen all.
void Play(const Tape& tape, kube::InformerBase& informer);

}  // namespace korder::bench
