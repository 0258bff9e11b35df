// The gRPC face of the ledger: parses, asks the desk, renders. Decides nothing.
#pragma once

#include <atomic>
#include <set>
#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include "korder/quota/v1/quota.grpc.pb.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/ledger_messages.h"
#include "runtime/grpc_server.h"

namespace korder::quota {

// Which services may call what.
runtime::AllowList LedgerAllowList();
// What people may call, if Kubernetes lets them get quotas.
std::set<std::string> LedgerUserMethods();

// Thread-safe.
class LedgerService final : public pb::QuotaLedger::Service {
 public:
  // Borrows the desk.
  explicit LedgerService(LedgerDesk& desk) : desk_(desk) {}

  grpc::Status Reserve(grpc::ServerContext* context, const pb::ReserveRequest* request,
                       pb::ReserveResponse* response) override;
  grpc::Status Confirm(grpc::ServerContext* context, const pb::ConfirmRequest* request,
                       pb::ConfirmResponse* response) override;
  grpc::Status Release(grpc::ServerContext* context, const pb::ReleaseRequest* request,
                       pb::ReleaseResponse* response) override;
  grpc::Status Admit(grpc::ServerContext* context, const pb::AdmitRequest* request,
                     pb::AdmitResponse* response) override;
  grpc::Status Query(grpc::ServerContext* context, const pb::QueryRequest* request,
                     pb::QueryResponse* response) override;
  grpc::Status Check(grpc::ServerContext* context, const pb::CheckRequest* request,
                     pb::CheckResponse* response) override;
  // Holds its thread until the caller goes away or this replica leads no more.
  grpc::Status Watch(grpc::ServerContext* context, const pb::WatchRequest* request,
                     grpc::ServerWriter<pb::WatchResponse>* writer) override;

 private:
  LedgerDesk& desk_;
  std::atomic<int> watchers_ = 0;
};

}  // namespace korder::quota
