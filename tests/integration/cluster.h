// A running korder on a real control plane, as the integration tests see it.
//
//   Cluster cluster;                                  // reads KUBECONFIG, KORDER_INSTANCE
//   cluster.Shell("kubectl apply -f deploy/examples/order.yaml");
//   REQUIRE(Eventually(absl::Seconds(20), [&] { return cluster.ReadyTickets("default") == 3; }));
//
// The cluster and the services are started by the tests' fixture (run.sh). Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "api/core/pod.h"
#include "api/v1alpha1/order.h"
#include "api/v1alpha1/ticket.h"
#include "kube/client.h"

namespace korder::integration {

struct ShellResult {
  int exit_code = 0;
  std::string output;  // stdout and stderr
};

// Polls until `done` is true or the time is up; returns whether it became true.
bool Eventually(absl::Duration limit, const std::function<bool()>& done);

class Cluster {
 public:
  Cluster();
  // Prints the state of the test's namespaces and the services' last log lines if the test failed.
  ~Cluster();

  // Runs a command from the project's root; kubectl and helm are on its PATH.
  ShellResult TryShell(const std::string& command);
  // As TryShell, and fails the test when the command fails. Returns its output.
  std::string Shell(const std::string& command);
  // kubectl apply of a text.
  ShellResult Apply(const std::string& yaml);

  // A namespace of its own for a test; deleted with the cluster object.
  std::string NewNamespace(std::string_view stem);

  kube::Client& client() { return *client_; }
  std::vector<api::Ticket> Tickets(const std::string& ns);
  std::vector<api::Pod> Guardians(const std::string& ns);
  int ReadyTickets(const std::string& ns);
  // The sum of a counter's samples in a service's /metrics whose line contains `filter`.
  double Metric(const std::string& service, const std::string& name,
                const std::string& filter = "");
  // The same of the API server's own /metrics.
  double ServerMetric(const std::string& name, const std::string& filter = "");

 private:
  void Report();

  std::unique_ptr<kube::HttpTransport> transport_;
  std::unique_ptr<kube::Client> client_;
  std::vector<std::string> namespaces_;
};

}  // namespace korder::integration
