// A leader of quota-svc whose ledger is looked at before and after every call.
//
//   CheckedLedger ledger;
//   ledger.Check(CheckedLedger::Effect::kAny,
//                [&] { return ledger.service.Reserve(&context, &request, &response); });
//
// After each call: no quota is used more than before and more than its limit (I1); the sums are
// those of the grants; a reservation has one charge, with what was asked for first (I3); what was
// promised is durable (I15), and can be read back from what is written; what only asks changes
// nothing.
#pragma once

#include <functional>
#include <grpcpp/grpcpp.h>
#include <map>
#include <string>
#include <vector>

#include "quota-svc/ledger_service.h"
#include "quota-svc/testing/desk_fixture.h"

namespace korder::fuzz {

class CheckedLedger {
 public:
  CheckedLedger();
  ~CheckedLedger() { fixture.writer = {}; }  // it writes into what is destroyed before it

  // How the ledger may change by a call.
  enum class Effect { kNone, kLess, kAny };
  grpc::Status Check(Effect effect, const std::function<grpc::Status()>& call);
  // After a Reserve that was answered.
  void CheckPromises(const quota::pb::ReserveRequest& request,
                     const quota::pb::ReserveResponse& response);
  void Advance(absl::Duration by);

  quota::testing::DeskFixture fixture{7};
  quota::LedgerService service{fixture.desk};

 private:
  using Grants = std::map<std::string, quota::Grant>;
  struct Image {
    Grants grants;
    std::vector<quota::QuotaUsage> usage;
    size_t bytes = 0;
  };
  Image Look() const;
  void CheckSums(const Image& image) const;
  void CheckText(const Image& image) const;

  std::vector<api::Quota> quotas_;
  std::map<std::string, api::Labels> namespaces_;
  Image before_;
  Mutex mu_;
  Grants durable_ ABSL_GUARDED_BY(mu_);
};

}  // namespace korder::fuzz
