#include "quota-svc/grant_log.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

// The first leader there ever was has this epoch (or 0, without an election).
constexpr int64_t kFirstEpoch = 1;

// Takes what one more object holds. False, and nothing taken, when a grant or a ticket is in both.
bool Join(LedgerImage& image, const std::vector<Grant>& grants, std::set<std::string>& known) {
  for (const Grant& grant : grants) {
    // No id has a space.
    if (known.contains(grant.id) || known.contains("uid " + grant.ticket_uid)) {
      return false;
    }
  }
  for (const Grant& grant : grants) {
    known.insert(grant.id);
    if (!grant.ticket_uid.empty()) {
      known.insert("uid " + grant.ticket_uid);
    }
    image.grants.push_back(grant);
  }
  return true;
}

}  // namespace

GrantLog::GrantLog(kube::Client& client, const Clock& clock, LedgerObjectOptions options,
                   SegmentLimits limits)
    : client_(client), clock_(clock), options_(std::move(options)), segments_(limits) {}

void GrantLog::AddObject() {
  const std::string suffix = objects_.empty() ? "" : absl::StrCat("-", objects_.size());
  objects_.emplace_back(client_, clock_, options_, options_.name + suffix);
}

absl::StatusOr<OpenedLedger> GrantLog::OpenObject(size_t segment, bool may_be_missing,
                                                  std::stop_token stop) {
  absl::StatusOr<OpenedLedger> opened =
      objects_[segment].Open(epoch_, may_be_missing, std::move(stop));
  stored_epoch_ = std::max(stored_epoch_, objects_[segment].stored_epoch());
  if (opened.ok() && opened->damage && segment > 0) {
    opened->damage = absl::StrCat("object ", segment, ": ", *opened->damage);
  }
  return opened;
}

absl::StatusOr<OpenedLedger> GrantLog::Open(int64_t epoch, std::stop_token stop) {
  epoch_ = epoch;
  AddObject();
  ASSIGN_OR_RETURN(OpenedLedger all,
                   OpenObject(0, options_.may_be_new && epoch <= kFirstEpoch, stop));
  std::set<std::string> known;
  std::vector<Grant> grants = std::exchange(all.image.grants, {});
  Join(all.image, grants, known);
  segments_.Load(0, std::move(grants));
  segments_.Written(0, objects_[0].bytes());
  std::vector<size_t> contradicting;
  for (size_t segment = 1; segment < static_cast<size_t>(all.image.segments); ++segment) {
    AddObject();
    ASSIGN_OR_RETURN(OpenedLedger next, OpenObject(segment, false, stop));
    if (!Join(all.image, next.image.grants, known)) {
      next.damage = absl::StrCat("object ", segment, ": holds what another one holds, too");
      next.image.closed_until = clock_.Now() + options_.closed_for;
      next.image.grants.clear();
      contradicting.push_back(segment);
    }
    segments_.Load(segment, std::move(next.image.grants));
    segments_.Written(segment, objects_[segment].bytes());
    all.image.closed_until = std::max(all.image.closed_until, next.image.closed_until);
    all.damage = all.damage ? all.damage : next.damage;
  }
  closed_until_ = all.image.closed_until;
  for (const size_t segment : contradicting) {
    RETURN_IF_ERROR(WriteObject(segment, stop));
  }
  return all;
}

absl::Status GrantLog::WriteObject(size_t segment, std::stop_token stop) {
  LedgerImage image;
  image.grants = segments_.Grants(segment);
  image.closed_until = closed_until_;
  if (segment == 0) {
    image.segments = static_cast<int64_t>(segments_.count());
  }
  RETURN_IF_ERROR(objects_[segment].Write(std::move(image), std::move(stop)));
  segments_.Written(segment, objects_[segment].bytes());
  return absl::OkStatus();
}

absl::Status GrantLog::Write(const std::vector<GrantChange>& changes,
                             std::optional<absl::Time> closed_until, std::stop_token stop) {
  ASSIGN_OR_RETURN(std::vector<size_t> dirty, segments_.Apply(changes));
  const bool grew = segments_.count() > objects_.size();
  while (segments_.count() > objects_.size()) {
    // One of this name may be left over; what it says was never counted.
    AddObject();
    RETURN_IF_ERROR(OpenObject(objects_.size() - 1, true, stop).status());
  }
  if (grew || closed_until != closed_until_) {
    // A grant counts only in an object that the first one knows.
    closed_until_ = closed_until;
    std::erase(dirty, size_t{0});
    RETURN_IF_ERROR(WriteObject(0, stop));
  } else if (dirty.empty()) {
    // A new leader changes the first object before it decides anything.
    return objects_[0].CheckOurs(stop);
  }
  for (const size_t segment : dirty) {
    RETURN_IF_ERROR(WriteObject(segment, stop));
  }
  return absl::OkStatus();
}

}  // namespace korder::quota
