#include "kube/list_watcher.h"

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/core/config_map.h"
#include "base/clock.h"
#include "kube/informer.h"
#include "kube/testing/scripted_transport.h"

namespace korder::kube {
namespace {

using Lines = std::vector<std::string>;

std::string Object(const std::string& name, int version, const std::string& more = "") {
  return absl::StrCat(R"({"kind":"ConfigMap","metadata":{"name":")", name,
                      R"(","namespace":"ns","resourceVersion":")", version, R"("},"novel":[{}])",
                      more, "}");
}

std::string Event(const std::string& type, const std::string& name, int version) {
  return absl::StrCat(R"({"type":")", type, R"(","object":)", Object(name, version), "}\n");
}

std::string ErrorEvent(int code, const std::string& reason) {
  return absl::StrCat(R"({"type":"ERROR","object":{"kind":"Status","message":"no","reason":")",
                      reason, R"(","code":)", code, "}}\n");
}

HttpResponse Page(const std::vector<std::string>& items, const std::string& version,
                  const std::string& token = "") {
  std::string all;
  for (const std::string& item : items) {
    absl::StrAppend(&all, all.empty() ? "" : ",", item);
  }
  return {.status = 200,
          .body = absl::StrCat(R"({"metadata":{"resourceVersion":")", version, R"(","continue":")",
                               token, R"("},"items":[)", all, "]}")};
}

HttpResponse Refusal(int code, const std::string& reason) {
  return {.status = code,
          .body = absl::StrCat(R"({"message":"no","reason":")", reason, R"(","code":)", code, "}")};
}

class Restarts final : public Observer {
 public:
  void WatchRestart(std::string_view resource, std::string_view reason) override {
    CHECK(resource == "configmaps");
    reasons.emplace_back(reason);
  }
  Lines reasons;
};

// An informer that runs through a script and stops at its end.
class Rig {
 public:
  explicit Rig(ListWatchOptions options = {}) : informer_(client_, WithWait(std::move(options))) {
    informer_.OnChange([this](const api::ConfigMap* was, const api::ConfigMap* is) {
      const auto& meta = (is ? is : was)->metadata;
      changes.push_back(absl::StrCat(!was  ? "+"
                                     : !is ? "-"
                                           : "~",
                                     meta.name, "@", meta.resource_version));
    });
    transport.at_end = [this] { stop_.request_stop(); };
  }

  void Run() { informer_.Run(stop_.get_token()); }
  bool synced() const { return informer_.synced(); }

  // "list" or "list <token>" or "watch <version>", one a request.
  Lines Requests() const {
    Lines out;
    for (const HttpRequest& request : transport.requests) {
      const auto value = [&](const std::string& name) {
        const size_t at = request.target.find(name + "=");
        return at == std::string::npos
                   ? ""
                   : request.target.substr(at + name.size() + 1,
                                           request.target.find('&', at) - at - name.size() - 1);
      };
      const bool watch = value("watch") == "true";
      const std::string where = value(watch ? "resourceVersion" : "continue");
      out.push_back(absl::StrCat(watch ? "watch" : "list", where.empty() ? "" : " ", where));
    }
    return out;
  }
  // "name@version" of what is in the store.
  Lines Stored() const {
    Lines out;
    for (const auto& object : informer_.store().List()) {
      out.push_back(absl::StrCat(object->metadata.name, "@", object->metadata.resource_version));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  ScriptedTransport transport;
  Restarts restarts;
  Lines changes;
  std::vector<absl::Duration> waits;

 private:
  ListWatchOptions WithWait(ListWatchOptions options) {
    options.backoff.jitter = 0;
    options.wait = [this](absl::Duration delay, std::stop_token) { waits.push_back(delay); };
    return options;
  }

  std::stop_source stop_;
  Client client_{transport, restarts};
  Informer<api::ConfigMap> informer_;
};

}  // namespace

TEST_CASE("list watcher: lists by pages, then follows the watch", "[list_watcher]") {
  Rig rig({.ns = "ns", .label_selector = "a=b", .page_size = 2});
  rig.transport.Answer(Page({Object("a", 1), Object("b", 2)}, "9", "more"));
  rig.transport.Answer(Page({Object("c", 3)}, "9"));
  rig.transport.AnswerStream({{Event("ADDED", "d", 10), Event("MODIFIED", "a", 11),
                               Event("DELETED", "b", 12), Event("BOOKMARK", "", 20)},
                              absl::OkStatus()});
  rig.Run();
  CHECK(rig.synced());
  CHECK(rig.changes == Lines{"+a@1", "+b@2", "+c@3", "+d@10", "~a@11", "-b@2"});
  CHECK(rig.Stored() == Lines{"a@11", "c@3", "d@10"});
  CHECK(rig.Requests() == Lines{"list", "list more", "watch 9", "watch 20"});
  CHECK(rig.waits.empty());
  const std::string path = "/api/v1/namespaces/ns/configmaps?";
  CHECK(rig.transport.requests[0].target == path + "labelSelector=a%3Db&limit=2");
  CHECK(rig.transport.requests[2].target ==
        path +
            "watch=true&allowWatchBookmarks=true&labelSelector=a%3Db&resourceVersion=9"
            "&timeoutSeconds=300");
}

TEST_CASE("list watcher: a relist tells only what is different", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1), Object("b", 2), Object("c", 3)}, "9"));
  rig.transport.Answer(Refusal(410, "Expired"));
  rig.transport.Answer(Page({Object("a", 1)}, "15", "more"));
  rig.transport.Answer(Page({Object("c", 14), Object("d", 15)}, "15"));
  rig.Run();
  CHECK(rig.changes == Lines{"+a@1", "+b@2", "+c@3", "~c@14", "+d@15", "-b@2"});
  CHECK(rig.Requests() == Lines{"list", "watch 9", "list", "list more", "watch 15"});
}

