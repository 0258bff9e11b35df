// What the author of a pod asks of korder: annotations or labels under korder.dev/, read once for
// admission (which refuses what is malformed) and for claiming (which goes by it).
//
//   if (AsksForTicket(pod.metadata)) {
//     const ParsedClaimRequest asked = ParseClaimRequest(pod.metadata);
//     if (asked.request.fallback == ClaimFallback::kDeny) { ... }
//   }
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/meta/object_meta.h"
#include "api/v1alpha1/claim_policy.h"
#include "api/value/field_error.h"
#include "api/value/label_selector.h"

namespace korder::api {

struct ClaimRequest {
  std::string order;       // only its tickets; empty = any order's
  std::string ticket;      // only this one; empty = any
  LabelSelector selector;  // only tickets with such labels; empty = any
  ClaimMode mode = ClaimMode::kPreferred;
  ClaimFallback fallback = ClaimFallback::kSchedule;
  absl::Duration timeout = kDefaultClaimTimeout;

  bool operator==(const ClaimRequest&) const = default;
};

struct ParsedClaimRequest {
  // What is malformed has its default, so that a pod that slipped past admission is served somehow.
  ClaimRequest request;
  std::vector<FieldError> problems;
};

// The annotation or the label korder.dev/required is "true".
bool AsksForTicket(const ObjectMeta& pod);

// A setting is the annotation's value, or the label's when there is no such annotation.
ParsedClaimRequest ParseClaimRequest(const ObjectMeta& pod);

}  // namespace korder::api
