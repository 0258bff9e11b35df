// The API server behind FakeApiServer, without locks, faults and hooks: takes one parsed call after
// the other.
//
//   ApiServer server(clock);
//   HttpResponse response = server.Perform(call);
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/testing/fake/api_call.h"
#include "kube/testing/fake/object_store.h"
#include "kube/testing/fake/resource_rules.h"
#include "kube/testing/fake/watch_feed.h"
#include "kube/transport.h"

namespace korder::kube::fake {

class ApiServer {
 public:
  explicit ApiServer(const Clock& clock) : clock_(clock) {}

  // Called after every change with what it was, before anybody else can see it.
  using Observer = std::function<void(const ResourceId& resource, const Change& change)>;
  void OnChange(Observer observer) { observer_ = std::move(observer); }

  // Any call but a watch.
  HttpResponse Perform(const ApiCall& call);

  // A refusal, or a feed that has what happened since the version asked for and gets what happens
  // from now on, as long as somebody holds it.
  struct Watch {
    Refusal refusal;
    std::shared_ptr<WatchFeed> feed;
  };
  Watch StartWatch(const ApiCall& call);
  // The feeds that are still held.
  std::vector<std::shared_ptr<WatchFeed>> Feeds();
  void SendBookmarks();

  // Deletes what has lost its owners, until there is nothing left to delete.
  void CollectGarbage();
  // Forgets the past: older versions, and the rest of lists that are being read.
  void Compact();

 private:
  HttpResponse Get(const ApiCall& call);
  HttpResponse List(const ApiCall& call);
  HttpResponse Page(const ApiCall& call, std::vector<ObjectPtr> objects, int64_t version,
                    bool count_rest);
  HttpResponse Create(const ApiCall& call, Json object);
  HttpResponse Update(const ApiCall& call);
  HttpResponse Patch(const ApiCall& call);
  HttpResponse Bind(const ApiCall& call);
  HttpResponse Delete(const ApiCall& call);
  // Stores the next state of an object, or removes it when that lets it go.
  HttpResponse Replace(const ApiCall& call, const ObjectPtr& was, Json is);

  ObjectPtr Put(const ResourceId& resource, const ObjectKey& key, Json object);
  ObjectPtr Remove(const ResourceId& resource, const ObjectKey& key);
  Birth NextBirth();
  std::string KindOf(const ResourceId& resource) const;

  // The rest of a list that is read page by page.
  struct Continuation {
    std::vector<ObjectPtr> rest;
    int64_t version = 0;
  };

  void Tell(const ResourceId& resource, const Change& change);

  const Clock& clock_;
  Observer observer_;
  ObjectStore store_;
  std::vector<std::weak_ptr<WatchFeed>> feeds_;
  std::map<std::string, Continuation> continuations_;
  std::map<ResourceId, std::string> kinds_;  // learned from what was created
  int64_t births_ = 0;
  int64_t tokens_ = 0;
  std::minstd_rand random_;  // the same names in every run
};

}  // namespace korder::kube::fake
