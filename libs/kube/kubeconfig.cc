#include "kube/kubeconfig.h"

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "kube/read_file.h"
#include "kube/yaml_json.h"

namespace korder::kube {
namespace {

namespace fs = std::filesystem;

constexpr char kExecV1[] = "client.authentication.k8s.io/v1";
constexpr char kExecV1Beta1[] = "client.authentication.k8s.io/v1beta1";

struct File {
  std::string path;
  YAML::Node root;
};

// One context, cluster or user: its fields, and where they stand.
struct Entry {
  YAML::Node fields;
  std::string path;  // of the file
  std::string name;  // 'cluster "dev"', for messages

  absl::Status Bad(std::string_view field, std::string_view problem) const {
    return InvalidArgumentError(
        absl::StrCat(path, ": ", name, ": ", std::string(field), ": ", std::string(problem)));
  }
  bool Has(const char* field) const {
    const YAML::Node value = fields[field];
    return value.IsDefined() && !value.IsNull();
  }
  // "" when it is absent.
  absl::StatusOr<std::string> Text(const char* field) const {
    if (!Has(field)) {
      return std::string();
    }
    const YAML::Node value = fields[field];
    return value.IsScalar() ? absl::StatusOr<std::string>(value.Scalar())
                            : Bad(field, "must be a string");
  }
  absl::StatusOr<bool> Flag(const char* field) const {
    ASSIGN_OR_RETURN(const std::string text, Text(field));
    if (text == "true") {
      return true;
    }
    return text.empty() || text == "false" ? absl::StatusOr<bool>(false)
                                           : Bad(field, "must be true or false");
  }
  // A value given inline as base64 in `<field>-data`, or as the name of a file in `<field>`.
  absl::StatusOr<std::string> Pem(const std::string& field) const {
    const std::string data_field = field + "-data";
    ASSIGN_OR_RETURN(const std::string data, Text(data_field.c_str()));
    if (!data.empty()) {
      std::string decoded;
      return absl::Base64Unescape(data, &decoded) ? absl::StatusOr<std::string>(std::move(decoded))
                                                  : Bad(data_field, "is not base64");
    }
    ASSIGN_OR_RETURN(const std::string file, Text(field.c_str()));
    if (file.empty()) {
      return std::string();
    }
    absl::StatusOr<std::string> pem = ReadFile(Resolve(file));
    return pem.ok() ? pem : Bad(field, Message(pem.status()));
  }
  std::string Resolve(const std::string& file) const {
    return (fs::absolute(path).parent_path() / file).lexically_normal().string();
  }
};

absl::StatusOr<File> Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  File file{path, YAML::Load(text)};
  if (file.root.IsNull()) {
    file.root = YAML::Node(YAML::NodeType::Map);  // An empty file is an empty config.
  }
  return file.root.IsMap() ? absl::StatusOr<File>(std::move(file))
                           : InvalidArgumentError(path + ": is not a kubeconfig");
}

// The entry of that name in e.g. `clusters: [{name: ..., cluster: {...}}]`.
absl::StatusOr<std::optional<Entry>> Find(const std::vector<File>& files, const std::string& kind,
                                          const std::string& name) {
  for (const File& file : files) {
    const YAML::Node list = file.root[kind + "s"];
    if (!list.IsDefined() || list.IsNull()) {
      continue;
    }
    if (!list.IsSequence()) {
      return InvalidArgumentError(absl::StrCat(file.path, ": ", kind, "s: must be a list"));
    }
    for (const YAML::Node& entry : list) {
      if (!entry.IsMap() || !entry["name"].IsDefined() || entry["name"].Scalar() != name) {
        continue;
      }
      const YAML::Node fields = entry[kind];
      const bool empty = !fields.IsDefined() || fields.IsNull();
      Entry found{empty ? YAML::Node(YAML::NodeType::Map) : fields, file.path,
                  absl::StrCat(kind, " \"", name, "\"")};
      return found.fields.IsMap() ? absl::StatusOr<std::optional<Entry>>(std::move(found))
                                  : found.Bad(kind, "must be an object");
    }
  }
  return std::nullopt;
}

absl::StatusOr<Entry> FindOrFail(const std::vector<File>& files, const std::string& kind,
                                 const std::string& name) {
  ASSIGN_OR_RETURN(std::optional<Entry> entry, Find(files, kind, name));
  return entry ? absl::StatusOr<Entry>(*std::move(entry))
               : InvalidArgumentError(
                     absl::StrCat(files.front().path, ": there is no ", kind, " \"", name, "\""));
}

absl::Status FillCluster(const Entry& cluster, ClusterConfig& config) {
  if (cluster.Has("proxy-url")) {
    return cluster.Bad("proxy-url", "proxies are not supported");
  }
  ASSIGN_OR_RETURN(const std::string server, cluster.Text("server"));
  if (const absl::Status bad = ParseServerUrl(server, config); !bad.ok()) {
    return cluster.Bad("server", Message(bad));
  }
  ASSIGN_OR_RETURN(config.tls_server_name, cluster.Text("tls-server-name"));
  ASSIGN_OR_RETURN(config.insecure_skip_tls_verify, cluster.Flag("insecure-skip-tls-verify"));
  ASSIGN_OR_RETURN(config.ca, cluster.Pem("certificate-authority"));
  return absl::OkStatus();
}

absl::StatusOr<ExecPlugin::Interactive> ReadInteractive(const Entry& exec,
                                                        const std::string& api_version) {
  ASSIGN_OR_RETURN(const std::string mode, exec.Text("interactiveMode"));
  if (mode == "Never") {
    return ExecPlugin::Interactive::kNever;
  }
  if (mode == "Always") {
    return ExecPlugin::Interactive::kAlways;
  }
  if (mode == "IfAvailable" || (mode.empty() && api_version == kExecV1Beta1)) {
    return ExecPlugin::Interactive::kIfAvailable;
  }
  return exec.Bad("interactiveMode", "must be Never, IfAvailable or Always");
}

absl::Status ReadArguments(const Entry& exec, ExecPlugin& plugin) {
  if (exec.Has("args")) {
    const YAML::Node args = exec.fields["args"];
    if (!args.IsSequence()) {
      return exec.Bad("args", "must be a list of strings");
    }
    for (const YAML::Node& arg : args) {
      if (!arg.IsScalar()) {
        return exec.Bad("args", "must be a list of strings");
      }
      plugin.args.push_back(arg.Scalar());
    }
  }
  if (exec.Has("env")) {
    const YAML::Node env = exec.fields["env"];
    if (!env.IsSequence()) {
      return exec.Bad("env", "must be a list of name and value");
    }
    for (const YAML::Node& entry : env) {
      if (!entry.IsMap() || !entry["name"].IsDefined() || !entry["name"].IsScalar() ||
          !entry["value"].IsDefined() || !entry["value"].IsScalar()) {
        return exec.Bad("env", "must be a list of name and value");
      }
      plugin.env[entry["name"].Scalar()] = entry["value"].Scalar();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ExecPlugin> ReadExec(const Entry& user) {
  const Entry exec{user.fields["exec"], user.path, user.name + ": exec"};
  if (!exec.fields.IsMap()) {
    return user.Bad("exec", "must be an object");
  }
  ExecPlugin plugin;
  ASSIGN_OR_RETURN(plugin.api_version, exec.Text("apiVersion"));
  if (plugin.api_version != kExecV1 && plugin.api_version != kExecV1Beta1) {
    return exec.Bad("apiVersion", absl::StrCat("\"", plugin.api_version, "\": must be ", kExecV1,
                                               " or ", kExecV1Beta1));
  }
  ASSIGN_OR_RETURN(plugin.command, exec.Text("command"));
  if (plugin.command.empty()) {
    return exec.Bad("command", "is missing");
  }
  if (plugin.command.find('/') != std::string::npos) {
    plugin.command = exec.Resolve(plugin.command);
  }
  RETURN_IF_ERROR(ReadArguments(exec, plugin));
  ASSIGN_OR_RETURN(plugin.interactive, ReadInteractive(exec, plugin.api_version));
  ASSIGN_OR_RETURN(plugin.install_hint, exec.Text("installHint"));
  ASSIGN_OR_RETURN(plugin.provide_cluster_info, exec.Flag("provideClusterInfo"));
  return plugin;
}

// What `extensions: [{name: client.authentication.k8s.io/exec, extension: ...}]` says, as JSON.
absl::StatusOr<std::string> ExecExtension(const Entry& cluster) {
  const YAML::Node extensions = cluster.fields["extensions"];
  if (!extensions.IsDefined() || !extensions.IsSequence()) {
    return std::string();
  }
  for (const YAML::Node& entry : extensions) {
    if (entry.IsMap() && entry["name"].IsDefined() && entry["name"].IsScalar() &&
        entry["name"].Scalar() == "client.authentication.k8s.io/exec") {
      absl::StatusOr<std::string> json = YamlNodeToJson(entry["extension"]);
      return json.ok() ? json : cluster.Bad("extensions", Message(json.status()));
    }
  }
  return std::string();
}

absl::Status FillUser(const Entry& user, const KubeconfigOptions& options, ClusterConfig& config) {
  struct Refused {
    const char* field;
    const char* why;
  };
  constexpr auto kRefused = std::to_array<Refused>({
      {"exec", "credential plug-ins are not supported: use a token or a client certificate"},
      {"auth-provider",
       "credential plug-ins are not supported: use a token or a client certificate"},
      {"username", "passwords are not supported: use a token or a client certificate"},
      {"password", "passwords are not supported: use a token or a client certificate"},
      {"as", "impersonation is not supported"},
      {"as-uid", "impersonation is not supported"},
      {"as-groups", "impersonation is not supported"},
      {"as-user-extra", "impersonation is not supported"},
  });
  for (const Refused& refused : kRefused) {
    const bool allowed = options.allow_exec && refused.field == std::string_view("exec");
    if (user.Has(refused.field) && !allowed) {
      return user.Bad(refused.field, refused.why);
    }
  }
  ASSIGN_OR_RETURN(config.certificate, user.Pem("client-certificate"));
  ASSIGN_OR_RETURN(config.key, user.Pem("client-key"));
  if (config.certificate.empty() != config.key.empty()) {
    return user.Bad(config.key.empty() ? "client-key" : "client-certificate", "is missing");
  }
  ASSIGN_OR_RETURN(config.token, user.Text("token"));
  ASSIGN_OR_RETURN(const std::string file, user.Text("tokenFile"));
  if (!file.empty()) {
    config.token_file = user.Resolve(file);
  }
  // As for kubectl, a token that is there already makes the plug-in needless.
  if (user.Has("exec") && config.token.empty() && file.empty()) {
    ASSIGN_OR_RETURN(config.exec, ReadExec(user));
  }
  return absl::OkStatus();
}

absl::StatusOr<ClusterConfig> FromFiles(const std::vector<File>& files,
                                        const KubeconfigOptions& options) {
  std::string current = options.context;
  for (const File& file : files) {
    ASSIGN_OR_RETURN(const std::string here,
                     (Entry{file.root, file.path, "kubeconfig"}.Text("current-context")));
    current = current.empty() ? here : current;
  }
  if (current.empty()) {
    return InvalidArgumentError(files.front().path + ": current-context: is not set");
  }
  ASSIGN_OR_RETURN(const Entry context, FindOrFail(files, "context", current));
  ASSIGN_OR_RETURN(const std::string cluster_name, context.Text("cluster"));
  ASSIGN_OR_RETURN(const Entry cluster, FindOrFail(files, "cluster", cluster_name));
  ClusterConfig config;
  RETURN_IF_ERROR(FillCluster(cluster, config));
  ASSIGN_OR_RETURN(const std::string user_name, context.Text("user"));
  if (!user_name.empty()) {
    ASSIGN_OR_RETURN(const Entry user, FindOrFail(files, "user", user_name));
    RETURN_IF_ERROR(FillUser(user, options, config));
  }
  if (config.exec && config.exec->provide_cluster_info) {
    ASSIGN_OR_RETURN(config.exec->cluster_extension, ExecExtension(cluster));
  }
  ASSIGN_OR_RETURN(config.default_namespace, context.Text("namespace"));
  return config;
}

}  // namespace

absl::StatusOr<ClusterConfig> ReadKubeconfig(const std::vector<std::string>& paths,
                                             const KubeconfigOptions& options) {
  std::vector<File> files;
  absl::Status missing = NotFoundError("no kubeconfig");
  for (const std::string& path : paths) {
    try {
      absl::StatusOr<File> file = Load(path);
      if (file.ok()) {
        files.push_back(*std::move(file));
      } else if (absl::IsNotFound(file.status())) {
        missing = file.status();
      } else {
        return file.status();
      }
    } catch (const YAML::Exception& bad) {
      return InvalidArgumentError(absl::StrCat(path, ": ", bad.what()));
    }
  }
  if (files.empty()) {
    return missing;
  }
  try {
    return FromFiles(files, options);
  } catch (const YAML::Exception& bad) {
    return InvalidArgumentError(absl::StrCat(files.front().path, ": ", bad.what()));
  }
}

}  // namespace korder::kube
