#include "kube/event_recorder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "json/writer.h"

namespace korder::kube {
namespace {

constexpr absl::Duration kDrainLimit = absl::Seconds(2);
constexpr size_t kMaxSeen = 4096;

// Where an event is stored: beside its object, or in "default" for what has no namespace.
std::string NamespaceOf(const api::ObjectReference& about) {
  return about.ns.empty() ? "default" : about.ns;
}

std::string CountPatch(int32_t count, absl::Time last) {
  json::Writer w;
  w.BeginObject();
  w.Key("count");
  w.Int64(count);
  w.Key("lastTimestamp");
  WriteJson(w, last);
  w.EndObject();
  return w.Take();
}

}  // namespace

EventRecorder::EventRecorder(Client& client, const Clock& clock, EventRecorderOptions options)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      tokens_(options_.burst),
      refilled_(clock.Mono()) {}

void EventRecorder::Record(const api::ObjectReference& about, std::string_view type,
                           std::string_view reason, std::string_view message) {
  std::string_view dropped;
  {
    const MutexLock lock(mu_);
    const MonoTime now = clock_.Mono();
    const double seconds = absl::ToDoubleSeconds(absl::FromChrono(now - refilled_));
    tokens_ = std::min(options_.burst, tokens_ + seconds * options_.per_second);
    refilled_ = now;
    if (tokens_ < 1) {
      dropped = "budget";
    } else if (static_cast<int>(pending_.size()) >= options_.max_pending) {
      dropped = "queue";
    } else {
      tokens_ -= 1;
      pending_.push_back(
          {about, std::string(type), std::string(reason), std::string(message), clock_.Now()});
    }
  }
  if (dropped.empty()) {
    changed_.NotifyOne();
  } else {
    client_.observer().EventDropped(dropped);
  }
}

void EventRecorder::Run(std::stop_token stop) {
  const auto take = [this](std::stop_token s) {
    std::optional<Pending> next;
    const MutexLock lock(mu_);
    changed_.Wait(mu_, std::move(s), [this] { return !pending_.empty(); });
    if (!pending_.empty()) {
      next = std::move(pending_.front());
      pending_.pop_front();
    }
    return next;
  };
  while (!stop.stop_requested()) {
    if (const std::optional<Pending> next = take(stop)) {
      Send(*next);
    }
  }
  const MonoTime deadline = clock_.Mono() + absl::ToChronoNanoseconds(kDrainLimit);
  std::stop_source stopped;
  stopped.request_stop();
  while (clock_.Mono() < deadline) {
    const std::optional<Pending> next = take(stopped.get_token());
    if (!next) {
      return;
    }
    Send(*next);
  }
}

void EventRecorder::Send(const Pending& pending) {
  const std::string ns = NamespaceOf(pending.about);
  const std::string id = absl::StrCat(pending.about.uid, "|", pending.about.name, "|", pending.type,
                                      "|", pending.reason, "|", pending.message);
  if (seen_.size() > kMaxSeen) {
    seen_.clear();
  }
  Seen& seen = seen_[id];
  if (seen.count > 0 && pending.at - seen.last < options_.aggregation_window) {
    seen.last = pending.at;
    ++seen.count;
    const absl::Status status =
        client_
            .Patch<api::Event>({ns, seen.event_name}, {.type = PatchType::kMerge},
                               CountPatch(seen.count, seen.last), {.timeout = absl::Seconds(5)})
            .status();
    if (!absl::IsNotFound(status)) {
      return;
    }
  }
  seen = {absl::StrCat(pending.about.name, ".",
                       absl::Hex(absl::ToUnixNanos(pending.at), absl::kZeroPad16)),
          1, pending.at, pending.at};
  api::Event event;
  event.metadata.ns = ns;
  event.metadata.name = seen.event_name;
  event.involved_object = pending.about;
  event.reason = pending.reason;
  event.message = pending.message;
  event.type = pending.type;
  event.first_timestamp = pending.at;
  event.last_timestamp = pending.at;
  event.source.component = options_.component;
  event.reporting_component = options_.component;
  event.reporting_instance = options_.instance;
  const absl::Status status = client_.Create(event, {.timeout = absl::Seconds(5)}).status();
  if (!status.ok()) {
    log::Debug("event not written", {{"reason", pending.reason}, {"error", ToString(status)}});
  }
}

}  // namespace korder::kube
