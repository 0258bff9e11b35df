// Keeps a Store equal to the server's state by list and watch, and tells who asked what changed.
//
//   kube::Informer<api::Ticket> tickets(client, {.label_selector = "..."});
//   tickets.store().AddIndex(...);
//   tickets.OnChange([&](const api::Ticket* was, const api::Ticket* is) { queue.Add(...); });
//   std::jthread thread([&](std::stop_token stop) { tickets.Run(stop); });
//   tickets.WaitForSync(stop);
//
// Handlers run on the informer's thread, one at a time, in order, after the store changed; they
// must be quick (add a key to a queue). `was` is null for a new object, `is` null for a removed
// one. After a relist, handlers see only differences. An object that cannot be decoded is logged
// and left out. Thread-safe once running.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "kube/client.h"
#include "kube/decode_page.h"
#include "kube/list_watcher.h"
#include "kube/store.h"
#include "kube/watch_state.h"

namespace korder::kube {

// What a Manager needs to know of an informer of any type.
class InformerBase {
 public:
  virtual ~InformerBase() = default;
  virtual std::string_view resource() const = 0;
  // Lists and watches until stop is requested.
  virtual void Run(std::stop_token stop) = 0;
  // True once the first list is in the store and its handlers have run.
  virtual bool synced() const = 0;
  // Blocks until synced() or stop; returns synced().
  virtual bool WaitForSync(std::stop_token stop) = 0;
};

template <class T>
class Informer final : public InformerBase, private ListWatcher::Sink {
 public:
  using Handler = std::function<void(const T* was, const T* is)>;

  explicit Informer(Client& client, ListWatchOptions options = {})
      : watcher_(client, T::kResource, std::move(options), *this) {}

  Store<T>& store() { return store_; }
  const Store<T>& store() const { return store_; }

  // REQUIRES: Run was not called yet.
  void OnChange(Handler handler) { handlers_.push_back(std::move(handler)); }

  std::string_view resource() const override { return T::kResource.plural; }
  void Run(std::stop_token stop) override { watcher_.Run(std::move(stop)); }
  bool synced() const override { return watcher_.synced(); }
  bool WaitForSync(std::stop_token stop) override { return watcher_.WaitForSync(std::move(stop)); }
  // Lists anew, and returns once the store and its handlers have seen what anybody wrote before the
  // call. False when stop came first. REQUIRES: Run is running.
  bool Refresh(std::stop_token stop) { return watcher_.Refresh(std::move(stop)); }

 private:
  // --- ListWatcher::Sink ---
  absl::StatusOr<ListPage> Page(std::string body, bool first) override {
    ASSIGN_OR_RETURN(DecodedPage<T> page, DecodePage<T>(std::move(body)));
    if (first) {
      listed_.clear();
    }
    for (T& item : page.list.items) {
      listed_.insert(KeyOf(item));
      Upsert(std::move(item));
    }
    for (LeftOut& bad : page.left_out) {
      log::Error("listed object left out", {{"resource", T::kResource.plural},
                                            {"object", bad.key.ToString()},
                                            {"error", ToString(bad.why)}});
      listed_.insert(std::move(bad.key));  // It is there: what we know of it stays.
    }
    return ListPage{std::move(page.list.metadata.resource_version),
                    std::move(page.list.metadata.continue_token)};
  }
  void ListDone() override {
    for (const ObjectKey& key : store_.Keys()) {
      if (!listed_.contains(key)) {
        Remove(key);
      }
    }
    listed_.clear();
  }
  absl::StatusOr<std::string> Event(EventType type, std::string_view after,
                                    json::Reader& object) override {
    if (type == EventType::kAdded || type == EventType::kModified) {
      ASSIGN_OR_RETURN(T item, Read<T>(object));
      std::string version = item.metadata.resource_version;
      RETURN_IF_ERROR(CheckForward(version, after));
      Upsert(std::move(item));
      return version;
    }
    // Only the name counts: what became unreadable before it was deleted must not stay for ever.
    ASSIGN_OR_RETURN(internal::OnlyMeta named, Read<internal::OnlyMeta>(object));
    if (type == EventType::kDeleted) {
      RETURN_IF_ERROR(CheckForward(named.metadata.resource_version, after));
      Remove(KeyOf(named));
    }
    return std::move(named.metadata.resource_version);
  }

  template <class Item>
  static absl::StatusOr<Item> Read(json::Reader& object) {
    Item item;
    using json::ReadJson;  // Or what the type brings with it.
    ReadJson(object, item);
    if (!object.ok()) {
      return object.Finish();
    }
    return item;
  }
  static absl::Status CheckForward(std::string_view version, std::string_view after) {
    return GoesBack(version, after)
               ? absl::DataLossError(absl::StrCat("an event of version ", std::string(version),
                                                  " after ", std::string(after)))
               : absl::OkStatus();
  }

  void Upsert(T item) {
    const auto is = std::make_shared<const T>(std::move(item));
    const auto was = store_.Get(KeyOf(*is));
    if (was && was->metadata.resource_version == is->metadata.resource_version) {
      return;
    }
    store_.Put(is);
    Notify(was.get(), is.get());
  }
  void Remove(const ObjectKey& key) {
    if (const auto was = store_.Erase(key)) {
      Notify(was.get(), nullptr);
    }
  }
  void Notify(const T* was, const T* is) {
    for (const Handler& handler : handlers_) {
      handler(was, is);
    }
  }

  Store<T> store_;
  std::vector<Handler> handlers_;
  absl::flat_hash_set<ObjectKey> listed_;
  ListWatcher watcher_;
};

}  // namespace korder::kube
