#include "kube/exec_credential.h"

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "json/fields.h"
#include "json/writer.h"
#include "kube/child_process.h"

namespace korder::kube {
namespace {

struct Answer {
  struct Status {
    std::optional<absl::Time> expiration_timestamp;
    std::string token;
    std::string certificate;
    std::string key;

    template <class Self, class Visitor>
    static void Fields(Self& self, Visitor& v) {
      v("expirationTimestamp", self.expiration_timestamp);
      v("token", self.token);
      v("clientCertificateData", self.certificate);
      v("clientKeyData", self.key);
    }
  };

  std::string api_version;
  std::string kind;
  std::optional<Status> status;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("apiVersion", self.api_version);
    v("kind", self.kind);
    v("status", self.status);
  }
};

std::string ServerUrl(const ClusterConfig& config) {
  const bool v6 = config.host.find(':') != std::string::npos;
  return absl::StrCat(config.tls ? "https://" : "http://", v6 ? "[" : "", config.host,
                      v6 ? "]" : "", ":", config.port, config.path_prefix);
}

void WriteCluster(const ClusterConfig& config, json::Writer& w) {
  w.Key("cluster");
  w.BeginObject();
  w.Key("server");
  w.String(ServerUrl(config));
  if (!config.tls_server_name.empty()) {
    w.Key("tls-server-name");
    w.String(config.tls_server_name);
  }
  if (config.insecure_skip_tls_verify) {
    w.Key("insecure-skip-tls-verify");
    w.Bool(true);
  }
  if (!config.ca.empty()) {
    w.Key("certificate-authority-data");
    w.String(absl::Base64Escape(config.ca));
  }
  if (!config.exec->cluster_extension.empty()) {
    w.Key("config");
    w.Raw(config.exec->cluster_extension);
  }
  w.EndObject();
}

// Whether the plug-in gets our stdin; an error when it needs one that there is not.
absl::StatusOr<bool> Interactive(const ExecPlugin& plugin, bool terminal) {
  if (plugin.interactive == ExecPlugin::Interactive::kAlways && !terminal) {
    return UnauthenticatedError("wants to ask the user, and there is no terminal to do so");
  }
  return plugin.interactive != ExecPlugin::Interactive::kNever && terminal;
}

absl::StatusOr<ExecCredential> Ask(const ClusterConfig& config, const ExecOptions& options) {
  const ExecPlugin& plugin = *config.exec;
  ASSIGN_OR_RETURN(const bool interactive, Interactive(plugin, options.terminal));
  ChildOptions run{.argv = {plugin.command}, .env = plugin.env, .share_stdin = interactive};
  run.argv.insert(run.argv.end(), plugin.args.begin(), plugin.args.end());
  run.env["KUBERNETES_EXEC_INFO"] = ExecInfo(config, interactive);
  const absl::StatusOr<std::unique_ptr<ChildProcess>> child = ChildProcess::Start(run);
  if (!child.ok()) {
    const bool missing = absl::IsNotFound(child.status());
    const bool hint = missing && !plugin.install_hint.empty();
    return UnauthenticatedError(absl::StrCat(missing ? "is not installed" : "cannot be run", ": ",
                                             std::string(Message(child.status())), hint ? "\n" : "",
                                             hint ? plugin.install_hint : ""));
  }
  const absl::StatusOr<std::string> output = (*child)->ReadAll(options.timeout);
  if (!output.ok()) {
    return UnauthenticatedError(Message(output.status()));
  }
  if (const int code = (*child)->Wait(); code != 0) {
    return UnauthenticatedError(absl::StrCat("failed with exit code ", code));
  }
  absl::StatusOr<ExecCredential> answer = ParseExecCredential(*output, plugin.api_version);
  return answer.ok() ? answer : UnauthenticatedError(Message(answer.status()));
}

}  // namespace

std::string ExecInfo(const ClusterConfig& config, bool interactive) {
  json::Writer w;
  w.BeginObject();
  w.Key("kind");
  w.String("ExecCredential");
  w.Key("apiVersion");
  w.String(config.exec->api_version);
  w.Key("spec");
  w.BeginObject();
  if (config.exec->provide_cluster_info) {
    WriteCluster(config, w);
  }
  w.Key("interactive");
  w.Bool(interactive);
  w.EndObject();
  w.EndObject();
  return w.Take();
}

absl::StatusOr<ExecCredential> ParseExecCredential(std::string json, std::string_view api_version) {
  Answer answer;
  if (const absl::Status bad = json::Parse(std::move(json), answer); !bad.ok()) {
    return Annotate(bad, "did not answer with an ExecCredential");
  }
  if (answer.kind != "ExecCredential" || answer.api_version != api_version) {
    return InvalidArgumentError(absl::StrCat(
        "answered with kind \"", answer.kind, "\" of apiVersion \"", answer.api_version,
        "\" instead of ExecCredential of ", std::string(api_version)));
  }
  if (!answer.status) {
    return InvalidArgumentError("answered without a status");
  }
  ExecCredential credential{.token = std::move(answer.status->token),
                            .certificate = std::move(answer.status->certificate),
                            .key = std::move(answer.status->key),
                            .expires = answer.status->expiration_timestamp};
  if (credential.certificate.empty() != credential.key.empty()) {
    return InvalidArgumentError(
        "answered with only one of status.clientCertificateData and status.clientKeyData");
  }
  if (credential.token.empty() && credential.certificate.empty()) {
    return InvalidArgumentError("answered with neither a token nor a client certificate");
  }
  return credential;
}

absl::Status RunExecPlugin(ClusterConfig& config, const ExecOptions& options) {
  if (!config.exec) {
    return absl::OkStatus();
  }
  absl::StatusOr<ExecCredential> credential = Ask(config, options);
  if (!credential.ok()) {
    return Annotate(credential.status(), absl::StrCat("credential plug-in ", config.exec->command));
  }
  config.token = std::move(credential->token);
  if (!credential->certificate.empty()) {
    config.certificate = std::move(credential->certificate);
    config.key = std::move(credential->key);
  }
  config.exec.reset();
  return CheckClusterConfig(config);
}

}  // namespace korder::kube
