#include "kube/list_watcher.h"

#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/meta/status.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "kube/api_error.h"
#include "kube/watch_frames.h"
#include "kube/watch_state.h"

namespace korder::kube {
namespace {

// A frame longer than any object the API server stores means that something is wrong.
constexpr size_t kMaxFrame = 32 << 20;

struct EventName {
  std::string_view name;
  EventType type;
};
constexpr EventName kEventNames[] = {{"ADDED", EventType::kAdded},
                                     {"MODIFIED", EventType::kModified},
                                     {"DELETED", EventType::kDeleted},
                                     {"BOOKMARK", EventType::kBookmark}};

// Hands one frame to the sink; returns the object's version, or the error that an ERROR frame
// carries.
absl::StatusOr<std::string> Dispatch(std::string frame, ListWatcher::Sink& sink) {
  json::Reader reader(std::move(frame));
  std::string_view key;
  std::string_view type;
  std::string version;
  for (reader.BeginObject(); reader.NextKey(key);) {
    if (key == "type") {
      type = reader.String();
    } else if (key != "object") {
      reader.Skip();
    } else if (type == "ERROR") {
      api::Status status;
      json::ReadJson(reader, status);
      RETURN_IF_ERROR(reader.Finish());
      return StatusFromObject(status);
    } else {
      const EventName* known = nullptr;
      for (const EventName& name : kEventNames) {
        known = name.name == type ? &name : known;
      }
      if (known == nullptr) {
        return InvalidArgumentError(
            absl::StrCat("watch event of unknown type \"", std::string(type), "\""));
      }
      ASSIGN_OR_RETURN(version, sink.Event(known->type, reader));
    }
  }
  RETURN_IF_ERROR(reader.Finish());
  return version;
}

}  // namespace

ListWatcher::ListWatcher(Client& client, const api::ResourceType& resource,
                         ListWatchOptions options, Sink& sink)
    : client_(client), resource_(resource), options_(std::move(options)), sink_(sink) {}

void ListWatcher::Run(std::stop_token stop) {
  WatchState state;
  std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> uniform(0, 1);
  while (!stop.stop_requested()) {
    const bool listing = state.next() == WatchState::Next::kList;
    const absl::Status status = listing ? ListOnce(stop, state) : WatchOnce(stop, state);
    if (stop.stop_requested()) {
      return;
    }
    if (!status.ok()) {
      const bool expired = absl::IsOutOfRange(status);
      client_.observer().WatchRestart(resource_.plural, expired ? "expired" : "error");
      log::Info(listing ? "list failed" : "watch failed",
                {{"resource", resource_.plural}, {"error", ToString(status)}});
      state.Failed(status);
    }
    absl::Duration delay = BackoffDelay(options_.backoff, state.failures(), uniform(random));
    delay = std::max(delay, RetryAfter(status));
    if (delay > absl::ZeroDuration()) {
      const MutexLock lock(mu_);
      sync_changed_.WaitUntil(mu_, stop,
                              std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(delay),
                              [] { return false; });
    }
  }
}

bool ListWatcher::WaitForSync(std::stop_token stop) {
  const MutexLock lock(mu_);
  return sync_changed_.Wait(mu_, std::move(stop), [this] { return synced(); });
}

absl::Status ListWatcher::ListOnce(std::stop_token stop, WatchState& state) {
  bool first = true;
  do {
    const HttpRequest request = ListRequest(resource_, options_.ns,
                                            {.label_selector = options_.label_selector,
                                             .field_selector = options_.field_selector,
                                             .limit = options_.page_size,
                                             .continue_token = state.continue_token()});
    ASSIGN_OR_RETURN(std::string body, client_.Raw(request, {.stop = stop}));
    ASSIGN_OR_RETURN(const ListPage page, sink_.Page(std::move(body), first));
    first = false;
    state.ListPage(page.resource_version, page.continue_token);
  } while (state.next() == WatchState::Next::kList);
  sink_.ListDone();
  {
    const MutexLock lock(mu_);
    synced_.store(true, std::memory_order_release);
  }
  sync_changed_.NotifyAll();
  return absl::OkStatus();
}

absl::Status ListWatcher::WatchOnce(std::stop_token stop, WatchState& state) {
  const HttpRequest request = WatchRequest(resource_, options_.ns,
                                           {.label_selector = options_.label_selector,
                                            .field_selector = options_.field_selector,
                                            .resource_version = state.version(),
                                            .timeout = options_.watch_timeout});
  ASSIGN_OR_RETURN(StreamResponse response, client_.transport().Open(request, {.stop = stop}));
  if (!response.body) {
    return StatusFromHttp(response.status, response.error_body, response.retry_after);
  }
  WatchFrames frames;
  for (;;) {
    ASSIGN_OR_RETURN(const std::string bytes, response.body->Read(options_.idle_limit));
    if (bytes.empty()) {
      state.WatchEnded();
      return absl::OkStatus();
    }
    frames.Add(bytes);
    while (std::optional<std::string> frame = frames.Next()) {
      absl::StatusOr<std::string> version = Dispatch(*std::move(frame), sink_);
      if (version.ok()) {
        state.Seen(*version);
      } else if (absl::IsInvalidArgument(version.status())) {
        // One object that cannot be read must not stop the others.
        log::Warn("watch event left out",
                  {{"resource", resource_.plural}, {"error", ToString(version.status())}});
      } else {
        return version.status();
      }
    }
    if (frames.pending() > kMaxFrame) {
      return InternalError("a watch frame is longer than any object");
    }
  }
}

}  // namespace korder::kube
