// How much of each resource a node has had at most, as far as this process has seen: an order that
// asks for more is no mistake where nodes come and go, and yet worth a word to its author.
//
//   nodes.OnChange([&](auto*, const NodeSize* is) { if (is) sizes.Note(is->status.allocatable); });
//   for (const std::string& warning : sizes.Exceeded(EffectiveRequests(spec))) { ... }
//
// What a node had counts after it is gone: an autoscaler can bring it back. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "api/core/node.h"
#include "api/core/resources.h"
#include "base/mutex.h"
#include "json/fields.h"

namespace korder::admission {

// A node, reduced to its size.
struct NodeSize {
  static constexpr api::ResourceType kResource = api::Node::kResource;

  struct Metadata {
    std::string name;
    std::string ns;
    std::string resource_version;
    bool operator==(const Metadata&) const = default;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("name", self.name);
      v("namespace", self.ns);
      v("resourceVersion", self.resource_version);
    }
  };
  struct Status {
    api::ResourceList allocatable;
    bool operator==(const Status&) const = default;
    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("allocatable", self.allocatable);
    }
  };

  Metadata metadata;
  Status status;

  bool operator==(const NodeSize&) const = default;
  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
    v("status", self.status);
  }
};

class NodeSizes {
 public:
  void Note(const api::ResourceList& allocatable);
  // What no node has ever been able to give: a sentence for each resource. Empty before the first
  // node is known.
  std::vector<std::string> Exceeded(const api::ResourceList& requests) const;

 private:
  mutable Mutex mu_;
  api::ResourceList most_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::admission
