// What is really there: the objects of an API server in memory, as typed values, and everything
// that ever happened to them. Who else wants to know is told of every change before anybody can
// read it.
//
//   World world(machine, clock);
//   world.pods.OnChange([&](const api::Pod* was, const api::Pod* is) { ... });
//   HttpResponse answer = world.Serve("korder-ticket-svc-0", call);
//
// The API server is the fake that the unit tests use (libs/kube/testing), which is held against a
// real one; here it also knows priority classes and namespaces, and asks the webhook.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/core/config_map.h"
#include "api/core/namespace.h"
#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/quota.h"
#include "api/v1alpha1/ticket.h"
#include "base/clock.h"
#include "kube/object_key.h"
#include "kube/request.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/api_server.h"

namespace korder::simulation {

inline constexpr char kSystemNamespace[] = "korder-system";
inline constexpr char kGuardianClass[] = "korder-guardian";
inline constexpr int32_t kGuardianPriority = 1'000'000;

// One kind of objects, as they are now.
template <class T>
class Shelf {
 public:
  using Handler = std::function<void(const T* was, const T* is)>;
  using Objects = std::map<kube::ObjectKey, std::shared_ptr<const T>>;

  const Objects& all() const { return objects_; }
  const T* Find(const kube::ObjectKey& key) const {
    const auto it = objects_.find(key);
    return it == objects_.end() ? nullptr : it->second.get();
  }
  void OnChange(Handler handler) { handlers_.push_back(std::move(handler)); }

 private:
  friend class World;
  void Set(const kube::ObjectKey& key, std::shared_ptr<const T> is) {
    std::shared_ptr<const T> was;
    if (const auto it = objects_.find(key); it != objects_.end()) {
      was = it->second;
    }
    if (is) {
      objects_[key] = is;
    } else {
      objects_.erase(key);
    }
    for (const Handler& handler : handlers_) {
      handler(was.get(), is.get());
    }
  }

  Objects objects_;
  std::vector<Handler> handlers_;
};

class World {
 public:
  explicit World(const Clock& clock);

  // Answers at once. `who` asks: a process, or "scheduler", "kubelet", "user"...
  kube::HttpResponse Serve(const std::string& who, const kube::fake::ApiCall& call);
  kube::HttpResponse Serve(const std::string& who, const kube::HttpRequest& request);
  // 2xx.
  bool Did(const std::string& who, const kube::HttpRequest& request);
  template <class T>
  bool Create(const std::string& who, const T& object) {
    return Did(who, kube::CreateRequest(T::kResource, object.metadata.ns, json::Print(object)));
  }
  template <class T>
  bool Patch(const std::string& who, const kube::ObjectKey& key, std::string body,
             std::string subresource = "") {
    return Did(who, kube::PatchRequest(T::kResource, key, {.subresource = std::move(subresource)},
                                       std::move(body)));
  }
  template <class T>
  bool Delete(const std::string& who, const kube::ObjectKey& key,
              const kube::DeleteOptions& options = {}) {
    return Did(who, kube::DeleteRequest(T::kResource, key, options));
  }

  kube::fake::ApiServer::Watch StartWatch(const kube::fake::ApiCall& call) {
    return server_.StartWatch(call);
  }
  void SendBookmarks();
  void Compact() { server_.Compact(); }
  void CollectGarbage();

  // After every request that was served, and whatever else may have changed something.
  void OnServed(
      std::function<void(const std::string& who, const kube::fake::ApiCall& call, int code)>
          handler) {
    served_.push_back(std::move(handler));
  }
  // Whoever is told of a change can ask who made it.
  const std::string& writer() const { return writer_; }
  int64_t writes() const { return writes_; }  // that changed something but a Lease
  int64_t requests() const { return requests_; }
  uint64_t history() const { return history_; }  // a hash of every change so far

  Shelf<api::Pod> pods;
  Shelf<api::Node> nodes;
  Shelf<api::Ticket> tickets;
  Shelf<api::Order> orders;
  Shelf<api::Quota> quotas;
  Shelf<api::Namespace> namespaces;
  Shelf<api::ConfigMap> config_maps;

  // New objects in it are refused.
  std::set<std::string> ending_namespaces;
  // The last part of a run is told on standard error, line by line.
  bool verbose = false;

 private:
  void Note(const kube::fake::ResourceId& resource, const kube::fake::Change& change);
  template <class T>
  void Put(Shelf<T>& shelf, const kube::fake::Change& change);
  void Served(const std::string& who, const kube::fake::ApiCall& call, int code);
  void Mix(std::string_view text);
  void Tell(const kube::fake::ResourceId& resource, const kube::fake::Change& change) const;

  const Clock& clock_;
  kube::fake::ApiServer server_;
  std::vector<std::function<void(const std::string&, const kube::fake::ApiCall&, int)>> served_;
  std::string writer_;
  int64_t writes_ = 0;
  int64_t requests_ = 0;
  uint64_t history_ = 0xcbf29ce484222325;
};

}  // namespace korder::simulation
