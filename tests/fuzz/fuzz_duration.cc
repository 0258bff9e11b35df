// Durations: what is read is written again as the same time.
#include "api/value/duration.h"
#include "fuzz.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const absl::StatusOr<absl::Duration> duration = api::ParseDuration(input);
  if (!duration.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(duration.status()) && !Message(duration.status()).empty());
    return kRefused;
  }
  const absl::StatusOr<absl::Duration> again = api::ParseDuration(api::PrintDuration(*duration));
  FUZZ_CHECK(again.ok() && *again == *duration);
  return kTaken;
}

}  // namespace korder::fuzz
