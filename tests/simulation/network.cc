#include "network.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "kube/api_error.h"
#include "kube/testing/fake/json_value.h"
#include "kube/testing/fake/refusal.h"

namespace korder::simulation {
namespace {

constexpr absl::Duration kUsualLatency = absl::Milliseconds(2);
constexpr absl::Duration kLongLatency = absl::Milliseconds(40);
constexpr absl::Duration kLongestAftermath = absl::Seconds(1);
constexpr absl::Duration kLongestSilence = absl::Seconds(8);
constexpr absl::Duration kVeryLongLatency = absl::Seconds(3);

absl::Status Dead() { return CancelledError("the process is dead"); }

// A new object's name is in its body.
std::string About(const kube::fake::ApiCall& call) {
  kube::ObjectKey key = call.key;
  if (key.name.empty()) {
    kube::fake::Json body;
    json::Parse(call.body, body).IgnoreError();
    key.name = body.TextAt({"metadata", "name"});
  }
  return key.ToString();
}

// What a watch event is about; nothing if it is about the watch itself.
std::string ObjectOf(const std::string& frame) {
  kube::fake::Json event;
  const bool read = json::Parse(frame, event).ok();
  const std::string& name = event.TextAt({"object", "metadata", "name"});
  return !read || name.empty()
             ? ""
             : absl::StrCat(event.TextAt({"object", "metadata", "namespace"}), "/", name);
}

}  // namespace

// --- one watch

class Network::Stream final : public kube::ByteStream {
 public:
  Stream(Network& network, Process& process, std::shared_ptr<kube::fake::WatchFeed> feed,
         std::stop_token stop)
      : network_(network), process_(process), feed_(std::move(feed)), stop_(std::move(stop)) {
    network_.streams_.push_back(this);
    Pump();
  }
  ~Stream() override { std::erase(network_.streams_, this); }

  absl::StatusOr<std::string> Read(absl::Duration idle) override {
    Machine& machine = network_.machine_;
    const MonoTime until = machine.Mono() + absl::ToChronoNanoseconds(idle);
    for (;;) {
      if (process_.dead || stop_.stop_requested()) {
        return CancelledError("stop");
      }
      if (!coming_.empty() && coming_.front().at <= machine.Mono()) {
        std::string frame = std::move(coming_.front().frame);
        coming_.pop_front();
        return frame;
      }
      if (coming_.empty() && end_) {
        if (end_->ok()) {
          return std::string();
        }
        return *end_;
      }
      if (machine.Mono() >= until) {
        return DeadlineExceededError("nothing came");
      }
      machine.Wait(this, coming_.empty() ? until : std::min(until, coming_.front().at), stop_);
    }
  }

  // Takes what the server has to tell.
  void Pump() {
    while (feed_ && feed_->ready()) {
      absl::StatusOr<std::string> frame = feed_->Take();
      if (!frame.ok() || frame->empty()) {
        End(frame.status());
        return;
      }
      Send(*std::move(frame));
    }
  }
  // What is on its way is lost, or still arrives.
  void Break(bool in_order) {
    if (!in_order) {
      std::erase_if(coming_, [&](const Coming& c) { return c.at > network_.machine_.Mono(); });
    }
    End(in_order ? absl::OkStatus() : UnavailableError("the connection broke"));
  }
  void Delay(absl::Duration by) {
    last_ = std::max(last_, network_.machine_.Mono()) + absl::ToChronoNanoseconds(by);
    for (Coming& coming : coming_) {
      coming.at += absl::ToChronoNanoseconds(by);
    }
  }

 private:
  struct Coming {
    MonoTime at;
    std::string frame;
  };