TEST_CASE("list watcher: 410 in every form leads to a list", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1)}, "9"));
  SECTION("as a status") { rig.transport.Answer(Refusal(410, "Expired")); }
  SECTION("as a status without a body") {
    rig.transport.Answer(HttpResponse{.status = 410, .body = ""});
  }
  SECTION("as Gone") { rig.transport.Answer(Refusal(410, "Gone")); }
  SECTION("in the stream") {
    rig.transport.AnswerStream({{ErrorEvent(410, "Expired")}, absl::OkStatus()});
  }
  SECTION("in the stream, by its code alone") {
    rig.transport.AnswerStream({{ErrorEvent(410, "")}, absl::OkStatus()});
  }
  rig.transport.Answer(Page({Object("a", 1), Object("b", 12)}, "12"));
  rig.Run();
  CHECK(rig.Requests() == Lines{"list", "watch 9", "list", "watch 12"});
  CHECK(rig.changes == Lines{"+a@1", "+b@12"});
  CHECK(rig.restarts.reasons == Lines{"expired"});
  CHECK(rig.waits.empty());
}

TEST_CASE("list watcher: events before an in-stream 410 count", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  rig.transport.AnswerStream(
      {{Event("ADDED", "a", 10) + ErrorEvent(410, "Expired") + Event("ADDED", "never", 11)},
       absl::OkStatus()});
  rig.transport.Answer(Page({Object("a", 10)}, "12"));
  rig.Run();
  CHECK(rig.changes == Lines{"+a@10"});
}

TEST_CASE("list watcher: an expired continue token begins the list anew, without removing anything",
          "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1)}, "9", "one"));
  rig.transport.Answer(Refusal(410, "Expired"));
  rig.transport.Answer(Page({Object("a", 1)}, "11", "two"));
  rig.transport.Answer(Page({Object("b", 2)}, "11"));
  rig.Run();
  CHECK(rig.Requests() == Lines{"list", "list one", "list", "list two", "watch 11"});
  CHECK(rig.changes == Lines{"+a@1", "+b@2"});
  CHECK(rig.waits == std::vector{absl::Milliseconds(50)});
}

TEST_CASE("list watcher: what a list named that broke off is gone if the next one does not name it",
          "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1)}, "9", "more"));
  rig.transport.Answer(Refusal(410, "Expired"));
  rig.transport.Answer(Page({Object("b", 2)}, "11"));
  rig.Run();
  CHECK(rig.changes == Lines{"+a@1", "+b@2", "-a@1"});
  CHECK(rig.Stored() == Lines{"b@2"});
}

TEST_CASE("list watcher: it is synced only after the last page of the first list",
          "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1)}, "9", "more"));
  rig.transport.Answer(UnavailableError("reset"));
  rig.Run();
  CHECK_FALSE(rig.synced());
}

