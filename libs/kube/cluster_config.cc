#include "kube/cluster_config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace korder::kube {
namespace {

namespace fs = std::filesystem;

constexpr char kServiceAccountDir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

// One kubeconfig file; relative paths in it count from its folder.
struct File {
  fs::path path;
  YAML::Node root;
};

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return NotFoundError(absl::StrCat("cannot read ", path.string()));
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

absl::StatusOr<File> Load(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  try {
    return File{path, YAML::Load(text)};
  } catch (const YAML::Exception& e) {
    return InvalidArgumentError(absl::StrCat(path.string(), ": ", e.what()));
  }
}

std::string Text(const YAML::Node& node, const char* key) {
  const YAML::Node value = node[key];
  return value && value.IsScalar() ? value.as<std::string>() : "";
}

// The entry named `name` of a list such as `users`, in the first file that has one.
std::optional<std::pair<YAML::Node, fs::path>> Find(const std::vector<File>& files,
                                                    const char* list, const char* member,
                                                    const std::string& name) {
  for (const File& file : files) {
    for (const YAML::Node& entry : file.root[list]) {
      if (Text(entry, "name") == name) {
        return std::pair(entry[member], file.path.parent_path());
      }
    }
  }
  return std::nullopt;
}

// A value given inline as base64 (`<key>-data`) or as the name of a file (`<key>`).
absl::StatusOr<std::string> Pem(const YAML::Node& node, const std::string& key,
                                const fs::path& dir) {
  if (const std::string data = Text(node, (key + "-data").c_str()); !data.empty()) {
    std::string decoded;
    if (!absl::Base64Unescape(data, &decoded)) {
      return InvalidArgumentError(absl::StrCat(key, "-data: is not base64"));
    }
    return decoded;
  }
  const std::string path = Text(node, key.c_str());
  return path.empty() ? absl::StatusOr<std::string>("") : ReadFile(dir / path);
}

absl::Status FillUser(const YAML::Node& user, const fs::path& dir, ClusterConfig& config) {
  if (user["exec"] || user["auth-provider"]) {
    return InvalidArgumentError(
        "user.exec: credential plugins are not supported; use a token, a token file or a client "
        "certificate");
  }
  ASSIGN_OR_RETURN(config.certificate, Pem(user, "client-certificate", dir));
  ASSIGN_OR_RETURN(config.key, Pem(user, "client-key", dir));
  config.token = Text(user, "token");
  if (const std::string file = Text(user, "tokenFile"); !file.empty()) {
    config.token_file = (dir / file).string();
  }
  return absl::OkStatus();
}

absl::StatusOr<ClusterConfig> FromFiles(const std::vector<File>& files) {
  std::string current;
  for (const File& file : files) {
    if (current.empty()) {
      current = Text(file.root, "current-context");
    }
  }
  const auto context = Find(files, "contexts", "context", current);
  if (!context) {
    return InvalidArgumentError(
        absl::StrCat("current-context: there is no context \"", current, "\""));
  }
  const std::string cluster_name = Text(context->first, "cluster");
  const auto cluster = Find(files, "clusters", "cluster", cluster_name);
  if (!cluster) {
    return InvalidArgumentError(absl::StrCat("there is no cluster \"", cluster_name, "\""));
  }
  ClusterConfig config;
  RETURN_IF_ERROR(ParseServerUrl(Text(cluster->first, "server"), config));
  if (!Text(cluster->first, "proxy-url").empty()) {
    return InvalidArgumentError("cluster.proxy-url: proxies are not supported");
  }
  ASSIGN_OR_RETURN(config.ca, Pem(cluster->first, "certificate-authority", cluster->second));
  config.tls_server_name = Text(cluster->first, "tls-server-name");
  config.insecure_skip_tls_verify = Text(cluster->first, "insecure-skip-tls-verify") == "true";
  const std::string user_name = Text(context->first, "user");
  if (const auto user = Find(files, "users", "user", user_name)) {
    RETURN_IF_ERROR(FillUser(user->first, user->second, config));
  } else if (!user_name.empty()) {
    return InvalidArgumentError(absl::StrCat("there is no user \"", user_name, "\""));
  }
  return config;
}

absl::StatusOr<ClusterConfig> FromServiceAccount(const char* host) {
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  ClusterConfig config;
  config.host = host;
  config.port = port != nullptr ? port : "443";
  config.token_file = absl::StrCat(kServiceAccountDir, "/token");
  ASSIGN_OR_RETURN(config.ca, ReadFile(absl::StrCat(kServiceAccountDir, "/ca.crt")));
  return config;
}

}  // namespace

absl::Status ParseServerUrl(std::string_view url, ClusterConfig& config) {
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    config.tls = false;
  } else {
    return InvalidArgumentError(absl::StrCat("cluster.server: \"", std::string(url),
                                             "\" must begin with https:// or http://"));
  }
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos) {
    config.path_prefix = rest.substr(slash);
    while (!config.path_prefix.empty() && config.path_prefix.back() == '/') {
      config.path_prefix.pop_back();
    }
    rest = rest.substr(0, slash);
  }
  const size_t bracket = rest.find(']');
  const size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  config.port = colon == std::string_view::npos ? (config.tls ? "443" : "80")
                                                : std::string(rest.substr(colon + 1));
  config.host = rest.substr(0, colon);
  if (config.host.size() > 2 && config.host.front() == '[' && config.host.back() == ']') {
    config.host = config.host.substr(1, config.host.size() - 2);
  }
  if (config.host.empty() || config.port.empty()) {
    return InvalidArgumentError(
        absl::StrCat("cluster.server: \"", std::string(url), "\" has no host or port"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ClusterConfig> LoadClusterConfig(const std::string& path) {
  std::vector<std::string> paths;
  const char* env = std::getenv("KUBECONFIG");
  const char* service_host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* home = std::getenv("HOME");
  if (!path.empty()) {
    paths = {path};
  } else if (env != nullptr && *env != '\0') {
    paths = absl::StrSplit(env, ':', absl::SkipEmpty());
  } else if (service_host != nullptr) {
    return FromServiceAccount(service_host);
  } else if (home != nullptr) {
    paths = {absl::StrCat(home, "/.kube/config")};
  }
  std::vector<File> files;
  absl::Status first_error;
  for (const std::string& one : paths) {
    absl::StatusOr<File> file = Load(one);
    if (file.ok()) {
      files.push_back(*std::move(file));
    } else {
      first_error.Update(file.status());
    }
  }
  if (files.empty()) {
    return first_error.ok() ? NotFoundError("no kubeconfig: set --kubeconfig or KUBECONFIG")
                            : first_error;
  }
  absl::StatusOr<ClusterConfig> config = FromFiles(files);
  return config.ok()
             ? config
             : absl::StatusOr<ClusterConfig>(Annotate(config.status(), files[0].path.string()));
}

}  // namespace korder::kube
