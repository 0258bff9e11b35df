// Webhook configurations, only as far as putting a CA bundle into them needs. Write them with a
// strategic merge patch: it merges `webhooks` by name and leaves every other field alone.
//
//   MutatingWebhookConfiguration patch;
//   patch.webhooks = {{.name = "pods.korder.dev", .client_config = {.ca_bundle = {pem}}}};
#pragma once

#include <string>
#include <vector>

#include "api/meta/bytes.h"
#include "api/meta/object_meta.h"
#include "api/meta/resource_type.h"
#include "json/fields.h"

namespace korder::api {

struct WebhookClientConfig {
  Bytes ca_bundle;  // PEM

  bool operator==(const WebhookClientConfig&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("caBundle", self.ca_bundle);
  }
};

struct Webhook {
  std::string name;
  WebhookClientConfig client_config;

  bool operator==(const Webhook&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("name", self.name);
    v("clientConfig", self.client_config);
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