TEST_CASE("list watcher: errors and empty watches back off, events end that", "[list_watcher]") {
  Rig rig;
  const absl::Duration ms = absl::Milliseconds(1);
  rig.transport.Answer(UnavailableError("refused"));
  rig.transport.Answer(Refusal(503, "ServiceUnavailable"));
  rig.transport.Answer(Page({}, "9"));
  rig.transport.AnswerStream({});  // 200, and closed.
  rig.transport.AnswerStream({});
  rig.transport.AnswerStream({{}, UnavailableError("reset")});
  rig.transport.Answer(Refusal(500, "InternalError"));
  rig.transport.AnswerStream({{Event("ADDED", "a", 10)}, UnavailableError("reset")});
  rig.transport.AnswerStream({});
  rig.Run();
  CHECK(rig.waits ==
        std::vector{50 * ms, 100 * ms, 50 * ms, 100 * ms, 200 * ms, 400 * ms, 50 * ms});
  CHECK(rig.restarts.reasons ==
        Lines{"error", "error", "short", "short", "error", "error", "error", "short"});
  CHECK(rig.Requests() == Lines{"list", "list", "list", "watch 9", "watch 9", "watch 9", "watch 9",
                                "watch 9", "watch 10", "watch 10"});
}

TEST_CASE("list watcher: 429 is obeyed", "[list_watcher]") {
  Rig rig;
  HttpResponse busy = Refusal(429, "TooManyRequests");
  busy.retry_after = absl::Seconds(3);
  rig.transport.Answer(busy);
  rig.transport.Answer(Page({}, "9"));
  busy.retry_after = absl::Seconds(5);
  rig.transport.Answer(busy);
  rig.Run();
  CHECK(rig.waits == std::vector{absl::Seconds(3), absl::Seconds(5)});
  CHECK(rig.Requests() == Lines{"list", "list", "watch 9", "watch 9"});
}

TEST_CASE("list watcher: a half-open watch is resumed from its last version", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  rig.transport.AnswerStream({{Event("ADDED", "a", 10)}, DeadlineExceededError("silent")});
  rig.transport.AnswerStream({{Event("ADDED", "b", 11)}, absl::OkStatus()});
  rig.Run();
  CHECK(rig.changes == Lines{"+a@10", "+b@11"});
  CHECK(rig.Requests() == Lines{"list", "watch 9", "watch 10", "watch 11"});
  CHECK(rig.restarts.reasons == Lines{"silent", "closed"});
}

TEST_CASE("list watcher: one object that cannot be read does not stop the others",
          "[list_watcher]") {
  const std::string bad = R"(,"data":{"key":[1]})";
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1), Object("b", 2, bad), Object("c", 3)}, "9"));
  rig.transport.AnswerStream(
      {{R"({"type":"ADDED","object":)" + Object("d", 10, bad) + "}\n" + Event("ADDED", "e", 11) +
        R"({"type":"NOVEL","object":{}})" + "\n" + Event("MODIFIED", "a", 12)},
       absl::OkStatus()});
  // Now c cannot be read: what is known of it stays.
  rig.transport.Answer(Refusal(410, "Expired"));
  rig.transport.Answer(Page({Object("a", 12), Object("b", 2, bad), Object("c", 13, bad)}, "14"));
  rig.Run();
  CHECK(rig.changes == Lines{"+a@1", "+c@3", "+e@11", "~a@12", "-e@11"});
  CHECK(rig.Stored() == Lines{"a@12", "c@3"});
}

TEST_CASE("list watcher: an object that became unreadable before it was deleted does not stay",
          "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 1), Object("b", 2)}, "9"));
  const std::string bad = Object("a", 11, R"(,"data":{"key":[1]})");
  rig.transport.AnswerStream(
      {{R"({"type":"MODIFIED","object":)" + bad + "}\n" + R"({"type":"DELETED","object":)" + bad +
        "}\n" + Event("ADDED", "c", 12)},
       absl::OkStatus()});
  rig.Run();
  CHECK(rig.changes == Lines{"+a@1", "+b@2", "-a@1", "+c@12"});
}

TEST_CASE("list watcher: a watch that goes back in time takes nothing back, and is not believed",
          "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({Object("a", 9)}, "9"));
  SECTION("it says again how an object was") {
    rig.transport.AnswerStream(
        {{Event("MODIFIED", "a", 11) + Event("MODIFIED", "b", 12) + Event("MODIFIED", "a", 10)},
         absl::OkStatus()});
  }
  SECTION("it says again that an object is gone which was made anew") {
    rig.transport.AnswerStream({{Event("DELETED", "a", 10) + Event("ADDED", "a", 11) +
                                 Event("ADDED", "b", 12) + Event("DELETED", "a", 10)},
                                absl::OkStatus()});
  }
  rig.transport.Answer(Page({Object("a", 11), Object("b", 12)}, "12"));
  rig.Run();
  CHECK(rig.Stored() == Lines{"a@11", "b@12"});
  CHECK(rig.changes.back() == "+b@12");
  CHECK(rig.Requests() == Lines{"list", "watch 9", "list", "watch 12"});
  CHECK(rig.restarts.reasons == Lines{"disorder"});
  CHECK(rig.waits == std::vector{absl::Milliseconds(50)});
}

