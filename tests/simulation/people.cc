#include "people.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json/fields.h"
#include "kube/testing/fake/json_patch.h"
#include "kube/testing/fake/json_value.h"

namespace korder::simulation {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(20);
constexpr absl::Duration kRetry = absl::Milliseconds(300);
// A Lease that nobody holds any more is taken over after 6 s, and what failed is tried again after
// at most 3 s.
constexpr absl::Duration kPatience = absl::Seconds(60);

template <class T>
api::AdmissionRequest RequestFor(const T& object) {
  api::AdmissionRequest request;
  request.operation = std::string(api::kOperationCreate);
  request.ns = object.metadata.ns;
  request.name = object.metadata.name;
  request.object.text = json::Print(object);
  return request;
}

}  // namespace

void People::Begin(std::vector<Step> steps) {
  parts_.machine.Start(process_, [this, steps = std::move(steps)] {
    Play(steps);
    done_ = true;
  });
}

void People::Play(const std::vector<Step>& steps) {
  const std::stop_token stop = process_.stop.get_token();
  for (const Step& step : steps) {
    if (parts_.verbose) {
      std::cerr << "--- " << step.what << "\n";
    }
    step.act();
    const MonoTime until = parts_.machine.Mono() + absl::ToChronoNanoseconds(kPatience);
    while (!step.until()) {
      if (stop.stop_requested()) {
        return;
      }
      if (parts_.machine.Mono() > until) {
        return parts_.fail("I13", absl::StrCat("people wait in vain: ", step.what));
      }
      parts_.machine.Sleep(kLook, stop);
    }
  }
}

void People::Again(const std::function<bool()>& done) {
  const std::stop_token stop = process_.stop.get_token();
  const MonoTime until = parts_.machine.Mono() + absl::ToChronoNanoseconds(kPatience);
  while (!stop.stop_requested() && !done()) {
    if (parts_.machine.Mono() > until) {
      return parts_.fail("I13", "people are refused again and again: " + refusal_);
    }
    parts_.machine.Sleep(kRetry, stop);
  }
}

void People::Apply(const api::Order& order) {
  Again([&] { return Admit(order, &admission::Validator::Order); });
}

void People::Apply(const api::Ticket& ticket) {
  Again([&] { return Admit(ticket, &admission::Validator::Ticket); });
}

void People::Apply(const api::Pod& pod) {
  Again([&] { return Gate(pod); });
}

template <class T>
bool People::Admit(const T& object, admission::Verdict (admission::Validator::*review)(
                                        const api::AdmissionRequest& request) const) {
  WebhookServer* const server = parts_.peers.PickAlive(parts_.peers.webhooks);
  if (server == nullptr) {
    return false;  // its webhooks fail closed
  }
  ++server->calls;
  const admission::Verdict verdict = (server->validator.*review)(RequestFor(object));
  const bool answered = !server->process.dead;
  --server->calls;
  parts_.machine.WakeAll(server);
  refusal_ = verdict.allowed() ? "" : verdict.refusal->message;
  return answered && verdict.allowed() && parts_.world.Create("people", object);
}

bool People::Gate(const api::Pod& pod) {
  WebhookServer* const server = parts_.peers.PickAlive(parts_.peers.webhooks);
  if (server == nullptr) {
    return false;
  }
  api::AdmissionRequest request = RequestFor(pod);
  ++server->calls;
  const absl::StatusOr<admission::Verdict> verdict = server->pods.Review(request);
  const bool answered = !server->process.dead;
  --server->calls;
  parts_.machine.WakeAll(server);
  if (!answered || !verdict.ok() || !verdict->allowed()) {
    refusal_ = verdict.ok() && !verdict->allowed() ? verdict->refusal->message : "";
    return false;
  }
  kube::fake::Json object;
  json::Parse(request.object.text, object).IgnoreError();
  if (!verdict->patch.empty()) {
    kube::fake::Json patch;
    json::Parse(verdict->patch, patch).IgnoreError();
    if (!kube::fake::JsonPatch(object, patch).ok()) {
      parts_.fail("I10", "the webhook's patch does not fit its own pod");
    }
  }
  return parts_.world.Did(
      "people", kube::CreateRequest(api::Pod::kResource, request.ns, json::Print(object)));
}

}  // namespace korder::simulation
