#include "kube/exec_credential.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "kube/testing/test_ca.h"

namespace korder::kube {
namespace {

namespace fs = std::filesystem;

constexpr char kV1[] = "client.authentication.k8s.io/v1";

// A plug-in that is a shell script, in a folder of its own.
class Plugin {
 public:
  explicit Plugin(const std::string& script) {
    std::string name = (fs::temp_directory_path() / "korder-exec-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    std::ofstream(folder_ / "login") << "#!/bin/sh\n" << script << "\n";
    fs::permissions(folder_ / "login", fs::perms::owner_all);
  }
  ~Plugin() { fs::remove_all(folder_); }

  ClusterConfig Config() const {
    return {.host = "10.0.0.1",
            .port = "6443",
            .exec = ExecPlugin{.api_version = kV1,
                               .command = (folder_ / "login").string(),
                               .interactive = ExecPlugin::Interactive::kNever}};
  }

 private:
  fs::path folder_;
};

std::string Print(const std::string& status) {
  return "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
         "\"status\":" +
         status + "}'";
}

TEST_CASE("exec plug-in: its token becomes the config's", "[exec]") {
  const Plugin plugin(Print(R"({"token":"from '"$1 $REGION"'"})"));
  ClusterConfig config = plugin.Config();
  config.exec->args = {"argument"};
  config.exec->env = {{"REGION", "north"}};
  const absl::Status status = RunExecPlugin(config, {});
  INFO(ToString(status));
  REQUIRE(status.ok());
  CHECK(config ==
        ClusterConfig{.host = "10.0.0.1", .port = "6443", .token = "from argument north"});
}

TEST_CASE("exec plug-in: its client certificate becomes the config's", "[exec]") {
  const TestCa::Pair me = TestCa().Issue("me", "DNS:me");
  const auto escaped = [](std::string pem) {
    for (size_t at = 0; (at = pem.find('\n', at)) != std::string::npos; at += 2) {
      pem.replace(at, 1, "\\n");
    }
    return pem;
  };
  // sh's echo expands \n; printf %s does not.
  const Plugin plugin(
      "printf %s '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
      "\"ExecCredential\",\"status\":{\"clientCertificateData\":\"" +
      escaped(me.certificate) + "\",\"clientKeyData\":\"" + escaped(me.key) + "\"}}'");
  ClusterConfig config = plugin.Config();
  const absl::Status status = RunExecPlugin(config, {});
  INFO(ToString(status));
  REQUIRE(status.ok());
  CHECK(config.certificate == me.certificate);
  CHECK(config.key == me.key);
  CHECK_FALSE(config.exec.has_value());
}

TEST_CASE("exec plug-in: it is told of the cluster only when it wants to be", "[exec]") {
  ClusterConfig config{.host = "::1",
                       .port = "6443",
                       .path_prefix = "/k",
                       .tls_server_name = "name",
                       .insecure_skip_tls_verify = true,
                       .ca = "pem",
                       .exec = ExecPlugin{.api_version = kV1, .cluster_extension = R"({"a":1})"}};
  CHECK(ExecInfo(config, false) ==
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
        R"("spec":{"interactive":false}})");
  config.exec->provide_cluster_info = true;
  CHECK(ExecInfo(config, true) ==
        R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
        R"("spec":{"cluster":{"server":"https://[::1]:6443/k","tls-server-name":"name",)"
        R"("insecure-skip-tls-verify":true,"certificate-authority-data":"cGVt","config":{"a":1}},)"
        R"("interactive":true}})");
}

TEST_CASE("exec plug-in: it finds what it is told in its environment", "[exec]") {
  const Plugin plugin(R"(case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) )" +
                      Print(R"({"token":"t"})") + ";; esac");
  ClusterConfig config = plugin.Config();
  CHECK(RunExecPlugin(config, {.terminal = true}).ok());  // Never means never
  CHECK(config.token == "t");
}

TEST_CASE("exec plug-in: failures say what failed", "[exec]") {
  struct Case {
    const char* name;
    std::string script;
    const char* want;
  };
  const Case cases[] = {
      {"exit code", "exit 7", "failed with exit code 7"},
      {"no JSON", "echo hello", "did not answer with an ExecCredential"},
      {"another kind", "echo '{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}'",
       "answered with kind \"Pod\" of apiVersion \"v1\" instead of ExecCredential of "
       "client.authentication.k8s.io/v1"},
      {"no status", Print("null"), "answered without a status"},
      {"nothing in it", Print("{}"), "answered with neither a token nor a client certificate"},
      {"half a certificate", Print(R"({"clientCertificateData":"x"})"),
       "answered with only one of"},
      {"silence", "exec sleep 100", "gave no output in time"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const Plugin plugin(c.script);
      ClusterConfig config = plugin.Config();
      const absl::Duration timeout =
          c.name == std::string("silence") ? absl::Milliseconds(50) : absl::Seconds(60);
      const absl::Status status = RunExecPlugin(config, {.timeout = timeout});
      CHECK(absl::IsUnauthenticated(status));
      CHECK_THAT(std::string(Message(status)),
                 Catch::StartsWith("credential plug-in " + plugin.Config().exec->command + ": ") &&
                     Catch::Contains(c.want));
    }
  }
}

TEST_CASE("exec plug-in: one that is not installed says how to install it", "[exec]") {
  ClusterConfig config{.exec = ExecPlugin{.api_version = kV1,
                                          .command = "korder-no-such-plugin",
                                          .install_hint = "Get it from example.com."}};
  CHECK(std::string(Message(RunExecPlugin(config, {}))) ==
        "credential plug-in korder-no-such-plugin: is not installed: run korder-no-such-plugin: "
        "No such file or directory\nGet it from example.com.");
}

TEST_CASE("exec plug-in: one that must ask is not run where nobody can answer", "[exec]") {
  const Plugin plugin(Print(R"({"token":"t"})"));
  ClusterConfig config = plugin.Config();
  config.exec->interactive = ExecPlugin::Interactive::kAlways;
  CHECK_THAT(std::string(Message(RunExecPlugin(config, {.terminal = false}))),
             Catch::Contains("there is no terminal"));
  CHECK(RunExecPlugin(config, {.terminal = true}).ok());
}

TEST_CASE("exec plug-in: a certificate that cannot be used is found at once", "[exec]") {
  const Plugin plugin(Print(R"({"clientCertificateData":"x","clientKeyData":"y"})"));
  ClusterConfig config = plugin.Config();
  CHECK(absl::IsInvalidArgument(RunExecPlugin(config, {})));
}

TEST_CASE("exec plug-in: a config without one stays as it is", "[exec]") {
  ClusterConfig config{.host = "h", .token = "t"};
  CHECK(RunExecPlugin(config, {}).ok());
  CHECK(config == ClusterConfig{.host = "h", .token = "t"});
}

}  // namespace
}  // namespace korder::kube
