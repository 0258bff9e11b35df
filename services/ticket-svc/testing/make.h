// Objects for tests: defaults are chosen so that each test says only what it is about.
//
//   api::Ticket ticket = MakeTicket("web-0");           // 500m cpu, 1Gi, one hour
//   api::Pod guardian = Running(MakeGuardian(ticket, 1), "n1");
//   api::Pod pod = MakeClaimPod("shop");                // waits for a ticket, asks the same
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "api/v1alpha1/names.h"
#include "ticket-svc/claim_fit.h"
#include "ticket-svc/guardian_pod.h"
#include "ticket-svc/observed.h"
#include "ticket-svc/ticket_status.h"

namespace korder::ticket {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

inline api::ResourceList Resources(const char* cpu, const char* memory) {
  return {{"cpu", *api::Quantity::Parse(cpu)}, {"memory", *api::Quantity::Parse(memory)}};
}

inline api::Ticket MakeTicket(const std::string& name) {
  api::Ticket ticket;
  ticket.metadata.name = name;
  ticket.metadata.ns = "default";
  ticket.metadata.uid = "uid-" + name;
  ticket.metadata.resource_version = "10";
  ticket.metadata.generation = 1;
  ticket.metadata.creation_timestamp = kNow;
  ticket.metadata.labels = {{"korder.dev/order", "web"}, {"app", "shop"}};
  ticket.spec.duration = absl::Hours(1);
  ticket.spec.resources.requests = Resources("500m", "1Gi");
  return ticket;
}

inline api::Pod MakeGuardian(const api::Ticket& ticket, int32_t incarnation,
                             const std::set<std::string>& avoid = {}) {
  api::Pod pod = GuardianPod(Reduced(ticket), incarnation,
                             {.image = "pause", .priority_class = "korder-guardian"}, avoid);
  pod.metadata.uid = "uid-" + pod.metadata.name;
  pod.metadata.resource_version = "20";
  pod.metadata.creation_timestamp = kNow;
  pod.status.phase = api::kPodPending;
  return pod;
}

inline api::Pod Running(api::Pod pod, const std::string& node) {
  pod.spec.node_name = node;
  pod.status.phase = api::kPodRunning;
  return pod;
}

inline api::Pod Refused(api::Pod pod, const std::string& message) {
  pod.status.conditions = {{.type = "PodScheduled",
                            .status = "False",
                            .last_transition_time = {},
                            .reason = "Unschedulable",
                            .message = message}};
  return pod;
}

inline api::Node MakeNode(const std::string& name) {
  api::Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"node-type", "compute"}};
  node.status.conditions = {
      {.type = "Ready", .status = "True", .last_transition_time = {}, .reason = "", .message = ""}};
  return node;
}

// Gated by the webhook just now.
inline api::Pod MakeClaimPod(const std::string& name) {
  api::Pod pod;
  pod.metadata.name = name;
  pod.metadata.ns = "default";
  pod.metadata.uid = "uid-" + name;
  pod.metadata.resource_version = "30";
  pod.metadata.creation_timestamp = kNow;
  pod.metadata.labels = {{"korder.dev/claim", "pending"}};
  pod.metadata.annotations = {{"korder.dev/required", "true"}};
  pod.spec.scheduler_name = "default-scheduler";
  pod.spec.scheduling_gates = {{"korder.dev/claim"}};
  api::Container container;
  container.name = "app";
  container.resources.requests = Resources("500m", "1Gi");
  pod.spec.containers = {container};
  pod.status.phase = api::kPodPending;
  return pod;
}

// The ticket as it is once its first guardian holds room on the node.
inline api::Ticket Ready(api::Ticket ticket, const std::string& node) {
  ticket.status =
      ReadyStatus(Reduced(ticket), Reduced(Running(MakeGuardian(ticket, 1), node)), 1, kNow);
  return ticket;
}

template <class T>
std::shared_ptr<const T> Share(T object) {
  return std::make_shared<const T>(std::move(object));
}

// A Ready ticket on the node, with its guardian.
inline Room MakeRoomOn(const std::string& node, api::Ticket ticket) {
  ticket = Ready(std::move(ticket), node);
  OwnPodPtr guardian = Share(Reduced(Running(MakeGuardian(ticket, 1), node)));
  return {Share(Reduced(std::move(ticket))), std::move(guardian), Share(MakeNode(node))};
}

}  // namespace korder::ticket
