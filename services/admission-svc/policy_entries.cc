#include "admission-svc/policy_entries.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/admission/json_patch.h"
#include "api/v1alpha1/names.h"

namespace korder::admission {
namespace {

// Policies with one selector, all of which refuse pods while korder is down.
struct StrictGroup {
  std::string uid;  // of the oldest
  api::LabelSelector selector;
  std::set<std::string> namespaces;
};

bool IsStrict(const api::ClaimPolicy& policy) {
  return policy.spec.fallback != api::ClaimFallback::kSchedule;
}

// True when the API server gates the policy's pods by itself.
bool IsGatedByServer(const api::MutatingWebhookConfiguration& configuration,
                     const api::ClaimPolicy& policy) {
  return policy.spec.fallback != api::ClaimFallback::kDeny &&
         api::ValueOf(configuration.metadata.annotations, api::kAnnotationPodMode) ==
             api::kPodModePolicy;
}

const api::Webhook* Find(const api::MutatingWebhookConfiguration& configuration,
                         std::string_view name) {
  for (const api::Webhook& webhook : configuration.webhooks) {
    if (webhook.name == name) {
      return &webhook;
    }
  }
  return nullptr;
}

bool Lists(const std::optional<api::LabelSelector>& selector, std::string_view op,
           const std::string& ns) {
  if (!selector) {
    return false;
  }
  return std::any_of(selector->match_expressions.begin(), selector->match_expressions.end(),
                     [&](const api::LabelSelectorRequirement& requirement) {
                       return requirement.key == api::kLabelNamespaceName && requirement.op == op &&
                              std::find(requirement.values.begin(), requirement.values.end(), ns) !=
                                  requirement.values.end();
                     });
}

// CEL: a map of the pod's metadata has the key. Guarded, because an error in a condition would
// refuse pods.
std::string Has(std::string_view map, std::string_view key) {
  const std::string path = absl::StrCat("object.metadata.", std::string(map));
  return absl::StrCat("(has(", path, ") && '", std::string(key), "' in ", path, ")");
}

// The pods that ask by themselves have webhooks of their own. One that a policy has made ask comes
// back here when another webhook changed it later.
std::string DoesNotAskItself() {
  return absl::StrCat("!(", Has("annotations", api::kAnnotationRequired), " || ",
                      Has("labels", api::kAnnotationRequired), ") || ",
                      Has("annotations", api::kAnnotationClaimPolicy));
}

std::string IsNoGuardian(std::string_view ns) {
  return absl::StrCat("request.userInfo.username != 'system:serviceaccount:", std::string(ns),
                      ":korder-ticket-svc'");
}

api::Webhook Copy(const api::Webhook& model, std::string name,
                  const std::set<std::string>& namespaces, std::string_view ns) {
  api::Webhook entry = model;
  entry.name = std::move(name);
  if (!entry.namespace_selector) {
    entry.namespace_selector.emplace();
  }
  entry.namespace_selector->match_expressions.push_back(
      {.key = std::string(api::kLabelNamespaceName),
       .op = "In",
       .values = {namespaces.begin(), namespaces.end()}});
  entry.match_conditions = {{"does-not-ask-itself", DoesNotAskItself()},
                            {"is-no-guardian", IsNoGuardian(ns)}};
  entry.failure_policy = api::kFailurePolicyIgnore;
  return entry;
}

// Puts the policy's namespace into the group of its selector; false when there is no place for a
// group of its own.
bool AddStrict(std::vector<StrictGroup>& groups, const api::ClaimPolicy& policy) {
  auto group = std::find_if(groups.begin(), groups.end(), [&](const StrictGroup& g) {
    return g.selector == policy.spec.pod_selector;
  });
  if (group == groups.end()) {
    if (groups.size() == kMaxStrictEntries) {
      return false;
    }
    group = groups.insert(group, {policy.metadata.uid, policy.spec.pod_selector, {}});
  }
  group->namespaces.insert(policy.metadata.ns);
  return true;
}

std::vector<api::Webhook> Wanted(const api::Webhook& model, std::vector<PolicyPtr> policies,
                                 std::string_view ns) {
  std::sort(policies.begin(), policies.end(), [](const PolicyPtr& a, const PolicyPtr& b) {
    return IsOlder(*a, *b) || (!IsOlder(*b, *a) && a->metadata.ns < b->metadata.ns);
  });
  std::vector<StrictGroup> groups;
  std::set<std::string> namespaces;
  for (const PolicyPtr& policy : policies) {
    if (!IsEffective(*policy) || Lists(model.namespace_selector, "NotIn", policy->metadata.ns)) {
      continue;
    }
    if (!IsStrict(*policy) || !AddStrict(groups, *policy)) {
      namespaces.insert(policy->metadata.ns);
    }
  }
  std::vector<api::Webhook> wanted;
  if (!namespaces.empty()) {
    wanted.push_back(Copy(model, std::string(kPolicyEntry), namespaces, ns));
  }
  for (StrictGroup& group : groups) {
    api::Webhook entry =
        Copy(model, absl::StrCat(group.uid, ".", std::string(kPolicyEntry)), group.namespaces, ns);
    entry.object_selector = std::move(group.selector);
    entry.failure_policy = api::kFailurePolicyFail;
    wanted.push_back(std::move(entry));
  }
  return wanted;
}

// The CA bundle of every entry is the certificate keeper's to keep.
bool Same(api::Webhook a, const api::Webhook& b) {
  a.client_config.ca_bundle = b.client_config.ca_bundle;
  return a == b;
}

}  // namespace

bool IsPolicyEntry(const api::Webhook& webhook) {
  return webhook.name == kPolicyEntry ||
         webhook.name.ends_with(absl::StrCat(".", std::string(kPolicyEntry)));
}

std::string DecideEntries(const api::MutatingWebhookConfiguration& configuration,
                          std::vector<PolicyPtr> policies, std::string_view ns) {
  const api::Webhook* model = Find(configuration, kModelEntry);
  if (model == nullptr) {
    return "";
  }
  std::erase_if(policies,
                [&](const PolicyPtr& policy) { return IsGatedByServer(configuration, *policy); });
  std::vector<api::Webhook> missing = Wanted(*model, std::move(policies), ns);
  // Indexes are those of the version that was read: 409 when it is not the newest.
  api::JsonPatch patch;
  std::vector<std::string> superfluous;  // indexes, the highest first
  for (size_t i = configuration.webhooks.size(); i-- > 0;) {
    const api::Webhook& found = configuration.webhooks[i];
    if (!IsPolicyEntry(found)) {
      continue;
    }
    const auto wanted = std::find_if(missing.begin(), missing.end(),
                                     [&](const auto& w) { return w.name == found.name; });
    if (wanted == missing.end()) {
      superfluous.push_back(absl::StrCat(i));
      continue;
    }
    if (!Same(*wanted, found)) {
      patch.Replace({"webhooks", absl::StrCat(i)}, *wanted);
    }
    missing.erase(wanted);
  }
  for (const std::string& index : superfluous) {
    patch.Remove({"webhooks", index});
  }
  for (const api::Webhook& webhook : missing) {
    patch.Add({"webhooks", "-"}, webhook);
  }
  if (!patch.empty()) {
    patch.Replace({"metadata", "resourceVersion"}, configuration.metadata.resource_version);
  }
  return patch.Take();
}

Coverage CoverageOf(const api::MutatingWebhookConfiguration& configuration, const std::string& ns) {
  const api::Webhook* model = Find(configuration, kModelEntry);
  if (model == nullptr) {
    return Coverage::kNoWebhook;
  }
  return Lists(model->namespace_selector, "NotIn", ns) ? Coverage::kNamespaceExcluded
                                                       : Coverage::kServed;
}

Coverage CoverageOf(const api::MutatingWebhookConfiguration& configuration,
                    const api::ClaimPolicy& policy) {
  if (const Coverage all = CoverageOf(configuration, policy.metadata.ns);
      all != Coverage::kServed) {
    return all;
  }
  if (IsGatedByServer(configuration, policy)) {
    return Coverage::kServed;
  }
  const api::Webhook* open = Find(configuration, kPolicyEntry);
  const bool listed = open != nullptr && Lists(open->namespace_selector, "In", policy.metadata.ns);
  if (!IsStrict(policy)) {
    return listed ? Coverage::kServed : Coverage::kPending;
  }
  size_t strict = 0;
  for (const api::Webhook& webhook : configuration.webhooks) {
    if (!IsPolicyEntry(webhook) || webhook.name == kPolicyEntry) {
      continue;
    }
    if (webhook.object_selector == policy.spec.pod_selector &&
        Lists(webhook.namespace_selector, "In", policy.metadata.ns)) {
      return Coverage::kServed;
    }
    ++strict;
  }
  return listed && strict >= kMaxStrictEntries ? Coverage::kServedUnlessDown : Coverage::kPending;
}

}  // namespace korder::admission
