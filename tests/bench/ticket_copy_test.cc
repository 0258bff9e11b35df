#include "ticket_copy.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "sample_objects.h"
#include "ticket-svc/guarded_ticket.h"

namespace korder::bench {
namespace {

template <class T>
T Read(const std::string& text) {
  T object;
  REQUIRE(json::Parse(text, object).ok());
  return object;
}

class FromRealOnes {
 public:
  FromRealOnes()
      : ticket(Read<api::Ticket>(objects.Ticket(7, 4711))),
        guardian(Read<api::Pod>(objects.Guardian(7, 4712))),
        copies(ticket, guardian) {}

  // As the API server answers.
  TicketCopy Made() const {
    TicketCopy made = copies.Ticket("b", "order-uid", 12);
    made.metadata.uid = "copy-uid";
    made.metadata.resource_version = "5000";
    return made;
  }

  const SampleObjects objects;
  const api::Ticket ticket;
  const api::Pod guardian;
  const TicketCopies copies;
};

TEST_CASE("ticket copy: a ticket is created as order-svc creates one, but of another kind",
          "[bench]") {
  const FromRealOnes real;
  const TicketCopy copy = real.copies.Ticket("b", "order-uid", 12);
  api::Ticket expected{.metadata = {}, .spec = real.ticket.spec, .status = {}};
  expected.metadata.name = "web-12";
  expected.metadata.ns = "b";
  expected.metadata.labels = real.ticket.metadata.labels;
  expected.metadata.annotations = real.ticket.metadata.annotations;
  expected.metadata.owner_references = real.ticket.metadata.owner_references;
  expected.metadata.owner_references.at(0).uid = "order-uid";
  CHECK(json::Print(copy) ==
        absl::StrReplaceAll(json::Print(expected),
                            {{"core.korder.dev/v1alpha1\",\"kind\":\"Ticket",
                              "copy.korder.dev/v1alpha1\",\"kind\":\"Ticket"}}));
  CHECK(copy.metadata.annotations.contains("korder.dev/grant"));
}

TEST_CASE("ticket copy: a guardian is the one that ticket-svc makes, but not by its role",
          "[bench]") {
  const FromRealOnes real;
  const api::Pod copy = real.copies.Guardian(real.Made());
  const ticket::GuardianOptions options{.image = "registry.k8s.io/pause:3.10",
                                        .priority_class = "korder-guardian"};
  const std::string expected =
      json::Print(ticket::GuardianPod(ticket::Reduced(real.Made()), 1, options));
  const std::string text = json::Print(copy);
  CHECK(copy.metadata.name == "web-12-g1");
  CHECK_FALSE(copy.metadata.labels.contains("korder.dev/role"));
  CHECK(copy.spec.priority_class_name != "korder-guardian");
  CHECK(copy.metadata.owner_references.at(0).uid == "copy-uid");
  CHECK(copy.metadata.owner_references.at(0).api_version == "copy.korder.dev/v1alpha1");
  CHECK(text != expected);
  CHECK(text.size() == expected.size());
}

TEST_CASE("ticket copy: it is Ready with the status that ticket-svc wrote", "[bench]") {
  const FromRealOnes real;
  const TicketCopy copy = real.copies.Ready(real.Made(), "node-123");
  api::TicketStatus expected = real.ticket.status;
  expected.node_name = "node-123";
  expected.guardian_pod = "b/web-12-g1";
  CHECK(copy.status == expected);
  CHECK(copy.status.phase == api::TicketPhase::kReady);
  CHECK(copy.metadata.resource_version == "5000");
}

TEST_CASE("ticket copy: only a Ready ticket is a model", "[bench]") {
  const FromRealOnes real;
  api::Ticket pending = real.ticket;
  pending.status.phase = api::TicketPhase::kPending;
  CHECK_THROWS(TicketCopies(pending, real.guardian));
  api::Ticket lonely = real.ticket;
  lonely.metadata.owner_references.clear();
  CHECK_THROWS(TicketCopies(lonely, real.guardian));
}

TEST_CASE("ticket copy: the kind has the schema of Tickets in a group of its own", "[bench]") {
  CHECK(KindText(
            R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",)"
            R"("metadata":{"name":"tickets.core.korder.dev","uid":"1","resourceVersion":"2"},)"
            R"("spec":{"group":"core.korder.dev","names":{"plural":"tickets"},)"
            R"("versions":[{"name":"v1alpha1","schema":{"x":1}}]},"status":{"conditions":[]}})") ==
        R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",)"
        R"("metadata":{"name":"tickets.copy.korder.dev"},)"
        R"("spec":{"group":"copy.korder.dev","names":{"plural":"tickets"},)"
        R"("versions":[{"name":"v1alpha1","schema":{"x":1}}]}})");
  CHECK_THROWS(KindText("{"));
}

TEST_CASE("ticket copy: the guardians' PriorityClass is copied under another name", "[bench]") {
  CHECK(PriorityClassText(R"({"kind":"PriorityClass","metadata":{"name":"korder-guardian",)"
                          R"("labels":{"a":"b"}},"preemptionPolicy":"Never","value":7})") ==
        R"({"kind":"PriorityClass","metadata":{"name":"copied-guardian"},)"
        R"("preemptionPolicy":"Never","value":7})");
}

}  // namespace
}  // namespace korder::bench
