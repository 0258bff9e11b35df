// The API server of the simulation beside a real one: the same random requests, the same answers.
// KUBECONFIG names the real one.
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dice.h"
#include "json/fields.h"
#include "kube/testing/fake/server_under_test.h"

namespace korder::simulation {
namespace {

using kube::fake::Answer;
using kube::fake::Json;
using kube::fake::ServerUnderTest;
using kube::fake::WatchUnderTest;

constexpr int kSequences = 200;
constexpr int kRequests = 12;

enum class Kind { kConfigMap, kWidget, kPod };

// One sequence on one server. What differs from server to server, versions and UIDs, is replaced by
// the order in which it appeared.
class Player {
 public:
  Player(ServerUnderTest& server, int number)
      : server_(server),
        number_(number),
        dice_(static_cast<uint64_t>(number), "requests"),
        kind_(static_cast<Kind>(number % 3)),
        watch_(server.Watch(absl::StrCat(Path(), "?watch=true&labelSelector=seq%3D", number,
                                         "&resourceVersion=", server.Get(Path()).Version()))) {}

  std::vector<std::string> Play() {
    std::vector<std::string> story;
    for (int i = 0; i < kRequests; ++i) {
      story.push_back(Request());
    }
    Make("end", "z");
    story.push_back("the watch: " + absl::StrJoin(WatchUntilEnd(), ", "));
    return story;
  }

 private:
  struct Known {
    std::string body;  // as it was last told
    std::string uid;
    std::vector<std::string> versions;
  };

  std::string Path(std::string_view name = "") const {
    switch (kind_) {
      case Kind::kConfigMap:
        return server_.ConfigMaps(name);
      case Kind::kWidget:
        return server_.Widgets(name);
      case Kind::kPod:
        return server_.Pods(name);
    }
    return "";
  }
  std::string Name(std::string_view which) const {
    return absl::StrCat("s", number_, "-", std::string(which));
  }
  std::string Rank(std::map<std::string, int>& ranks, const std::string& what) {
    if (what.empty()) {
      return "-";
    }
    return absl::StrCat("#", ranks.try_emplace(what, static_cast<int>(ranks.size())).first->second);
  }

  std::string Object(const Json& object) {
    const Json& meta = object["metadata"];
    return absl::StrCat(
        meta.TextAt({"name"}), " version ", Rank(versions_, meta.TextAt({"resourceVersion"})),
        " uid ", Rank(uids_, meta.TextAt({"uid"})), " generation ", meta.IntAt({"generation"}), " ",
        json::Print(meta["labels"]), json::Print(meta["finalizers"]), json::Print(object["data"]),
        kind_ == Kind::kWidget ? json::Print(object["spec"]) : "",
        kind_ == Kind::kWidget ? json::Print(object["status"]) : "",
        kind_ == Kind::kPod
            ? absl::StrCat(" phase ", object.TextAt({"status", "phase"}), " nominated ",
                           object.TextAt({"status", "nominatedNodeName"}))
            : "",
        meta.TextAt({"deletionTimestamp"}).empty() ? "" : " is being deleted");
  }
  std::string Told(std::string_view asked, const Answer& answer) {
    std::string told = absl::StrCat(std::string(asked), " -> ", answer.code);
    if (answer.code >= 300 || answer.body.TextAt({"kind"}) == "Status") {
      return absl::StrCat(told, " ", answer.Reason());
    }
    const std::string name = answer.body.TextAt({"metadata", "name"});
    Known& known = known_[name];
    known.body = json::Print(answer.body);
    known.uid = answer.Uid();
    if (known.versions.empty() || known.versions.back() != answer.Version()) {
      known.versions.push_back(answer.Version());
    }
    return absl::StrCat(told, " ", Object(answer.body));
  }

  Answer Make(std::string_view which, std::string_view tier, bool finalizer = false) {
    const std::string metadata =
        absl::StrCat(R"("labels": {"seq": ")", number_, R"(", "tier": ")", std::string(tier),
                     R"("},)", finalizer ? R"("finalizers": ["korder.dev/test"],)" : "");
    const std::string name = Name(which);
    switch (kind_) {
      case Kind::kConfigMap:
        return server_.MakeConfigMap(name, metadata);
      case Kind::kWidget:
        return server_.MakeWidget(name, metadata);
      case Kind::kPod:
        return server_.MakePod(name, R"("schedulingGates": [{"name": "korder.dev/claim"}],)",
                               metadata);
    }
    return {};
  }

  // A version of the object: none, the newest, an older one, or nonsense.
  std::string SomeVersion(const Known& known) {
    const int which = dice_.Between(0, 3);
    if (which == 0 || known.versions.empty()) {
      return "";
    }
    if (which == 1) {
      return known.versions.back();
    }
    return which == 2 ? known.versions.front() : "1";
  }

