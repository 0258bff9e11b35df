// Decides which webhooks the API server needs so that pods without a word of their own come to
// korder when a ClaimPolicy is there, and none when there is none. Pure: the patch is the
// reconciler's to send.
//
//   const std::string patch = DecideEntries(configuration, policies, "korder-system");
//   // [{"op":"add","path":"/webhooks/-","value":{"name":"policies.pods.korder.dev", ...}}, ...]
//
// One entry serves all namespaces that have a policy with the fallback Schedule; it asks whether a
// policy matches, so while korder is down their pods are made as if there were no policy. A policy
// that would rather have no pod than one without a ticket gets an entry that refuses then, and that
// only the pods meet which its own selector chooses; namespaces with the same selector share one.
//
// Every entry is a copy of the webhook for pods that ask by themselves, so what the chart says of
// address, time limit and excluded namespaces holds here, too.
//
// Where the chart has the API server's own policies gate the pods (webhook.podMode=policy), only
// the ClaimPolicies need a webhook that refuse pods for which no ticket fits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admission-svc/claim_route.h"
#include "api/core/webhook_configuration.h"

namespace korder::admission {

// What the entries are copied from; the chart makes it.
inline constexpr std::string_view kModelEntry = "pods.korder.dev";
inline constexpr std::string_view kPolicyEntry = "policies.pods.korder.dev";
// Entries that refuse are named "<uid of a policy>.policies.pods.korder.dev". There are at most so
// many: each costs the API server a look at every pod. The oldest policies have them.
inline constexpr size_t kMaxStrictEntries = 64;

// True for the entries that this decider makes and removes.
bool IsPolicyEntry(const api::Webhook& webhook);

// The JSON patch that makes the entries right; empty when they are, or when the configuration has
// no model to copy. `ns` is korder's own namespace.
std::string DecideEntries(const api::MutatingWebhookConfiguration& configuration,
                          std::vector<PolicyPtr> policies, std::string_view ns);

// What the API server does for a policy as the configuration stands.
enum class Coverage {
  kNoWebhook,          // there is no model to copy: installed without webhooks
  kNamespaceExcluded,  // korder never looks at pods of the namespace
  kPending,            // the entry is not there yet
  kServed,
  kServedUnlessDown,  // it should refuse pods while korder is down, and cannot: too many do
};

// For pods of the namespace that ask by themselves: kNoWebhook, kNamespaceExcluded or kServed.
Coverage CoverageOf(const api::MutatingWebhookConfiguration& configuration, const std::string& ns);

// REQUIRES: the policy is effective.
Coverage CoverageOf(const api::MutatingWebhookConfiguration& configuration,
                    const api::ClaimPolicy& policy);

}  // namespace korder::admission
