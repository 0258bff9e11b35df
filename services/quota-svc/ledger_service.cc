#include "quota-svc/ledger_service.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status_macros.h"
#include "quota-svc/usage_changes.h"
#include "runtime/grpc_client.h"

namespace korder::quota {
namespace {

using runtime::ToGrpcStatus;

// Nobody waits longer, whatever deadline the caller set.
constexpr std::chrono::seconds kLongestWait{10};
constexpr absl::Duration kWatchPeriod = absl::Seconds(1);
// Each holds a thread, of which the services' calls must have enough.
constexpr int kMaxWatchers = 64;

MonoTime DeadlineOf(const grpc::ServerContext& context) {
  // A call without a deadline has one that is too far away to calculate with.
  const auto now = std::chrono::system_clock::now();
  const auto latest = now + kLongestWait;
  return SteadyNow() + (std::min(context.deadline(), latest) - now);
}

absl::Status Reserve(LedgerDesk& desk, MonoTime deadline, const pb::ReserveRequest& request,
                     pb::ReserveResponse& response) {
  ASSIGN_OR_RETURN(const Reservation asked, Parse(request));
  ASSIGN_OR_RETURN(const auto answer, desk.Reserve(asked, deadline));
  response.set_epoch(answer.epoch);
  for (const Outcome& outcome : answer.value) {
    *response.add_outcomes() = Render(outcome);
  }
  return absl::OkStatus();
}

absl::Status Confirm(LedgerDesk& desk, MonoTime deadline, const pb::ConfirmRequest& request,
                     pb::ConfirmResponse& response) {
  ASSIGN_OR_RETURN(const std::vector<TicketRequest> asked, Parse(request));
  ASSIGN_OR_RETURN(const auto answer, desk.Confirm(asked, deadline));
  response.set_epoch(answer.epoch);
  for (const Outcome& outcome : answer.value) {
    *response.add_outcomes() = Render(outcome);
  }
  return absl::OkStatus();
}

absl::Status Release(LedgerDesk& desk, const pb::ReleaseRequest& request,
                     pb::ReleaseResponse& response) {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, Parse(request));
  ASSIGN_OR_RETURN(const int64_t epoch, desk.Release(ids));
  response.set_epoch(epoch);
  return absl::OkStatus();
}

absl::Status AdmitOrder(LedgerDesk& desk, MonoTime deadline, const pb::AdmitRequest& request,
                        pb::AdmitResponse& response) {
  ASSIGN_OR_RETURN(const OrderRequest asked, ParseOrder(request));
  ASSIGN_OR_RETURN(const auto answer, desk.AdmitOrder(asked, deadline));
  response.set_epoch(answer.epoch);
  Render(answer.value.verdict, response);
  response.mutable_warnings()->Assign(answer.value.warnings.begin(), answer.value.warnings.end());
  return absl::OkStatus();
}

absl::Status AdmitTicket(LedgerDesk& desk, MonoTime deadline, const pb::AdmitRequest& request,
                         pb::AdmitResponse& response) {
  ASSIGN_OR_RETURN(const TicketRequest asked, ParseTicket(request));
  ASSIGN_OR_RETURN(const auto answer, desk.AdmitTicket(asked, request.dry_run(), deadline));
  response.set_epoch(answer.epoch);
  Render(answer.value, response);
  return absl::OkStatus();
}

// What Query and Watch show.
template <class Request>
absl::StatusOr<Answer<std::vector<QuotaUsage>>> Usage(LedgerDesk& desk, const Request& request) {
  ASSIGN_OR_RETURN(auto answer, desk.Query(request.namespace_()));
  const std::set<std::string> wanted(request.quotas().begin(), request.quotas().end());
  if (!wanted.empty()) {
    std::erase_if(answer.value,
                  [&](const QuotaUsage& usage) { return !wanted.contains(usage.quota); });
  }
  return answer;
}

absl::Status Query(LedgerDesk& desk, const pb::QueryRequest& request, pb::QueryResponse& response) {
  ASSIGN_OR_RETURN(const auto answer, Usage(desk, request));
  response.set_epoch(answer.epoch);
  for (const QuotaUsage& usage : answer.value) {
    *response.add_quotas() = Render(usage);
  }
  return absl::OkStatus();
}

absl::Status Check(LedgerDesk& desk, const pb::CheckRequest& request, pb::CheckResponse& response) {
  ASSIGN_OR_RETURN(const ForecastRequest asked, Parse(request));
  ASSIGN_OR_RETURN(const auto answer, desk.Check(asked));
  response = Render(answer.value);
  response.set_epoch(answer.epoch);
  return absl::OkStatus();
}

// False when the caller has gone.
bool Pause(const grpc::ServerContext& context, absl::Duration duration) {
  constexpr absl::Duration kStep = absl::Milliseconds(100);  // between looks at the caller
  for (absl::Duration left = duration; left > absl::ZeroDuration(); left -= kStep) {
    if (context.IsCancelled()) {
      return false;
    }
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(std::min(left, kStep)));
  }
  return !context.IsCancelled();
}

