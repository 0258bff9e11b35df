#include "kube/testing/fake/api_server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kube/testing/fake/deletion.h"
#include "kube/testing/fake/json_patch.h"
#include "kube/testing/fake/pod_rules.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube::fake {
namespace {

constexpr std::string_view kExpiredToken =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter.";

// The refusal of a path that no resource has.
Refusal CheckPath(const ApiCall& call) {
  if (call.subresource.empty() ||
      (call.subresource == "status" && TraitsOf(call.resource).has_status)) {
    return std::nullopt;
  }
  const bool binding = call.resource == ResourceId{"", "pods"} && call.subresource == "binding";
  return binding ? std::nullopt : Refusal(NoSuchPath());
}

// The version that a list or watch asks for; 0 for none.
int64_t AskedVersion(const ApiCall& call) {
  int64_t version = 0;
  return absl::SimpleAtoi(call.Query("resourceVersion"), &version) ? version : 0;
}

}  // namespace

HttpResponse ApiServer::Perform(const ApiCall& call) {
  if (Refusal refusal = CheckPath(call)) {
    return *std::move(refusal);
  }
  if (call.subresource == "binding") {
    return call.verb == "create" ? Bind(call) : MethodNotAllowed();
  }
  if (call.verb == "get") return Get(call);
  if (call.verb == "list") return List(call);
  if (call.verb == "update") return Update(call);
  if (call.verb == "patch") return Patch(call);
  if (call.verb == "delete" && call.subresource.empty()) return Delete(call);
  if (call.verb == "create" && call.key.name.empty()) {
    Json object;
    if (const absl::Status bad = json::Parse(call.body, object); !bad.ok()) {
      return BadRequest(Message(bad));
    }
    return Create(call, std::move(object));
  }
  return MethodNotAllowed();
}

// --- reading ---

HttpResponse ApiServer::Get(const ApiCall& call) {
  const ObjectPtr object = store_.Get(call.resource, call.key);
  return object ? OkResponse(*object) : NotFound(call);
}

HttpResponse ApiServer::List(const ApiCall& call) {
  if (const std::string token = call.Query("continue"); !token.empty()) {
    const auto it = continuations_.find(token);
    if (it == continuations_.end()) {
      return Expired(kExpiredToken);
    }
    return Page(call, it->second.rest, it->second.version, true);
  }
  const absl::StatusOr<Selector> selector = ParseSelector(call);
  if (!selector.ok()) {
    return BadRequest(Message(selector.status()));
  }
  std::vector<ObjectPtr> objects = store_.List(call.resource);
  std::erase_if(objects, [&](const ObjectPtr& object) { return !selector->Matches(*object); });
  return Page(call, std::move(objects), store_.version(), selector->empty());
}

HttpResponse ApiServer::Page(const ApiCall& call, std::vector<ObjectPtr> objects, int64_t version,
                             bool count_rest) {
  size_t limit = objects.size();
  if (size_t asked = 0; absl::SimpleAtoi(call.Query("limit"), &asked) && asked > 0) {
    limit = std::min(limit, asked);
  }
  const auto end = objects.begin() + static_cast<std::ptrdiff_t>(limit);
  Json metadata;
  metadata["resourceVersion"] = Json::String(std::to_string(version));
  if (end != objects.end()) {
    const std::string token = absl::StrCat("page-", ++tokens_);
    metadata["continue"] = Json::String(token);
    if (count_rest) {
      metadata["remainingItemCount"] = Json::Int(objects.end() - end);
    }
    continuations_[token] = {{end, objects.end()}, version};
  }
  json::Writer list;
  list.BeginObject();
  list.Key("apiVersion");
  list.String(call.ApiVersion());
  list.Key("items");
  list.BeginArray();
  for (auto it = objects.begin(); it != end; ++it) {
    list.Raw((*it)->Printed());
  }
  list.EndArray();
  list.Key("kind");
  list.String(KindOf(call.resource) + "List");
  list.Key("metadata");
  WriteJson(list, metadata);
  list.EndObject();
  return {.status = 200, .body = list.Take()};
}

