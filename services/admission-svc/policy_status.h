// Decides the status of a ClaimPolicy. Pure.
//
//   const auto status =
//       DecidePolicyStatus({*policy, CountPods(pods), coverage, neighbours}, now);
//   if (status) { ... write it ... }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "admission-svc/policy_entries.h"
#include "api/core/pod.h"
#include "api/v1alpha1/claim_policy.h"
#include "json/fields.h"

namespace korder::admission {

// What is to be said about it to people.
std::string Explain(Coverage coverage);

// A pod that claims or did, reduced to what is counted: there may be many of them.
struct ClaimingPod {
  static constexpr api::ResourceType kResource = api::Pod::kResource;

  struct Labels {
    std::string claim;
    bool operator==(const Labels&) const = default;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("korder.dev/claim", self.claim);
    }
  };
  struct Annotations {
    std::string policy;
    bool operator==(const Annotations&) const = default;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("korder.dev/claim-policy", self.policy);
    }
  };
  struct Metadata {
    std::string name;
    std::string ns;
    std::string resource_version;
    Labels labels;
    Annotations annotations;
    bool operator==(const Metadata&) const = default;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("name", self.name);
      v("namespace", self.ns);
      v("resourceVersion", self.resource_version);
      v("labels", self.labels);
      v("annotations", self.annotations);
    }
  };

  Metadata metadata;

  bool operator==(const ClaimingPod&) const = default;
  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
  }
};

struct PodCounts {
  int64_t claimed = 0;
  int64_t waiting = 0;
  int64_t missed = 0;

  bool operator==(const PodCounts&) const = default;
};

// What became of the pods that one policy made ask, of those that exist.
PodCounts CountPods(const std::vector<std::shared_ptr<const ClaimingPod>>& pods);

struct ObservedPolicy {
  const api::ClaimPolicy& policy;
  PodCounts pods;
  Coverage coverage = Coverage::kPending;
  std::vector<PolicyPtr> neighbours;  // the policies of its namespace; it may be among them
};

// The status as it must be; nullopt when it is that already.
std::optional<api::ClaimPolicyStatus> DecidePolicyStatus(const ObservedPolicy& observed,
                                                         absl::Time now);

}  // namespace korder::admission
