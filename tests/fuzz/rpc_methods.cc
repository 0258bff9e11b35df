#include "rpc_methods.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "admission-svc/claim_router_service.h"
#include "admission-svc/testing/policies.h"
#include "fuzz.h"
#include "json/fields.h"
#include "order-svc/planner_service.h"
#include "quota-svc/forecast.h"
#include "runtime/grpc_client.h"
#include "runtime/testing/call_context.h"
#include "ticket-svc/testing/make.h"
#include "ticket-svc/ticket_desk.h"

namespace korder::fuzz {
namespace {

using google::protobuf::Message;

template <class T>
std::shared_ptr<const T> FromJson(std::string_view text) {
  T object;
  FUZZ_CHECK(json::Parse(std::string(text), object).ok());
  return std::make_shared<const T>(std::move(object));
}

// What the services that only read have before them; made once.

// One ticket is Ready, of another the room is on its way to a pod.
struct Tickets {
  Tickets() {
    Put(ticket::Ready(ticket::MakeTicket("web-0"), "n1"));
    api::Ticket claimed = ticket::Ready(ticket::MakeTicket("web-1"), "n1");
    const api::Pod pod = ticket::MakeClaimPod("taker");
    claimed.status.phase = api::TicketPhase::kClaimed;
    claimed.status.claimed_pod = "default/taker";
    claimed.status.handoff = api::TicketHandoff{.id = "h-1",
                                                .step = "Nominate",
                                                .pod_uid = pod.metadata.uid,
                                                .guardian_uid = "gone",
                                                .node = "n1",
                                                .started_at = ticket::kNow};
    Put(claimed);
    claim_pods.Put(std::make_shared<const api::Pod>(pod));
    nodes.Put(FromJson<api::Node>(
        R"({"metadata":{"name":"n1"},"status":{"allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},
            "conditions":[{"type":"Ready","status":"True"}]}})"));
  }
  void Put(const api::Ticket& ticket) {
    tickets.Put(ticket::Share(ticket::Reduced(ticket)));
    guardians.Put(
        ticket::Share(ticket::Reduced(ticket::Running(ticket::MakeGuardian(ticket, 1), "n1"))));
  }

  FakeClock clock{ticket::kNow};
  kube::Store<ticket::GuardedTicket> tickets;
  kube::Store<ticket::OwnPod> guardians;
  kube::Store<api::Pod> claim_pods;
  kube::Store<api::Node> nodes;
  ticket::World world{{tickets, guardians, claim_pods, nodes}, clock};
  ticket::TicketDesk desk{world, clock, ticket::ClaimRules{}};
};

// The way from admission-svc to ticket-svc, without the network.
class DeskRoute final : public admission::TicketDesk {
 public:
  explicit DeskRoute(ticket::TicketDesk& desk) : desk_(desk) {}
  absl::StatusOr<admission::Offer> Ask(const std::string& ns, const std::string& pod) override {
    ticket::v1::OfferRequest request;
    request.set_namespace_(ns);
    request.set_pod_json(pod);
    ticket::v1::OfferResponse response;
    const grpc::Status status = desk_.Offer(runtime::CallContext(ns).get(), &request, &response);
    if (!status.ok()) {
      return runtime::FromGrpcStatus(status, "offer");
    }
    const ticket::v1::OfferResponse::NoTicket& none = response.none();
    return admission::Offer{.fits = response.has_ticket(),
                            .message = none.message(),
                            .ticket = response.ticket().name(),
                            .order = response.ticket().order(),
                            .node = response.ticket().node(),
                            .help = {none.help().begin(), none.help().end()}};
  }

 private:
  ticket::TicketDesk& desk_;
};

struct Policies {
  explicit Policies(ticket::TicketDesk& desk) : route(desk) {
    policies.AddIndex(admission::kByNamespace, admission::NamespaceOf<api::ClaimPolicy>);
    pods.AddIndex(admission::kByPolicy, admission::PolicyOf);
    policies.Put(admission::MakePolicy("shop", "web", {.fallback = api::ClaimFallback::kDeny}));
    policies.Put(admission::MakePolicy("shop", "", {.uid = "malformed"}));
    auto configuration = admission::ChartConfiguration();
    api::Webhook entry = configuration.webhooks[0];
    entry.name = admission::kPolicyEntry;
    entry.namespace_selector->match_expressions = {{"kubernetes.io/metadata.name", "In", {"shop"}}};
    configuration.webhooks.push_back(entry);
    configurations.Put(
        std::make_shared<const api::MutatingWebhookConfiguration>(std::move(configuration)));
  }

  DeskRoute route;
  kube::Store<api::ClaimPolicy> policies;
  kube::Store<api::MutatingWebhookConfiguration> configurations;
  kube::Store<admission::ClaimingPod> pods;
  admission::ClaimRouterService router{route, {policies, configurations, pods}};
};

