#include "ticket-svc/handoff_step.h"

#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "ticket-svc/handoff_batch.h"
#include "ticket-svc/handoff_method.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

using Act = HandoffAct;
using Why = HandoffReason;

// Ticket web-0 on n1, promised to pod shop; nothing has been done yet.
struct Stage {
  Stage() {
    record = {.id = "h1",
              .step = "Assigned",
              .pod_uid = "uid-shop",
              .guardian_uid = "uid-web-0-g1",
              .node = "n1",
              .started_at = kNow};
    pod = MakeClaimPod("shop");
    guardian = Reduced(Running(MakeGuardian(MakeTicket("web-0"), 1), "n1"));
    node = MakeNode("n1");
  }

  Stage& Nominated() {
    pod->metadata.annotations["korder.dev/handoff"] = "h1";
    pod->status.nominated_node_name = "n1";
    return *this;
  }
  Stage& Released() {
    guardian.reset();
    return *this;
  }
  Stage& Ungated() {
    pod->spec.scheduling_gates.clear();
    pod->metadata.labels["korder.dev/claim"] = "claimed";
    pod->metadata.annotations.erase("korder.dev/handoff");
    return *this;
  }
  Stage& Bound(const std::string& to = "n1") {
    *pod = Running(*pod, to);
    return *this;
  }

  HandoffMove Step() const { return HandoffStep(View()); }
  HandoffView View() const {
    return {.record = record,
            .method = MethodOf(method),
            .pod = pod ? &*pod : nullptr,
            .guardian = guardian ? &*guardian : nullptr,
            .node = node ? &*node : nullptr,
            .window_over = window_over,
            .maybe_forgotten = maybe_forgotten,
            .needs_fence = needs_fence,
            .stuck_guardians = stuck,
            .seeking_guardians = seeking,
            .contested = contested,
            .settle = settle,
            .gone_for = gone_for,
            .age = AgeOf(record, now, waited),
            .renominated_ago = renominated_ago};
  }

  api::TicketHandoff record;
  std::optional<api::Pod> pod;
  std::optional<OwnPod> guardian;
  std::optional<api::Node> node;
  HandoffMethodName method = HandoffMethodName::kNominate;
  bool window_over = false;
  int stuck = 0;
  int seeking = 0;
  bool maybe_forgotten = false;
  bool needs_fence = false;
  bool contested = false;
  absl::Duration settle;
  absl::Duration gone_for = absl::InfiniteDuration();
  absl::Time now = kNow + absl::Seconds(1);
  absl::Duration waited;
  absl::Duration renominated_ago = absl::InfiniteDuration();
};

constexpr Why kNoReason = Why::kNone;

TEST_CASE("handoff step: the way of a handoff that nobody disturbs", "[handoff]") {
  Stage s;
  CHECK(s.Step().act == Act::kMark);
  CHECK(s.Nominated().Step().act == Act::kRelease);
  CHECK(s.Released().Step().act == Act::kUngate);
  CHECK(s.Ungated().Step().act == Act::kWait);
  CHECK(s.Bound().Step().act == Act::kClaimed);
}

