#include "ticket-svc/guarded_ticket.h"

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "api/testing/from_json.h"
#include "api/v1alpha1/defaults.h"
#include "api/v1alpha1/ticket_window.h"
#include "json/fields.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

// Gives every field that a described type has some value, or none.
class Filler {
 public:
  explicit Filler(uint32_t seed) : random_(seed) {}

  template <class T>
  void operator()(std::string_view, T& member) {
    Fill(member);
  }
  void Constant(std::string_view, std::string_view) {}

  bool Chance(uint32_t of) { return random_() % of == 0; }
  std::string Word() {
    static const std::vector<std::string> kWords = {"",
                                                    "web",
                                                    "web-7",
                                                    "default",
                                                    "node-1",
                                                    "korder.dev/order",
                                                    "a longer text, with \"signs\""};
    return kWords[random_() % kWords.size()];
  }

  template <class T>
  void Fill(T& value) {
    if constexpr (json::Described<T>) {
      T::Fields(value, *this);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = Word();
    } else if constexpr (std::is_same_v<T, bool>) {
      value = Chance(2);
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(random_() % EnumNames(T{}).size());
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(random_() % 4);
    } else if constexpr (std::is_same_v<T, absl::Time>) {
      value = kNow + absl::Milliseconds(random_() % 4000);
    } else if constexpr (std::is_same_v<T, api::DurationField>) {
      value = Chance(5) ? api::DurationField::FromText("nonsense")
                        : api::DurationField(absl::Minutes(random_() % 4));
    } else {
      value = *api::Quantity::Parse(Chance(2) ? "500m" : "2Gi");
    }
  }
  template <class T>
  void Fill(std::optional<T>& value) {
    FillPresent(value);
  }
  template <class T>
  void Fill(Boxed<T>& value) {
    FillPresent(value);
  }
  template <class T>
  void Fill(std::vector<T>& values) {
    values.resize(random_() % 4);
    for (T& value : values) {
      Fill(value);
    }
  }
  template <class T, class Less>
  void Fill(std::map<std::string, T, Less>& values) {
    for (uint32_t left = random_() % 4; left > 0; --left) {
      Fill(values[Word()]);
    }
  }

 private:
  template <class Optional>
  void FillPresent(Optional& value) {
    value.reset();
    if (Chance(2)) {
      Fill(value.emplace());
    }
  }

  std::mt19937 random_;
};

// With all that ticket-svc keeps in a way of its own.
api::Ticket MakeAnything(uint32_t seed) {
  Filler filler(seed);
  api::Ticket ticket;
  filler.Fill(ticket);
  api::ObjectMeta& meta = ticket.metadata;
  if (filler.Chance(2)) {
    meta.annotations["korder.dev/grant"] = filler.Word();
  }
  if (filler.Chance(2)) {
    meta.annotations["korder.dev/renewed"] = filler.Word();
  }
  if (filler.Chance(2)) {
    meta.labels["korder.dev/node"] = filler.Chance(2) ? ticket.spec.node_name : filler.Word();
  }
  if (filler.Chance(2)) {
    ticket.status.guardian_pod = absl::StrCat(
        meta.ns, "/",
        GuardianName(meta.name, ticket.status.incarnation + (filler.Chance(4) ? 1 : 0)));
  }
  return ticket;
}

// As an API server sent it.
api::Ticket MakeReal() {
  return api::FromJson<api::Ticket>(
      R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"annotations":{)"
      R"("korder.dev/grant":"5ffb0b586931c26e0000000000000007","korder.dev/template":"8b0b0277"},)"
      R"("creationTimestamp":"2026-11-29T15:55:04Z","generation":1,"labels":{"app":"web",)"
      R"("korder.dev/order":"web"},"name":"web-7","namespace":"default","ownerReferences":[{)"
      R"("apiVersion":"core.korder.dev/v1alpha1","blockOwnerDeletion":true,"controller":true,)"
      R"("kind":"Order","name":"web","uid":"6fc03c38-207f-4610-8d66-c41bc7f74423"}],)"
      R"("resourceVersion":"4711","uid":"c87da18a-7e1e-4659-0002-000000000007"},"spec":{)"
      R"("duration":"2h","lifecycle":{"cleanupPolicy":"Delete","ttlSecondsAfterFinished":300},)"
      R"("resources":{"requests":{"cpu":"500m","memory":"1Gi"}}},"status":{"activationTime":)"
      R"("2026-11-29T15:55:04Z","conditions":[{"lastTransitionTime":"2026-11-29T15:55:04Z",)"
      R"("message":"","observedGeneration":1,"reason":"GuardianRunning","status":"True","type":)"
      R"("Ready"},{"lastTransitionTime":"2026-11-29T15:55:05Z","message":"","observedGeneration":)"
      R"(1,"reason":"GuardianBound","status":"True","type":"Scheduled"}],"expirationTime":)"
      R"("2026-11-29T17:55:04Z","guardianPod":"default/web-7-g1","incarnation":1,"nodeName":)"
      R"("node-7","observedGeneration":1,"phase":"Ready"}})");
}

