#include "kube/event_recorder.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/utf8.h"
#include "json/writer.h"

namespace korder::kube {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);
constexpr absl::Duration kDrainLimit = absl::Seconds(2);
constexpr size_t kMaxSent = 4096;
constexpr size_t kMaxBudgets = 4096;
constexpr size_t kMaxMessage = 1024;  // what the API server takes
constexpr size_t kMaxName = 253;

// Where an event is stored: beside its object, or in "default" for what has no namespace.
std::string NamespaceOf(const api::ObjectReference& about) {
  return about.ns.empty() ? "default" : about.ns;
}

// "<object>.<16 hex digits>"
std::string EventName(const std::string& object, absl::Time at, int64_t serial) {
  const std::string suffix =
      absl::StrCat(".", absl::Hex(absl::ToUnixNanos(at) + serial, absl::kZeroPad16));
  std::string stem = object.substr(0, kMaxName - suffix.size());
  while (!stem.empty() && !std::isalnum(static_cast<unsigned char>(stem.back()))) {
    stem.pop_back();
  }
  return stem + suffix;
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

std::string EventRecorder::Note::Id() const {
  return absl::StrCat(about.uid, "\n", about.ns, "/", about.name, "\n", type, "\n", reason, "\n",
                      message);
}

api::Event EventRecorder::Note::ToEvent(const EventRecorderOptions& options) const {
  api::Event event;
  event.metadata.ns = NamespaceOf(about);
  event.metadata.name = EventName(about.name, first, serial);
  event.involved_object = about;
  event.reason = reason;
  event.message = message;
  event.type = type;
  event.count = count;
  event.first_timestamp = first;
  event.last_timestamp = last;
  event.source.component = options.component;
  event.reporting_component = options.component;
  event.reporting_instance = options.instance;
  return event;
}

EventRecorder::EventRecorder(Client& client, const Clock& clock, EventRecorderOptions options)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      total_{options_.total.burst, clock.Mono()} {}

void EventRecorder::Tokens::Refill(const EventBudget& budget, MonoTime now) {
  const double seconds = absl::ToDoubleSeconds(absl::FromChrono(now - refilled));
  count = std::min(budget.burst, count + seconds * budget.per_second);
  refilled = now;
}

void EventRecorder::Record(const api::ObjectReference& about, std::string_view type,
                           std::string_view reason, std::string_view message) {
  const absl::Time now = clock_.Now();
  Note note{about,
            std::string(type),
            std::string(reason),
            std::string(CutBetweenCharacters(message, kMaxMessage)),
            1,
            /*first=*/now,
            /*last=*/now};
  std::string_view dropped;
  {
    const MutexLock lock(mu_);
    dropped = Enqueue(std::move(note));
  }
  if (dropped.empty()) {
    changed_.NotifyOne();
  } else {
    client_.observer().EventDropped(dropped);
  }
}

std::string_view EventRecorder::Enqueue(Note note) {
  std::string id = note.Id();
  if (const auto it = pending_.find(id); it != pending_.end()) {
    it->second.count += note.count;
    it->second.last = note.last;
    return "";
  }
  const MonoTime now = clock_.Mono();
  const EventBudget& budget = note.type == "Warning" ? options_.warnings : options_.normals;
  if (tokens_.size() >= kMaxBudgets) {
    tokens_.clear();  // All of them begin anew; the total holds.
  }
  Tokens& tokens =
      tokens_.try_emplace({note.reason, note.about.ns}, Tokens{budget.burst, now}).first->second;
  tokens.Refill(budget, now);
  total_.Refill(options_.total, now);
  if (tokens.count < 1 || total_.count < 1) {
    return "budget";
  }
  if (static_cast<int>(line_.size()) >= options_.max_pending) {
    return "queue";
  }
  tokens.count -= 1;
  total_.count -= 1;
  note.serial = ++serial_;
  line_.push_back(id);
  pending_.emplace(std::move(id), note);
  return "";
}

void EventRecorder::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::optional<Note> note = Take(stop);
    if (note && absl::IsCancelled(Send(*note, {.timeout = kCallTimeout, .stop = stop}))) {
      PutBack(*note);
    }
  }
  const MonoTime deadline = clock_.Mono() + absl::ToChronoNanoseconds(kDrainLimit);
  for (MonoTime now = clock_.Mono(); now < deadline; now = clock_.Mono()) {
    const std::optional<Note> note = Take(stop);
    if (!note) {
      return;
    }
    Send(*note, {.timeout = absl::FromChrono(deadline - now)}).IgnoreError();
  }
}

std::optional<EventRecorder::Note> EventRecorder::Take(std::stop_token stop) {
  const MutexLock lock(mu_);
  changed_.Wait(mu_, std::move(stop),
                [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !line_.empty(); });
  if (line_.empty()) {
    return std::nullopt;
  }
  auto node = pending_.extract(line_.front());
  line_.pop_front();
  return std::move(node.mapped());
}

void EventRecorder::PutBack(const Note& note) {
  const MutexLock lock(mu_);
  std::string id = note.Id();
  if (const auto it = pending_.find(id); it != pending_.end()) {
    it->second.count += note.count;  // It happened again meanwhile.
    it->second.first = note.first;
    it->second.serial = note.serial;
    return;
  }
  line_.push_front(id);
  pending_.emplace(std::move(id), note);
}

absl::Status EventRecorder::Send(const Note& note, const CallOptions& call) {
  const std::string id = note.Id();
  absl::Status status = NotFoundError("never sent");
  const auto it = sent_.find(id);
  if (it != sent_.end() && note.last - it->second.last < options_.aggregation_window) {
    status = SendAgain(note, it->second, call);
  }
  if (absl::IsNotFound(status)) {
    const api::Event event = note.ToEvent(options_);
    status = client_.Create(event, call).status();
    if (absl::IsAlreadyExists(status)) {
      status = absl::OkStatus();  // The answer to an earlier try was lost.
    }
    if (status.ok()) {
      ForgetOld(note.last);
      sent_[id] = {KeyOf(event), note.count, note.last};
    }
  }
  if (!status.ok() && !absl::IsCancelled(status)) {
    client_.observer().EventDropped("error");
    log::Debug("event not written", {{"reason", note.reason}, {"error", ToString(status)}});
  }
  return status;
}

absl::Status EventRecorder::SendAgain(const Note& note, Sent& sent, const CallOptions& call) {
  const int32_t count = sent.count + note.count;
  const absl::Status status =
      client_.Patch<api::Event>(sent.key, {}, CountPatch(count, note.last), call).status();
  if (status.ok()) {
    sent.count = count;
    sent.last = note.last;
  }
  return status;
}

void EventRecorder::ForgetOld(absl::Time now) {
  if (sent_.size() < kMaxSent) {
    return;
  }
  absl::erase_if(sent_, [&](const auto& entry) {
    return now - entry.second.last >= options_.aggregation_window;
  });
  if (sent_.size() >= kMaxSent) {
    sent_.clear();  // The next of each will be an Event of its own.
  }
}

}  // namespace korder::kube
