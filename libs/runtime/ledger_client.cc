#include "runtime/ledger_client.h"

#include <algorithm>
#include <atomic>
#include <grpcpp/grpcpp.h>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "korder/quota/v1/quota.grpc.pb.h"
#include "runtime/grpc_client.h"
#include "runtime/ledger_stubs.h"

namespace korder::runtime {
namespace {

namespace pb = ::korder::quota::v1;

void Fill(absl::Duration duration, google::protobuf::Duration& out) {
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
}

void Fill(const LedgerClaim& claim, pb::Claim& out) {
  for (const auto& [resource, quantity] : claim.requests) {
    (*out.mutable_requests())[resource] = quantity.ToString();
  }
  if (claim.duration) {
    Fill(*claim.duration, *out.mutable_duration());
  }
  out.mutable_labels()->insert(claim.labels.begin(), claim.labels.end());
}

void Fill(const LedgerTicket& ticket, pb::TicketRef& out) {
  out.set_namespace_(ticket.ns);
  out.set_name(ticket.name);
  out.set_uid(ticket.uid);
}

LedgerDenial ToDenial(const pb::Denied& denied) {
  LedgerDenial out{.quota = denied.quota(),
                   .resource = denied.resource(),
                   .message = denied.message(),
                   .next_change = {},
                   .requested = denied.requested(),
                   .used = denied.used(),
                   .limit = denied.limit()};
  if (denied.has_next_change_time()) {
    out.next_change = absl::FromUnixSeconds(denied.next_change_time().seconds()) +
                      absl::Nanoseconds(denied.next_change_time().nanos());
  }
  return out;
}

absl::StatusOr<std::vector<LedgerDecision>> ToDecisions(
    absl::string_view attempt, const google::protobuf::RepeatedPtrField<pb::Outcome>& outcomes,
    size_t asked) {
  if (static_cast<size_t>(outcomes.size()) != asked) {
    return InternalError(absl::StrCat(attempt, ": ", outcomes.size(), " outcomes for ", asked));
  }
  std::vector<LedgerDecision> decisions;
  for (const pb::Outcome& outcome : outcomes) {
    LedgerDecision& decision = decisions.emplace_back(LedgerDecision{.id = outcome.id()});
    if (outcome.has_denied()) {
      decision.denied = ToDenial(outcome.denied());
    }
  }
  return decisions;
}

}  // namespace

struct LedgerClient::Impl {
  Impl(ChannelOptions options, absl::Duration t)
      : timeout(t), channel(std::in_place, std::move(options)) {}
  Impl(LedgerStubs& s, absl::Duration t) : timeout(t), stubs(&s) {}

  std::unique_ptr<pb::QuotaLedger::StubInterface> NewStub() {
    if (stubs != nullptr) {
      return stubs->New();
    }
    return pb::QuotaLedger::NewStub(channel->Get());
  }

  const absl::Duration timeout;
  // One of them.
  std::optional<PeerChannel> channel;
  LedgerStubs* const stubs = nullptr;
  std::atomic<int64_t> epoch = 0;

