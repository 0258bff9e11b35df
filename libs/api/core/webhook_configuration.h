// Webhook configurations. Never write back a whole one that others made: a strategic merge patch
// merges `webhooks` by name and leaves every other field alone.
//
//   MutatingWebhookConfiguration patch;
//   patch.webhooks = {{.name = "pods.korder.dev", .client_config = {.ca_bundle = {pem}}}};
//
// What korder only copies from one webhook to another is kept as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta/bytes.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "api/value/label_selector.h"
#include "json/fields.h"

namespace korder::api {

inline constexpr std::string_view kFailurePolicyIgnore = "Ignore";
inline constexpr std::string_view kFailurePolicyFail = "Fail";

// The label with its own name that every namespace carries.
inline constexpr std::string_view kLabelNamespaceName = "kubernetes.io/metadata.name";

struct WebhookClientConfig {
  std::string url;
  json::RawValue service;
  Bytes ca_bundle;  // PEM

  bool operator==(const WebhookClientConfig&) const = default;
  friend bool IsEmptyJson(const WebhookClientConfig& c) { return c == WebhookClientConfig{}; }

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("url", self.url);
    v("service", self.service);
    v("caBundle", self.ca_bundle);
  }
};

// A CEL expression that must hold, or the webhook is not called.
struct MatchCondition {
  std::string name;
  std::string expression;

  bool operator==(const MatchCondition&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("expression", self.expression);
  }
};

struct Webhook {
  std::string name;
  WebhookClientConfig client_config;
  json::RawValue rules;
  std::string failure_policy;
  std::string match_policy;
  std::optional<LabelSelector> namespace_selector;
  std::optional<LabelSelector> object_selector;
  std::string side_effects;
  std::optional<int32_t> timeout_seconds;
  std::vector<std::string> admission_review_versions;
  std::string reinvocation_policy;
  std::vector<MatchCondition> match_conditions;

  bool operator==(const Webhook&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("clientConfig", self.client_config);
    v("rules", self.rules);
    v("failurePolicy", self.failure_policy);
    v("matchPolicy", self.match_policy);
    v("namespaceSelector", self.namespace_selector);
    v("objectSelector", self.object_selector);
    v("sideEffects", self.side_effects);
    v("timeoutSeconds", self.timeout_seconds);
    v("admissionReviewVersions", self.admission_review_versions);
    v("reinvocationPolicy", self.reinvocation_policy);
    v("matchConditions", self.match_conditions);
  }
};

struct MutatingWebhookConfiguration {
  static constexpr ResourceType kResource{.group = "admissionregistration.k8s.io",
                                          .version = "v1",
                                          .plural = "mutatingwebhookconfigurations",
                                          .kind = "MutatingWebhookConfiguration",
                                          .namespaced = false};

  ObjectMeta metadata;
  std::vector<Webhook> webhooks;

  bool operator==(const MutatingWebhookConfiguration&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "admissionregistration.k8s.io/v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("webhooks", self.webhooks);
  }
};

struct ValidatingWebhookConfiguration {
  static constexpr ResourceType kResource{.group = "admissionregistration.k8s.io",
                                          .version = "v1",
                                          .plural = "validatingwebhookconfigurations",
                                          .kind = "ValidatingWebhookConfiguration",
                                          .namespaced = false};

  ObjectMeta metadata;
  std::vector<Webhook> webhooks;

  bool operator==(const ValidatingWebhookConfiguration&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v.Constant("apiVersion", "admissionregistration.k8s.io/v1");
    v.Constant("kind", kResource.kind);
    v("metadata", self.metadata);
    v("webhooks", self.webhooks);
  }
};

}  // namespace korder::api
