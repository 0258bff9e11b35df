// The gRPC face of the ledger: parses, asks the desk, renders. Decides nothing.
#pragma once

#include <grpcpp/server_context.h>

#include "korder/quota/v1/quota.grpc.pb.h"
#include "quota-svc/ledger_desk.h"
#include "quota-svc/ledger_messages.h"
#include "runtime/grpc_server.h"

namespace korder::quota {

// Who may call what.
runtime::AllowList LedgerAllowList();

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

 private:
  LedgerDesk& desk_;
};

}  // namespace korder::quota
