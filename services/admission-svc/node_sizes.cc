#include "admission-svc/node_sizes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace korder::admission {

void NodeSizes::Note(const api::ResourceList& allocatable) {
  const MutexLock lock(mu_);
  for (const auto& [resource, quantity] : allocatable) {
    api::Quantity& most = most_[resource];
    most = std::max(most, quantity);
  }
}

std::vector<std::string> NodeSizes::Exceeded(const api::ResourceList& requests) const {
  const MutexLock lock(mu_);
  std::vector<std::string> sentences;
  if (most_.empty()) {
    return sentences;
  }
  for (const auto& [resource, quantity] : requests) {
    const auto most = most_.find(resource);
    const api::Quantity limit = most == most_.end() ? api::Quantity() : most->second;
    if (quantity > limit) {
      sentences.push_back(absl::StrCat("a ticket holds ", quantity.ToString(), " of ", resource,
                                       ", and no node has had more than ", limit.ToString(),
                                       " so far: it waits until there is a larger one"));
    }
  }
  return sentences;
}

}  // namespace korder::admission
