// Reads one page of a list. An object that cannot be decoded is left out and named; it does not
// take the others with it.
//
//   ASSIGN_OR_RETURN(DecodedPage<api::Pod> page, DecodePage<api::Pod>(std::move(body)));
//   for (const LeftOut& bad : page.left_out) { log::Error(..., bad.why); }
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/meta/managed_fields.h"
#include "api/meta/object_meta.h"
#include "base/status.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "kube/client.h"
#include "kube/object_key.h"

namespace korder::kube {

struct LeftOut {
  ObjectKey key;
  absl::Status why;
};

template <class T>
struct DecodedPage {
  ObjectList<T> list;
  std::vector<LeftOut> left_out;
};

namespace internal {
struct OnlyMeta {
  api::ObjectMeta metadata;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
  }
};
}  // namespace internal

// INVALID_ARGUMENT when the text is no list, or an object in it has no readable metadata.
template <class T>
absl::StatusOr<DecodedPage<T>> DecodePage(std::string body) {
  DecodedPage<T> page;
  body = api::WithoutManagedFields(body);
  if (json::Parse(body, page.list).ok()) {  // Works on a copy: reading destroys the text.
    return page;
  }
  ObjectList<json::RawValue> raw;
  RETURN_IF_ERROR(json::Parse(std::move(body), raw));
  page = {.list = {.metadata = std::move(raw.metadata), .items = {}}, .left_out = {}};
  for (json::RawValue& text : raw.items) {
    T item;
    const absl::Status status = json::Parse(text.text, item);
    if (status.ok()) {
      page.list.items.push_back(std::move(item));
      continue;
    }
    internal::OnlyMeta named;
    RETURN_IF_ERROR(json::Parse(std::move(text.text), named));
    page.left_out.push_back({KeyOf(named), status});
  }
  return page;
}

}  // namespace korder::kube
