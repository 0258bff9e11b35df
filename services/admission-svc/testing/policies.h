// ClaimPolicies and the chart's webhook configuration, for tests.
//
//   PolicyPtr policy = MakePolicy("team-a", "web", {.fallback = api::ClaimFallback::kWait});
#pragma once

#include <memory>
#include <string>

#include "admission-svc/certificate_keeper.h"
#include "admission-svc/claim_route.h"
#include "api/core/webhook_configuration.h"

namespace korder::admission {

struct PolicyTraits {
  std::string uid = "uid-1";
  absl::Time created = absl::UnixEpoch();
  api::ClaimFallback fallback = api::ClaimFallback::kSchedule;
};

// Named like the app whose pods it selects. Without an app it selects nothing, which is malformed.
inline PolicyPtr MakePolicy(const std::string& ns, const std::string& app,
                            const PolicyTraits& traits = {}) {
  api::ClaimPolicy policy;
  policy.metadata.ns = ns;
  policy.metadata.name = app.empty() ? "malformed" : app;
  policy.metadata.uid = traits.uid;
  policy.metadata.generation = 2;
  policy.metadata.creation_timestamp = traits.created;
  if (!app.empty()) {
    policy.spec.pod_selector.match_labels = {{"app", app}};
  }
  policy.spec.fallback = traits.fallback;
  return std::make_shared<const api::ClaimPolicy>(std::move(policy));
}

inline api::MutatingWebhookConfiguration ChartConfiguration() {
  api::Webhook webhook;
  webhook.name = "pods.korder.dev";
  webhook.client_config.service = {R"({"name":"korder-admission-svc","path":"/mutate/pods"})"};
  webhook.client_config.ca_bundle = {"pem"};
  webhook.rules = {R"([{"resources":["pods"]}])"};
  webhook.failure_policy = "Ignore";
  webhook.namespace_selector.emplace().match_expressions = {
      {"kubernetes.io/metadata.name", "NotIn", {"kube-system", "korder-system"}}};
  webhook.timeout_seconds = 3;
  webhook.reinvocation_policy = "IfNeeded";
  webhook.match_conditions = {{"asks-for-a-ticket", "true"}};
  api::MutatingWebhookConfiguration configuration;
  configuration.metadata.name = kPodsConfiguration;
  configuration.webhooks = {webhook, webhook};
  configuration.webhooks[1].name = "strict.pods.korder.dev";
  configuration.webhooks[1].failure_policy = "Fail";
  return configuration;
}

}  // namespace korder::admission