TEST_CASE("handoff step: what to do follows from what is there", "[handoff]") {
  struct Case {
    const char* name;
    void (*arrange)(Stage&);
    Act want;
    Why why = kNoReason;
  };
  const Case cases[] = {
      // The pod is gone.
      {"pod deleted before the release", [](Stage& s) { s.pod.reset(); }, Act::kAbort,
       Why::kPodGone},
      {"pod being deleted before the release",
       [](Stage& s) { s.Nominated().pod->metadata.deletion_timestamp = kNow; }, Act::kAbort,
       Why::kPodGone},
      {"pod deleted after the release", [](Stage& s) { s.Released().pod.reset(); }, Act::kLost,
       Why::kPodGone},
      {"pod being deleted after the release, unbound",
       [](Stage& s) { s.Nominated().Released().pod->metadata.deletion_timestamp = kNow; },
       Act::kLost, Why::kPodGone},
      // The pod is bound.
      {"bound to the node, running", [](Stage& s) { s.Released().Ungated().Bound(); },
       Act::kClaimed},
      {"bound to the node, ended already",
       [](Stage& s) { s.Released().Ungated().Bound().pod->status.phase = "Succeeded"; },
       Act::kClaimed},
      {"bound to the node, failed by itself",
       [](Stage& s) { s.Released().Ungated().Bound().pod->status.phase = "Failed"; },
       Act::kClaimed},
      {"bound to the node, being deleted",
       [](Stage& s) { s.Released().Ungated().Bound().pod->metadata.deletion_timestamp = kNow; },
       Act::kClaimed},
      {"bound to the node, turned away by the kubelet",
       [](Stage& s) {
         s.Released().Ungated().Bound();
         s.pod->status.phase = "Failed";
         s.pod->status.reason = "OutOfcpu";
       },
       Act::kLost, Why::kPodRejected},
      {"bound elsewhere", [](Stage& s) { s.Released().Ungated().Bound("n2"); }, Act::kMissed,
       Why::kBoundElsewhere},
      {"bound elsewhere while the guardian lives", [](Stage& s) { s.Ungated().Bound("n2"); },
       Act::kAbort, Why::kBoundEarly},
      {"bound to the node beside the guardian", [](Stage& s) { s.Ungated().Bound(); }, Act::kAbort,
       Why::kBoundEarly},
      // Before the release.
      {"a preemptor took the nomination away",
       [](Stage& s) { s.Nominated().pod->status.nominated_node_name.clear(); }, Act::kMark},
      {"nominated elsewhere",
       [](Stage& s) { s.Nominated().pod->status.nominated_node_name = "n2"; }, Act::kMark},
      {"nominated, but not marked by us",
       [](Stage& s) { s.pod->status.nominated_node_name = "n1"; }, Act::kMark},
      {"marked by another handoff",
       [](Stage& s) { s.pod->metadata.annotations["korder.dev/handoff"] = "h2"; }, Act::kAbort,
       Why::kTakenByAnother},
      {"another gate",
       [](Stage& s) { s.Nominated().pod->spec.scheduling_gates.push_back({"x/y"}); }, Act::kAbort,
       Why::kOtherGate},
      {"node cordoned", [](Stage& s) { s.Nominated().node->spec.unschedulable = true; },
       Act::kAbort, Why::kNodeUnfit},
      {"node not Ready",
       [](Stage& s) { s.Nominated().node->status.conditions[0].status = "Unknown"; }, Act::kAbort,
       Why::kNodeUnfit},
      {"node gone", [](Stage& s) { s.Nominated().node.reset(); }, Act::kAbort, Why::kNodeGone},
      {"guardian being deleted by somebody",
       [](Stage& s) { s.Nominated().guardian->metadata.deletion_timestamp = kNow; }, Act::kAbort,
       Why::kGuardianLost},
      {"the window is over", [](Stage& s) { s.Nominated().window_over = true; }, Act::kAbort,
       Why::kWindowOver},
      {"for too long", [](Stage& s) { s.Nominated().now = kNow + absl::Seconds(11); }, Act::kAbort,
       Why::kTimeout},
      {"gate opened by somebody", [](Stage& s) { s.Nominated().Ungated(); }, Act::kAbort,
       Why::kGateGone},
      // After the release.
      {"guardian evicted after the nomination",
       [](Stage& s) { s.Nominated().guardian->phase = "Failed"; }, Act::kUngate},
      {"guardian deleted from outside before the nomination", [](Stage& s) { s.Released(); },
       Act::kLost, Why::kGuardianLost},
      {"guardian deleted from outside after the nomination",
       [](Stage& s) { s.Nominated().Released(); }, Act::kUngate},
      {"nomination gone between release and ungate",
       [](Stage& s) { s.Nominated().Released().pod->status.nominated_node_name.clear(); },
       Act::kMark},
      {"... for too long",
       [](Stage& s) {
         s.Nominated().Released().pod->status.nominated_node_name.clear();
         s.now = kNow + absl::Seconds(11);
       },
       Act::kLost, Why::kTimeout},
      {"taken over by another handoff after the release",
       [](Stage& s) { s.Released().pod->metadata.annotations["korder.dev/handoff"] = "h2"; },
       Act::kLost, Why::kTakenByAnother},
      {"the window is over after the release",
       [](Stage& s) { s.Nominated().Released().window_over = true; }, Act::kUngate},
      {"node cordoned after the release",
       [](Stage& s) { s.Nominated().Released().node->spec.unschedulable = true; }, Act::kUngate},
      {"node gone after the release", [](Stage& s) { s.Nominated().Released().node.reset(); },
       Act::kLost, Why::kNodeGone},
      // After the gate was opened.
      {"the scheduler has not looked yet", [](Stage& s) { s.Nominated().Released().Ungated(); },
       Act::kWait},
      {"the scheduler stands still for long",
       [](Stage& s) { s.Nominated().Released().Ungated().now = kNow + absl::Hours(1); },
       Act::kWait},
      {"refused, nomination cleared",
       [](Stage& s) {
         s.Nominated().Released().Ungated();
         *s.pod = Refused(*s.pod, "no room");
         s.pod->status.nominated_node_name.clear();
       },
       Act::kMark},
      {"refused for too long",
       [](Stage& s) {
         s.Nominated().Released().Ungated();
         *s.pod = Refused(*s.pod, "no room");
         s.now = kNow + absl::Seconds(11);
       },
       Act::kLost, Why::kTimeout},
      {"node gone after the gate was opened",
       [](Stage& s) { s.Nominated().Released().Ungated().node.reset(); }, Act::kLost,
       Why::kNodeGone},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Stage s;
      c.arrange(s);
      const HandoffMove move = s.Step();
      CHECK(move.act == c.want);
      CHECK(api::Name(move.reason) == api::Name(c.why));
    }
  }
}

