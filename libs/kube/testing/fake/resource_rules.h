// What an API server does to an object before it stores it: fills in what is its own, keeps what
// the endpoint may not change, refuses what may not be.
//
// A fake: it knows the rules that korder relies on, not the schema of every resource. Resources of
// groups that are not Kubernetes' own are custom resources with a status subresource. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/json_value.h"
#include "kube/transport.h"

namespace korder::kube::fake {

struct Traits {
  bool custom = false;                // a custom resource
  bool has_status = false;            // status changes only through its subresource
  bool has_generation = false;        // counts changes of what is neither metadata nor status
  bool unconditional_update = false;  // a PUT without a resourceVersion overwrites
  bool create_on_update = false;      // a PUT makes what is not there
};
Traits TraitsOf(const ResourceId& resource);

// What the server brings to a new object.
struct Birth {
  std::string uid;
  std::string name_suffix;  // for generateName
  absl::Time now;
};

// Times as Kubernetes writes them, in whole seconds.
Json TimeValue(absl::Time time);

using Refusal = std::optional<HttpResponse>;

// Makes `object`, as it was sent, what is stored.
Refusal PrepareCreate(const ApiCall& call, const Birth& birth, Json& object);
// Makes `is`, as it was sent or patched, what is stored in the place of `was`.
Refusal PrepareUpdate(const ApiCall& call, const Json& was, Json& is);

// Whether an update leaves nothing that keeps a deleted object alive.
bool IsReadyToGo(const ResourceId& resource, const Json& object);

}  // namespace korder::kube::fake
