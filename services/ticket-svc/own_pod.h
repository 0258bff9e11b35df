// A pod of ours, guardian or fence, reduced to what ticket-svc looks at: there is one for each
// ticket, and all are kept in memory.
//
//   kube::Informer<OwnPod> guardians(client, {.label_selector = "..."});
//   if (IsBound(*guardian) && !IsTerminal(*guardian)) { ... guardian->node_name ... }
//   world.Wrote(Reduced(*client.Create(GuardianPod(ticket, 1, options))));
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/core/pod.h"
#include "api/meta/object_identity.h"
#include "base/boxed.h"
#include "base/compact_id.h"
#include "base/compact_time.h"
#include "base/shared_text.h"
#include "json/reader.h"

namespace korder::ticket {

// By its label.
enum class OwnRole { kNone, kGuardian, kFence };

struct OwnPod {
  static constexpr const api::ResourceType& kResource = api::Pod::kResource;

  struct Metadata : api::ObjectIdentity {
    CompactTime creation_timestamp;
    CompactTime deletion_timestamp;

    bool deleting() const { return deletion_timestamp.has_value(); }
  };
  // The Ticket that manages it; empty when none does.
  struct Owner {
    std::string ticket;
    CompactId uid;
  };
  // What the guardians of an order have in common.
  struct Ask {
    std::string scheduler_name;
    int32_t priority = 0;
    api::ResourceList requests;

    bool operator==(const Ask&) const = default;
    template <class H>
    friend H AbslHashValue(H h, const Ask& value) {
      for (const auto& [resource, amount] : value.requests) {
        h = H::combine(std::move(h), resource, amount);
      }
      return H::combine(std::move(h), value.scheduler_name, value.priority);
    }
  };
  // Which nodes may take it.
  struct Where {
    api::Labels node_selector;
    Boxed<api::Affinity> affinity;
    std::vector<api::Toleration> tolerations;
    std::set<std::string> avoided;  // nodes that it was made to avoid (guardian_traffic.h)
  };
  // How it ended, in the words of whoever ended it.
  struct End {
    std::string reason;
    std::string message;
  };

  Metadata metadata;
  Owner owner;
  OwnRole role = OwnRole::kNone;
  std::shared_ptr<const Ask> ask;  // equal ones are the same object; never null once it is read
  SharedText node_name;            // empty until it is bound
  // Until it is bound; then neither matters any more.
  Boxed<Where> where;
  Boxed<api::PodCondition> unschedulable;  // the scheduler's words when it found no place for it
  SharedText phase;
  Boxed<End> end;
};

using OwnPodPtr = std::shared_ptr<const OwnPod>;

OwnPod Reduced(api::Pod pod);
void ReadJson(json::Reader& r, OwnPod& out);

bool IsBound(const OwnPod& pod);
bool IsTerminal(const OwnPod& pod);  // as api::IsTerminal

}  // namespace korder::ticket