TEST_CASE("handoff step: on old servers the gate stays shut until the deletion has settled",
          "[handoff]") {
  Stage s;
  s.Nominated().Released();
  s.settle = absl::Milliseconds(500);
  s.gone_for = absl::Milliseconds(120);
  CHECK(s.Step() == HandoffMove{.act = Act::kWait, .wait = absl::Milliseconds(380)});
  s.gone_for = absl::Milliseconds(500);
  CHECK(s.Step().act == Act::kUngate);
}

TEST_CASE("handoff step: no release before the scheduler has seen the nomination", "[handoff]") {
  Stage s;
  s.needs_fence = true;
  CHECK(s.Step().act == Act::kMark);
  CHECK(s.Nominated().Step().act == Act::kFence);
  s.needs_fence = false;
  CHECK(s.Step().act == Act::kRelease);
  s.needs_fence = true;  // Past the release there is nothing to ask any more.
  CHECK(s.Released().Step().act == Act::kUngate);
}

TEST_CASE("handoff step: a scheduler that began anew is told again", "[handoff]") {
  Stage s;
  s.Nominated().maybe_forgotten = true;
  CHECK(s.Step().act == Act::kMark);
  CHECK(s.Released().Step().act == Act::kUngate);  // An open gate is never overlooked.
  s.settle = absl::Milliseconds(500);
  s.gone_for = absl::ZeroDuration();
  CHECK(s.Step().act == Act::kMark);
  CHECK(s.Ungated().Step().act == Act::kWait);
}

