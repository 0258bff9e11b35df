// Names one object of a known resource: what queues carry and stores are asked for.
//
//   kube::ObjectKey key{"default", "my-order"};   // kube::ObjectKey{"", "node-1"} when
//   cluster-scoped
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace korder::kube {

struct ObjectKey {
  std::string ns;
  std::string name;

  auto operator<=>(const ObjectKey&) const = default;

  // "default/my-order", or "node-1".
  std::string ToString() const { return ns.empty() ? name : ns + "/" + name; }

  template <class H>
  friend H AbslHashValue(H h, const ObjectKey& key) {
    return H::combine(std::move(h), key.ns, key.name);
  }
};

template <class T>
ObjectKey KeyOf(const T& object) {
  return {object.metadata.ns, object.metadata.name};
}

}  // namespace korder::kube
