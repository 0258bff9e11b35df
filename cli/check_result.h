// The answers to one `quota check`, and what they mean taken together. Pure.
//
//   CheckReport report{.results = {{item, response}}};
//   report.together = TogetherDenials(report.results, usage);
//   return report.Fits() ? kFits : kDenied;
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/order_file.h"
#include "cli/pb.h"

namespace korder::cli {

struct CheckResult {
  CheckItem item;
  pb::CheckResponse response;

  bool Fits() const;
};

struct CheckReport {
  std::vector<CheckResult> results;
  // Limits that each object fits by itself, and all of them do not.
  std::vector<pb::Denied> together;
  std::optional<absl::Time> at;

  bool Fits() const;
};

// Each object was judged as if it were alone: adds up what they ask of each quota and namespace,
// and compares that with what is left. `usage` has the quotas that the responses name. Nothing for
// a single object, or when an amount cannot be read.
std::vector<pb::Denied> TogetherDenials(const std::vector<CheckResult>& results,
                                        const pb::QueryResponse& usage);

}  // namespace korder::cli
