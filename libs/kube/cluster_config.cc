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
  RETURN_IF_ERROR(ReadFile(config.token_file).status());  // Better now than with every request.
  ASSIGN_OR_RETURN(config.ca, ReadFile(env.service_account_dir + "/ca.crt"));
  return config;
}

absl::StatusOr<ClusterConfig> FromFirstSource(const std::string& path,
                                              const ClusterEnvironment& env) {
  if (!path.empty()) {
    return ReadKubeconfig({path});
  }
  if (!env.kubeconfig.empty()) {
    return ReadKubeconfig(absl::StrSplit(env.kubeconfig, ':', absl::SkipEmpty()));
  }
  if (!env.service_host.empty()) {
    return FromServiceAccount(env);
  }
  if (!env.home.empty()) {
    return ReadKubeconfig({env.home + "/.kube/config"});
  }
  return NotFoundError("set --kubeconfig or KUBECONFIG: this is no pod and HOME is not set");
}

absl::Status Check(const ClusterConfig& config) {
  if (config.tls) {
    return NewTlsContext(config).status();
  }
  if (!config.token.empty() || !config.token_file.empty() || !config.certificate.empty()) {
    return InvalidArgumentError("credentials need an https:// server");
  }
  return absl::OkStatus();
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
  absl::StatusOr<ClusterConfig> config = FromFirstSource(std::string(path), env);
  if (config.ok()) {
    if (const absl::Status bad = Check(*config); !bad.ok()) {
      return Annotate(bad, absl::StrCat("cluster at ", config->host, ":", config->port));
    }
  }
  return config;
}

}  // namespace korder::kube