TEST_CASE("list watcher: what is no list or no event is asked for again", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(HttpResponse{.status = 200, .body = "<html>"});
  rig.transport.Answer(Page({Object("a", 1)}, "9"));
  for (const char* junk : {"<html>\n", "[]\n", "{}\n",
                           R"({"type":"ADDED"})"
                           "\n",
                           R"({"object":{}})"
                           "\n",
                           R"({"type":7,"object":{}})"
                           "\n"}) {
    rig.transport.AnswerStream({{junk + Event("ADDED", "never", 10)}, absl::OkStatus()});
  }
  rig.transport.AnswerStream({{Event("ADDED", "b", 10)}, absl::OkStatus()});
  rig.Run();
  CHECK(rig.changes == Lines{"+a@1", "+b@10"});
  CHECK(rig.Requests().size() == 10);
}

TEST_CASE("list watcher: the object of an event may stand before its type", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  rig.transport.AnswerStream(
      {{R"({"novel":1,"object":)" + Object("a", 10) + R"(,"type":"ADDED"})" + "\n"},
       absl::OkStatus()});
  rig.Run();
  CHECK(rig.changes == Lines{"+a@10"});
}

TEST_CASE("list watcher: what else an event says does not matter", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  rig.transport.AnswerStream(
      {{R"({"type":"ADDED","novel":{"object":{}},"object":)" + Object("a", 10) + "}\n"},
       absl::OkStatus()});
  rig.Run();
  CHECK(rig.changes == Lines{"+a@10"});
}

TEST_CASE("list watcher: an object of a megabyte and a half passes", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  const std::string data = R"(,"data":{"key":")" + std::string(3 << 19, 'x') + R"("})";
  const std::string event = R"({"type":"ADDED","object":)" + Object("large", 10, data) + "}\n";
  StreamScript script;
  for (size_t at = 0; at < event.size(); at += 16384) {
    script.chunks.push_back(event.substr(at, 16384));
  }
  rig.transport.AnswerStream(std::move(script));
  rig.Run();
  CHECK(rig.changes == Lines{"+large@10"});
}

TEST_CASE("list watcher: an endless line is given up", "[list_watcher]") {
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  StreamScript script;
  script.chunks.assign(40, std::string(1 << 20, 'x'));
  script.chunks.push_back("\n" + Event("ADDED", "never", 10));
  rig.transport.AnswerStream(std::move(script));
  rig.Run();
  CHECK(rig.changes.empty());
  CHECK(rig.restarts.reasons == Lines{"error"});
}

namespace {

// Fifty events about ten objects, versions 10 to 59.
std::vector<std::string> FiftyEvents() {
  std::vector<std::string> events;
  for (int i = 0; i < 50; ++i) {
    const std::string name = absl::StrCat("o", i % 10);
    const char* type = i < 10 ? "ADDED" : i % 10 == 3 && i > 40 ? "DELETED" : "MODIFIED";
    // Short, because there is a run for each of their bytes.
    events.push_back(absl::StrCat(R"({"type":")", type, R"(","object":{"metadata":{"name":")", name,
                                  R"(","resourceVersion":")", 10 + i, "\"}}}\n"));
  }
  return events;
}

// What FiftyEvents must bring about, in order.
Lines FiftyChanges() {
  Lines changes;
  for (int i = 0; i < 50; ++i) {
    const bool deleted = i == 43;
    changes.push_back(absl::StrCat(i < 10    ? "+"
                                   : deleted ? "-"
                                             : "~",
                                   "o", i % 10, "@", deleted ? 33 + 10 : 10 + i));
  }
  return changes;
}

std::string Joined(const std::vector<std::string>& events, size_t from = 0) {
  std::string all;
  for (size_t i = from; i < events.size(); ++i) {
    all += events[i];
  }
  return all;
}