  void Send(std::string frame) {
    Machine& machine = network_.machine_;
    const bool stale = network_.faults_.contains(Fault::kStale);
    if (stale && network_.watch_dice_.Chance(0.03) && Jumble(frame)) {
      return;
    }
    const int copies = stale && network_.watch_dice_.Chance(0.02) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      last_ = std::max(last_, machine.Mono() + absl::ToChronoNanoseconds(network_.NextLatency()));
      coming_.push_back({last_, frame});
    }
    machine.WakeAll(this);
  }
  // Of two events that are on their way, about different objects, the later one comes first; about
  // the same object, the earlier one never comes. They arrive at one moment, so that a watch that
  // breaks loses both or none.
  bool Jumble(const std::string& frame) {
    if (coming_.empty() || coming_.back().at <= network_.machine_.Mono()) {
      return false;
    }
    Coming& last = coming_.back();
    const std::string theirs = ObjectOf(last.frame);
    const std::string ours = ObjectOf(frame);
    if (theirs.empty() || ours.empty()) {
      return false;
    }
    if (theirs == ours) {
      last.frame = frame;
    } else {
      coming_.insert(coming_.end() - 1, Coming{last.at, frame});
    }
    return true;
  }
  void End(absl::Status status) {
    end_ = std::move(status);
    feed_.reset();
    network_.machine_.WakeAll(this);
  }

  Network& network_;
  Process& process_;
  std::shared_ptr<kube::fake::WatchFeed> feed_;
  const std::stop_token stop_;
  std::deque<Coming> coming_;
  MonoTime last_{};  // nothing overtakes
  std::optional<absl::Status> end_;
};

// --- one process's connections

class Network::Transport final : public kube::HttpTransport {
 public:
  Transport(Network& network, Process& process) : network_(network), process_(process) {}

  absl::StatusOr<kube::HttpResponse> Do(const kube::HttpRequest& request,
                                        const kube::CallOptions& options) override {
    if (process_.dead || options.stop.stop_requested()) {
      return Dead();
    }
    const absl::StatusOr<kube::fake::ApiCall> call = kube::fake::ParseCall(request);
    if (!call.ok()) {
      return kube::fake::NoSuchPath();
    }
    const Fate fate = network_.NextFate(call->IsWrite(), [&] {
      return Message{process_, absl::StrCat(request.method, " ", call->ResourcePath()),
                     About(*call)};
    });
    if (DiesBefore(fate)) {
      if (fate == Fate::kCrashWhile) {
        Later(*call, network_.NextAftermath());
      }
      network_.Kill(process_);
      return Dead();
    }
    if (!network_.Travel(process_, options.stop)) {
      // It may be on its way already.
      if (call->IsWrite() && network_.latency_dice_.Chance(0.5)) {
        Later(*call, process_.dead ? network_.NextAftermath() : network_.NextLatency());
      }
      return Dead();
    }
    if (fate == Fate::kIsLost) {
      return Lost(options);
    }
    if (fate == Fate::kArrivesTwice) {
      Later(*call, network_.NextLatency());
    }
    kube::HttpResponse response = network_.world_.Serve(process_.name, *call);
    if (fate == Fate::kCrashAfter) {
      network_.Kill(process_);
      return Dead();
    }
    if (!network_.Travel(process_, options.stop)) {
      return Dead();
    }
    if (fate == Fate::kAnswerIsLost) {
      return Lost(options);
    }
    return response;
  }

  absl::StatusOr<kube::StreamResponse> Open(const kube::HttpRequest& request,
                                            const kube::CallOptions& options) override {
    if (process_.dead || !network_.Travel(process_, options.stop)) {
      return Dead();
    }
    const absl::StatusOr<kube::fake::ApiCall> call = kube::fake::ParseCall(request);
    if (!call.ok() || call->verb != "watch") {
      return kube::StreamResponse{.status = 405, .retry_after = {}, .error_body = "", .body = {}};
    }
    kube::fake::ApiServer::Watch watch = network_.world_.StartWatch(*call);
    if (watch.refusal) {
      return kube::StreamResponse{.status = watch.refusal->status,
                                  .retry_after = watch.refusal->retry_after,
                                  .error_body = std::move(watch.refusal->body),
                                  .body = {}};
    }
    return kube::StreamResponse{
        .status = 200,
        .retry_after = {},
        .error_body = "",
        .body = std::make_unique<Stream>(network_, process_, std::move(watch.feed), options.stop)};
  }

