#include "ticket-svc/guardian_pod.h"

#include <catch2/catch.hpp>

#include "api/core/node_fit.h"
#include "api/core/pod_requests.h"
#include "json/fields.h"
#include "ticket-svc/testing/make.h"

namespace korder::ticket {
namespace {

const GuardianOptions kOptions{.image = "pause:1", .priority_class = "korder-guardian"};

TEST_CASE("guardian pod: it holds the ticket's room and belongs to the ticket", "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.node_selector = {{"node-type", "compute"}};
  ticket.spec.tolerations = {{.key = "gpu",
                              .op = "Exists",
                              .value = "",
                              .effect = "NoSchedule",
                              .toleration_seconds = {}}};
  const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
  CHECK(pod.metadata.name == "web-7-g1");
  CHECK(pod.metadata.ns == "default");
  CHECK(api::PodRequests(pod.spec) == Resources("500m", "1Gi"));
  CHECK(pod.spec.containers[0].image == "pause:1");
  CHECK(pod.spec.priority_class_name == "korder-guardian");
  CHECK(pod.spec.node_selector == ticket.spec.node_selector);
  CHECK(pod.spec.tolerations == ticket.spec.tolerations);
  REQUIRE(pod.metadata.owner_references.size() == 1);
  const api::OwnerReference& owner = pod.metadata.owner_references[0];
  CHECK(owner.uid == ticket.metadata.uid);
  CHECK(owner.controller == true);
  CHECK_FALSE(owner.block_owner_deletion.has_value());
  CHECK(IncarnationOf(Reduced(ticket), pod) == 1);
}

TEST_CASE("guardian pod: Secrets for a private registry are named", "[guardian]") {
  GuardianOptions options = kOptions;
  CHECK(GuardianPod(Reduced(MakeTicket("web-7")), 1, options).spec.image_pull_secrets.empty());
  options.pull_secrets = {"one", "two"};
  const api::Pod pod = GuardianPod(Reduced(MakeTicket("web-7")), 1, options);
  REQUIRE(pod.spec.image_pull_secrets.size() == 2);
  CHECK(pod.spec.image_pull_secrets[0].name == "one");
  CHECK(pod.spec.image_pull_secrets[1].name == "two");
}

TEST_CASE("guardian pod: labels of the template are not copied", "[guardian]") {
  const api::Pod pod = GuardianPod(Reduced(MakeTicket("web-7")), 1, kOptions);
  CHECK(pod.metadata.labels == api::Labels{{"korder.dev/role", "guardian"},
                                           {"korder.dev/order", "web"},
                                           {"korder.dev/ticket", "web-7"}});
}

TEST_CASE("guardian pod: it goes at once, does nothing and asks for no rights", "[guardian]") {
  const api::Pod pod = GuardianPod(Reduced(MakeTicket("web-7")), 1, kOptions);
  CHECK(pod.spec.termination_grace_period_seconds == 0);
  CHECK(pod.spec.automount_service_account_token == false);
  CHECK(pod.spec.enable_service_links == false);
  CHECK(pod.metadata.finalizers.empty());
  REQUIRE(pod.spec.security_context.has_value());
  CHECK(pod.spec.security_context->run_as_non_root == true);
  CHECK(pod.spec.security_context->seccomp_profile->type == "RuntimeDefault");
  const api::SecurityContext& security = *pod.spec.containers[0].security_context;
  CHECK(security.allow_privilege_escalation == false);
  CHECK(security.capabilities->drop == std::vector<std::string>{"ALL"});
  CHECK(security.read_only_root_filesystem == true);
}

TEST_CASE("guardian pod: autoscalers leave it alone", "[guardian]") {
  const api::Labels& annotations =
      GuardianPod(Reduced(MakeTicket("a")), 1, kOptions).metadata.annotations;
  CHECK(annotations.at("karpenter.sh/do-not-disrupt") == "true");
  CHECK(annotations.at("cluster-autoscaler.kubernetes.io/safe-to-evict") == "false");
}

TEST_CASE("guardian pod: requests come from limits where they stand alone; devices have both",
          "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.resources.requests = {{"nvidia.com/gpu", api::Quantity::FromInt(2)}};
  ticket.spec.resources.limits = {{"cpu", api::Quantity::FromInt(1)}};
  const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
  const api::ResourceRequirements& resources = pod.spec.containers[0].resources;
  CHECK(resources.requests.at("cpu") == api::Quantity::FromInt(1));
  CHECK(resources.limits.at("nvidia.com/gpu") == api::Quantity::FromInt(2));
}

TEST_CASE("guardian pod: the ticket's own PriorityClass and scheduler win", "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.priority_class_name = "gold";
  ticket.spec.scheduler_name = "batch";
  const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
  CHECK(pod.spec.priority_class_name == "gold");
  CHECK(pod.spec.scheduler_name == "batch");
}

TEST_CASE("guardian pod: a node name becomes affinity, in every alternative", "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.node_name = "n2";
  SECTION("without any affinity") {}
  SECTION("beside two alternatives") {
    api::NodeSelector& required =
        ticket.spec.affinity.emplace().node_affinity.emplace().required.emplace();
    required.terms.resize(2);
    required.terms[0].match_expressions = {{.key = "zone", .op = "In", .values = {"a"}}};
    required.terms[1].match_expressions = {{.key = "node-type", .op = "Exists", .values = {}}};
  }
  const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
  CHECK(pod.spec.node_name.empty());
  CHECK_FALSE(api::WhyNodeDoesNotFit(api::PlacementOf(pod.spec), MakeNode("n2")));
  CHECK(api::WhyNodeDoesNotFit(api::PlacementOf(pod.spec), MakeNode("n1")));
}

TEST_CASE("guardian pod: an alternative that matches no node still matches none", "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  ticket.spec.node_name = "n2";
  ticket.spec.affinity.emplace().node_affinity.emplace().required.emplace().terms.resize(1);
  const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
  CHECK(api::WhyNodeDoesNotFit(api::PlacementOf(pod.spec), MakeNode("n2")));
}

TEST_CASE("guardian pod: selectors for the ticket's own kind select guardians of its order",
          "[guardian]") {
  api::Ticket ticket = MakeTicket("web-7");
  const api::LabelSelector own{.match_labels = {{"app", "shop"}}, .match_expressions = {}};
  const api::LabelSelector other{.match_labels = {{"app", "db"}}, .match_expressions = {}};
  const api::LabelSelector guardians{
      .match_labels = {{"korder.dev/order", "web"}, {"korder.dev/role", "guardian"}},
      .match_expressions = {}};
  api::TopologySpreadConstraint& spread = ticket.spec.topology_spread_constraints.emplace_back();
  spread.label_selector = own;
  spread.match_label_keys = {"pod-template-hash"};
  api::PodAffinity& apart = ticket.spec.affinity.emplace().pod_anti_affinity.emplace();
  apart.required.resize(2);
  apart.required[0].label_selector = own;
  apart.required[1].label_selector = other;
  apart.preferred.emplace_back().pod_affinity_term.label_selector = own;

  SECTION("of an order") {
    const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
    CHECK(pod.spec.topology_spread_constraints[0].label_selector == guardians);
    CHECK(pod.spec.topology_spread_constraints[0].match_label_keys.empty());
    const api::PodAffinity& made = *pod.spec.affinity->pod_anti_affinity;
    CHECK(made.required[0].label_selector == guardians);
    CHECK(made.required[1].label_selector == other);
    CHECK(made.preferred[0].pod_affinity_term.label_selector == guardians);
    CHECK(guardians.Matches(pod.metadata.labels));
  }
  SECTION("made by hand, without an order") {
    ticket.metadata.labels.erase("korder.dev/order");
    const api::Pod pod = GuardianPod(Reduced(ticket), 1, kOptions);
    CHECK(pod.spec.topology_spread_constraints[0].label_selector == own);
  }
}

TEST_CASE("guardian pod: names are host names, differ, and tell the incarnation", "[guardian]") {
  const std::string long_a = std::string(60, 'a') + "-1";
  const std::string long_b = std::string(60, 'a') + "-2";
  CHECK(GuardianName("web-7", 12) == "web-7-g12");
  CHECK(GuardianName(long_a, 2147483647).size() <= 63);
  CHECK(GuardianName(long_a, 1) != GuardianName(long_b, 1));
  const GuardedTicket ticket = Reduced(MakeTicket(long_a));
  CHECK(IncarnationOf(ticket, GuardianPod(ticket, 37, kOptions)) == 37);
}

TEST_CASE("guardian pod: a pod is no guardian by its label alone", "[guardian]") {
  const api::Ticket ticket = MakeTicket("web-7");
  const api::Pod real = GuardianPod(Reduced(ticket), 2, kOptions);
  struct Case {
    const char* name;
    void (*change)(api::Pod&);
  };
  const Case cases[] = {
      {"without owner", [](api::Pod& p) { p.metadata.owner_references.clear(); }},
      {"of another ticket", [](api::Pod& p) { p.metadata.owner_references[0].uid = "uid-x"; }},
      {"owned, not managed",
       [](api::Pod& p) { p.metadata.owner_references[0].controller = false; }},
      {"managed by another kind", [](api::Pod& p) { p.metadata.owner_references[0].kind = "Job"; }},
      {"of another name", [](api::Pod& p) { p.metadata.name = "web-7"; }},
      {"of another ticket's name", [](api::Pod& p) { p.metadata.name = "web-8-g2"; }},
      {"number with a zero", [](api::Pod& p) { p.metadata.name = "web-7-g02"; }},
      {"number zero", [](api::Pod& p) { p.metadata.name = "web-7-g0"; }},
  };
  CHECK(IncarnationOf(Reduced(ticket), real) == 2);
  CHECK(IncarnationOf(Reduced(ticket), Reduced(real)) == 2);
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      api::Pod pod = real;
      c.change(pod);
      CHECK(IncarnationOf(Reduced(ticket), pod) == 0);
      CHECK(IncarnationOf(Reduced(ticket), Reduced(pod)) == 0);
    }
  }
}

}  // namespace
}  // namespace korder::ticket
