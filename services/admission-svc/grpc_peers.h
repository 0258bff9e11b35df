// quota-svc and ticket-svc over gRPC, as the webhooks ask them. Thread-safe.
#pragma once

#include <string>
#include <utility>

#include "admission-svc/peers.h"
#include "runtime/grpc_client.h"
#include "runtime/ledger_client.h"

namespace korder::admission {

// The API server gives a webhook a few seconds for everything; a peer gets one.
inline constexpr absl::Duration kPeerTimeout = absl::Seconds(1);

class GrpcQuotaDesk final : public QuotaDesk {
 public:
  // `address` is a gRPC target.
  GrpcQuotaDesk(std::string address, const runtime::TlsMaterial& tls)
      : client_(std::move(address), tls, kPeerTimeout) {}

  absl::StatusOr<runtime::AdmitAnswer> AdmitOrder(const runtime::LedgerOrder& order,
                                                  const runtime::LedgerClaim& claim,
                                                  bool dry_run) override {
    return client_.AdmitOrder(order, claim, dry_run);
  }
  absl::StatusOr<runtime::AdmitAnswer> AdmitTicket(const runtime::LedgerTicket& ticket,
                                                   const runtime::LedgerClaim& claim,
                                                   bool dry_run) override {
    return client_.AdmitTicket(ticket, claim, dry_run);
  }
  void SetTls(const runtime::TlsMaterial& tls) { client_.SetTls(tls); }

 private:
  runtime::LedgerClient client_;
};

class GrpcTicketDesk final : public TicketDesk {
 public:
  // `address` is a gRPC target.
  GrpcTicketDesk(std::string address, const runtime::TlsMaterial& tls);

  absl::StatusOr<Offer> Ask(const std::string& ns, const std::string& pod_json) override;
  void SetTls(const runtime::TlsMaterial& tls) { channel_.SetTls(tls); }

 private:
  runtime::PeerChannel channel_;
};

}  // namespace korder::admission