ApiServer::Watch ApiServer::StartWatch(const ApiCall& call) {
  if (Refusal refusal = CheckPath(call)) {
    return {std::move(refusal), nullptr};
  }
  absl::StatusOr<Selector> selector = ParseSelector(call);
  if (!selector.ok()) {
    return {BadRequest(Message(selector.status())), nullptr};
  }
  auto feed = std::make_shared<WatchFeed>(call, *std::move(selector));
  const int64_t from = AskedVersion(call);
  if (from == 0) {
    for (const ObjectPtr& object : store_.List(call.resource)) {
      feed->OfferExisting(object);
    }
  } else if (from < store_.compacted()) {
    feed->OfferExpired(from, store_.compacted());
  } else {
    for (const Change& change : store_.Changes(call.resource, from)) {
      feed->Offer(change);
    }
  }
  feeds_.push_back(feed);
  return {std::nullopt, std::move(feed)};
}

std::vector<std::shared_ptr<WatchFeed>> ApiServer::Feeds() {
  std::erase_if(feeds_, [](const std::weak_ptr<WatchFeed>& feed) { return feed.expired(); });
  std::vector<std::shared_ptr<WatchFeed>> held;
  for (const std::weak_ptr<WatchFeed>& feed : feeds_) {
    if (auto strong = feed.lock()) {
      held.push_back(std::move(strong));
    }
  }
  return held;
}

void ApiServer::SendBookmarks() {
  for (const auto& feed : Feeds()) {
    feed->OfferBookmark(KindOf(feed->call().resource), store_.version());
  }
}

// --- writing ---

HttpResponse ApiServer::Create(const ApiCall& call, Json object) {
  if (object.TextAt({"kind"}).empty() || object.TextAt({"apiVersion"}) != call.ApiVersion()) {
    return BadRequest(absl::StrCat("the API version in the data (", object.TextAt({"apiVersion"}),
                                   ") does not match the expected API version (", call.ApiVersion(),
                                   "), or the kind is missing"));
  }
  if (Refusal refusal = PrepareCreate(call, NextBirth(), object)) {
    return *std::move(refusal);
  }
  const ObjectKey key{call.key.ns, object.TextAt({"metadata", "name"})};
  if (store_.Get(call.resource, key)) {
    return AlreadyExists(call, key.name);
  }
  if (!call.Query("dryRun").empty()) {
    return OkResponse(object, 201);
  }
  kinds_[call.resource] = object.TextAt({"kind"});
  return OkResponse(*Put(call.resource, key, std::move(object)), 201);
}

HttpResponse ApiServer::Update(const ApiCall& call) {
  Json is;
  if (const absl::Status bad = json::Parse(call.body, is); !bad.ok()) {
    return BadRequest(Message(bad));
  }
  const ObjectPtr was = store_.Get(call.resource, call.key);
  if (was) {
    return Replace(call, was, std::move(is));
  }
  if (!TraitsOf(call.resource).create_on_update) {
    return NotFound(call);
  }
  if (const std::string uid = is.TextAt({"metadata", "uid"}); !uid.empty()) {
    return Conflict(call, absl::StrCat("Precondition failed: UID in precondition: ", uid,
                                       ", UID in object meta: "));
  }
  return Create(call, std::move(is));
}

HttpResponse ApiServer::Patch(const ApiCall& call) {
  Json patch;
  if (const absl::Status bad = json::Parse(call.body, patch); !bad.ok()) {
    return BadRequest(Message(bad));
  }
  const bool apply = call.content_type == "application/apply-patch+yaml";
  const ObjectPtr was = store_.Get(call.resource, call.key);
  if (!was) {
    if (!apply || !call.subresource.empty()) {
      return NotFound(call);
    }
    patch["metadata"]["name"] = Json::String(call.key.name);
    return Create(call, std::move(patch));
  }
  Json is = *was;
  if (call.content_type == "application/merge-patch+json") {
    MergePatch(is, patch);
  } else if (call.content_type == "application/json-patch+json") {
    if (const absl::Status bad = JsonPatch(is, patch); !bad.ok()) {
      return UnprocessablePatch(Message(bad));
    }
  } else if (apply || (call.content_type == "application/strategic-merge-patch+json" &&
                       !TraitsOf(call.resource).custom)) {
    StrategicMergePatch(is, patch);
  } else {
    return UnsupportedMediaType();
  }
  return Replace(call, was, std::move(is));
}

