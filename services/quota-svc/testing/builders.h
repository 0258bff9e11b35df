// Short ways to say what a test is about.
//
//   ledger.PutQuota(Compile(MakeQuota("team").Hard("tickets", "2").ForNamespaces({"default"})),
//   now); ledger.Reserve({MakeClaim("default").With("cpu", "500m"), {"a"}}, now);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"
#include "quota-svc/claim.h"
#include "quota-svc/quota_terms.h"

namespace korder::quota::testing {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class MakeQuota {
 public:
  explicit MakeQuota(std::string name) {
    quota_.metadata.name = std::move(name);
    quota_.metadata.uid = quota_.metadata.name + "-uid";
    quota_.metadata.generation = 1;
  }
  MakeQuota& Hard(const std::string& key, std::string limit) {
    quota_.spec.hard[key].text = std::move(limit);
    return *this;
  }
  MakeQuota& ForNamespaces(std::vector<std::string> namespaces) {
    quota_.spec.scope = {};
    quota_.spec.scope.type = api::ScopeType::kNamespaceList;
    quota_.spec.scope.namespaces = std::move(namespaces);
    return *this;
  }
  MakeQuota& ForNamespacesWith(api::Labels labels) {
    quota_.spec.scope = {};
    quota_.spec.scope.type = api::ScopeType::kNamespaceSelector;
    quota_.spec.scope.namespace_selector.emplace().match_labels = std::move(labels);
    return *this;
  }
  MakeQuota& ForObjectsWith(api::Labels labels) {
    quota_.spec.scope = {};
    quota_.spec.scope.type = api::ScopeType::kObjectSelector;
    quota_.spec.scope.object_selector.emplace().match_labels = std::move(labels);
    return *this;
  }
  MakeQuota& Cap(const std::string& ns, const std::string& key, std::string limit) {
    for (api::QuotaAllocation& allocation : quota_.spec.allocation) {
      if (allocation.ns == ns) {
        allocation.limits[key].text = std::move(limit);
        return *this;
      }
    }
    quota_.spec.allocation.push_back({.ns = ns, .limits = {{key, {std::move(limit)}}}});
    return *this;
  }
  operator const api::Quota&() const { return quota_; }  // NOLINT(google-explicit-constructor)
  api::Quota& quota() { return quota_; }

 private:
  api::Quota quota_;
};

class MakeClaim {
 public:
  explicit MakeClaim(std::string ns = "default") {
    claim_ = MakeTicketClaim(std::move(ns), {}, {}, absl::Hours(1));
  }
  MakeClaim& With(const std::string& resource, std::string_view quantity) {
    claim_.amounts["reserved." + resource] = *api::Quantity::Parse(quantity);
    return *this;
  }
  MakeClaim& Label(const std::string& key, std::string value) {
    claim_.labels[key] = std::move(value);
    return *this;
  }
  MakeClaim& For(std::optional<absl::Duration> duration) {
    claim_.duration = duration;
    return *this;
  }
  operator const Claim&() const { return claim_; }  // NOLINT(google-explicit-constructor)
  ClaimPtr Share() const { return std::make_shared<const Claim>(claim_); }

 private:
  Claim claim_;
};

}  // namespace korder::quota::testing