TEST_CASE("handoff step: a nomination is not made again for an hour because the clock was set back",
          "[handoff]") {
  Stage s;
  s.Nominated().Released().Ungated().pod->status.nominated_node_name.clear();
  s.now = kNow - absl::Hours(1);
  s.waited = absl::Seconds(10);
  CHECK(s.Step().act == Act::kMark);
  s.waited = absl::Seconds(11);
  CHECK(s.Step().act == Act::kLost);
  CHECK(s.Step().reason == Why::kTimeout);
}

TEST_CASE("handoff step: a scheduler that refuses the pod is not told the same again at once",
          "[handoff]") {
  Stage s;
  s.Nominated().Released().Ungated().pod->status.nominated_node_name.clear();
  s.renominated_ago = absl::Milliseconds(50);
  CHECK(s.Step().act == Act::kMark);  // somebody else took it away
  s.pod->status.conditions = {{.type = "PodScheduled",
                               .status = "False",
                               .last_transition_time = kNow,
                               .reason = "Unschedulable",
                               .message = ""}};
  CHECK(s.Step() == HandoffMove{.act = Act::kWait, .wait = absl::Milliseconds(150)});
  s.renominated_ago = absl::Milliseconds(200);
  CHECK(s.Step().act == Act::kMark);
}

TEST_CASE("handoff step: no release while another pod is nominated to the node", "[handoff]") {
  Stage s;
  s.Nominated().contested = true;
  CHECK(s.Step().act == Act::kWait);
  CHECK(s.Step().wait == absl::Milliseconds(200));
  s.now = kNow + absl::Seconds(11);
  CHECK(s.Step().act == Act::kAbort);
  CHECK(s.Step().reason == Why::kContested);
}

TEST_CASE("handoff step: guardians that look for room step aside before the mark", "[handoff]") {
  Stage s;
  s.stuck = 1;
  s.seeking = 1;
  CHECK(s.Step().act == Act::kClear);
  s.stuck = 0;
  CHECK(s.Step().act == Act::kWait);
  s.seeking = 0;
  CHECK(s.Step().act == Act::kMark);
  s.stuck = s.seeking = 1;  // Past the release nothing can be done about them.
  CHECK(s.Nominated().Released().Step().act == Act::kUngate);
}

TEST_CASE("handoff step: by preemption, nothing is nominated", "[handoff]") {
  Stage s;
  s.method = HandoffMethodName::kPreempt;
  CHECK(s.Step().act == Act::kMark);
  s.pod->metadata.annotations["korder.dev/handoff"] = "h1";
  CHECK(s.Step().act == Act::kRelease);
  CHECK(s.Released().Step().act == Act::kUngate);
  s.Ungated();
  CHECK(s.Step().act == Act::kWait);
  *s.pod = Refused(*s.pod, "preemption is under way");
  CHECK(s.Step().act == Act::kWait);
  s.now = kNow + absl::Seconds(11);
  CHECK(s.Step().act == Act::kLost);
  CHECK(s.Bound().Step().act == Act::kClaimed);
}

TEST_CASE("handoff step: by preemption, only a pod above the guardian's priority can have the room",
          "[handoff]") {
  const HandoffMethod& method = MethodOf(HandoffMethodName::kPreempt);
  CHECK(method.always_pins());
  CHECK_FALSE(MethodOf(HandoffMethodName::kNominate).always_pins());
  api::Pod pod = MakeClaimPod("shop");
  api::Pod guardian = MakeGuardian(MakeTicket("web-0"), 1);
  const auto why = [&] { return method.WhyNot(pod, Reduced(guardian)).value_or(""); };
  guardian.spec.priority = 0;
  CHECK(why() == "passes on by preemption: the pod's priority 0 is not above the guardian's 0");
  pod.spec.priority = 1;
  CHECK(why().empty());
  guardian.spec.priority.reset();
  CHECK(why().empty());
  pod.spec.preemption_policy = "PreemptLowerPriority";
  CHECK(why().empty());
  pod.spec.preemption_policy = "Never";
  CHECK(why() == "passes on by preemption, and the pod's priority class never preempts");
}