 private:
  // A request that arrives when nobody waits for its answer any more.
  void Later(const kube::fake::ApiCall& call, absl::Duration delay) {
    network_.machine_.After(
        delay, [&world = network_.world_, who = process_.name, call] { world.Serve(who, call); });
  }
  absl::Status Lost(const kube::CallOptions& options) {
    if (network_.ambiguity_dice_.Chance(0.8)) {
      return UnavailableError("connection reset");
    }
    const absl::Duration silence =
        network_.ambiguity_dice_.Between(absl::Seconds(1), kLongestSilence);
    network_.machine_.Sleep(std::min(options.timeout, silence), options.stop);
    return options.timeout <= silence ? DeadlineExceededError("no answer")
                                      : UnavailableError("connection reset");
  }

  Network& network_;
  Process& process_;
};

// --- all of them

Network::Network(Machine& machine, World& world, uint64_t seed)
    : machine_(machine),
      world_(world),
      latency_dice_(seed, "latency"),
      crash_dice_(seed, "crash"),
      ambiguity_dice_(seed, "ambiguity"),
      watch_dice_(seed, "watch") {
  world_.OnServed([this](const std::string&, const kube::fake::ApiCall&, int) { Pump(); });
}

std::unique_ptr<kube::HttpTransport> Network::Connect(Process& process) {
  return std::make_unique<Transport>(*this, process);
}

void Network::Pump() {
  for (Stream* stream : streams_) {
    stream->Pump();
  }
}

absl::Duration Network::NextLatency() {
  const bool bad = (faults_.contains(Fault::kStale) || faults_.contains(Fault::kTime)) &&
                   latency_dice_.Chance(0.01);
  return latency_dice_.Latency(kUsualLatency, bad ? kVeryLongLatency : kLongLatency);
}

absl::Duration Network::NextAftermath() {
  // Where somebody directs, the later the worse.
  return directed() ? kLongestAftermath
                    : latency_dice_.Between(absl::ZeroDuration(), kLongestAftermath);
}

Network::Fate Network::NextFate(bool write, const std::function<Message()>& message) {
  if (director_) {
    return write ? director_(message()) : Fate::kArrives;
  }
  if (write && faults_.contains(Fault::kCrash) && crash_dice_.Chance(0.01)) {
    return crash_dice_.Pick<Fate>({Fate::kCrashBefore, Fate::kCrashWhile, Fate::kCrashAfter});
  }
  if (faults_.contains(Fault::kAmbiguous) && ambiguity_dice_.Chance(0.03)) {
    constexpr std::array<Fate, 3> kFates = {Fate::kIsLost, Fate::kAnswerIsLost,
                                            Fate::kArrivesTwice};
    const Fate fate = kFates[ambiguity_dice_.Below(3)];
    return fate == Fate::kArrivesTwice && !write ? Fate::kArrives : fate;
  }
  return Fate::kArrives;
}

bool Network::Travel(Process& process, const std::stop_token& stop) {
  machine_.Sleep(NextLatency(), stop);
  return !process.dead && !stop.stop_requested();
}

void Network::BreakWatch() {
  if (streams_.empty()) {
    return;
  }
  Stream* const stream = streams_[watch_dice_.Below(streams_.size())];
  if (watch_dice_.Chance(0.4)) {
    world_.Compact();
  }
  stream->Break(watch_dice_.Chance(0.3));
}

void Network::DelayWatch() {
  if (!streams_.empty()) {
    streams_[watch_dice_.Below(streams_.size())]->Delay(
        watch_dice_.Between(absl::Milliseconds(50), absl::Seconds(4)));
  }
}

}  // namespace korder::simulation
