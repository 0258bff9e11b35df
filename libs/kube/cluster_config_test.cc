#include "kube/cluster_config.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "kube/kubeconfig.h"
#include "kube/testing/test_ca.h"

namespace korder::kube {

std::ostream& operator<<(std::ostream& out, const ClusterConfig& c) {
  return out << c.host << "|" << c.port << "|" << c.path_prefix << "|" << c.tls << "|"
             << c.tls_server_name << "|" << c.insecure_skip_tls_verify << "|" << c.ca.size() << "|"
             << c.certificate.size() << "|" << c.key.size() << "|" << c.token << "|" << c.token_file
             << "|" << c.default_namespace << "|" << (c.exec ? c.exec->command : "no plug-in");
}

namespace {

namespace fs = std::filesystem;

// A folder of its own for each test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "korder-kubeconfig-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    const fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string Path(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

const TestCa& Ca() {
  static const TestCa ca;
  return ca;
}
const TestCa::Pair& Identity() {
  static const TestCa::Pair pair = Ca().Issue("me", "DNS:me");
  return pair;
}

std::string Base64(const std::string& text) { return absl::Base64Escape(text); }

// A whole kubeconfig with these fields in its one cluster and one user.
std::string Config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: main\n"
         "contexts:\n- name: main\n  context: {cluster: c, user: u, namespace: n}\n"
         "clusters:\n- name: other\n  cluster: {server: 'https://wrong:1'}\n"
         "- name: c\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

constexpr char kServer[] = "server: 'https://10.0.0.1:6443'";

TEST_CASE("cluster config: a server URL is split into its parts", "[cluster_config]") {
  struct Case {
    const char* url;
    ClusterConfig want;
  };
  const Case cases[] = {
      {"https://10.0.0.1:6443", {.host = "10.0.0.1", .port = "6443"}},
      {"https://api.example.com", {.host = "api.example.com", .port = "443"}},
      {"https://api.example.com/", {.host = "api.example.com", .port = "443"}},
      {"http://localhost", {.host = "localhost", .port = "80", .tls = false}},
      {"https://[::1]:6443", {.host = "::1", .port = "6443"}},
      {"https://[fe80::1]", {.host = "fe80::1", .port = "443"}},
      {"https://r.example.com/k8s/clusters/c-1/",
       {.host = "r.example.com", .port = "443", .path_prefix = "/k8s/clusters/c-1"}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.url) {
      ClusterConfig got;
      CHECK(ParseServerUrl(c.url, got).ok());
      CHECK(got == c.want);
    }
  }
  for (const char* bad :
       {"", "10.0.0.1:6443", "ftp://x", "https://", "https://:6443", "https://a:", "https://a:b",
        "https://a:65536", "https://a:123456", "https://a:1:2", "https://[::1", "https://[::1]6443",
        "https://user@host", "https://host?x=y", "https://host#x", "https://ho st"}) {
    DYNAMIC_SECTION("refused: " << bad) {
      ClusterConfig got;
      CHECK(absl::IsInvalidArgument(ParseServerUrl(bad, got)));
    }
  }
}

TEST_CASE("kubeconfig: inline data makes a whole config", "[cluster_config]") {
  const Folder folder;
  const std::string path = folder.Write(
      "config",
      Config(std::string(kServer) +
                 ", tls-server-name: kubernetes, certificate-authority-data: " + Base64(Ca().pem()),
             "client-certificate-data: " + Base64(Identity().certificate) +
                 ", client-key-data: " + Base64(Identity().key) + ", token: secret"));
  const auto got = LoadClusterConfig(path);
  REQUIRE(got.ok());
  CHECK(*got == ClusterConfig{.host = "10.0.0.1",
                              .port = "6443",
                              .tls_server_name = "kubernetes",
                              .ca = Ca().pem(),
                              .certificate = Identity().certificate,
                              .key = Identity().key,
                              .token = "secret",
                              .default_namespace = "n"});
}

TEST_CASE("kubeconfig: a relative path starts at the folder of its file", "[cluster_config]") {
  const Folder folder;
  folder.Write("pki/ca.crt", Ca().pem());
  folder.Write("pki/me.crt", Identity().certificate);
  const std::string key = folder.Write("elsewhere/me.key", Identity().key);
  const std::string path = folder.Write(
      "conf/config",
      Config(std::string(kServer) + ", certificate-authority: ../pki/ca.crt",
             "client-certificate: ../pki/me.crt, client-key: " + key + ", tokenFile: token"));
  const auto got = LoadClusterConfig(path);
  REQUIRE(got.ok());
  CHECK(got->ca == Ca().pem());
  CHECK(got->certificate == Identity().certificate);
  CHECK(got->key == Identity().key);
  CHECK(got->token_file == folder.Path("conf/token"));
}

TEST_CASE("kubeconfig: verification is skipped only when the file says so", "[cluster_config]") {
  const Folder folder;
  const auto load = [&](const std::string& flag) {
    return LoadClusterConfig(folder.Write(
        "config", Config(std::string(kServer) + ", insecure-skip-tls-verify: " + flag, "")));
  };
  CHECK(load("true")->insecure_skip_tls_verify);
  CHECK_FALSE(load("false")->insecure_skip_tls_verify);
  CHECK(absl::IsInvalidArgument(load("yes please").status()));
}

TEST_CASE("kubeconfig: of several files the first to name something wins", "[cluster_config]") {
  const Folder folder;
  const std::string first =
      folder.Write("first",
                   "contexts:\n- name: b\n  context: {cluster: cb, user: ub}\n"
                   "users:\n- name: ub\n  user: {token: first}\n");
  const std::string second = folder.Write(
      "second",
      "current-context: b\nclusters:\n- name: cb\n  cluster: {server: 'https://second'}\n"
      "users:\n- name: ub\n  user: {token: second}\n");
  const std::string third = folder.Write("third", Config(kServer, "token: third"));
  const auto load = [&](const std::string& paths) {
    return LoadClusterConfig("", {.kubeconfig = paths, .service_host = "10.96.0.1"});
  };
  const auto got = load(first + ":" + folder.Path("missing") + "::" + second + ":" + third);
  REQUIRE(got.ok());
  CHECK(*got == ClusterConfig{.host = "second", .port = "443", .token = "first"});
  CHECK(got->default_namespace.empty());
  CHECK(load(third + ":" + first)->token == "third");
  CHECK(absl::IsNotFound(load(folder.Path("missing")).status()));
}

TEST_CASE("kubeconfig: another context than the current one can be asked for", "[cluster_config]") {
  const Folder folder;
  const std::string path = folder.Write("config",
                                        "current-context: a\n"
                                        "contexts:\n- {name: a, context: {cluster: ca}}\n"
                                        "- {name: b, context: {cluster: cb, namespace: nb}}\n"
                                        "clusters:\n- {name: ca, cluster: {server: 'https://a'}}\n"
                                        "- {name: cb, cluster: {server: 'https://b'}}\n");
  const auto load = [&](const std::string& context) {
    // In a pod, too: there are no contexts but those of a kubeconfig.
    return LoadClusterConfig({.context = context},
                             {.kubeconfig = path, .service_host = "10.96.0.1"});
  };
  CHECK(*load("b") == ClusterConfig{.host = "b", .port = "443", .default_namespace = "nb"});
  CHECK(load("")->host == "a");
  CHECK(std::string(Message(load("c").status())) == path + ": there is no context \"c\"");
}

TEST_CASE("kubeconfig: a credential plug-in is taken over where it is allowed",
          "[cluster_config]") {
  const Folder folder;
  const std::string text =
      "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login,"
      " args: [get, '1'], env: [{name: A, value: b}], interactiveMode: Always,"
      " installHint: get it, provideClusterInfo: true}";
  const std::string cluster =
      std::string(kServer) +
      ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: '7'}}]";
  const auto load = [&](const std::string& user) {
    return LoadClusterConfig(
        {.path = folder.Write("config", Config(cluster, user)), .allow_exec = true}, {});
  };
  const auto got = load(text);
  REQUIRE(got.ok());
  CHECK(got->exec == ExecPlugin{.api_version = "client.authentication.k8s.io/v1",
                                .command = folder.Path("bin/login"),
                                .args = {"get", "1"},
                                .env = {{"A", "b"}},
                                .interactive = ExecPlugin::Interactive::kAlways,
                                .install_hint = "get it",
                                .provide_cluster_info = true,
                                .cluster_extension = R"({"audience":"7"})"});
  CHECK(load("exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}")->exec ==
        ExecPlugin{.api_version = "client.authentication.k8s.io/v1beta1", .command = "aws"});
  CHECK_FALSE(load("token: t, " + text)->exec.has_value());
  CHECK_FALSE(load("tokenFile: t, " + text)->exec.has_value());
}

