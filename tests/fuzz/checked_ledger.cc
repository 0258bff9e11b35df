#include "checked_ledger.h"

#include <algorithm>
#include <utility>

#include "fuzz.h"
#include "quota-svc/ledger_codec.h"

namespace korder::fuzz {
namespace {

using api::Quantity;
using quota::Amounts;
using quota::Grant;
using quota::QuotaUsage;
using quota::testing::MakeQuota;

// What others have to say about a namespace that no watch has shown.
absl::StatusOr<std::optional<api::Labels>> FindNamespace(const std::string& ns) {
  return ns == "shop" ? std::optional<api::Labels>(api::Labels{{"tier", "front"}}) : std::nullopt;
}

std::vector<api::Quota> Quotas() {
  MakeQuota all("all");
  all.Hard("tickets", "8")
      .Hard("orders", "3")
      .Hard("reserved.cpu", "4")
      .Hard("reserved.memory", "16Gi")
      .Hard("reserved.example.com/huge", "9223372036854775807");
  api::QuotaTimeWindow& window = all.quota().spec.time_windows.emplace_back();
  window.name = "night";
  window.multiplier.text = "2";
  window.schedule = "0 18 * * *";
  return {all, MakeQuota("front").ForNamespacesWith({{"tier", "front"}}).Hard("tickets", "2"),
          MakeQuota("team")
              .ForNamespaces({"default", "team-a"})
              .Hard("tickets", "5")
              .Hard("max-duration", "48h")
              .Cap("team-a", "reserved.cpu", "1500m"),
          MakeQuota("web").ForObjectsWith({{"app", "web"}}).Hard("reserved.cpu", "1")};
}

Quantity::Nanos Of(const Amounts& amounts, const std::string& key) {
  const auto it = amounts.find(key);
  return it == amounts.end() ? 0 : it->second.nanos();
}

const Amounts& In(const QuotaUsage& usage, const std::string& ns) {
  static const Amounts kNothing;
  const auto it = usage.used_in.find(ns);
  return it == usage.used_in.end() ? kNothing : it->second;
}

// Use did not grow above the limits.
void CheckLimits(const quota::Limits& limits, const Amounts& before, const Amounts& after) {
  for (const auto& [key, limit] : limits.amounts) {
    FUZZ_CHECK(Of(after, key) <= std::max(limit.nanos(), Of(before, key)));
  }
  for (const auto& [key, used] : after) {
    FUZZ_CHECK(used.nanos() >= 0);
  }
}

bool SameContent(const quota::Claim& a, const quota::Claim& b) {
  return a.ns == b.ns && a.amounts == b.amounts && a.duration == b.duration;
}

}  // namespace

CheckedLedger::CheckedLedger()
    : quotas_(Quotas()), namespaces_{{"default", {}}, {"team-a", {{"tier", "back"}}}} {
  fixture.find = FindNamespace;
  fixture.desk.Observe([&](quota::Ledger& ledger) {
    for (const api::Quota& quota : quotas_) {
      ledger.PutQuota(quota::Compile(quota), fixture.clock.Now());
    }
    for (const auto& [ns, labels] : namespaces_) {
      ledger.PutNamespace(ns, labels);
    }
  });
  namespaces_["shop"] = {{"tier", "front"}};
  fixture.desk.Open();
  fixture.WriteInBackground([this](const quota::Batch& batch) {
    const MutexLock lock(mu_);
    for (const quota::GrantChange& change : batch.changes) {
      durable_.erase(change.id);
      if (change.grant) {
        durable_.emplace(change.id, *change.grant);
      }
    }
  });
  before_ = Look();
}

CheckedLedger::Image CheckedLedger::Look() const {
  return fixture.desk.Look(Image{}, [](const quota::Ledger& ledger) {
    Image image{.grants = {}, .usage = ledger.book().Usage(), .bytes = ledger.grants().bytes()};
    for (const Grant& grant : ledger.grants().All()) {
      image.grants.emplace(grant.id, grant);
    }
    return image;
  });
}

void CheckedLedger::Advance(absl::Duration by) {
  fixture.clock.Advance(by);
  fixture.desk.Observe([&](quota::Ledger& ledger) { ledger.Advance(fixture.clock.Now()); });
  before_ = Look();
}

grpc::Status CheckedLedger::Check(Effect effect, const std::function<grpc::Status()>& call) {
  before_ = Look();
  const grpc::Status status = call();
  const Image after = Look();
  FUZZ_CHECK(after.usage.size() == before_.usage.size());
  for (size_t i = 0; i < after.usage.size(); ++i) {
    const QuotaUsage& was = before_.usage[i];
    const QuotaUsage& is = after.usage[i];
    CheckLimits(is.limits.hard, was.used, is.used);
    for (const auto& [ns, limits] : is.limits.allocation) {
      CheckLimits(limits, In(was, ns), In(is, ns));
    }
  }
  if (effect == Effect::kNone) {
    FUZZ_CHECK(after.grants == before_.grants);
  }
  for (const auto& [id, grant] : after.grants) {
    const auto was = before_.grants.find(id);
    FUZZ_CHECK(effect == Effect::kAny || was != before_.grants.end());
    // Of a reservation that waits for its ticket nothing changes.
    FUZZ_CHECK(was == before_.grants.end() || !grant.ticket_uid.empty() || grant == was->second);
  }
  CheckSums(after);
  CheckText(after);
  return status;
}

void CheckedLedger::CheckPromises(const quota::pb::ReserveRequest& request,
                                  const quota::pb::ReserveResponse& response) {
  FUZZ_CHECK(response.outcomes_size() == request.reservation_ids_size());
  const absl::StatusOr<quota::Reservation> asked = quota::Parse(request);
  FUZZ_CHECK(asked.ok());
  const Image after = Look();
  int fresh = 0;
  for (int i = 0; i < response.outcomes_size(); ++i) {
    const quota::pb::Outcome& outcome = response.outcomes(i);
    FUZZ_CHECK(outcome.id() == request.reservation_ids(i));
    FUZZ_CHECK(outcome.has_granted() != outcome.has_denied());
    const auto grant = after.grants.find(outcome.id());
    FUZZ_CHECK(outcome.has_granted() == (grant != after.grants.end()));
    if (!outcome.has_granted()) {
      FUZZ_CHECK(!outcome.denied().quota().empty() && !outcome.denied().message().empty());
      continue;
    }
    FUZZ_CHECK(SameContent(*grant->second.claim, asked->claim));
    fresh += before_.grants.contains(outcome.id()) ? 0 : 1;
    const MutexLock lock(mu_);
    const auto durable = durable_.find(outcome.id());
    FUZZ_CHECK(durable != durable_.end());
    Grant promised = grant->second;
    if (durable->second.ticket_uid.empty() && !promised.ticket_name.empty()) {
      promised.ticket_uid.clear();  // whose it is follows from the name
    }
    FUZZ_CHECK(durable->second == promised);
  }
  FUZZ_CHECK(after.grants.size() == before_.grants.size() + static_cast<size_t>(fresh));
  FUZZ_CHECK(!request.all_or_nothing() || fresh == 0 ||
             std::all_of(response.outcomes().begin(), response.outcomes().end(),
                         [](const auto& outcome) { return outcome.has_granted(); }));
}

void CheckedLedger::CheckSums(const Image& image) const {
  quota::QuotaBook book;
  for (const api::Quota& quota : quotas_) {
    book.PutQuota(quota::Compile(quota), fixture.clock.Now());
  }
  for (const auto& [ns, labels] : namespaces_) {
    book.PutNamespace(ns, labels);
  }
  for (const auto& [id, grant] : image.grants) {
    book.Put(id, grant.claim);
  }
  const std::vector<QuotaUsage> usage = book.Usage();
  FUZZ_CHECK(usage.size() == image.usage.size());
  for (size_t i = 0; i < usage.size(); ++i) {
    FUZZ_CHECK(usage[i].quota == image.usage[i].quota);
    const auto same = [](const Amounts& a, const Amounts& b) {
      return std::all_of(a.begin(), a.end(), [&](const auto& amount) {
        return Of(b, amount.first) == amount.second.nanos();
      });
    };
    FUZZ_CHECK(same(usage[i].used, image.usage[i].used));
    FUZZ_CHECK(same(image.usage[i].used, usage[i].used));
  }
}

void CheckedLedger::CheckText(const Image& image) const {
  quota::LedgerImage stored;
  for (const auto& [id, grant] : image.grants) {
    stored.grants.push_back(grant);
  }
  const std::string text = quota::Encode(stored);
  const absl::StatusOr<quota::LedgerImage> read = quota::Decode(text);
  FUZZ_CHECK(read.ok() && read->grants == stored.grants);
  // It was promised that there is room for all of it.
  FUZZ_CHECK(text.size() <= image.bytes + 200);
}

}  // namespace korder::fuzz
