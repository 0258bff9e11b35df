#include "kube/watch_state.h"

#include "kube/resource_version.h"

namespace korder::kube {
namespace {

// What is no number is only equal or not.
bool IsNewer(std::string_view a, std::string_view b) {
  const auto x = VersionNumber(a);
  const auto y = VersionNumber(b);
  return x && y ? *x > *y : a != b;
}

// The server understood and will not do it: repeating the same request is of no use.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool GoesBack(std::string_view version, std::string_view after) {
  const auto x = VersionNumber(version);
  const auto y = VersionNumber(after);
  return x && y && *x < *y;
}

void WatchState::ListAnew(int failures, std::string_view reason) {
  next_ = {.kind = Kind::kList, .failures = failures, .reason = reason};
}

void WatchState::WatchAgain(int failures, std::string_view reason) {
  next_ = {.kind = Kind::kWatch, .version = version_, .failures = failures, .reason = reason};
}

bool WatchState::PageArrived(std::string_view version, std::string_view continue_token) {
  list_failures_ = 0;
  if (!continue_token.empty()) {
    next_ = {.kind = Kind::kList, .first = false, .continue_token = std::string(continue_token)};
    return false;
  }
  version_ = version;  // Even an older one: a list is the truth.
  WatchAgain(0, "");
  return true;
}

void WatchState::ListFailed(const absl::Status& status) {
  ++list_failures_;
  if (absl::IsOutOfRange(status) || IsRefusal(status)) {
    ListAnew(list_failures_, absl::IsOutOfRange(status) ? "expired" : "refused");
  } else {
    next_.failures = list_failures_;
    next_.reason = "error";
  }
  next_.at_least = RetryAfter(status);
}

void WatchState::Seen(std::string_view version) {
  heard_ = true;
  if (!version.empty() && IsNewer(version, version_)) {
    version_ = version;
    progress_ = true;
  }
}

void WatchState::WatchEnded(const absl::Status& status, absl::Duration lasted) {
  const bool healthy = progress_ || (opened_ && lasted >= kShort);
  const int earlier_failures = progress_ ? 0 : watch_failures_;
  silent_ = heard_ || !absl::IsDeadlineExceeded(status) ? 0 : silent_ + 1;
  watch_failures_ = healthy ? 0 : watch_failures_ + 1;
  opened_ = heard_ = progress_ = false;

  if (status.ok()) {
    WatchAgain(watch_failures_, healthy ? "closed" : "short");
  } else if (absl::IsOutOfRange(status)) {
    ListAnew(earlier_failures, "expired");  // The first time at once.
  } else if (absl::IsDataLoss(status)) {
    ListAnew(watch_failures_ + 1, "disorder");
  } else if (silent_ >= kMaxSilent) {
    silent_ = 0;
    ListAnew(watch_failures_, "silent");
  } else if (IsRefusal(status)) {
    ListAnew(watch_failures_, "refused");
  } else {
    WatchAgain(watch_failures_, absl::IsDeadlineExceeded(status) ? "silent" : "error");
  }
  next_.at_least = RetryAfter(status);
}

}  // namespace korder::kube