std::vector<Act> Acts(const std::vector<Stage>& stages) {
  std::vector<HandoffView> views;
  for (const Stage& stage : stages) {
    views.push_back(stage.View());
  }
  std::vector<Act> acts;
  for (const HandoffMove& move : DecideBatch(views)) {
    acts.push_back(move.act);
  }
  return acts;
}

TEST_CASE("handoff batch: all are nominated, then all released, then all opened", "[handoff]") {
  const Stage held;
  const Stage marked = Stage().Nominated();
  const Stage released = Stage().Nominated().Released();
  const Stage open = Stage().Nominated().Released().Ungated();
  Stage unseen = marked;
  unseen.needs_fence = true;
  Stage contested = marked;
  contested.contested = true;
  const Stage bound = Stage().Nominated().Released().Ungated().Bound();
  Stage cordoned = marked;
  cordoned.node->spec.unschedulable = true;
  Stage forgotten = marked;
  forgotten.maybe_forgotten = true;
  struct Case {
    const char* name;
    std::vector<Stage> stages;
    std::vector<Act> want;
  };
  const Case cases[] = {
      {"nothing", {}, {}},
      {"two begin", {held, held}, {Act::kMark, Act::kMark}},
      {"a marked one waits for the other", {held, marked}, {Act::kMark, Act::kWait}},
      {"nor before a scheduler that began anew knows of both",
       {forgotten, marked},
       {Act::kMark, Act::kWait}},
      {"both marked", {marked, marked}, {Act::kRelease, Act::kRelease}},
      {"one question for both", {held, unseen}, {Act::kMark, Act::kWait}},
      {"no release before the answer to all", {unseen, marked}, {Act::kFence, Act::kWait}},
      {"none is released beside one that cannot be", {contested, marked}, {Act::kWait, Act::kWait}},
      {"one that waits for an answer lets those through whose room is free",
       {unseen, released},
       {Act::kAbort, Act::kWait}},
      {"so does one that is contested",
       {contested, released, marked},
       {Act::kAbort, Act::kWait, Act::kWait}},
      {"no gate opens beside a guardian", {marked, released}, {Act::kRelease, Act::kWait}},
      {"all released", {released, released}, {Act::kUngate, Act::kUngate}},
      {"opened ones hold up nobody who is past it", {released, open}, {Act::kUngate, Act::kWait}},
      {"a late one does not begin before the others are through",
       {held, released},
       {Act::kWait, Act::kUngate}},
      {"nor beside an open one", {held, open}, {Act::kWait, Act::kWait}},
      {"one that is through is in nobody's way", {held, bound}, {Act::kMark, Act::kClaimed}},
      {"one that aborts lets the others wait for it",
       {cordoned, released},
       {Act::kAbort, Act::kWait}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(Acts(c.stages) == c.want); }
  }
}

TEST_CASE(
    "handoff batch: whatever the batch looks like, no gate opens beside a counted guardian, "
    "and somebody can go on",
    "[handoff][property]") {
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    std::vector<Stage> stages(1 + random() % 4);
    for (Stage& s : stages) {
      const auto step = random() % 5;
      if (step > 0) s.Nominated();
      if (step > 1) s.Released();
      if (step > 2) s.Ungated();
      if (step > 3) s.Bound();
      s.needs_fence = random() % 4 == 0;
    }
    const std::vector<Act> acts = Acts(stages);
    CAPTURE(i);
    bool counted_twice = false;
    bool opened = false;
    bool all_wait = true;
    for (size_t k = 0; k < stages.size(); ++k) {
      const HandoffStage stage = StageOf(stages[k].View());
      counted_twice |= stage == HandoffStage::kMarked;
      opened |= acts[k] == Act::kUngate;
      // An open gate is the scheduler's turn.
      all_wait &= acts[k] == Act::kWait && stage != HandoffStage::kOpen;
    }
    REQUIRE_FALSE((counted_twice && opened));
    REQUIRE_FALSE(all_wait);
  }
}