GuardedTicket Read(const api::Ticket& ticket) {
  return api::FromJson<GuardedTicket>(json::Print(ticket));
}

// What goes to the server with a status says the same to the letter, and nothing else is lost.
void CheckNothingIsLost(const api::Ticket& ticket) {
  const GuardedTicket guarded = Read(ticket);
  const api::Ticket written = WithStatus(guarded, WholeStatus(guarded));
  CHECK(json::Print(written.metadata) == json::Print(ticket.metadata));
  CHECK(json::Print(written.status) == json::Print(ticket.status));
  CHECK(Whole(guarded) == ticket);
}

TEST_CASE("guarded ticket: nothing that korder knows of a ticket is lost", "[guarded_ticket]") {
  CheckNothingIsLost(MakeReal());
  CheckNothingIsLost(MakeTicket("web-0"));
  for (uint32_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    CheckNothingIsLost(MakeAnything(seed));
  }
}

TEST_CASE("guarded ticket: odd values of what is kept in a way of its own come back",
          "[guarded_ticket]") {
  using Change = std::function<void(api::Ticket&)>;
  const std::vector<Change> changes = {
      [](api::Ticket& t) { t.metadata.annotations["korder.dev/grant"] = ""; },
      [](api::Ticket& t) { t.metadata.annotations["korder.dev/renewed"] = ""; },
      [](api::Ticket& t) { t.metadata.labels["korder.dev/node"] = ""; },
      [](api::Ticket& t) { t.metadata.labels["korder.dev/node"] = "node-7"; },
      [](api::Ticket& t) { t.status.guardian_pod = "web-7-g1"; },
      [](api::Ticket& t) { t.status.guardian_pod = "/web-7-g1"; },
      [](api::Ticket& t) { t.status.guardian_pod = "default/web-7-g2"; },
      [](api::Ticket& t) { t.status.guardian_pod = "other/web-7-g1"; },
      [](api::Ticket& t) { t.status.message = "without a reason"; },
      [](api::Ticket& t) { t.status.claimed_time = kNow; },
  };
  for (const Change& change : changes) {
    api::Ticket ticket = MakeReal();
    change(ticket);
    CheckNothingIsLost(ticket);
  }
}

TEST_CASE("guarded ticket: the tickets of an order share what they have in common",
          "[guarded_ticket]") {
  const GuardedTicket one = Read(MakeReal());
  CHECK(one.order() == "web");
  CHECK(one.form->requests == Resources("500m", "1Gi"));
  const std::vector<std::function<void(api::Ticket&)>> own = {
      [](api::Ticket& t) { t.metadata.name = "web-8"; },
      [](api::Ticket& t) { t.metadata.ns = "other"; },
      [](api::Ticket& t) { t.metadata.uid = "another"; },
      [](api::Ticket& t) { t.metadata.resource_version = "4712"; },
      [](api::Ticket& t) { t.metadata.generation = 2; },
      [](api::Ticket& t) { t.metadata.creation_timestamp = kNow; },
      [](api::Ticket& t) { t.metadata.deletion_timestamp = kNow; },
      [](api::Ticket& t) { t.metadata.annotations["korder.dev/grant"] = "another"; },
      [](api::Ticket& t) { t.spec.node_name = "node-8"; },
      [](api::Ticket& t) { t.status = {}; },
  };
  for (const auto& change : own) {
    api::Ticket other = MakeReal();
    change(other);
    CHECK(Read(other).form == one.form);
  }
  const std::vector<std::function<void(api::Ticket&)>> common = {
      [](api::Ticket& t) { t.metadata.labels["app"] = "shop"; },
      [](api::Ticket& t) { t.metadata.annotations["team"] = "shop"; },
      [](api::Ticket& t) { t.metadata.finalizers = {"a.b/c"}; },
      [](api::Ticket& t) { t.metadata.owner_references[0].name = "shop"; },
      [](api::Ticket& t) { t.metadata.owner_references[0].block_owner_deletion.reset(); },
      [](api::Ticket& t) { t.spec.resources.limits = Resources("1", "1Gi"); },
      [](api::Ticket& t) { t.spec.duration = absl::Hours(3); },
  };
  for (const auto& change : common) {
    api::Ticket other = MakeReal();
    change(other);
    CHECK(Read(other).form != one.form);
    CheckNothingIsLost(other);
  }
}

