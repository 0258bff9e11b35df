// What an order would do, as text, JSON or YAML. Pure.
//
//   out << PreviewText({{.ns = "default", .name = "nightly", .response = response}}, style, now);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/free_now.h"
#include "cli/pb.h"
#include "cli/style.h"

namespace korder::cli {

struct OrderPreview {
  std::string ns;
  std::string name;
  order_pb::PreviewResponse response;
  // What is free on the nodes at the moment; absent when we may not look.
  std::optional<FreeNow> free;
  std::string no_free;  // why it is absent

  // Every window that is not skipped fits its quotas. A verdict that is not known denies nothing.
  bool Fits() const;
};

std::string PreviewText(const std::vector<OrderPreview>& previews, const Style& style,
                        absl::Time now);

}  // namespace korder::cli
