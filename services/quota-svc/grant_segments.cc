#include "quota-svc/grant_segments.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/status_macros.h"
#include "quota-svc/ledger_codec.h"

namespace korder::quota {

GrantSegments::GrantSegments(SegmentLimits limits)
    : limits_(limits), segments_(1), open_until_(limits.soft_bytes) {}

void GrantSegments::Load(size_t segment, std::vector<Grant> grants) {
  segments_.resize(std::max(segments_.size(), segment + 1));
  for (Grant& grant : grants) {
    segment_of_[grant.id] = segment;
    segments_[segment].grants.insert_or_assign(grant.id, std::move(grant));
  }
}

absl::StatusOr<size_t> GrantSegments::Place(size_t bytes) {
  if (segments_[open_].bytes + bytes > open_until_) {
    OpenNext(bytes);
  }
  if (segments_[open_].bytes + bytes > limits_.hard_bytes) {
    return ResourceExhaustedError("the objects of the ledger are full");
  }
  return open_;
}

void GrantSegments::OpenNext(size_t bytes) {
  open_ = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    open_ = segments_[i].bytes < segments_[open_].bytes ? i : open_;
  }
  if (segments_[open_].bytes + bytes > limits_.soft_bytes && segments_.size() < limits_.count) {
    open_ = segments_.size();
    segments_.emplace_back();
  }
  // However large it is already, it takes as much as is worth a write before it is another one's
  // turn: one grant for each would have a batch write them all.
  const size_t used = segments_[open_].bytes;
  open_until_ =
      std::min(std::max(limits_.soft_bytes, used + limits_.soft_bytes / 2), limits_.hard_bytes);
}

absl::StatusOr<std::vector<size_t>> GrantSegments::Apply(const std::vector<GrantChange>& changes) {
  std::set<size_t> gained;
  std::set<size_t> lost;
  const Claim* last_claim = nullptr;
  for (const GrantChange& change : changes) {
    const auto at = segment_of_.find(change.id);
    if (!change.grant) {
      if (at != segment_of_.end()) {
        segments_[at->second].grants.erase(change.id);
        lost.insert(at->second);
        segment_of_.erase(at);
      }
      continue;
    }
    // Grants that come together mostly share a claim, which is written once.
    const Claim* claim = change.grant->claim.get();
    const size_t bytes =
        EncodedBytes(*change.grant) + (claim == last_claim ? 0 : EncodedBytes(*claim));
    last_claim = claim;
    size_t segment = 0;
    if (at != segment_of_.end()) {
      segment = at->second;
    } else {
      ASSIGN_OR_RETURN(segment, Place(bytes));
      segment_of_[change.id] = segment;
    }
    segments_[segment].grants.insert_or_assign(change.id, *change.grant);
    segments_[segment].bytes += bytes;
    gained.insert(segment);
  }
  std::vector<size_t> order;
  std::set_difference(lost.begin(), lost.end(), gained.begin(), gained.end(),
                      std::back_inserter(order));
  order.insert(order.end(), gained.begin(), gained.end());
  return order;
}

std::vector<Grant> GrantSegments::Grants(size_t segment) const {
  std::vector<Grant> grants;
  grants.reserve(segments_[segment].grants.size());
  for (const auto& [id, grant] : segments_[segment].grants) {
    grants.push_back(grant);
  }
  return grants;
}

}  // namespace korder::quota