  std::string Request() {
    const std::string which(1, "ab"[dice_.Below(2)]);
    const std::string name = Name(which);
    const Known known = known_[name];
    const std::string tier(1, "xyz"[dice_.Below(3)]);
    switch (dice_.Between(0, 10)) {
      case 0:
      case 1:
        return Told("create " + which, Make(which, tier, dice_.Chance(0.2)));
      case 2:
        return Told("get " + which, server_.Get(Path(name)));
      case 3:
        return Update(which, known, tier);
      case 4:
      case 5: {
        const std::string version = SomeVersion(known);
        return Told("patch " + which,
                    server_.Merge(Path(name), absl::StrCat(R"({"metadata": {"labels": {"tier": ")",
                                                           tier, R"("})", Member(version), "}}")));
      }
      case 6:
        return PatchStatus(which, known);
      case 7:
        return Told("let go " + which,
                    server_.Merge(Path(name), R"({"metadata": {"finalizers": null}})"));
      case 8:
        return Delete(which, known);
      case 9:
        return List(absl::StrCat("?labelSelector=seq%3D", number_, "%2Ctier%20in%20%28x%2Cy%29"));
      default:
        return List(absl::StrCat("?fieldSelector=metadata.name%3D", name));
    }
  }

  static std::string Member(const std::string& version) {
    return version.empty() ? "" : absl::StrCat(R"(, "resourceVersion": ")", version, R"(")");
  }

  std::string Update(const std::string& which, const Known& known, const std::string& tier) {
    Json object;
    if (!json::Parse(known.body, object).ok()) {
      return "update of nothing";
    }
    object["metadata"]["labels"]["tier"] = Json::String(tier);
    const std::string version = SomeVersion(known);
    if (version.empty()) {
      object["metadata"].Erase("resourceVersion");
    } else {
      object["metadata"]["resourceVersion"] = Json::String(version);
    }
    return Told("update " + which, server_.Do("PUT", Path(Name(which)), json::Print(object)));
  }

  std::string PatchStatus(const std::string& which, const Known& known) {
    if (kind_ == Kind::kConfigMap) {
      return "no status";
    }
    const std::string version = SomeVersion(known);
    const std::string metadata =
        version.empty() ? ""
                        : absl::StrCat(R"("metadata": {"resourceVersion": ")", version, R"("},)");
    const std::string status =
        kind_ == Kind::kWidget
            ? absl::StrCat(R"("spec": {"size": 9}, "status": {"phase": "P)", dice_.Between(0, 2),
                           R"("})")
            : absl::StrCat(R"("status": {"nominatedNodeName": "n)", dice_.Between(0, 2), R"("})");
    return Told("patch status " + which, server_.Merge(Path(Name(which) + "/status"),
                                                       absl::StrCat("{", metadata, status, "}")));
  }

  std::string Delete(const std::string& which, const Known& known) {
    std::string preconditions;
    if (dice_.Chance(0.5)) {
      const std::string version = SomeVersion(known);
      const std::string uid =
          dice_.Chance(0.7) ? known.uid : "00000000-dead-beef-0000-000000000000";
      preconditions =
          absl::StrCat(R"(, "preconditions": {"uid": ")", uid, R"(")", Member(version), "}");
    }
    const Answer answer =
        server_.Do("DELETE", Path(Name(which)),
                   absl::StrCat(R"({"kind": "DeleteOptions", "apiVersion": "v1", )",
                                R"("gracePeriodSeconds": 0)", preconditions, "}"));
    return Told("delete " + which, answer);
  }

  std::string List(const std::string& query) {
    const Answer answer = server_.Get(Path() + query);
    std::string told = absl::StrCat("list ", answer.code, ":");
    for (const Json& item : answer.body.ArrayAt({"items"})) {
      absl::StrAppend(&told, " [", Object(item), "]");
    }
    return told;
  }

  std::vector<std::string> WatchUntilEnd() {
    std::vector<std::string> events;
    while (events.size() < 100) {
      const std::string event = watch_.Next(1).at(0);
      events.push_back(event + " " + Object(watch_.last()));
      if (event == "ADDED " + Name("end") || event.find(' ') == std::string::npos) {
        break;
      }
    }
    return events;
  }

  ServerUnderTest& server_;
  const int number_;
  Dice dice_;
  const Kind kind_;
  WatchUnderTest watch_;
  std::map<std::string, Known> known_;
  std::map<std::string, int> versions_;
  std::map<std::string, int> uids_;
};

TEST_CASE("api model: 200 random sequences of requests get the answers that a real server gives",
          "[simulation][integration]") {
  const char* kubeconfig = std::getenv("KUBECONFIG");
  REQUIRE(kubeconfig != nullptr);
  ServerUnderTest real(kubeconfig);
  ServerUnderTest model(nullptr);
  for (int i = 0; i < kSequences; ++i) {
    INFO("sequence " << i);
    CHECK(Player(model, i).Play() == Player(real, i).Play());
  }
}

}  // namespace
}  // namespace korder::simulation