// How many events end before byte `cut` of the stream.
size_t WholeEvents(const std::string& stream, size_t cut) {
  return static_cast<size_t>(
      std::count(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
}

// The ways in which a connection can end.
const std::array kEnds{absl::OkStatus(), UnavailableError("reset"),
                       DeadlineExceededError("silent")};

}  // namespace

TEST_CASE("list watcher: a stream in pieces of any size brings the same changes",
          "[list_watcher]") {
  const std::string stream = Joined(FiftyEvents());
  for (size_t size = 1; size <= stream.size(); size = size < 400 ? size + 1 : size * 2) {
    Rig rig;
    rig.transport.Answer(Page({}, "9"));
    StreamScript script;
    for (size_t at = 0; at < stream.size(); at += size) {
      script.chunks.push_back(stream.substr(at, size));
    }
    rig.transport.AnswerStream(std::move(script));
    rig.Run();
    REQUIRE(rig.changes == FiftyChanges());
  }
}

TEST_CASE("list watcher: a stream cut after every byte loses and repeats nothing",
          "[list_watcher]") {
  const std::vector<std::string> events = FiftyEvents();
  const std::string stream = Joined(events);
  Rig rig;
  rig.transport.Answer(Page({}, "9"));
  // Each connection gets one byte further than the one before, beginning as a real server does:
  // with the first event after the version that it is asked for.
  Lines want{"list"};
  for (size_t cut = 1; cut <= stream.size(); ++cut) {
    const size_t whole = WholeEvents(stream, cut - 1);
    want.push_back(absl::StrCat("watch ", 9 + whole));
    const size_t begin = stream.size() - Joined(events, whole).size();
    rig.transport.AnswerStream({{stream.substr(begin, cut - begin)}, kEnds[cut % kEnds.size()]});
  }
  rig.Run();
  want.push_back("watch 59");
  CHECK((rig.Requests() == want));
  CHECK(rig.changes == FiftyChanges());
}

TEST_CASE("list watcher: a stop ends the wait between attempts", "[list_watcher]") {
  ScriptedTransport transport;  // Answers UNAVAILABLE from the start.
  std::jthread stopper;
  std::stop_source stop;
  transport.at_end = [&] { stopper = std::jthread([&] { stop.request_stop(); }); };
  Client client(transport);
  Informer<api::ConfigMap> informer(client, {.backoff = {.initial = absl::Hours(1)}});
  informer.Run(stop.get_token());
  CHECK(transport.requests.size() == 1);
  CHECK_FALSE(informer.WaitForSync(stop.get_token()));
}

TEST_CASE("list watcher: it does wait between attempts", "[list_watcher]") {
  ScriptedTransport transport;  // Answers UNAVAILABLE from the start.
  std::stop_source stop;
  int left = 2;
  transport.at_end = [&] {
    if (--left == 0) {
      stop.request_stop();
    }
  };
  Client client(transport);
  Informer<api::ConfigMap> informer(client,
                                    {.backoff = {.initial = absl::Milliseconds(20), .jitter = 0}});
  const MonoTime began = SteadyNow();
  informer.Run(stop.get_token());
  CHECK(SteadyNow() - began >= std::chrono::milliseconds(20));
}

TEST_CASE("list watcher: whoever waits between attempts is told to stop", "[list_watcher]") {
  ScriptedTransport transport;  // Answers UNAVAILABLE from the start.
  std::stop_source stop;
  Client client(transport);
  int waits = 0;
  const auto wait = [&](absl::Duration, const std::stop_token& told) {
    ++waits;
    stop.request_stop();
    CHECK(told.stop_requested());
  };
  Informer<api::ConfigMap>(client, {.wait = wait}).Run(stop.get_token());
  CHECK(waits == 1);
}

TEST_CASE("list watcher: the waits between attempts are spread", "[list_watcher]") {
  ScriptedTransport transport;  // Answers UNAVAILABLE from the start.
  std::stop_source stop;
  Client client(transport);
  std::set<absl::Duration> waits;
  int left = 20;
  const auto wait = [&](absl::Duration delay, const std::stop_token&) {
    waits.insert(delay);
    if (--left == 0) {
      stop.request_stop();
    }
  };
  const absl::Duration hour = absl::Hours(1);
  Informer<api::ConfigMap>(client,
                           {.backoff = {.initial = hour, .max = hour, .jitter = 0.5}, .wait = wait})
      .Run(stop.get_token());
  CHECK(waits.size() > 10);
  CHECK(*waits.begin() >= hour / 2);
  CHECK(*waits.rbegin() <= hour);
}

TEST_CASE("list watcher: waiting for sync ends with the first list", "[list_watcher]") {
  ScriptedTransport transport;
  transport.Answer(Page({Object("a", 1)}, "9"));
  std::stop_source stop;
  transport.at_end = [&] { stop.request_stop(); };
  Client client(transport);
  Informer<api::ConfigMap> informer(client);
  const std::jthread runner([&] { informer.Run(stop.get_token()); });
  CHECK(informer.WaitForSync({}));
  CHECK(informer.store().size() == 1);
}

}  // namespace korder::kube
