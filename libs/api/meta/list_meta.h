// The metadata of a list: where a watch begins and where the next page is.
//
//   list.continue_token = page.metadata.continue_token;  // empty on the last page
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace korder::api {

struct ListMeta {
  std::string resource_version;
  std::string continue_token;
  std::optional<int64_t> remaining_item_count;

  bool operator==(const ListMeta&) const = default;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("resourceVersion", self.resource_version);
    v("continue", self.continue_token);
    v("remainingItemCount", self.remaining_item_count);
  }
};

}  // namespace korder::api
