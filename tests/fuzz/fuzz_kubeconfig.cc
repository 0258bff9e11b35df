// Kubeconfig files: a config that can be used, or an error that names the file and the field and
// tells no secret.
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include "fuzz.h"
#include "kube/kubeconfig.h"

namespace korder::fuzz {
namespace {

namespace fs = std::filesystem;

// Every credential in the examples has this in it. In base64 it is that, too.
constexpr char kSecret[] = "hunter2";
constexpr char kEncoded[] = "aHVudGVyMg";

// A folder with the certificate authority that some examples name, gone with the process.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() / ("korder-fuzz-kubeconfig-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
    std::ofstream(path_ / "ca.crt") << "an authority";
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string Write(std::string_view text) const {
    std::ofstream(path_ / "config", std::ios::binary) << text;
    return (path_ / "config").string();
  }

 private:
  const fs::path path_;
};

// Whether every credential still stands where credentials stand: the mutator carries them
// elsewhere, too, and a host of that name may be told.
bool SecretsAreSecret(std::string_view text) {
  for (const std::string_view secret : {std::string_view(kSecret), std::string_view(kEncoded)}) {
    for (size_t at = text.find(secret); at != std::string_view::npos;
         at = text.find(secret, at + 1)) {
      std::string_view field = text.substr(0, at);
      field.remove_suffix(field.ends_with('"') ? 1 : 0);
      if (!field.ends_with("token: ") && !field.ends_with("password: ") &&
          !field.ends_with("client-key-data: ") && !field.ends_with("PASSWORD, value: ")) {
        return false;
      }
    }
  }
  return true;
}

void CheckError(const std::string& path, const absl::Status& error, bool secrets_are_secret) {
  FUZZ_CHECK(absl::IsInvalidArgument(error));
  const std::string message(Message(error));
  FUZZ_CHECK(message.starts_with(path + ": ") && message.size() > path.size() + 2);
  FUZZ_CHECK(!secrets_are_secret || (message.find(kSecret) == std::string::npos &&
                                     message.find(kEncoded) == std::string::npos));
}

void CheckConfig(const kube::ClusterConfig& config, bool allow_exec) {
  FUZZ_CHECK(!config.host.empty() && !config.port.empty());
  FUZZ_CHECK(config.port.find_first_not_of("0123456789") == std::string::npos);
  FUZZ_CHECK(std::stoi(config.port) >= 1 && std::stoi(config.port) <= 65535);
  FUZZ_CHECK(config.certificate.empty() == config.key.empty());
  FUZZ_CHECK(!config.exec || (allow_exec && !config.exec->command.empty()));
  FUZZ_CHECK(!config.exec || (config.token.empty() && config.token_file.empty()));
}

// True when there is a config.
bool Read(const std::string& path, bool secrets_are_secret,
          const kube::KubeconfigOptions& options) {
  const absl::StatusOr<kube::ClusterConfig> config = kube::ReadKubeconfig({path}, options);
  if (config.ok()) {
    CheckConfig(*config, options.allow_exec);
  } else {
    CheckError(path, config.status(), secrets_are_secret);
  }
  const absl::StatusOr<kube::ClusterConfig> again = kube::ReadKubeconfig({path, path}, options);
  FUZZ_CHECK(again.ok() == config.ok() && (!config.ok() || *again == *config));
  return config.ok();
}

}  // namespace

int FuzzOne(std::string_view input) {
  static const Folder folder;
  const std::string path = folder.Write(input);
  const bool secret = SecretsAreSecret(input);
  const bool service = Read(path, secret, {});
  const bool person = Read(path, secret, {.allow_exec = true});
  FUZZ_CHECK(person || !service);
  (void)Read(path, secret, {.context = "other", .allow_exec = true});
  return person ? kTaken : kRefused;
}

}  // namespace korder::fuzz
