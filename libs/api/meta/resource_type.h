// Says where objects of a type live in the API: everything needed to build a URL path.
//
//   static constexpr ResourceType kResource{.group = "core.korder.dev", .version = "v1alpha1",
//                                           .plural = "orders", .kind = "Order"};
//   kResource.ApiVersion();  // "core.korder.dev/v1alpha1"
//
// Each object type carries one as `kResource`, beside `ObjectMeta metadata`.
#pragma once

#include <string>
#include <string_view>

namespace korder::api {

struct ResourceType {
  std::string_view group;  // empty for the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  bool operator==(const ResourceType&) const = default;

  // "v1" for the core group, "group/version" otherwise.
  std::string ApiVersion() const {
    std::string text(group);
    if (!text.empty()) {
      text += '/';
    }
    return text.append(version);
  }
};

}  // namespace korder::api
