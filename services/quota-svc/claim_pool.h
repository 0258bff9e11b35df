// Keeps one copy of each claim: the tickets of an order are all alike, and there may be thousands.
//
//   ClaimPtr shared = pool.Intern(std::move(claim));
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "quota-svc/claim.h"

namespace korder::quota {

// Not thread-safe.
class ClaimPool {
 public:
  ClaimPtr Intern(Claim claim) {
    if (claims_.size() >= purge_at_) {
      absl::erase_if(claims_, [](const ClaimPtr& kept) { return kept.use_count() == 1; });
      purge_at_ = 2 * claims_.size() + 64;
    }
    return *claims_.insert(std::make_shared<const Claim>(std::move(claim))).first;
  }
  size_t size() const { return claims_.size(); }

 private:
  struct Hash {
    size_t operator()(const ClaimPtr& claim) const { return absl::HashOf(*claim); }
  };
  struct Equal {
    bool operator()(const ClaimPtr& a, const ClaimPtr& b) const { return *a == *b; }
  };

  absl::flat_hash_set<ClaimPtr, Hash, Equal> claims_;
  size_t purge_at_ = 64;
};

}  // namespace korder::quota