runtime::LedgerForecast ToForecast(const quota::Forecast& forecast) {
  runtime::LedgerForecast out{.fitting_tickets = static_cast<int32_t>(forecast.fitting_tickets),
                              .order_fits = forecast.order_fits,
                              .denials = {},
                              .quotas = forecast.quotas};
  for (const quota::Denial& denial : forecast.denials) {
    out.denials.push_back({.quota = denial.quota,
                           .resource = denial.resource,
                           .message = denial.message,
                           .next_change = denial.next_change,
                           .requested = denial.requested,
                           .used = denial.used,
                           .limit = denial.limit});
  }
  return out;
}

struct Planner {
  explicit Planner(const Tickets& tickets) : nodes(tickets.nodes.List()) {
    orders.Put(FromJson<api::Order>(
        R"({"metadata":{"name":"nightly","namespace":"team-a"},"spec":{"replicas":3,
            "strategy":{"type":"Scheduled","schedule":"0 18 * * *","timeZone":"Europe/Berlin"},
            "template":{"spec":{"duration":"8h","resources":{"requests":{"cpu":"500m"}}}}}})"));
  }
  absl::StatusOr<runtime::LedgerForecast> Ask(const runtime::LedgerQuestion& question) {
    const auto answer = ledger.fixture.desk.Check(
        {.ticket = quota::MakeTicketClaim(question.ns, question.claim.labels,
                                          question.claim.requests, question.claim.duration),
         .tickets = question.tickets,
         .order = question.order_labels
                      ? std::optional(quota::MakeOrderClaim(question.ns, *question.order_labels))
                      : std::nullopt,
         .time = question.time});
    if (!answer.ok()) {
      return answer.status();
    }
    return ToForecast(answer->value);
  }

  FakeClock clock;
  kube::Store<api::Order> orders;
  std::vector<order::NodePtr> nodes;
  CheckedLedger ledger;  // of its own: nothing changes it
  order::PlannerService service{
      orders, [this] { return nodes; },
      [this](const runtime::LedgerQuestion& question, std::stop_token) { return Ask(question); },
      clock};
};

