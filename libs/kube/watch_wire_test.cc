// What the wire may do to a list and its watch, exhaustively: after each, the store is what the
// server has, and the handlers were told each change once, in order. The single rules are in
// watch_state_test.cc and list_watcher_test.cc.
#include <algorithm>
#include <array>
#include <functional>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "kube/testing/scripted_transport.h"
#include "kube/testing/wire_history.h"

namespace korder::kube {
namespace {

constexpr int kStart = WireHistory::kFirst;

// Fifty changes, 3.4 KB of frames.
const WireHistory& Fifty() {
  static const WireHistory history = [] {
    WireHistory fifty(1);
    fifty.Grow(50);
    return fifty;
  }();
  return history;
}

HttpResponse ListAt(int version) { return {.status = 200, .body = Fifty().ListBody(version)}; }

HttpResponse Refusal(int code, const std::string& reason) {
  return {.status = code,
          .body = absl::StrCat(R"({"message":"no","reason":")", reason, R"(","code":)", code, "}")};
}

// The change that byte `cut` of the whole stream is in, counted from 0.
size_t ChangeAt(size_t cut) {
  size_t count = 0;
  for (size_t size = 0; count < Fifty().changes().size(); ++count) {
    size += Fifty().changes()[count].Event().size();
    if (size > cut) {
      break;
    }
  }
  return count;
}

// The version after so many changes.
int VersionAfter(size_t count) {
  return count == 0 ? kStart : Fifty().changes()[count - 1].version;
}

// What a watch tells that begins after `first` changes and ends after `last`.
std::string StreamOf(size_t first, size_t last) {
  std::string stream;
  for (size_t i = first; i < last; ++i) {
    stream += Fifty().changes()[i].Event();
  }
  return stream;
}

// An informer that runs through a script.
class Rig {
 public:
  Rig() {
    transport.at_end = [this] { stop_.request_stop(); };
  }

  // What is wrong after the script, which ends after so many changes, or "".
  std::string Run(size_t changes = 50) {
    informer_.Run(stop_.get_token());
    if (!witness_.faults().empty()) {
      return witness_.faults().front();
    }
    const WireObjects truth = Fifty().At(VersionAfter(changes));
    return witness_.Stored() != truth ? "the store is not what the server has"
           : witness_.told() != truth ? "the handlers know something else than the server"
                                      : "";
  }
  // Where the last watch began.
  std::string LastTarget() const { return transport.requests.back().target; }

  ScriptedTransport transport;
  std::vector<absl::Duration> waits;

 private:
  std::stop_source stop_;
  Client client_{transport};
  Informer<api::ConfigMap> informer_{
      client_, {.backoff = {.jitter = 0}, .wait = [this](absl::Duration delay, std::stop_token) {
                  waits.push_back(delay);
                }}};
  WireWitness witness_{informer_};
};

const std::array kEnds{absl::OkStatus(), UnavailableError("reset"),
                       DeadlineExceededError("silent")};

TEST_CASE("watch wire: cut after any byte of fifty events, the view goes on as the server's",
          "[watch_wire]") {
  log::Silence();
  const std::string stream = Fifty().Stream(kStart);
  REQUIRE(Fifty().changes().size() == 50);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Rig rig;
    rig.transport.Answer(ListAt(kStart));
    rig.transport.AnswerStream({{stream.substr(0, cut)}, kEnds[cut % kEnds.size()]});
    // As a real server: what is newer than the version asked for; three changes are enough.
    const size_t seen = ChangeAt(cut);
    const size_t last = std::min<size_t>(seen + 3, 50);
    rig.transport.AnswerStream({{StreamOf(seen, last)}, absl::OkStatus()});
    INFO("cut after byte " << cut);
    REQUIRE(rig.Run(last) == "");
    REQUIRE_THAT(rig.transport.requests[2].target,
                 Catch::Contains(absl::StrCat("&resourceVersion=", VersionAfter(seen), "&")));
  }
}

TEST_CASE("watch wire: split at any byte, the view is the same", "[watch_wire]") {
  log::Silence();
  constexpr size_t kChanges = 10;
  const std::string stream = StreamOf(0, kChanges);
  for (size_t at = 1; at < stream.size(); ++at) {
    Rig rig;
    rig.transport.Answer(ListAt(kStart));
    rig.transport.AnswerStream({{stream.substr(0, at), stream.substr(at)}, absl::OkStatus()});
    INFO("split at byte " << at);
    REQUIRE(rig.Run(kChanges) == "");
    REQUIRE(rig.transport.requests.size() == 3);
  }
}

TEST_CASE("watch wire: in pieces of any sizes, byte by byte too, the view is the same",
          "[watch_wire]") {
  log::Silence();
  const std::string stream = Fifty().Stream(kStart);
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const size_t largest = seed == 0 ? 1 : 1 + random() % 200;
    StreamScript script;
    for (size_t at = 0; at < stream.size(); at += script.chunks.back().size()) {
      script.chunks.push_back(stream.substr(at, 1 + random() % largest));
    }
    Rig rig;
    rig.transport.Answer(ListAt(kStart));
    rig.transport.AnswerStream(std::move(script));
    INFO("seed " << seed);
    REQUIRE(rig.Run() == "");
    REQUIRE(rig.transport.requests.size() == 3);
  }
}