TEST_CASE("kubeconfig: a credential plug-in that cannot be run as asked is refused",
          "[cluster_config]") {
  struct Case {
    const char* exec;
    const char* want;
  };
  const Case cases[] = {
      {"x", "exec: must be an object"},
      {"{command: aws}",
       "exec: apiVersion: \"\": must be client.authentication.k8s.io/v1 or "
       "client.authentication.k8s.io/v1beta1"},
      {"{apiVersion: client.authentication.k8s.io/v1alpha1, command: aws}",
       "exec: apiVersion: \"client.authentication.k8s.io/v1alpha1\": must be "
       "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"},
      {"{apiVersion: client.authentication.k8s.io/v1}", "exec: command: is missing"},
      {"{apiVersion: client.authentication.k8s.io/v1, command: aws}",
       "exec: interactiveMode: must be Never, IfAvailable or Always"},
      {"{apiVersion: client.authentication.k8s.io/v1, command: aws, args: [[]]}",
       "exec: args: must be a list of strings"},
      {"{apiVersion: client.authentication.k8s.io/v1, command: aws, args: a}",
       "exec: args: must be a list of strings"},
      {"{apiVersion: client.authentication.k8s.io/v1, command: aws, env: [{name: A}]}",
       "exec: env: must be a list of name and value"},
      {"{apiVersion: client.authentication.k8s.io/v1, command: aws, env: {}}",
       "exec: env: must be a list of name and value"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.exec) {
      const Folder folder;
      const std::string path =
          folder.Write("config", Config(kServer, "exec: " + std::string(c.exec)));
      const absl::Status status =
          LoadClusterConfig({.path = path, .allow_exec = true}, {}).status();
      CHECK(absl::IsInvalidArgument(status));
      CHECK(std::string(Message(status)) == path + ": user \"u\": " + c.want);
    }
  }
  const Folder folder;
  const std::string open = folder.Write(
      "config", Config("server: 'http://10.0.0.1'",
                       "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}"));
  CHECK(std::string(Message(LoadClusterConfig({.path = open, .allow_exec = true}, {}).status())) ==
        "cluster at 10.0.0.1:80: credentials need an https:// server");
}

