// The objects in a file of manifests, as kubectl reads it: YAML or JSON, several documents, lists.
// Pure.
//
//   RETURN_IF_ERROR(ReadManifests(text, "order.yaml", [&](const Manifest& manifest) {
//     if (manifest.Is(api::kApiVersion, "Order")) { ... json::Parse(manifest.json, order) ... }
//     return absl::OkStatus();
//   }));
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/meta/object_meta.h"
#include "base/status.h"
#include "json/fields.h"

namespace korder::cli {

// One object: what every kind says of itself, and all of it as text.
struct Manifest {
  std::string api_version;
  std::string kind;
  api::ObjectMeta metadata;
  json::RawValue spec;
  std::string json;

  bool Is(std::string_view of_version, std::string_view of_kind) const {
    return api_version == of_version && kind == of_kind;
  }
  std::string Name() const;   // "web", "web-*" when it is to be generated
  std::string Title() const;  // "Order web"
  // As kubectl: `asked_for` and what the object says must agree; `otherwise` is for objects that
  // say nothing. INVALID_ARGUMENT when they do not agree.
  absl::StatusOr<std::string> Namespace(const std::string& asked_for,
                                        const std::string& otherwise) const;
};

using ManifestReader = std::function<absl::Status(const Manifest& manifest)>;

// How `source` is called in messages: "-" is standard input.
std::string SourceName(const std::string& source);

// Calls `read` for every object; ends with the first error, which then names source and object.
absl::Status ReadManifests(const std::string& text, const std::string& source,
                           const ManifestReader& read);

}  // namespace korder::cli
