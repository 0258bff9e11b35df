#include "quota-svc/ledger_object.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/pause.h"
#include "base/status_macros.h"

namespace korder::quota {
namespace {

constexpr char kDataKey[] = "ledger";

// A ConfigMap of which only the version matters.
struct Version {
  static constexpr const api::ResourceType& kResource = api::ConfigMap::kResource;

  api::ObjectMeta metadata;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("metadata", self.metadata);
  }
};

absl::Status NotOurs() {
  return FailedPreconditionError("the ledger object was written or removed by somebody else");
}

// The request was refused by the server, so nothing was written.
bool IsDefinite(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ||
         absl::IsInvalidArgument(status);
}

}  // namespace

LedgerObject::LedgerObject(kube::Client& client, const Clock& clock,
                           const LedgerObjectOptions& options, std::string name)
    : client_(client), clock_(clock), options_(options), name_(std::move(name)) {}

kube::CallOptions LedgerObject::Call(std::stop_token stop) const {
  return {.timeout = options_.timeout, .stop = std::move(stop)};
}

void LedgerObject::BackOff(int failures, std::stop_token stop) const {
  Pause(BackoffDelay(options_.backoff, failures, 0.5), std::move(stop));
}

absl::StatusOr<api::ConfigMap> LedgerObject::Read(std::stop_token stop) {
  return client_.Get<api::ConfigMap>({options_.ns, name_}, Call(std::move(stop)));
}

OpenedLedger LedgerObject::Interpret(const absl::StatusOr<api::ConfigMap>& object,
                                     bool may_be_missing) {
  OpenedLedger opened;
  if (!object.ok()) {
    if (!may_be_missing) {
      opened.damage = "the object is missing";
    }
    return opened;
  }
  const auto text = object->data.find(kDataKey);
  const absl::StatusOr<LedgerImage> image =
      Decode(text == object->data.end() ? std::string_view() : std::string_view(text->second));
  if (image.ok()) {
    opened.image = *image;
  } else {
    opened.damage = Message(image.status());
  }
  return opened;
}

absl::StatusOr<OpenedLedger> LedgerObject::Open(int64_t epoch, bool may_be_missing,
                                                std::stop_token stop) {
  std::optional<std::string> damage;
  for (int failures = 0;; ++failures) {
    absl::StatusOr<api::ConfigMap> object = Read(stop);
    if (!object.ok() && !absl::IsNotFound(object.status())) {
      return object.status();
    }
    OpenedLedger opened = Interpret(object, may_be_missing);
    stored_epoch_ = opened.image.epoch;
    if (stored_epoch_ > epoch) {
      return FailedPreconditionError(
          absl::StrCat("the ledger has epoch ", stored_epoch_, ", ours is ", epoch));
    }
    object_ = object.ok() ? *std::move(object) : api::ConfigMap();
    object_.metadata.ns = options_.ns;
    object_.metadata.name = name_;
    if (opened.damage) {
      damage = opened.damage;
      opened.image.closed_until = clock_.Now() + options_.closed_for;
    }
    image_ = opened.image;
    image_.epoch = epoch;
    image_.writer = options_.writer;
    const absl::Status written = Attempt(stop);
    if (written.ok()) {
      return OpenedLedger{image_, damage};
    }
    // Somebody wrote in between, or the answer was lost: look again. Reading our own first write is
    // as good as having had its answer.
    if (IsDefinite(written) || stop.stop_requested()) {
      return written;
    }
    BackOff(failures, stop);
  }
}

absl::Status LedgerObject::Attempt(std::stop_token stop) {
  ++image_.seq;
  std::string text = Encode(image_);
  bytes_ = text.size();
  object_.data = {{kDataKey, std::move(text)}};
  object_.binary_data.clear();
  absl::StatusOr<api::ConfigMap> written = object_.metadata.resource_version.empty()
                                               ? client_.Create(object_, Call(std::move(stop)))
                                               : client_.Update(object_, "", Call(std::move(stop)));
  RETURN_IF_ERROR(written.status());
  object_.metadata = std::move(written->metadata);
  return absl::OkStatus();
}

absl::StatusOr<LedgerObject::Found> LedgerObject::ReadBack(std::stop_token stop) {
  absl::StatusOr<api::ConfigMap> object = Read(std::move(stop));
  if (absl::IsNotFound(object.status())) {
    return Found::kForeign;
  }
  RETURN_IF_ERROR(object.status());
  const OpenedLedger found = Interpret(object, false);
  if (found.damage || found.image.epoch != image_.epoch || found.image.writer != image_.writer) {
    return Found::kForeign;
  }
  object_.metadata = std::move(object->metadata);
  return found.image.seq == image_.seq ? Found::kOurs : Found::kEarlier;
}

absl::Status LedgerObject::CheckOurs(std::stop_token stop) {
  for (int failures = 0; !stop.stop_requested(); ++failures) {
    // Usually one look at the version is enough.
    const absl::StatusOr<Version> now = client_.Get<Version>({options_.ns, name_}, Call(stop));
    if (now.ok() && now->metadata.resource_version == object_.metadata.resource_version) {
      return absl::OkStatus();
    }
    if (IsDefinite(now.status())) {
      return now.status();
    }
    const absl::StatusOr<Found> found = ReadBack(stop);
    if (found.ok()) {
      return *found == Found::kOurs ? absl::OkStatus() : NotOurs();
    }
    BackOff(failures, stop);
  }
  return CancelledError("the ledger was being looked at");
}

absl::Status LedgerObject::Write(LedgerImage content, std::stop_token stop) {
  content.epoch = image_.epoch;
  content.writer = std::move(image_.writer);
  content.seq = image_.seq;
  image_ = std::move(content);
  for (int failures = 0; !stop.stop_requested(); ++failures) {
    const absl::Status written = Attempt(stop);
    if (written.ok() || IsDefinite(written)) {
      return written;
    }
    log::Warn("ledger write has no good answer, reading back",
              {{"object", name_}, {"error", ToString(written)}});
    absl::StatusOr<Found> found = ReadBack(stop);
    for (; !found.ok() && !stop.stop_requested(); found = ReadBack(stop)) {
      BackOff(++failures, stop);
    }
    if (found.ok() && *found == Found::kOurs) {
      return absl::OkStatus();
    }
    if (found.ok() && *found == Found::kForeign) {
      return NotOurs();
    }
  }
  return CancelledError("the ledger was being written");
}

}  // namespace korder::quota
