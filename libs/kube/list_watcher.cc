#include "kube/list_watcher.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/meta/managed_fields.h"
#include "api/meta/status.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status_macros.h"
#include "kube/api_error.h"
#include "kube/watch_frames.h"

namespace korder::kube {
namespace {

// A frame longer than any object an API server stores means that something is wrong.
constexpr size_t kMaxFrame = 32 << 20;

constexpr std::string_view kErrorEvent = "ERROR";
struct EventName {
  std::string_view name;
  EventType type;
};
constexpr auto kEventNames = std::to_array<EventName>({{"ADDED", EventType::kAdded},
                                                       {"MODIFIED", EventType::kModified},
                                                       {"DELETED", EventType::kDeleted},
                                                       {"BOOKMARK", EventType::kBookmark}});

std::optional<EventType> TypeOf(std::string_view name) {
  for (const EventName& event : kEventNames) {
    if (event.name == name) {
      return event.type;
    }
  }
  return std::nullopt;
}

// What an ERROR event carries: why the server ends the watch.
absl::Status ReadErrorEvent(json::Reader& object) {
  api::Status refusal;
  json::ReadJson(object, refusal);
  return object.ok()
             ? StatusFromObject(refusal)
             : UnavailableError("the server ended the watch with an unreadable ERROR event");
}

double Random() { return RandomWord() / 4294967296.0; }

}  // namespace

ListWatcher::ListWatcher(Client& client, const api::ResourceType& resource,
                         ListWatchOptions options, Sink& sink)
    : client_(client), resource_(resource), options_(std::move(options)), sink_(sink) {}

void ListWatcher::Run(std::stop_token stop) {
  WatchState state;
  uint64_t asked = 0;  // the refreshes that the list under way, or the last one, serves
  for (;;) {
    std::stop_source exchange;
    const std::stop_callback outer(stop, [&exchange] { exchange.request_stop(); });
    {
      const MutexLock lock(mu_);
      exchange_ = exchange;
      if (asked != asked_) {
        asked = asked_;
        state.Refresh();
      }
    }
    const WatchState::Step step = state.next();
    Wait(step, exchange.get_token());
    if (stop.stop_requested()) {
      return;
    }
    const bool listing = step.kind == WatchState::Kind::kList;
    const absl::Status status = listing ? ListOnce(exchange.get_token(), state, asked)
                                        : WatchOnce(exchange.get_token(), state);
    const std::string_view reason = state.next().reason;
    if (stop.stop_requested()) {
      return;
    }
    if (exchange.stop_requested()) {
      continue;  // a refresh
    }
    if (!reason.empty()) {
      client_.observer().WatchRestart(resource_.plural, reason);
    }
    if (!status.ok()) {
      log::Warn(listing ? "list failed" : "watch broke off",
                {{"resource", resource_.plural}, {"reason", reason}, {"error", ToString(status)}});
    }
  }
}

bool ListWatcher::WaitForSync(std::stop_token stop) {
  const MutexLock lock(mu_);
  return sync_changed_.Wait(mu_, std::move(stop), [this] { return synced(); });
}

bool ListWatcher::Refresh(std::stop_token stop) {
  uint64_t mine = 0;
  std::stop_source exchange;
  {
    const MutexLock lock(mu_);
    mine = ++asked_;
    exchange = exchange_;
  }
  exchange.request_stop();
  const MutexLock lock(mu_);
  return sync_changed_.Wait(mu_, std::move(stop),
                            [this, mine]()
                                ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return served_ >= mine; });
}

void ListWatcher::MarkSynced(uint64_t asked) {
  {
    const MutexLock lock(mu_);
    served_ = asked;
    synced_.store(true, std::memory_order_release);
  }
  sync_changed_.NotifyAll();
}

void ListWatcher::Wait(const WatchState::Step& step, std::stop_token stop) {
  const absl::Duration delay =
      std::max(BackoffDelay(options_.backoff, step.failures, Random()), step.at_least);
  if (delay <= absl::ZeroDuration()) {
    return;
  }
  if (options_.wait) {
    options_.wait(delay, std::move(stop));
    return;
  }
  const MonoTime until = SteadyNow() + absl::ToChronoNanoseconds(delay);
  const MutexLock lock(mu_);
  sync_changed_.WaitUntil(mu_, std::move(stop), until, [] { return false; });
}