TEST_CASE("handoff step: a mark made again still is the mark of the handoff", "[handoff]") {
  Stage s;
  s.Nominated().pod->metadata.annotations["korder.dev/handoff"] = "h1+4711";
  CHECK(s.Step().act == Act::kRelease);
}

TEST_CASE("handoff step: whatever the world looks like, what cannot be undone is safe",
          "[handoff][property]") {
  std::mt19937 random(5);
  const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
  for (int i = 0; i < 20000; ++i) {
    Stage s;
    if (chance(60)) s.Nominated();
    if (chance(40)) s.Released();
    if (chance(30)) s.Ungated();
    if (chance(20)) s.Bound(chance(50) ? "n1" : "n2");
    if (chance(20)) s.pod->status.nominated_node_name = chance(50) ? "" : "n2";
    if (chance(10)) s.pod->metadata.annotations["korder.dev/handoff"] = "h2";
    if (chance(10)) s.pod->spec.scheduling_gates.push_back({"x/y"});
    if (chance(10)) s.pod->metadata.deletion_timestamp = kNow;
    if (chance(10)) s.node->spec.unschedulable = true;
    if (s.guardian && chance(10)) s.guardian->metadata.deletion_timestamp = kNow;
    if (chance(5)) s.node.reset();
    if (chance(5)) s.pod.reset();
    s.window_over = chance(10);
    s.needs_fence = chance(20);
    s.maybe_forgotten = chance(20);
    s.stuck = chance(10) ? 1 : 0;
    s.seeking = chance(10) ? 1 : 0;
    s.contested = chance(20);
    s.now = kNow + absl::Seconds(static_cast<int>(random() % 15));
    const bool gated = s.pod && api::HasGate(*s.pod, "korder.dev/claim");
    const HandoffMove move = s.Step();
    CAPTURE(i, static_cast<int>(move.act), api::Name(move.reason));
    switch (move.act) {
      case Act::kRelease:
        // Only a pod that is surely counted on the node, and is held back by us alone.
        REQUIRE(s.guardian);
        REQUIRE(s.node);
        REQUIRE(gated);
        REQUIRE(s.pod->spec.scheduling_gates.size() == 1);
        REQUIRE(s.pod->status.nominated_node_name == "n1");
        REQUIRE_FALSE(s.pod->metadata.deleting());
        REQUIRE_FALSE(s.window_over);
        REQUIRE_FALSE(s.needs_fence);
        REQUIRE_FALSE(s.maybe_forgotten);
        REQUIRE(s.stuck + s.seeking == 0);
        REQUIRE_FALSE(s.contested);
        break;
      case Act::kClear:
        REQUIRE(s.guardian);
        REQUIRE(s.stuck > 0);
        break;
      case Act::kFence:
        REQUIRE(s.guardian);
        REQUIRE(s.needs_fence);
        break;
      case Act::kUngate:
        REQUIRE_FALSE(s.guardian);
        REQUIRE(gated);
        REQUIRE(s.pod->status.nominated_node_name == "n1");
        break;
      case Act::kMark:
        REQUIRE_FALSE(api::IsBound(*s.pod));
        break;
      case Act::kClaimed:
        REQUIRE(s.pod->spec.node_name == "n1");
        REQUIRE_FALSE(s.guardian);
        break;
      case Act::kAbort:
        REQUIRE(s.guardian);
        REQUIRE(move.reason != kNoReason);
        break;
      case Act::kLost:
      case Act::kMissed:
        REQUIRE_FALSE(s.guardian);
        REQUIRE(move.reason != kNoReason);
        break;
      case Act::kWait:
        REQUIRE((!s.guardian || s.contested || s.seeking > 0));
        REQUIRE(move.wait > absl::ZeroDuration());
        break;
    }
  }
}

}  // namespace
}  // namespace korder::ticket
