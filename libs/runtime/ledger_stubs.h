// Where a LedgerClient's calls go, when not over the network.
#pragma once

#include <memory>

#include "korder/quota/v1/quota.grpc.pb.h"

namespace korder::runtime {

struct LedgerStubs {
  virtual ~LedgerStubs() = default;
  // For one call.
  virtual std::unique_ptr<quota::v1::QuotaLedger::StubInterface> New() = 0;
};

}  // namespace korder::runtime
