#include "cli/explain_commands.h"

#include <memory>
#include <ostream>
#include <utility>

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "api/v1alpha1/names.h"
#include "base/status_macros.h"
#include "cli/explanation.h"
#include "json/fields.h"
#include "korder/ticket/v1/ticket.grpc.pb.h"
#include "runtime/grpc_client.h"

namespace korder::cli {
namespace {

namespace ticket_pb = korder::ticket::v1;

std::string NamespaceOf(Session& session) {
  if (!session.options.ns.empty()) {
    return session.options.ns;
  }
  const std::string ns = session.connector.DefaultNamespace();
  return ns.empty() ? "default" : ns;
}

// The one that is asked about: there is nothing to say without it.
template <class T>
absl::StatusOr<T> Get(Session& session, kube::Client& client, const kube::ObjectKey& key) {
  absl::StatusOr<T> object = client.Get<T>(key, {.timeout = session.options.timeout});
  if (absl::IsNotFound(object.status())) {
    return NotFoundError(absl::StrCat("there is no ", std::string(T::kResource.kind), " ", key.name,
                                      " in namespace ", key.ns,
                                      "; pass -n when it is in another one"));
  }
  return object;
}

// One that helps to explain, and may be gone or not ours to see.
template <class T>
std::optional<T> TryGet(Session& session, kube::Client& client, const kube::ObjectKey& key) {
  if (key.name.empty()) {
    return std::nullopt;
  }
  absl::StatusOr<T> object = client.Get<T>(key, {.timeout = session.options.timeout});
  return object.ok() ? std::optional(*std::move(object)) : std::nullopt;
}

std::vector<api::Event> EventsOf(Session& session, kube::Client& client,
                                 const api::ObjectMeta& meta) {
  auto events = client.List<api::Event>(
      meta.ns, {.field_selector = absl::StrCat("involvedObject.uid=", meta.uid)},
      {.timeout = session.options.timeout});
  return events.ok() ? std::move(events->items) : std::vector<api::Event>();
}

kube::ObjectKey Key(const std::string& text) {
  const size_t slash = text.find('/');
  return slash == std::string::npos
             ? kube::ObjectKey{}
             : kube::ObjectKey{text.substr(0, slash), text.substr(slash + 1)};
}

absl::StatusOr<Offer> AskForOffer(Session& session, const api::Pod& pod) {
  Connector connector = session.connector.To(kTicketSvc);
  ASSIGN_OR_RETURN(const Connection connection, connector.Connect());
  ticket_pb::OfferRequest request;
  request.set_namespace_(pod.metadata.ns);
  request.set_pod_json(json::Print(pod));
  ticket_pb::OfferResponse response;
  grpc::ClientContext context;
  runtime::SetDeadline(context, session.options.timeout);
  context.set_wait_for_ready(true);
  Identify(context, connection, pod.metadata.ns);
  const grpc::Status status =
      ticket_pb::TicketDesk::NewStub(connection.channel)->Offer(&context, request, &response);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  if (response.has_ticket()) {
    return Offer{.ticket = response.ticket().name(), .node = response.ticket().node()};
  }
  return Offer{.why = response.none().message(),
               .help = {response.none().help().begin(), response.none().help().end()}};
}

}  // namespace

absl::Status ExplainPodNow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  PodFacts facts{.now = session.clock.Now()};
  ASSIGN_OR_RETURN(facts.pod, Get<api::Pod>(session, *client, {NamespaceOf(session), name}));
  const api::ObjectMeta& meta = facts.pod.metadata;
  facts.ticket = TryGet<api::Ticket>(
      session, *client,
      {meta.ns, std::string(api::ValueOf(meta.annotations, api::kAnnotationClaimedTicket))});
  facts.events = EventsOf(session, *client, meta);
  if (WaitsForTicket(facts.pod)) {
    absl::StatusOr<Offer> offer = AskForOffer(session, facts.pod);
    if (offer.ok()) {
      facts.offer = *std::move(offer);
    } else {
      facts.offer_problem = absl::StrCat("ticket-svc, which knows, cannot be asked: ",
                                         std::string(Message(offer.status())));
    }
  }
  session.io.out << Render(ExplainPod(facts), facts.now, session.options.style);
  return absl::OkStatus();
}

absl::Status ExplainTicketNow(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(kube::Client * client, session.connector.Api());
  TicketFacts facts{.system_namespace = session.options.system_namespace,
                    .now = session.clock.Now()};
  ASSIGN_OR_RETURN(facts.ticket, Get<api::Ticket>(session, *client, {NamespaceOf(session), name}));
  const api::TicketStatus& status = facts.ticket.status;
  facts.guardian = TryGet<api::Pod>(session, *client, Key(status.guardian_pod));
  facts.claimed_pod = TryGet<api::Pod>(session, *client, Key(status.claimed_pod));
  facts.events = EventsOf(session, *client, facts.ticket.metadata);
  session.io.out << Render(ExplainTicket(facts), facts.now, session.options.style);
  return absl::OkStatus();
}

}  // namespace korder::cli