// Something that goes wrong between the twentieth change and the rest.
struct Trouble {
  std::string name;
  std::function<void(ScriptedTransport&)> happen;
  bool lists_anew = false;
  absl::Duration waits;  // at least, in all
};

std::vector<Trouble> Troubles() {
  const auto answer = [](HttpResponse response) {
    return [response](ScriptedTransport& t) { t.Answer(response); };
  };
  const auto stream = [](std::string text) {
    return [text](ScriptedTransport& t) { t.AnswerStream({{text}, absl::OkStatus()}); };
  };
  HttpResponse busy = Refusal(429, "TooManyRequests");
  busy.retry_after = absl::Seconds(7);
  const std::string gone =
      R"({"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}})"
      "\n";
  return {
      {"410 as a status", answer(Refusal(410, "Expired")), true, absl::ZeroDuration()},
      {"410 in the stream", stream(gone), true, absl::ZeroDuration()},
      {"429 with Retry-After", answer(busy), false, absl::Seconds(7)},
      {"500", answer(Refusal(500, "InternalError")), false, absl::Milliseconds(50)},
      {"503", answer(Refusal(503, "ServiceUnavailable")), false, absl::Milliseconds(50)},
      {"504", answer(Refusal(504, "Timeout")), false, absl::Milliseconds(50)},
      {"200 and closed, ten times",
       [](ScriptedTransport& t) {
         for (int i = 0; i < 10; ++i) {
           t.AnswerStream({});
         }
       },
       // 50 ms, doubled each time.
       false, absl::Seconds(10)},
      {"refused connections, ten times",
       [](ScriptedTransport& t) {
         for (int i = 0; i < 10; ++i) {
           t.Answer(UnavailableError("connection refused"));
         }
       },
       false, absl::Seconds(10)},
      {"garbage", stream("\x16\x03\x01 no JSON\n"), false, absl::Milliseconds(50)},
      {"half a frame of garbage", stream("{\"type\":\"ADD"), false, absl::Milliseconds(50)},
      {"a frame beyond any object", stream(std::string(33 << 20, 'x')), false,
       absl::Milliseconds(50)},
      {"an event of a type that nobody knows",
       stream("{\"type\":\"NOVEL\",\"object\":{\"metadata\":{\"resourceVersion\":\"9999\"}}}\n"),
       false, absl::ZeroDuration()},
      {"fields that nobody knows",
       stream("{\"novel\":[{}],\"type\":\"BOOKMARK\",\"more\":{\"a\":null},\"object\":{\"novel\":1,"
              "\"metadata\":{\"resourceVersion\":\"100\",\"novel\":{}}}}\n"),
       false, absl::ZeroDuration()},
      {"a bookmark of a version long past",
       stream("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"7\"}}}\n"),
       false, absl::ZeroDuration()},
      {"an event that was told before", stream(Fifty().changes()[19].Event()), false,
       absl::ZeroDuration()},
      {"an event of long ago", stream(Fifty().changes()[3].Event()), true, absl::Milliseconds(50)},
      {"silence, twice",
       [](ScriptedTransport& t) {
         t.AnswerStream({{}, DeadlineExceededError("silent")});
         t.AnswerStream({{}, DeadlineExceededError("silent")});
       },
       true, absl::ZeroDuration()},
  };
}

TEST_CASE("watch wire: whatever happens in between, the view ends as the server's",
          "[watch_wire]") {
  log::Silence();
  const int middle = Fifty().changes()[19].version;
  const std::string whole = Fifty().Stream(kStart);
  const std::string rest = Fifty().Stream(middle);
  for (const Trouble& trouble : Troubles()) {
    DYNAMIC_SECTION(trouble.name) {
      Rig rig;
      rig.transport.Answer(ListAt(kStart));
      rig.transport.AnswerStream({{whole.substr(0, whole.size() - rest.size())}, absl::OkStatus()});
      trouble.happen(rig.transport);
      int from = middle;
      if (trouble.lists_anew) {
        from = Fifty().changes()[34].version;  // What happened meanwhile was in no watch.
        rig.transport.Answer(ListAt(from));
      }
      rig.transport.AnswerStream({{Fifty().Stream(from)}, absl::OkStatus()});
      CHECK(rig.Run() == "");
      CHECK_THAT(rig.LastTarget(),
                 Catch::Contains(absl::StrCat("&resourceVersion=", Fifty().newest(), "&")));
      absl::Duration waited;
      for (const absl::Duration wait : rig.waits) {
        waited += wait;
      }
      CHECK(waited >= trouble.waits);
    }
  }
}

}  // namespace
}  // namespace korder::kube