  // Performs one call with a deadline and cancellation, and checks the answer's epoch.
  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (pb::QuotaLedger::StubInterface::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request, std::string_view attempt,
                                std::stop_token stop,
                                absl::Duration at_most = absl::InfiniteDuration()) {
    grpc::ClientContext context;
    SetDeadline(context, std::min(timeout, at_most));
    Response response;
    const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
    const auto stub = NewStub();
    RETURN_IF_ERROR(FromGrpcStatus((stub.get()->*method)(&context, request, &response), attempt));
    int64_t newest = epoch.load();
    while (newest < response.epoch() && !epoch.compare_exchange_weak(newest, response.epoch())) {
    }
    if (response.epoch() < newest) {
      return UnavailableError(absl::StrCat("the answer is of a former leader (epoch ",
                                           response.epoch(), " after ", newest, ")"));
    }
    return response;
  }
};

LedgerClient::LedgerClient(std::string address, const TlsMaterial& tls, absl::Duration timeout)
    : impl_(std::make_unique<Impl>(ChannelOptions{.address = std::move(address),
                                                  .peer = "korder-quota-svc",
                                                  .tls = tls,
                                                  .health_service = kService},
                                   timeout)) {}

LedgerClient::LedgerClient(LedgerStubs& stubs, absl::Duration timeout)
    : impl_(std::make_unique<Impl>(stubs, timeout)) {}

LedgerClient::~LedgerClient() = default;

void LedgerClient::SetTls(const TlsMaterial& tls) {
  if (impl_->channel) {
    impl_->channel->SetTls(tls);
  }
}

void LedgerClient::Follow(std::stop_token stop, const std::function<void()>& answers) {
  if (impl_->channel) {
    impl_->channel->Follow(std::move(stop), answers);
  }
}

absl::StatusOr<std::vector<LedgerDecision>> LedgerClient::Reserve(
    const std::string& ns, const LedgerClaim& claim, const std::vector<LedgerReservation>& wanted,
    std::stop_token stop) {
  pb::ReserveRequest request;
  request.set_namespace_(ns);
  Fill(claim, *request.mutable_claim());
  for (const LedgerReservation& reservation : wanted) {
    request.add_reservation_ids(reservation.id);
    request.add_ticket_names(reservation.ticket);
  }
  ASSIGN_OR_RETURN(
      const pb::ReserveResponse response,
      impl_->Call(&pb::QuotaLedger::StubInterface::Reserve, request, "reserve", std::move(stop)));
  return ToDecisions("reserve", response.outcomes(), wanted.size());
}

absl::Status LedgerClient::Release(const std::vector<std::string>& ids, std::stop_token stop) {
  pb::ReleaseRequest request;
  for (const std::string& id : ids) {
    request.add_reservation_ids(id);
  }
  return impl_->Call(&pb::QuotaLedger::StubInterface::Release, request, "release", std::move(stop))
      .status();
}

absl::StatusOr<std::vector<LedgerDecision>> LedgerClient::Confirm(
    const std::vector<LedgerConfirmation>& asked, std::stop_token stop, absl::Duration at_most) {
  pb::ConfirmRequest request;
  for (const LedgerConfirmation& one : asked) {
    pb::ConfirmRequest::Item& item = *request.add_items();
    Fill(one.ticket, *item.mutable_ticket());
    item.set_reservation_id(one.reservation_id);
    Fill(one.claim, *item.mutable_claim());
    if (one.claim.remaining) {
      Fill(*one.claim.remaining, *item.mutable_remaining());
    }
  }
  ASSIGN_OR_RETURN(const pb::ConfirmResponse response,
                   impl_->Call(&pb::QuotaLedger::StubInterface::Confirm, request, "confirm",
                               std::move(stop), at_most));
  return ToDecisions("confirm", response.outcomes(), asked.size());
}

namespace {

AdmitAnswer ToAnswer(const pb::AdmitResponse& response) {
  AdmitAnswer answer;
  if (response.has_denied()) {
    answer.denied = ToDenial(response.denied());
  }
  answer.warnings.assign(response.warnings().begin(), response.warnings().end());
  return answer;
}

}  // namespace

absl::StatusOr<AdmitAnswer> LedgerClient::AdmitOrder(const LedgerOrder& order,
                                                     const LedgerClaim& claim, bool dry_run) {
  pb::AdmitRequest request;
  request.set_namespace_(order.ns);
  request.set_dry_run(dry_run);
  pb::AdmitRequest::Order& subject = *request.mutable_order();
  subject.set_name(order.name);
  subject.set_replicas(order.replicas);
  subject.set_create(order.create);
  subject.mutable_labels()->insert(order.labels.begin(), order.labels.end());
  Fill(claim, *subject.mutable_claim());
  ASSIGN_OR_RETURN(const pb::AdmitResponse response,
                   impl_->Call(&pb::QuotaLedger::StubInterface::Admit, request, "admit order", {}));
  return ToAnswer(response);
}

absl::StatusOr<AdmitAnswer> LedgerClient::AdmitTicket(const LedgerTicket& ticket,
                                                      const LedgerClaim& claim, bool dry_run) {
  pb::AdmitRequest request;
  request.set_namespace_(ticket.ns);
  request.set_dry_run(dry_run);
  pb::AdmitRequest::Ticket& subject = *request.mutable_ticket();
  subject.set_name(ticket.name);
  subject.set_uid(ticket.uid);
  Fill(claim, *subject.mutable_claim());
  if (claim.remaining) {
    Fill(*claim.remaining, *subject.mutable_remaining());
  }
  ASSIGN_OR_RETURN(
      const pb::AdmitResponse response,
      impl_->Call(&pb::QuotaLedger::StubInterface::Admit, request, "admit ticket", {}));
  return ToAnswer(response);
}

absl::StatusOr<LedgerForecast> LedgerClient::Check(const LedgerQuestion& question,
                                                   std::stop_token stop) {
  pb::CheckRequest request;
  request.set_namespace_(question.ns);
  Fill(question.claim, *request.mutable_claim());
  request.set_tickets(question.tickets);
  if (question.order_labels) {
    request.set_order(true);
    request.mutable_order_labels()->insert(question.order_labels->begin(),
                                           question.order_labels->end());
  }
  if (question.time) {
    const int64_t seconds = absl::ToUnixSeconds(*question.time);
    request.mutable_time()->set_seconds(seconds);
    request.mutable_time()->set_nanos(static_cast<int32_t>(
        absl::ToInt64Nanoseconds(*question.time - absl::FromUnixSeconds(seconds))));
  }
  ASSIGN_OR_RETURN(
      const pb::CheckResponse response,
      impl_->Call(&pb::QuotaLedger::StubInterface::Check, request, "check", std::move(stop)));
  LedgerForecast forecast{.fitting_tickets = response.fitting_tickets(),
                          .order_fits = response.order_fits(),
                          .denials = {},
                          .quotas = {response.quotas().begin(), response.quotas().end()}};
  for (const pb::Denied& denied : response.denials()) {
    forecast.denials.push_back(ToDenial(denied));
  }
  return forecast;
}

}  // namespace korder::runtime
