#include "cli/explain_file.h"

#include <ostream>

#include <grpcpp/client_context.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/pod_file.h"
#include "cli/read_input.h"
#include "cli/resolution.h"
#include "korder/admission/v1/admission.grpc.pb.h"
#include "runtime/grpc_client.h"

namespace korder::cli {
namespace {

namespace admission_pb = korder::admission::v1;

absl::StatusOr<admission_pb::ResolveResponse> Resolve(const Session& session,
                                                      const Connection& connection,
                                                      const PodItem& item) {
  admission_pb::ResolveRequest request;
  request.set_namespace_(item.ns);
  request.set_pod_json(item.pod_json);
  admission_pb::ResolveResponse response;
  grpc::ClientContext context;
  runtime::SetDeadline(context, session.options.timeout);
  context.set_wait_for_ready(true);
  Identify(context, connection, item.ns);
  const absl::Status status = runtime::FromGrpcStatus(
      admission_pb::ClaimRouter::NewStub(connection.channel)->Resolve(&context, request, &response),
      absl::StrCat("ask admission-svc at ", connection.where));
  RETURN_IF_ERROR(status);
  return response;
}

}  // namespace

absl::StatusOr<bool> ExplainFile(Session& session, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadInput(session.io, file));
  PodFileOptions reading{.source = file, .ns = session.options.ns, .default_ns = {}};
  if (session.options.ns.empty()) {
    reading.default_ns = session.connector.DefaultNamespace();
  }
  ASSIGN_OR_RETURN(const PodFile pods, ReadPodFile(text, reading));
  for (const std::string& skipped : pods.skipped) {
    session.io.err << "passed over: " << skipped << "\n";
  }
  Connector connector = session.connector.To(kAdmissionSvc);
  ASSIGN_OR_RETURN(const Connection connection, connector.Connect());
  bool accepted = true;
  bool first = true;
  for (const PodItem& item : pods.items) {
    ASSIGN_OR_RETURN(const admission_pb::ResolveResponse response,
                     Resolve(session, connection, item));
    const Explanation explained = ExplainResolution(item, response);
    accepted = accepted && explained.state != kWouldBeRefused;
    if (!first && session.options.style.format == Format::kYaml) {
      session.io.out << "---\n";
    }
    first = false;
    session.io.out << Render(explained, session.clock.Now(), session.options.style);
  }
  return accepted;
}

}  // namespace korder::cli
