// Between the messages of korder.quota.v1 and the ledger's own types. Pure; every problem of a
// request is INVALID_ARGUMENT with its path: `claim.requests[cpu]: "x": must be a quantity...`.
#pragma once

#include <vector>

#include "base/status.h"
#include "korder/quota/v1/quota.pb.h"
#include "quota-svc/forecast.h"
#include "quota-svc/ledger.h"

namespace korder::quota {

namespace pb = ::korder::quota::v1;

absl::StatusOr<Reservation> Parse(const pb::ReserveRequest& request);
absl::StatusOr<std::vector<TicketRequest>> Parse(const pb::ConfirmRequest& request);
absl::StatusOr<std::vector<std::string>> Parse(const pb::ReleaseRequest& request);
// REQUIRES: the request has an order.
absl::StatusOr<OrderRequest> ParseOrder(const pb::AdmitRequest& request);
// REQUIRES: the request has a ticket.
absl::StatusOr<TicketRequest> ParseTicket(const pb::AdmitRequest& request);

absl::StatusOr<ForecastRequest> Parse(const pb::CheckRequest& request);

pb::CheckResponse Render(const Forecast& forecast);
pb::Denied Render(const Denial& denial);
pb::Outcome Render(const Outcome& outcome);
pb::QuotaUsage Render(const QuotaUsage& usage);
void Render(const Verdict& verdict, pb::AdmitResponse& response);

}  // namespace korder::quota
