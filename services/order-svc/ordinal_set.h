// A set of ticket ordinals, kept in Order.status as text: "0-14,17,20-22".
//
// Every ticket of an order has an ordinal that is used once. The set holds those that count against
// spec.replicas: it is what makes "an expired ticket is not replaced" survive the ticket's deletion
// and a restart of order-svc.
//
//   OrdinalSet slots = OrdinalSet::Parse("0-2").value();
//   slots.Remove(1);        // "0,2"
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace korder::order {

class OrdinalSet {
 public:
  // The empty text is the empty set.
  static absl::StatusOr<OrdinalSet> Parse(std::string_view text);
  std::string ToString() const;

  void Add(int64_t ordinal);
  void Remove(int64_t ordinal);
  bool Contains(int64_t ordinal) const;
  int64_t size() const { return size_; }
  // In ascending order.
  std::vector<int64_t> Values() const;

  bool operator==(const OrdinalSet&) const = default;

 private:
  // First -> last of each run; runs neither overlap nor touch.
  std::map<int64_t, int64_t> runs_;
  int64_t size_ = 0;
};

}  // namespace korder::order