// Watch needs a stream, so a server.
struct Watched {
  Watched() {
    server.AddService(&ledger.service);
    FUZZ_CHECK(server.Start().ok());
    stub = quota::pb::QuotaLedger::NewStub(server.InProcessChannel());
  }
  // The first message; the stream's end when there is none.
  grpc::Status Watch(const quota::pb::WatchRequest& request, quota::pb::WatchResponse& response) {
    for (;;) {
      grpc::ClientContext context;
      runtime::SetDeadline(context, absl::Seconds(20));
      const auto stream = stub->Watch(&context, request);
      if (stream->Read(&response)) {
        context.TryCancel();
        stream->Finish();
        return grpc::Status::OK;
      }
      const grpc::Status ended = stream->Finish();
      if (ended.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) {
        return ended;
      }
      // Those who watched before are about to be noticed as gone.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  CheckedLedger ledger;
  runtime::Metrics metrics{"quota-svc"};
  runtime::GrpcServer server{{.listen = "127.0.0.1:0"}, metrics};
  std::unique_ptr<quota::pb::QuotaLedger::Stub> stub;
};

template <class Request, class Response>
RpcMethod Method(std::function<grpc::Status(const Request&, Response&)> call) {
  return {.request = &Request::default_instance(),
          .response = &Response::default_instance(),
          .call = [call = std::move(call)](const Message& request, Message& response) {
            return call(dynamic_cast<const Request&>(request), dynamic_cast<Response&>(response));
          }};
}

// Of a service that is asked about a namespace, which the call names, too.
template <class Service, class Request, class Response>
RpcMethod Reader(Service& service,
                 grpc::Status (Service::*method)(grpc::ServerContext*, const Request*, Response*)) {
  return Method<Request, Response>([&service, method](const Request& request, Response& response) {
    return (service.*method)(runtime::CallContext(request.namespace_()).get(), &request, &response);
  });
}

template <class Request, class Response>
using LedgerCall = grpc::Status (quota::LedgerService::*)(grpc::ServerContext*, const Request*,
                                                          Response*);
using Effect = CheckedLedger::Effect;

template <class Request, class Response>
RpcMethod OfLedger(CheckedLedger& ledger, LedgerCall<Request, Response> method,
                   std::function<Effect(const Request&)> effect) {
  return Method<Request, Response>(
      [&ledger, method, effect](const Request& request, Response& response) {
        return ledger.Check(effect(request), [&] {
          grpc::ServerContext context;
          return (ledger.service.*method)(&context, &request, &response);
        });
      });
}

// Every method of the file's services is there.
void CheckComplete(const google::protobuf::FileDescriptor& file,
                   const std::map<std::string, RpcMethod>& methods) {
  for (int s = 0; s < file.service_count(); ++s) {
    for (int m = 0; m < file.service(s)->method_count(); ++m) {
      const auto& method = *file.service(s)->method(m);
      const auto found =
          methods.find(absl::StrCat("/", method.service()->full_name(), "/", method.name()));
      FUZZ_CHECK(found != methods.end());
      FUZZ_CHECK(found->second.request->GetDescriptor() == method.input_type());
      FUZZ_CHECK(found->second.response->GetDescriptor() == method.output_type());
    }
  }
}

// Made once, and never destroyed: a server has threads.
struct Readers {
  static Readers& Shared() {
    static Readers& readers = *new Readers;
    return readers;
  }

  Tickets tickets;
  Policies policies{tickets.desk};
  Planner planner{tickets};
  Watched watched;
};

}  // namespace

RpcMethods::RpcMethods() {
  AddLedger();
  AddReaders();
  CheckComplete(*quota::pb::ReserveRequest::descriptor()->file(), all_);
  CheckComplete(*order::pb::PreviewRequest::descriptor()->file(), all_);
  CheckComplete(*ticket::v1::OfferRequest::descriptor()->file(), all_);
  CheckComplete(*admission::pb::ResolveRequest::descriptor()->file(), all_);
}

void RpcMethods::AddLedger() {
  using quota::LedgerService;
  namespace pb = quota::pb;
  const auto method = [](const char* name) {
    return absl::StrCat("/korder.quota.v1.QuotaLedger/", name);
  };
  const auto always = [](Effect effect) { return [effect](const auto&) { return effect; }; };
  const RpcMethod reserve = OfLedger<pb::ReserveRequest, pb::ReserveResponse>(
      ledger_, &LedgerService::Reserve, always(Effect::kAny));
  all_[method("Reserve")] = Method<pb::ReserveRequest, pb::ReserveResponse>(
      [this, reserve](const pb::ReserveRequest& request, pb::ReserveResponse& response) {
        grpc::Status status = reserve.call(request, response);
        if (status.ok()) {
          ledger_.CheckPromises(request, response);
        }
        return status;
      });
  all_[method("Confirm")] = OfLedger<pb::ConfirmRequest, pb::ConfirmResponse>(
      ledger_, &LedgerService::Confirm, always(Effect::kAny));
  all_[method("Release")] = OfLedger<pb::ReleaseRequest, pb::ReleaseResponse>(
      ledger_, &LedgerService::Release, always(Effect::kLess));
  all_[method("Admit")] = OfLedger<pb::AdmitRequest, pb::AdmitResponse>(
      ledger_, &LedgerService::Admit, [](const pb::AdmitRequest& request) {
        return request.dry_run() ? Effect::kNone : Effect::kAny;
      });
  all_[method("Query")] = OfLedger<pb::QueryRequest, pb::QueryResponse>(
      ledger_, &LedgerService::Query, always(Effect::kNone));
  all_[method("Check")] = OfLedger<pb::CheckRequest, pb::CheckResponse>(
      ledger_, &LedgerService::Check, always(Effect::kNone));
  all_[method("Watch")] = Method<pb::WatchRequest, pb::WatchResponse>(
      [](const pb::WatchRequest& request, pb::WatchResponse& response) {
        return Readers::Shared().watched.Watch(request, response);
      });
}

void RpcMethods::AddReaders() {
  Readers& readers = Readers::Shared();
  all_["/korder.ticket.v1.TicketDesk/Offer"] =
      Reader(readers.tickets.desk, &ticket::TicketDesk::Offer);
  all_["/korder.ticket.v1.TicketDesk/Handoffs"] =
      Reader(readers.tickets.desk, &ticket::TicketDesk::Handoffs);
  all_["/korder.admission.v1.ClaimRouter/Resolve"] =
      Reader(readers.policies.router, &admission::ClaimRouterService::Resolve);
  using order::PlannerService;
  namespace pb = order::pb;
  using Preview = grpc::Status (PlannerService::*)(grpc::ServerContext*, const pb::PreviewRequest*,
                                                   pb::PreviewResponse*);
  using Calendar = grpc::Status (PlannerService::*)(
      grpc::ServerContext*, const pb::CalendarRequest*, pb::CalendarResponse*);
  all_["/korder.order.v1.OrderPlanner/Preview"] =
      Reader(readers.planner.service, Preview{&PlannerService::Preview});
  all_["/korder.order.v1.OrderPlanner/Calendar"] =
      Reader(readers.planner.service, Calendar{&PlannerService::Calendar});
}

}  // namespace korder::fuzz
