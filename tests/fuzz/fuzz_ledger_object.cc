// The object that holds the ledger. An example is the whole ConfigMap as JSON, or the text in it
// without its first line, which is put in front here: otherwise the checksum would refuse nearly
// everything.
//
// What is read is written again as the same, and a leader can work with it: no sum overflows, and
// nothing is granted above a limit. What is not read is refused with its line, and a leader that
// finds it closes the ledger for a while, and writes one that can be read.
#include <map>
#include <string>

#include "api/core/config_map.h"
#include "base/testing/fake_clock.h"
#include "fuzz.h"
#include "json/fields.h"
#include "kube/testing/fake_api_server.h"
#include "quota-svc/grant_log.h"
#include "quota-svc/ledger.h"
#include "quota-svc/testing/builders.h"

namespace korder::fuzz {
namespace {

using quota::LedgerImage;

constexpr char kKey[] = "ledger";
constexpr int64_t kEpoch = 1'000'000;

bool IsSane(const LedgerImage& image) {
  for (const quota::Grant& grant : image.grants) {
    if (grant.id.empty() || (grant.claim->duration && *grant.claim->duration < absl::Duration())) {
      return false;
    }
    for (const auto& [key, amount] : grant.claim->amounts) {
      if (amount.IsNegative() || amount > quota::kMaxAmount) {
        return false;
      }
    }
  }
  return image.epoch >= 0 && image.seq >= 0 && image.segments >= 1 && image.segments <= 64;
}

// With these grants a leader decides as with others.
void CheckDecisions(const LedgerImage& image, const Clock& clock) {
  quota::Ledger ledger;
  ledger.Load(image.grants, image.closed_until);
  ledger.PutNamespace("default", {});
  const api::Quota limited = quota::testing::MakeQuota("q")
                                 .Hard("tickets", "3")
                                 .Hard("reserved.cpu", "9223372036854775807");
  ledger.PutQuota(quota::Compile(limited), clock.Now());
  const auto used = [&] {
    const std::optional<quota::QuotaUsage> usage = ledger.book().Usage("q");
    FUZZ_CHECK(usage.has_value());
    return usage->used;
  };
  const quota::Amounts before = used();
  api::Quantity::Nanos tickets = 0, cpu = 0;
  for (const quota::Grant& grant : image.grants) {
    const auto amount = [&](const char* key) {
      const auto it = grant.claim->amounts.find(key);
      return it == grant.claim->amounts.end() ? 0 : it->second.nanos();
    };
    tickets += amount("tickets");
    cpu += amount("reserved.cpu");
  }
  const auto of = [](const quota::Amounts& amounts, const char* key) {
    const auto it = amounts.find(key);
    return it == amounts.end() ? 0 : it->second.nanos();
  };
  FUZZ_CHECK(of(before, "tickets") == tickets && of(before, "reserved.cpu") == cpu);
  const auto outcomes = ledger.Reserve(
      {.claim = quota::testing::MakeClaim().With("cpu", "9223372036854775807"), .ids = {"new"}},
      clock.Now() + absl::Hours(1));
  const bool closed = image.closed_until && absl::IsUnavailable(outcomes.status());
  FUZZ_CHECK(outcomes.ok() || closed || absl::IsInvalidArgument(outcomes.status()));
  const api::Quantity::Nanos limit = 3'000'000'000;
  FUZZ_CHECK(of(used(), "tickets") <= std::max(tickets, limit));
  for (const quota::Grant& grant : ledger.Due(clock.Now() + absl::Hours(2))) {
    ledger.Lapse(grant);
  }
  FUZZ_CHECK(of(used(), "tickets") >= 0);
}

// True when it can be read.
bool CheckText(const std::string& text, const Clock& clock) {
  const absl::StatusOr<LedgerImage> image = quota::Decode(text);
  if (!image.ok()) {
    const std::string message(Message(image.status()));
    FUZZ_CHECK(absl::IsInvalidArgument(image.status()));
    FUZZ_CHECK(message.starts_with("line ") || message.starts_with("it") ||
               message == "the end is missing");
    FUZZ_CHECK(message.size() < 1000);
    return false;
  }
  FUZZ_CHECK(IsSane(*image));
  const std::string written = quota::Encode(*image);
  const absl::StatusOr<LedgerImage> again = quota::Decode(written);
  FUZZ_CHECK(again.ok() && *again == *image);
  FUZZ_CHECK(quota::Encode(*again) == written);
  CheckDecisions(*image, clock);
  return true;
}

// A leader takes over, writes, and is followed by another.
void CheckTakeOver(const api::ConfigMap& object, bool readable) {
  FakeClock clock;
  kube::FakeApiServer server(clock);
  kube::Client client(server);
  if (!client.Create(object).ok()) {
    return;  // no such object can be stored
  }
  const quota::LedgerObjectOptions options{
      .writer = "fuzz", .backoff = {.initial = absl::Milliseconds(1)}, .may_be_new = false};
  quota::GrantLog log(client, clock, options);
  const auto opened = log.Open(kEpoch, {});
  if (!opened.ok()) {
    // Somebody newer leads.
    FUZZ_CHECK(absl::IsFailedPrecondition(opened.status()) && log.stored_epoch() > kEpoch);
    return;
  }
  FUZZ_CHECK(opened->image.epoch == kEpoch);
  FUZZ_CHECK(readable || (opened->damage && opened->image.closed_until));
  FUZZ_CHECK(!opened->damage || !opened->damage->empty());
  FUZZ_CHECK(log.Write({}, opened->image.closed_until, {}).ok());
  quota::GrantLog next(client, clock, options);
  const auto followed = next.Open(kEpoch + 1, {});
  FUZZ_CHECK(followed.ok() && !followed->damage);
  FUZZ_CHECK(followed->image.grants.size() == opened->image.grants.size());
}

}  // namespace

int FuzzOne(std::string_view input) {
  static const FakeClock clock;
  api::ConfigMap object;
  if (input.starts_with('{')) {
    if (const absl::Status bad = json::Parse(std::string(input), object); !bad.ok()) {
      FUZZ_CHECK(absl::IsInvalidArgument(bad) && !Message(bad).empty());
      return kRefused;
    }
  } else {
    object.data[kKey] = quota::Seal(input);
  }
  object.metadata = {.name = "korder-quota-ledger", .ns = "korder-system"};
  const auto text = object.data.find(kKey);
  const bool readable = text != object.data.end() && CheckText(text->second, clock);
  CheckTakeOver(object, readable);
  return readable ? kTaken : kRefused;
}

}  // namespace korder::fuzz