TEST_CASE("guarded ticket: those of a DaemonSet and renewed ones share it, too",
          "[guarded_ticket]") {
  const auto on_node = [](const std::string& node) {
    api::Ticket ticket = MakeReal();
    ticket.spec.node_name = node;
    ticket.metadata.labels["korder.dev/node"] = node;
    return ticket;
  };
  CHECK(Read(on_node("node-1")).form == Read(on_node("node-2")).form);
  CHECK(LabelsOf(Read(on_node("node-1"))) == on_node("node-1").metadata.labels);
  const auto renewed = [](absl::Duration duration) {
    api::Ticket ticket = MakeReal();
    ticket.spec.duration = duration;
    ticket.metadata.annotations["korder.dev/renewed"] =
        absl::StrCat("at ", absl::FormatDuration(duration));
    return ticket;
  };
  CHECK(Read(renewed(absl::Hours(3))).form == Read(renewed(absl::Hours(4))).form);
  CHECK(Read(renewed(absl::Hours(3))).duration() == api::DurationField(absl::Hours(3)));
}

TEST_CASE("guarded ticket: what it reserves is completed from its limits", "[guarded_ticket]") {
  api::Ticket ticket = MakeReal();
  ticket.spec.resources = {.limits = {{"nvidia.com/gpu", *api::Quantity::Parse("2")}}};
  CHECK(Reduced(ticket).form->requests == ticket.spec.resources.limits);
  CHECK(Whole(Reduced(ticket)).spec.resources.requests.empty());
}

TEST_CASE("guarded ticket: its window is that of the ticket", "[guarded_ticket]") {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const api::Ticket ticket = MakeAnything(seed);
    const GuardedTicket guarded = Reduced(ticket);
    CHECK(api::HasBegun(guarded) == api::HasBegun(ticket));
    CHECK(api::WindowStart(guarded) == api::WindowStart(ticket));
    CHECK(api::WantedEnd(guarded) == api::WantedEnd(ticket));
    CHECK(api::EndOfWindow(guarded) == api::EndOfWindow(ticket));
    CHECK(api::HeldFor(guarded) == api::HeldFor(ticket));
  }
}

TEST_CASE("guarded ticket: the guardian that the status names", "[guarded_ticket]") {
  const auto key_of = [](const std::string& text) {
    api::Ticket ticket = MakeReal();
    ticket.status.guardian_pod = text;
    return GuardianKey(Reduced(ticket));
  };
  CHECK(key_of("") == kube::ObjectKey{});
  CHECK(key_of("default/web-7-g1") == kube::ObjectKey{"default", "web-7-g1"});
  CHECK(key_of("default/web-7-g3") == kube::ObjectKey{"default", "web-7-g3"});
  CHECK(key_of("web-7-g1") == kube::ObjectKey{"", "web-7-g1"});
}

TEST_CASE("guarded ticket: conditions that say the same share their words", "[guarded_ticket]") {
  api::Ticket other = MakeReal();
  other.status.conditions[0].last_transition_time = kNow;
  const GuardedTicket::Status one = Read(MakeReal()).status;
  const GuardedTicket::Status two = Read(other).status;
  CHECK(one.conditions[0].words == two.conditions[0].words);
  CHECK(one.conditions[0].since != two.conditions[0].since);
  CHECK(one.conditions[0].words != one.conditions[1].words);
}

}  // namespace
}  // namespace korder::ticket
