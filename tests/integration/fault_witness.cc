#include "fault_witness.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/core/config_map.h"
#include "api/meta/object_meta.h"
#include "api/v1alpha1/names.h"
#include "base/status_macros.h"
#include "json/fields.h"

namespace korder::integration {
namespace {

constexpr char kLedgerName[] = "korder-quota-ledger";
constexpr char kLedgerPath[] = "/api/v1/namespaces/korder-system/configmaps";

bool Counts(const api::Ticket& ticket) {
  return ticket.status.incarnation >= 1 && !api::IsFinished(ticket.status.phase);
}

}  // namespace

absl::StatusOr<std::string> ListExactly(kube::Client& client, const std::string& path,
                                        const std::string& version, const std::string& more_query) {
  return client.Raw({.method = "GET",
                     .target = absl::StrCat(path, "?resourceVersion=", version,
                                            "&resourceVersionMatch=Exact", more_query)});
}

std::vector<quota::Grant> Instant::Grants(const std::string& ns) const {
  std::vector<quota::Grant> grants;
  for (const auto& [name, image] : ledger) {
    for (const quota::Grant& grant : image.grants) {
      if (grant.claim->ns == ns && !quota::HeldOrder(grant)) {
        grants.push_back(grant);
      }
    }
  }
  return grants;
}

std::set<std::string> Instant::Charged(const std::string& ns) const {
  std::set<std::string> charged;
  std::map<std::string, std::string> carriers;  // uid by the grant that the ticket carries
  for (const api::Ticket& ticket : tickets) {
    if (Counts(ticket)) {
      charged.insert(ticket.metadata.uid);
    }
    carriers[std::string(api::ValueOf(ticket.metadata.annotations, api::kAnnotationGrant))] =
        ticket.metadata.uid;
  }
  for (const quota::Grant& grant : Grants(ns)) {
    const auto carrier = carriers.find(grant.id);
    charged.insert(!grant.ticket_uid.empty()   ? grant.ticket_uid
                   : carrier != carriers.end() ? carrier->second
                                               : grant.id);
  }
  return charged;
}

absl::StatusOr<Instant> LookAt(kube::Client& client, const std::string& ns) {
  Instant instant;
  ASSIGN_OR_RETURN(kube::ObjectList<api::Ticket> tickets, client.List<api::Ticket>(ns, {}));
  instant.version = tickets.metadata.resource_version;
  instant.tickets = std::move(tickets.items);
  ASSIGN_OR_RETURN(std::string body, ListExactly(client, kLedgerPath, instant.version));
  kube::ObjectList<api::ConfigMap> objects;
  RETURN_IF_ERROR(json::Parse(std::move(body), objects));
  for (const api::ConfigMap& object : objects.items) {
    const auto text = object.data.find("ledger");
    if (absl::StartsWith(object.metadata.name, kLedgerName) && text != object.data.end()) {
      ASSIGN_OR_RETURN(instant.ledger[object.metadata.name], quota::Decode(text->second));
    }
  }
  return instant;
}

FaultWitness::FaultWitness(kube::Client& client, Options options)
    : client_(client), options_(std::move(options)), thread_([this](std::stop_token stop) {
        while (!stop.stop_requested()) {
          Look();
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
      }) {}

void FaultWitness::Acknowledged(const std::string& id) {
  const MutexLock lock(mu_);
  acknowledged_[id] = absl::Now();
}

void FaultWitness::Forgotten(const std::string& id) {
  const MutexLock lock(mu_);
  acknowledged_.erase(id);
}

void FaultWitness::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::set<std::string> FaultWitness::StillPromised() {
  const MutexLock lock(mu_);
  std::set<std::string> ids;
  for (const auto& [id, since] : acknowledged_) {
    if (absl::Now() - since < options_.grants_live) {
      ids.insert(id);
    }
  }
  return ids;
}

void FaultWitness::Look() {
  const std::set<std::string> before = StillPromised();
  const absl::StatusOr<Instant> instant = LookAt(client_, options_.ns);
  if (absl::IsInvalidArgument(instant.status())) {
    faults_.push_back(absl::StrCat("the ledger cannot be read: ", ToString(instant.status())));
  }
  if (!instant.ok()) {
    return;
  }
  // What was given back meanwhile may be there or not.
  const std::set<std::string> after = StillPromised();
  std::set<std::string> acknowledged;
  std::set_intersection(before.begin(), before.end(), after.begin(), after.end(),
                        std::inserter(acknowledged, acknowledged.end()));
  Judge(*instant, acknowledged);
  ++instants_;
}

void FaultWitness::Judge(const Instant& instant, const std::set<std::string>& acknowledged) {
  const std::set<std::string> charged = instant.Charged(options_.ns);
  most_charged_ = std::max(most_charged_, charged.size());
  if (charged.size() > static_cast<size_t>(options_.tickets)) {
    Fault(instant, absl::StrCat(charged.size(), " of ", options_.tickets, " tickets are charged"));
  }
  for (const std::string& id : acknowledged) {
    ++grants_seen_;
    if (!charged.contains(id)) {
      Fault(instant, absl::StrCat("grant ", id, " was acknowledged and is not in the ledger"));
    }
  }
  for (const auto& [name, image] : instant.ledger) {
    int64_t& newest = epochs_[name];
    if (image.epoch < newest) {
      Fault(instant, absl::StrCat(name, " is of epoch ", image.epoch, " after ", newest));
    }
    newest = std::max(newest, image.epoch);
  }
  std::map<std::string, std::string> owner;  // of a pod, by its UID
  for (const api::Ticket& ticket : instant.tickets) {
    const std::string& pod = ticket.status.claimed_pod_uid;
    if (pod.empty() || api::IsFinished(ticket.status.phase)) {
      continue;
    }
    const auto [it, fresh] = owner.emplace(pod, ticket.metadata.name);
    if (!fresh) {
      Fault(instant, absl::StrCat("pod ", ticket.status.claimed_pod, " has the tickets ",
                                  it->second, " and ", ticket.metadata.name));
    }
  }
}

void FaultWitness::Fault(const Instant& instant, const std::string& what) {
  faults_.push_back(absl::StrCat("at ", instant.version, ": ", what));
}

}  // namespace korder::integration
