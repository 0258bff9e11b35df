// Cron expressions; the second line of an example is its time zone. What is read fires, forwards
// and backwards at the same instants.
#include <algorithm>

#include "api/value/cron.h"
#include "fuzz.h"

namespace korder::fuzz {

int FuzzOne(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view zone = input.substr(std::min(line + 1, input.size()));
  const absl::StatusOr<api::Cron> cron = api::Cron::Parse(input.substr(0, line), zone);
  if (!cron.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(cron.status()) && !Message(cron.status()).empty());
    return kRefused;
  }
  // A leap day, a change of clocks in Europe, the end of 32 bits.
  for (const int64_t second : {1'709'164'800LL, 1'774'746'000LL, 2'147'483'647LL}) {
    absl::Time time = absl::FromUnixSeconds(second);
    for (int i = 0; i < 3; ++i) {
      const std::optional<absl::Time> next = cron->Next(time);
      FUZZ_CHECK(next && *next > time);
      FUZZ_CHECK(cron->Previous(*next) == next);
      FUZZ_CHECK(!cron->Previous(*next - absl::Nanoseconds(1)) ||
                 *cron->Previous(*next - absl::Nanoseconds(1)) <= time);
      time = *next;
    }
  }
  return kTaken;
}

}  // namespace korder::fuzz
