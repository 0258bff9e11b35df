// A Quota made ready for deciding: its limits as numbers, its scope as a question.
//
//   QuotaTerms terms = Compile(quota);
//   if (CoversNamespace(terms, "default", &labels)) { ... }
//   LimitsInForce limits = LimitsAt(terms, now);   // limits.hard.amounts["reserved.cpu"]
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/quota.h"
#include "api/value/field_error.h"
#include "quota-svc/claim.h"
#include "quota-svc/quota_windows.h"

namespace korder::quota {

struct Limits {
  Amounts amounts;
  std::optional<absl::Duration> max_duration;

  bool operator==(const Limits&) const = default;
};

struct QuotaTerms {
  std::string name;
  int64_t generation = 0;
  api::ScopeType scope = api::ScopeType::kCluster;
  std::set<std::string, std::less<>> namespaces;  // for NamespaceList
  api::LabelSelector selector;                    // for both selector scopes
  Limits hard;
  // Caps of single namespaces inside the quota.
  std::map<std::string, Limits, std::less<>> allocation;
  Windows windows;  // the first that is open wins
  // What could not be understood and is therefore not enforced. The schema and admission refuse
  // such a quota; this is for one that slipped past.
  std::vector<api::FieldError> problems;
};

QuotaTerms Compile(const api::Quota& quota);

// True when the quota counts what its scope selects by object labels, not by namespace.
bool SelectsObjects(const QuotaTerms& terms);
// Whether everything in the namespace counts. `labels` is null while they are not known: then a
// namespace selector does not cover it. False for quotas that select objects.
bool CoversNamespace(const QuotaTerms& terms, const std::string& ns, const api::Labels* labels);

struct LimitsInForce {
  Limits hard;
  std::map<std::string, Limits, std::less<>> allocation;
  std::string window;  // the time window that is open; empty when none is
  std::optional<absl::Time> next_transition;

  bool operator==(const LimitsInForce&) const = default;
};

// The limits of spec.hard and of the allocation, times the multiplier of the window that is open.
// max-duration is the same at every time.
LimitsInForce LimitsAt(const QuotaTerms& terms, absl::Time now);

}  // namespace korder::quota
