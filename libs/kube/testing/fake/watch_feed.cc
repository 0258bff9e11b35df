#include "kube/testing/fake/watch_feed.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "kube/testing/fake/refusal.h"

namespace korder::kube::fake {

WatchFeed::WatchFeed(ApiCall call, Selector selector)
    : call_(std::move(call)), selector_(std::move(selector)) {}

void WatchFeed::Offer(const Change& change) {
  const bool before = change.was && selector_.Matches(*change.was);
  const bool after = change.is && selector_.Matches(*change.is);
  if (after) {
    Push(before ? "MODIFIED" : "ADDED", change.Text());
  } else if (before) {
    // The last state that the client could see, with the version of the change; an object that is
    // gone has it already.
    if (!change.is) {
      return Push("DELETED", change.Text());
    }
    Json last = *change.was;
    last["metadata"]["resourceVersion"] = Json::String(std::to_string(change.version));
    Push("DELETED", last);
  }
}

void WatchFeed::OfferExisting(const ObjectPtr& object) {
  if (selector_.Matches(*object)) {
    Push("ADDED", object->Printed());
  }
}

void WatchFeed::OfferBookmark(const std::string& kind, int64_t version) {
  if (call_.Query("allowWatchBookmarks") != "true") {
    return;
  }
  Json object;
  object["kind"] = Json::String(kind);
  object["apiVersion"] = Json::String(call_.ApiVersion());
  object["metadata"]["resourceVersion"] = Json::String(std::to_string(version));
  object["metadata"]["creationTimestamp"] = Json();
  Push("BOOKMARK", object);
}

void WatchFeed::OfferExpired(int64_t asked_for, int64_t oldest) {
  Json status;
  const HttpResponse refusal =
      Expired(absl::StrCat("too old resource version: ", asked_for, " (", oldest, ")"));
  if (json::Parse(refusal.body, status).ok()) {
    Push("ERROR", status);
  }
  End(absl::OkStatus());
}

void WatchFeed::End(absl::Status status) {
  if (!end_) {
    end_ = std::move(status);
  }
}

absl::StatusOr<std::string> WatchFeed::Take() {
  if (!frames_.empty()) {
    std::string frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  if (end_->ok()) {
    return std::string();
  }
  return *end_;
}

void WatchFeed::Push(std::string_view type, const Json& object) { Push(type, json::Print(object)); }

void WatchFeed::Push(std::string_view type, const std::string& object) {
  if (!end_) {
    frames_.push_back(
        absl::StrCat(R"({"type":")", std::string(type), R"(","object":)", object, "}\n"));
  }
}

}  // namespace korder::kube::fake
