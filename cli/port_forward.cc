#include "cli/port_forward.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace korder::cli {
namespace {

std::vector<std::string> Arguments(const PortForwardOptions& options) {
  std::vector<std::string> argv = {options.kubectl};
  if (!options.kubeconfig.empty()) {
    argv.push_back("--kubeconfig=" + options.kubeconfig);
  }
  if (!options.context.empty()) {
    argv.push_back("--context=" + options.context);
  }
  argv.insert(argv.end(), {"--namespace=" + options.ns, "port-forward", "--address=127.0.0.1",
                           options.target, absl::StrCat(":", options.port)});
  return argv;
}

}  // namespace

std::optional<int> ForwardedPort(std::string_view output) {
  constexpr std::string_view kBefore = "Forwarding from 127.0.0.1:";
  const size_t at = output.find(kBefore);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  output.remove_prefix(at + kBefore.size());
  const size_t end = output.find(' ');
  int port = 0;
  if (end == std::string_view::npos ||
      !absl::SimpleAtoi(std::string(output.substr(0, end)), &port)) {
    return std::nullopt;
  }
  return port;
}

absl::StatusOr<PortForward> StartPortForward(const PortForwardOptions& options) {
  // Not merely "UNAVAILABLE": whatever is wrong with the child, korder cannot be reached.
  const auto failed = [&](std::string_view why) {
    return UnavailableError(absl::StrCat(
        "kubectl port-forward ", options.target, ": ",
        std::string(absl::StripAsciiWhitespace(absl::string_view(why.data(), why.size())))));
  };
  auto child = kube::ChildProcess::Start({.argv = Arguments(options), .merge_stderr = true});
  if (!child.ok()) {
    return absl::IsNotFound(child.status())
               ? UnavailableError(
                     "kubectl is not installed, and only it can forward a port to "
                     "korder from here: install it, or pass --server")
               : failed(Message(child.status()));
  }
  std::string output;
  while (true) {
    const absl::StatusOr<std::string> piece = (*child)->Read(options.timeout);
    if (!piece.ok()) {
      return failed(Message(piece.status()));
    }
    if (piece->empty()) {
      return failed(output.empty() ? "ended without a word" : output);
    }
    output += *piece;
    if (const std::optional<int> port = ForwardedPort(output)) {
      return PortForward{*std::move(child), Endpoint{"127.0.0.1", *port}};
    }
  }
}

}  // namespace korder::cli
