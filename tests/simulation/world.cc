#include "world.h"

#include <iostream>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "json/fields.h"
#include "kube/api_error.h"
#include "kube/testing/fake/json_value.h"
#include "kube/testing/fake/refusal.h"

namespace korder::simulation {
namespace {

using kube::fake::ApiCall;
using kube::fake::Change;
using kube::fake::Json;
using kube::fake::ResourceId;

const ResourceId kPods{"", "pods"};
const ResourceId kLeases{"coordination.k8s.io", "leases"};

kube::ObjectKey KeyOf(const Json& object) {
  return {object.TextAt({"metadata", "namespace"}), object.TextAt({"metadata", "name"})};
}

// What the admission plugin Priority does.
std::string WithPriority(const std::string& body) {
  Json pod;
  if (body.find(kGuardianClass) == std::string::npos || !json::Parse(body, pod).ok() ||
      pod.TextAt({"spec", "priorityClassName"}) != kGuardianClass) {
    return body;
  }
  pod["spec"]["priority"] = Json::Int(kGuardianPriority);
  pod["spec"]["preemptionPolicy"] = Json::String("Never");
  return json::Print(pod);
}

}  // namespace

World::World(const Clock& clock) : clock_(clock), server_(clock) {
  server_.OnChange(
      [this](const ResourceId& resource, const Change& change) { Note(resource, change); });
}

kube::HttpResponse World::Serve(const std::string& who, const ApiCall& call) {
  ++requests_;
  const std::string outer = std::exchange(writer_, who);
  kube::HttpResponse response;
  if (call.verb == "create" && call.subresource.empty() &&
      ending_namespaces.contains(call.key.ns)) {
    response = kube::fake::Scripted(403);
  } else if (call.verb == "create" && call.subresource.empty() && call.resource == kPods) {
    ApiCall admitted = call;
    admitted.body = WithPriority(call.body);
    response = server_.Perform(admitted);
  } else {
    response = server_.Perform(call);
  }
  writer_ = outer;
  Served(who, call, response.status);
  return response;
}

void World::Served(const std::string& who, const ApiCall& call, int code) {
  for (const auto& handler : served_) {
    handler(who, call, code);
  }
}

void World::SendBookmarks() {
  server_.SendBookmarks();
  Served("server", {}, 0);
}

kube::HttpResponse World::Serve(const std::string& who, const kube::HttpRequest& request) {
  return Serve(who, *kube::fake::ParseCall(request));
}

bool World::Did(const std::string& who, const kube::HttpRequest& request) {
  return kube::IsSuccess(Serve(who, request).status);
}

void World::CollectGarbage() {
  const std::string outer = std::exchange(writer_, "garbage-collector");
  server_.CollectGarbage();
  writer_ = outer;
  Served("garbage-collector", {}, 0);
}

template <class T>
void World::Put(Shelf<T>& shelf, const Change& change) {
  const kube::ObjectKey key = KeyOf(change.is ? *change.is : *change.was);
  std::shared_ptr<T> is;
  if (change.is) {
    is = std::make_shared<T>();
    std::string text = change.Text();
    Mix(text);
    if (const absl::Status bad = json::Parse(std::move(text), *is); !bad.ok()) {
      throw std::runtime_error(ToString(bad));
    }
  } else {
    Mix(key.ToString());
  }
  shelf.Set(key, std::move(is));
}

void World::Note(const ResourceId& resource, const Change& change) {
  if (resource == kLeases) {
    return;
  }
  ++writes_;
  Mix(absl::StrCat(writer_, " ", resource.plural, " ", change.version));
  if (verbose) {
    Tell(resource, change);
  }
  if (resource == kPods) {
    Put(pods, change);
  } else if (resource.plural == "tickets") {
    Put(tickets, change);
  } else if (resource.plural == "orders") {
    Put(orders, change);
  } else if (resource.plural == "quotas") {
    Put(quotas, change);
  } else if (resource.plural == "nodes") {
    Put(nodes, change);
  } else if (resource.plural == "namespaces") {
    Put(namespaces, change);
  } else if (resource.plural == "configmaps") {
    Put(config_maps, change);
  }
}

void World::Mix(std::string_view text) {
  for (const char c : text) {
    history_ = (history_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
}

void World::Tell(const ResourceId& resource, const Change& change) const {
  const Json& object = change.is ? *change.is : *change.was;
  std::cerr << absl::FormatTime("%H:%M:%E3S", clock_.Now(), absl::UTCTimeZone()) << " "
            << change.version << " " << writer_
            << (change.is ? change.was ? " changed " : " made " : " removed ") << resource.plural
            << " " << KeyOf(object).ToString();
  if (resource.plural == "configmaps") {
    std::cerr << "\n" << object.TextAt({"data", "ledger"});
  } else if (change.is) {
    Json shown = object;
    shown.Erase("apiVersion");
    shown.Erase("kind");
    const Json status = shown["status"];
    if (resource == kPods) {
      std::cerr << " node=" << object.TextAt({"spec", "nodeName"})
                << " gates=" << object.ArrayAt({"spec", "schedulingGates"}).size()
                << " labels=" << json::Print(std::as_const(object)["metadata"]["labels"]);
    }
    std::cerr << " " << json::Print(status);
  }
  std::cerr << "\n";
}

}  // namespace korder::simulation