TEST_CASE("kubeconfig: what cannot be obeyed is refused by name", "[cluster_config]") {
  struct Case {
    const char* name;
    std::string text;
    const char* want;  // PATH stands for the file's
  };
  const Case cases[] = {
      {"not YAML", "a: [",
       "PATH: yaml-cpp: error at line 1, column 1: end of sequence flow not found"},
      {"no map", "[]", "PATH: is not a kubeconfig"},
      {"empty", "", "PATH: current-context: is not set"},
      {"no context", "current-context: x", "PATH: there is no context \"x\""},
      {"contexts is no list", "current-context: x\ncontexts: {}", "PATH: contexts: must be a list"},
      {"no cluster", "current-context: x\ncontexts: [{name: x, context: {cluster: y}}]",
       "PATH: there is no cluster \"y\""},
      {"context is text", "current-context: x\ncontexts: [{name: x, context: y}]",
       "PATH: context \"x\": context: must be an object"},
      {"no user",
       "current-context: x\ncontexts: [{name: x, context: {cluster: y, user: z}}]\n"
       "clusters: [{name: y, cluster: {server: 'https://a'}}]",
       "PATH: there is no user \"z\""},
      {"no server", Config("", ""),
       "PATH: cluster \"c\": server: \"\" must begin with https:// or http://"},
      {"server is a list", Config("server: []", ""),
       "PATH: cluster \"c\": server: must be a string"},
      {"proxy", Config(std::string(kServer) + ", proxy-url: 'http://p'", ""),
       "PATH: cluster \"c\": proxy-url: proxies are not supported"},
      {"exec", Config(kServer, "exec: {command: aws}"),
       "PATH: user \"u\": exec: credential plug-ins are not supported: use a token or a client "
       "certificate"},
      {"auth-provider", Config(kServer, "auth-provider: {name: gcp}"),
       "PATH: user \"u\": auth-provider: credential plug-ins are not supported: use a token or a "
       "client certificate"},
      {"password", Config(kServer, "username: a, password: b"),
       "PATH: user \"u\": username: passwords are not supported: use a token or a client "
       "certificate"},
      {"impersonation", Config(kServer, "as: admin"),
       "PATH: user \"u\": as: impersonation is not supported"},
      {"base64", Config(kServer, "client-key-data: '***'"),
       "PATH: user \"u\": client-key-data: is not base64"},
      {"certificate without key",
       Config(kServer, "client-certificate-data: " + Base64(Identity().certificate)),
       "PATH: user \"u\": client-key: is missing"},
      {"file missing", Config(std::string(kServer) + ", certificate-authority: /no/ca.crt", ""),
       "PATH: cluster \"c\": certificate-authority: read /no/ca.crt: No such file or directory"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Folder folder;
      const std::string path = folder.Write("config", c.text);
      const absl::Status status = LoadClusterConfig(path).status();
      CHECK(status.code() == absl::StatusCode::kInvalidArgument);
      CHECK(std::string(Message(status)) == absl::StrReplaceAll(c.want, {{"PATH", path}}));
    }
  }
}

