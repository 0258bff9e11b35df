// An informer that advances when a test says so.
//
//   SyncStore(client, "", tickets, [&](auto* was, auto* is) { controller.Enqueue(...); });
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kube/client.h"
#include "kube/store.h"

namespace korder::kube {

// Makes the store what the server has, and calls handler(was, is) for every difference, nullptr
// standing for what is not there. Throws when the list fails.
template <class T, class Handler>
void SyncStore(Client& client, const std::string& label_selector, Store<T>& store,
               Handler handler) {
  auto list = ListAll<T>(client, "", {.label_selector = label_selector});
  if (!list.ok()) {
    throw std::runtime_error(ToString(list.status()));
  }
  std::vector<ObjectKey> old = store.Keys();
  for (T& item : list->items) {
    const auto is = std::make_shared<const T>(std::move(item));
    const ObjectKey key = KeyOf(*is);
    std::erase(old, key);
    const auto was = store.Get(key);
    if (!was || was->metadata.resource_version != is->metadata.resource_version) {
      store.Put(is);
      handler(was.get(), is.get());
    }
  }
  for (const ObjectKey& key : old) {
    const auto was = store.Erase(key);
    handler(was.get(), static_cast<const T*>(nullptr));
  }
}

}  // namespace korder::kube
