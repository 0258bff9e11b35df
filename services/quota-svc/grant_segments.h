// Which grant is written in which object of the ledger: new ones into the same one until that is
// large, so that a batch rewrites one small object however many grants there are.
//
//   GrantSegments segments;
//   segments.Load(0, image.grants);
//   ASSIGN_OR_RETURN(const std::vector<size_t> dirty, segments.Apply(changes));
//   for (size_t s : dirty) { ...write segments.Grants(s)...; segments.Written(s, bytes); }
//
// A grant stays where it is for as long as it lives; segments empty themselves. Pure. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "quota-svc/claim.h"
#include "quota-svc/grant_table.h"

namespace korder::quota {

struct SegmentLimits {
  // Every one has a name that quota-svc's Role allows.
  size_t count = 64;
  // New grants go elsewhere from about here on, while there are segments to be had.
  size_t soft_bytes = 64 << 10;
  // More than an object holds, with room for how it grows while it is estimated.
  size_t hard_bytes = 900 << 10;
};

class GrantSegments {
 public:
  explicit GrantSegments(SegmentLimits limits = {});

  // What a segment holds already; segments up to it exist from now on. REQUIRES: no grant of
  // `grants` is in another one.
  void Load(size_t segment, std::vector<Grant> grants);

  // The segments that have to be written now: first those that only lost something, so that no
  // moment shows what was given back and what took its room together. RESOURCE_EXHAUSTED: there is
  // no place for a new grant; what is held is then undefined.
  absl::StatusOr<std::vector<size_t>> Apply(const std::vector<GrantChange>& changes);

  // At least one.
  size_t count() const { return segments_.size(); }
  std::vector<Grant> Grants(size_t segment) const;
  // How large it really is.
  void Written(size_t segment, size_t bytes) { segments_[segment].bytes = bytes; }

 private:
  struct Segment {
    std::map<std::string, Grant> grants;
    size_t bytes = 0;  // as written, and at most that much more for what came since
  };

  absl::StatusOr<size_t> Place(size_t bytes);
  void OpenNext(size_t bytes);

  const SegmentLimits limits_;
  std::vector<Segment> segments_;
  absl::flat_hash_map<std::string, size_t> segment_of_;
  // Where new grants go, and how large it may become.
  size_t open_ = 0;
  size_t open_until_;
};

}  // namespace korder::quota