TEST_CASE("cluster config: certificates that cannot be used are found at the start",
          "[cluster_config]") {
  struct Case {
    const char* name;
    std::string cluster;
    std::string user;
    const char* want;
  };
  const std::string other_key = Base64(Ca().Issue("you", "DNS:you").key);
  const Case cases[] = {
      {"authority", std::string(kServer) + ", certificate-authority-data: " + Base64("junk"), "",
       "certificate-authority: no certificate in it"},
      {"certificate", kServer,
       "client-key-data: " + other_key + ", client-certificate-data: " + Base64("junk"),
       "client-certificate"},
      {"somebody else's key", kServer,
       "client-key-data: " + other_key +
           ", client-certificate-data: " + Base64(Identity().certificate),
       "client-key"},
      {"credentials in the open", "server: 'http://10.0.0.1'", "token: secret",
       "credentials need an https:// server"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Folder folder;
      const absl::Status status =
          LoadClusterConfig(folder.Write("config", Config(c.cluster, c.user))).status();
      CHECK(status.code() == absl::StatusCode::kInvalidArgument);
      CHECK_THAT(std::string(Message(status)), Catch::StartsWith("cluster at 10.0.0.1:"));
      CHECK_THAT(std::string(Message(status)), Catch::Contains(c.want));
    }
  }
}

TEST_CASE("cluster config: in a pod, the service account is used", "[cluster_config]") {
  const Folder folder;
  folder.Write("sa/ca.crt", Ca().pem());
  const std::string token = folder.Write("sa/token", "secret");
  const ClusterEnvironment env{.home = folder.Path("home"),
                               .service_host = "10.96.0.1",
                               .service_port = "8443",
                               .service_account_dir = folder.Path("sa")};
  const auto got = LoadClusterConfig("", env);
  REQUIRE(got.ok());
  CHECK(*got ==
        ClusterConfig{.host = "10.96.0.1", .port = "8443", .ca = Ca().pem(), .token_file = token});
  folder.Write("sa/namespace", "mine");
  CHECK(LoadClusterConfig("", env)->default_namespace == "mine");
}

TEST_CASE("cluster config: a pod without a mounted token is told so", "[cluster_config]") {
  const Folder folder;
  const absl::Status status =
      LoadClusterConfig("", {.service_host = "10.96.0.1", .service_account_dir = folder.Path("sa")})
          .status();
  CHECK(absl::IsNotFound(status));
  CHECK_THAT(std::string(Message(status)), Catch::Contains(folder.Path("sa/token")));
}

TEST_CASE("cluster config: sources in their order", "[cluster_config]") {
  const Folder folder;
  folder.Write("home/.kube/config", Config("server: 'https://home'", ""));
  const std::string variable = folder.Write("variable", Config("server: 'https://variable'", ""));
  const std::string flag = folder.Write("flag", Config("server: 'https://flag'", ""));
  ClusterEnvironment env{.kubeconfig = variable, .home = folder.Path("home")};
  CHECK(LoadClusterConfig(flag, env)->host == "flag");
  CHECK(LoadClusterConfig("", env)->host == "variable");
  env.kubeconfig.clear();
  CHECK(LoadClusterConfig("", env)->host == "home");
  CHECK(absl::IsNotFound(LoadClusterConfig("", {}).status()));
  // A path that was asked for is never replaced by another source.
  CHECK(absl::IsNotFound(LoadClusterConfig(folder.Path("missing"), env).status()));
}

}  // namespace
}  // namespace korder::kube
