#include "kube/cluster_config.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "kube/kubeconfig.h"
#include "kube/read_file.h"
#include "kube/tls_context.h"

namespace korder::kube {
namespace {

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<ClusterConfig> FromServiceAccount(const ClusterEnvironment& env) {
  ClusterConfig config;
  config.host = env.service_host;
  config.port = env.service_port.empty() ? "443" : env.service_port;
  config.token_file = env.service_account_dir + "/token";
  config.default_namespace = ReadFile(env.service_account_dir + "/namespace").value_or("");
  RETURN_IF_ERROR(ReadFile(config.token_file).status());  // Better now than with every request.
  ASSIGN_OR_RETURN(config.ca, ReadFile(env.service_account_dir + "/ca.crt"));
  return config;
}

absl::StatusOr<ClusterConfig> FromFirstSource(const ClusterConfigOptions& options,
                                              const ClusterEnvironment& env) {
  const KubeconfigOptions kubeconfig{.context = options.context, .allow_exec = options.allow_exec};
  if (!options.path.empty()) {
    return ReadKubeconfig({options.path}, kubeconfig);
  }
  if (!env.kubeconfig.empty()) {
    return ReadKubeconfig(absl::StrSplit(env.kubeconfig, ':', absl::SkipEmpty()), kubeconfig);
  }
  if (!env.service_host.empty() && options.context.empty()) {
    return FromServiceAccount(env);
  }
  if (!env.home.empty()) {
    return ReadKubeconfig({env.home + "/.kube/config"}, kubeconfig);
  }
  return NotFoundError("set --kubeconfig or KUBECONFIG: this is no pod and HOME is not set");
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         std::stoi(std::string(text)) <= 65535;
}

// "[::1]:6443", "10.0.0.1", "host:443".
absl::Status ParseAuthority(std::string_view text, ClusterConfig& config) {
  config.port = config.tls ? "443" : "80";
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return InvalidArgumentError("a ] is missing");
    }
    config.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    config.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (!rest.empty()) {
    if (rest.front() != ':' || !IsPort(rest.substr(1))) {
      return InvalidArgumentError("the port is no number");
    }
    config.port = rest.substr(1);
  }
  return config.host.empty() ? InvalidArgumentError("has no host") : absl::OkStatus();
}

}  // namespace

absl::Status CheckClusterConfig(const ClusterConfig& config) {
  const std::string where = absl::StrCat("cluster at ", config.host, ":", config.port);
  if (config.tls) {
    return Annotate(NewTlsContext(config).status(), where);
  }
  const bool has_credentials = !config.token.empty() || !config.token_file.empty() ||
                               !config.certificate.empty() || config.exec.has_value();
  return has_credentials
             ? Annotate(InvalidArgumentError("credentials need an https:// server"), where)
             : absl::OkStatus();
}

absl::Status ParseServerUrl(std::string_view url, ClusterConfig& config) {
  constexpr std::string_view kHttps = "https://";
  constexpr std::string_view kHttp = "http://";
  config.tls = url.starts_with(kHttps);
  if (!config.tls && !url.starts_with(kHttp)) {
    return InvalidArgumentError(
        absl::StrCat("\"", std::string(url), "\" must begin with https:// or http://"));
  }
  url.remove_prefix(config.tls ? kHttps.size() : kHttp.size());
  if (url.find_first_of("@?# ") != std::string_view::npos) {
    return InvalidArgumentError("only a host, a port and a path may follow the scheme");
  }
  const size_t slash = std::min(url.find('/'), url.size());
  config.path_prefix = url.substr(slash);
  while (config.path_prefix.ends_with('/')) {
    config.path_prefix.pop_back();
  }
  return ParseAuthority(url.substr(0, slash), config);
}

ClusterEnvironment EnvironmentOfProcess() {
  ClusterEnvironment env;
  env.kubeconfig = Env("KUBECONFIG");
  env.home = Env("HOME");
  env.service_host = Env("KUBERNETES_SERVICE_HOST");
  env.service_port = Env("KUBERNETES_SERVICE_PORT");
  return env;
}

absl::StatusOr<ClusterConfig> LoadClusterConfig(std::string_view path,
                                                const ClusterEnvironment& env) {
  return LoadClusterConfig(ClusterConfigOptions{.path = std::string(path)}, env);
}

absl::StatusOr<ClusterConfig> LoadClusterConfig(const ClusterConfigOptions& options,
                                                const ClusterEnvironment& env) {
  ASSIGN_OR_RETURN(ClusterConfig config, FromFirstSource(options, env));
  RETURN_IF_ERROR(CheckClusterConfig(config));
  return config;
}

}  // namespace korder::kube