absl::Status ListWatcher::ListOnce(std::stop_token stop, WatchState& state, uint64_t asked) {
  const auto page = [&]() -> absl::StatusOr<ListPage> {
    const ListOptions options{.label_selector = options_.label_selector,
                              .field_selector = options_.field_selector,
                              .limit = options_.page_size,
                              .continue_token = state.next().continue_token};
    ASSIGN_OR_RETURN(std::string body,
                     client_.ListText(resource_, options_.ns, options, {.stop = std::move(stop)}));
    return sink_.Page(std::move(body), state.next().first);
  }();
  if (!page.ok()) {
    state.ListFailed(page.status());
    return page.status();
  }
  if (state.PageArrived(page->resource_version, page->continue_token)) {
    sink_.ListDone();
    MarkSynced(asked);
  }
  return absl::OkStatus();
}

absl::Status ListWatcher::WatchOnce(std::stop_token stop, WatchState& state) {
  const SystemClock clock;
  const MonoTime start = clock.Mono();
  const absl::Status status = [&]() -> absl::Status {
    const WatchOptions options{.label_selector = options_.label_selector,
                               .field_selector = options_.field_selector,
                               .resource_version = state.next().version,
                               .timeout = options_.watch_timeout};
    ASSIGN_OR_RETURN(const std::unique_ptr<ByteStream> body,
                     client_.Watch(resource_, options_.ns, options, {.stop = std::move(stop)}));
    state.WatchOpened();
    return ReadEvents(*body, state);
  }();
  state.WatchEnded(status, absl::FromChrono(clock.Mono() - start));
  return status;
}

absl::Status ListWatcher::ReadEvents(ByteStream& body, WatchState& state) {
  WatchFrames frames;
  for (;;) {
    ASSIGN_OR_RETURN(const std::string bytes, body.Read(options_.idle_limit));
    if (bytes.empty()) {
      return absl::OkStatus();
    }
    frames.Add(bytes);
    while (const std::optional<std::string_view> frame = frames.Next()) {
      RETURN_IF_ERROR(HandleFrame(*frame, state));
    }
    if (frames.pending() > kMaxFrame) {
      return InternalError("a watch event is longer than any object");
    }
  }
}

// A frame that is no event ends the watch: whatever it was is sent again when the watch resumes
// before it.
absl::Status ListWatcher::HandleFrame(std::string_view frame, WatchState& state) {
  json::Reader reader(api::WithoutManagedFields(frame));
  std::string_view key;
  std::string_view type;
  std::optional<json::Reader> early;  // the object, should it stand before the type
  for (reader.BeginObject(); reader.NextKey(key);) {
    if (key == "type") {
      type = reader.String();
    } else if (key == "object" && !type.empty()) {
      return HandleObject(type, reader, state);
    } else if (key == "object") {
      early.emplace(reader.Raw());
    } else {
      reader.Skip();
    }
  }
  if (early && !type.empty()) {
    return HandleObject(type, *early, state);
  }
  return UnavailableError(
      absl::StrCat("malformed event: ", reader.ok() ? "no type or no object in it"
                                                    : std::string(Message(reader.Finish()))));
}

// An object that we cannot read would be no better if it came again, so it is left out.
absl::Status ListWatcher::HandleObject(std::string_view type, json::Reader& object,
                                       WatchState& state) {
  if (type == kErrorEvent) {
    return ReadErrorEvent(object);
  }
  const std::optional<EventType> known = TypeOf(type);
  const absl::StatusOr<std::string> version =
      known ? sink_.Event(*known, state.version(), object)
            : InvalidArgumentError(absl::StrCat("unknown type \"", std::string(type), "\""));
  if (absl::IsDataLoss(version.status())) {
    return version.status();
  }
  if (version.ok()) {
    state.Seen(*version);
  } else {
    log::Error("watch event left out",
               {{"resource", resource_.plural}, {"error", ToString(version.status())}});
  }
  return absl::OkStatus();
}

}  // namespace korder::kube