HttpResponse ApiServer::Replace(const ApiCall& call, const ObjectPtr& was, Json is) {
  if (Refusal refusal = PrepareUpdate(call, *was, is)) {
    return *std::move(refusal);
  }
  if (is == *was) {
    return OkResponse(*was);
  }
  if (!call.Query("dryRun").empty()) {
    return OkResponse(is);
  }
  if (IsReadyToGo(call.resource, is)) {
    Remove(call.resource, call.key);
    return OkResponse(is);
  }
  return OkResponse(*Put(call.resource, call.key, std::move(is)));
}

HttpResponse ApiServer::Bind(const ApiCall& call) {
  const ObjectPtr was = store_.Get(call.resource, call.key);
  if (!was) {
    return NotFound(call);
  }
  Json binding;
  if (const absl::Status bad = json::Parse(call.body, binding); !bad.ok()) {
    return BadRequest(Message(bad));
  }
  Json pod = *was;
  if (Refusal refusal = BindPod(call, binding, clock_.Now(), pod)) {
    return *std::move(refusal);
  }
  pod["metadata"]["generation"] = Json::Int(pod.IntAt({"metadata", "generation"}) + 1);
  Put(call.resource, call.key, std::move(pod));
  return Success(201);
}

HttpResponse ApiServer::Delete(const ApiCall& call) {
  ObjectPtr object = store_.Get(call.resource, call.key);
  if (!object) {
    return NotFound(call);
  }
  DeletePlan plan = PlanDelete(call, *object, clock_.Now());
  if (plan.refusal) {
    return *std::move(plan.refusal);
  }
  if (!call.Query("dryRun").empty()) {
    return OkResponse(*object);
  }
  if (plan.mark) {
    object = Put(call.resource, call.key, *std::move(plan.mark));
  }
  if (!plan.remove) {
    return OkResponse(*object);
  }
  object = Remove(call.resource, call.key);
  const bool returned = call.resource == ResourceId{"", "pods"};
  return returned ? OkResponse(*object) : Deleted(call, object->TextAt({"metadata", "uid"}));
}

void ApiServer::CollectGarbage() {
  for (std::vector<Chore> chores = FindGarbage(store_); !chores.empty();
       chores = FindGarbage(store_)) {
    for (Chore& chore : chores) {
      const ObjectPtr was = store_.Get(chore.resource, chore.key);
      ApiCall call;
      call.verb = chore.update ? "patch" : "delete";
      call.resource = std::move(chore.resource);
      call.key = std::move(chore.key);
      if (!was) {
        continue;
      }
      chore.update ? Replace(call, was, *std::move(chore.update)) : Delete(call);
    }
  }
}

void ApiServer::Compact() {
  store_.Compact();
  continuations_.clear();
}

ObjectPtr ApiServer::Put(const ResourceId& resource, const ObjectKey& key, Json object) {
  const ObjectPtr was = store_.Get(resource, key);
  const ObjectPtr is = store_.Put(resource, key, std::move(object));
  Tell(resource, {store_.version(), was, is});
  return is;
}

ObjectPtr ApiServer::Remove(const ResourceId& resource, const ObjectKey& key) {
  const ObjectPtr last = store_.Remove(resource, key);
  Tell(resource, {store_.version(), last, nullptr});
  return last;
}

void ApiServer::Tell(const ResourceId& resource, const Change& change) {
  if (observer_) {
    observer_(resource, change);
  }
  for (const auto& feed : Feeds()) {
    if (feed->call().resource == resource) {
      feed->Offer(change);
    }
  }
}

Birth ApiServer::NextBirth() {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  Birth birth{
      .uid = absl::StrCat("00000000-0000-4000-8000-", absl::Dec(++births_, absl::kZeroPad12)),
      .name_suffix = "",
      .now = clock_.Now()};
  for (int i = 0; i < 5; ++i) {
    birth.name_suffix += kAlphabet[random_() % kAlphabet.size()];
  }
  return birth;
}

std::string ApiServer::KindOf(const ResourceId& resource) const {
  if (const auto it = kinds_.find(resource); it != kinds_.end()) {
    return it->second;
  }
  if (resource == ResourceId{"", "configmaps"}) {
    return "ConfigMap";
  }
  // Nothing of the kind was ever made: a guess will do.
  std::string kind = resource.plural.substr(0, resource.plural.size() - 1);
  kind[0] = absl::ascii_toupper(static_cast<unsigned char>(kind[0]));
  return kind;
}

}  // namespace korder::kube::fake
