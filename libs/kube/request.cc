#include "kube/request.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "json/writer.h"

namespace korder::kube {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Everything but RFC 3986's unreserved characters is encoded: right in a path segment and in a
// query value alike.
std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

// A path that grows by segments, then a query that grows by parameters.
class Target {
 public:
  explicit Target(const api::ResourceType& resource) {
    if (resource.group.empty()) {
      text_ = "/api";
    } else {
      text_ = "/apis";
      Segment(resource.group);
    }
    Segment(resource.version);
  }

  Target& Segment(std::string_view segment) {
    text_ += '/';
    text_ += PercentEncode(segment);
    return *this;
  }
  Target& Parameter(std::string_view name, std::string_view value) {
    text_ += has_query_ ? '&' : '?';
    has_query_ = true;
    text_ += name;
    text_ += '=';
    text_ += PercentEncode(value);
    return *this;
  }
  Target& ParameterIfSet(std::string_view name, std::string_view value) {
    return value.empty() ? *this : Parameter(name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  bool has_query_ = false;
};

Target Collection(const api::ResourceType& resource, std::string_view ns) {
  Target target(resource);
  if (resource.namespaced && !ns.empty()) {
    target.Segment("namespaces").Segment(ns);
  }
  target.Segment(resource.plural);
  return target;
}

Target Item(const api::ResourceType& resource, const ObjectKey& key,
            std::string_view subresource = "") {
  Target target = Collection(resource, key.ns);
  target.Segment(key.name);
  if (!subresource.empty()) {
    target.Segment(subresource);
  }
  return target;
}

constexpr std::string_view kJson = "application/json";

std::string_view ContentType(PatchType type) {
  switch (type) {
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";  // JSON is YAML
  }
  return kJson;
}

std::string DeleteBody(const DeleteOptions& options) {
  json::Writer w;
  w.BeginObject();
  w.Key("apiVersion");
  w.String("v1");
  w.Key("kind");
  w.String("DeleteOptions");
  if (options.grace_period_seconds) {
    w.Key("gracePeriodSeconds");
    w.Int64(*options.grace_period_seconds);
  }
  if (!options.uid.empty() || !options.resource_version.empty()) {
    w.Key("preconditions");
    w.BeginObject();
    if (!options.uid.empty()) {
      w.Key("uid");
      w.String(options.uid);
    }
    if (!options.resource_version.empty()) {
      w.Key("resourceVersion");
      w.String(options.resource_version);
    }
    w.EndObject();
  }
  if (!options.propagation_policy.empty()) {
    w.Key("propagationPolicy");
    w.String(options.propagation_policy);
  }
  w.EndObject();
  return w.Take();
}

HttpRequest WithBody(std::string_view method, Target target, std::string_view content_type,
                     std::string body) {
  return {.method = std::string(method),
          .target = target.Take(),
          .content_type = std::string(content_type),
          .body = std::move(body)};
}

HttpRequest WithoutBody(std::string_view method, Target target) {
  return {.method = std::string(method), .target = target.Take(), .content_type = "", .body = ""};
}

}  // namespace

absl::Status CheckKey(const api::ResourceType& resource, const ObjectKey& key) {
  if (key.name.empty()) {
    return InvalidArgumentError("the name is empty");
  }
  if (key.name == "." || key.name == ".." || key.name.find_first_of("/%") != std::string::npos) {
    return InvalidArgumentError(absl::StrCat("\"", key.name, "\" is not a name"));
  }
  if (resource.namespaced && key.ns.empty()) {
    return InvalidArgumentError("the namespace is empty");
  }
  return absl::OkStatus();
}

HttpRequest GetRequest(const api::ResourceType& resource, const ObjectKey& key) {
  return WithoutBody("GET", Item(resource, key));
}

HttpRequest ListRequest(const api::ResourceType& resource, std::string_view ns,
                        const ListOptions& options) {
  Target target = Collection(resource, ns);
  target.ParameterIfSet("labelSelector", options.label_selector)
      .ParameterIfSet("fieldSelector", options.field_selector);
  if (options.limit > 0) {
    target.Parameter("limit", std::to_string(options.limit));
  }
  target.ParameterIfSet("continue", options.continue_token)
      .ParameterIfSet("resourceVersion", options.resource_version);
  return WithoutBody("GET", std::move(target));
}

HttpRequest WatchRequest(const api::ResourceType& resource, std::string_view ns,
                         const WatchOptions& options) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(options.timeout));
  Target target = Collection(resource, ns);
  target.Parameter("watch", "true")
      .Parameter("allowWatchBookmarks", "true")
      .ParameterIfSet("labelSelector", options.label_selector)
      .ParameterIfSet("fieldSelector", options.field_selector)
      .ParameterIfSet("resourceVersion", options.resource_version)
      .Parameter("timeoutSeconds", std::to_string(seconds));
  return WithoutBody("GET", std::move(target));
}

HttpRequest CreateRequest(const api::ResourceType& resource, std::string_view ns,
                          std::string body) {
  Target target = Collection(resource, ns);
  target.Parameter("fieldManager", kFieldManager);
  return WithBody("POST", std::move(target), kJson, std::move(body));
}

HttpRequest UpdateRequest(const api::ResourceType& resource, const ObjectKey& key,
                          std::string_view subresource, std::string body) {
  Target target = Item(resource, key, subresource);
  target.Parameter("fieldManager", kFieldManager);
  return WithBody("PUT", std::move(target), kJson, std::move(body));
}

HttpRequest PatchRequest(const api::ResourceType& resource, const ObjectKey& key,
                         const PatchOptions& options, std::string body) {
  Target target = Item(resource, key, options.subresource);
  target.Parameter("fieldManager", kFieldManager);
  if (options.type == PatchType::kApply && options.force) {
    target.Parameter("force", "true");
  }
  return WithBody("PATCH", std::move(target), ContentType(options.type), std::move(body));
}

HttpRequest DeleteRequest(const api::ResourceType& resource, const ObjectKey& key,
                          const DeleteOptions& options) {
  Target target = Item(resource, key);
  if (options.uid.empty() && options.resource_version.empty() && !options.grace_period_seconds &&
      options.propagation_policy.empty()) {
    return WithoutBody("DELETE", std::move(target));
  }
  return WithBody("DELETE", std::move(target), kJson, DeleteBody(options));
}

}  // namespace korder::kube