absl::Status Watch(LedgerDesk& desk, const grpc::ServerContext& context,
                   const pb::WatchRequest& request, grpc::ServerWriter<pb::WatchResponse>& writer) {
  UsageChanges changes;
  bool first = true;
  do {
    ASSIGN_OR_RETURN(const auto answer, Usage(desk, request));
    pb::WatchResponse response = changes.Since(answer.value);
    response.set_epoch(answer.epoch);
    if (first || response.quotas_size() > 0 || response.deleted_quotas_size() > 0) {
      if (!writer.Write(response)) {
        return CancelledError("the caller has gone");
      }
      first = false;
    }
  } while (Pause(context, kWatchPeriod));
  return CancelledError("the caller has gone");
}

}  // namespace

runtime::AllowList LedgerAllowList() {
  constexpr char kOrder[] = "korder-order-svc";
  constexpr char kTicket[] = "korder-ticket-svc";
  constexpr char kAdmission[] = "korder-admission-svc";
  return {{"/korder.quota.v1.QuotaLedger/Reserve", {kOrder}},
          {"/korder.quota.v1.QuotaLedger/Release", {kOrder}},
          {"/korder.quota.v1.QuotaLedger/Confirm", {kTicket}},
          {"/korder.quota.v1.QuotaLedger/Admit", {kAdmission}},
          {"/korder.quota.v1.QuotaLedger/Query", {kOrder, kTicket, kAdmission}},
          {"/korder.quota.v1.QuotaLedger/Check", {kOrder}},
          {"/korder.quota.v1.QuotaLedger/Watch", {}}};
}

std::set<std::string> LedgerUserMethods() {
  return {"/korder.quota.v1.QuotaLedger/Query", "/korder.quota.v1.QuotaLedger/Check",
          "/korder.quota.v1.QuotaLedger/Watch"};
}

grpc::Status LedgerService::Reserve(grpc::ServerContext* context, const pb::ReserveRequest* request,
                                    pb::ReserveResponse* response) {
  return ToGrpcStatus(quota::Reserve(desk_, DeadlineOf(*context), *request, *response));
}

grpc::Status LedgerService::Confirm(grpc::ServerContext* context, const pb::ConfirmRequest* request,
                                    pb::ConfirmResponse* response) {
  return ToGrpcStatus(quota::Confirm(desk_, DeadlineOf(*context), *request, *response));
}

grpc::Status LedgerService::Release(grpc::ServerContext* /*context*/,
                                    const pb::ReleaseRequest* request,
                                    pb::ReleaseResponse* response) {
  return ToGrpcStatus(quota::Release(desk_, *request, *response));
}

grpc::Status LedgerService::Admit(grpc::ServerContext* context, const pb::AdmitRequest* request,
                                  pb::AdmitResponse* response) {
  switch (request->subject_case()) {
    case pb::AdmitRequest::kOrder:
      return ToGrpcStatus(AdmitOrder(desk_, DeadlineOf(*context), *request, *response));
    case pb::AdmitRequest::kTicket:
      return ToGrpcStatus(AdmitTicket(desk_, DeadlineOf(*context), *request, *response));
    default:
      return ToGrpcStatus(InvalidArgumentError("subject: is required: an order or a ticket"));
  }
}

grpc::Status LedgerService::Query(grpc::ServerContext* /*context*/, const pb::QueryRequest* request,
                                  pb::QueryResponse* response) {
  return ToGrpcStatus(quota::Query(desk_, *request, *response));
}

grpc::Status LedgerService::Check(grpc::ServerContext* /*context*/, const pb::CheckRequest* request,
                                  pb::CheckResponse* response) {
  return ToGrpcStatus(quota::Check(desk_, *request, *response));
}

grpc::Status LedgerService::Watch(grpc::ServerContext* context, const pb::WatchRequest* request,
                                  grpc::ServerWriter<pb::WatchResponse>* writer) {
  if (++watchers_ > kMaxWatchers) {
    --watchers_;
    return ToGrpcStatus(ResourceExhaustedError(
        absl::StrCat("there are ", kMaxWatchers, " watchers already; ask again later")));
  }
  const absl::Status ended = quota::Watch(desk_, *context, *request, *writer);
  --watchers_;
  return ToGrpcStatus(ended);
}

}  // namespace korder::quota
