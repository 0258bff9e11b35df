// Looks at the whole of what korder promised and holds, at one instant of the API server after the
// other, while something goes wrong.
//
//   FaultWitness witness(cluster.client(), {.ns = ns, .tickets = 60});
//   witness.Acknowledged("a");          // quota-svc said that it is granted
//   ...
//   witness.Forgotten("a");             // before it is given back
//   witness.Stop();
//   CHECK(witness.faults().empty());
//
// An instant is one of the API server's: the Tickets as of one resourceVersion, and the objects of
// the ledger as of the very same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "api/v1alpha1/ticket.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "quota-svc/ledger_codec.h"

namespace korder::integration {

// The text of a list of `plural` as of exactly this version, or what was wrong.
absl::StatusOr<std::string> ListExactly(kube::Client& client, const std::string& path,
                                        const std::string& version,
                                        const std::string& more_query = "");

struct Instant {
  std::string version;
  std::vector<api::Ticket> tickets;                  // of the namespace
  std::map<std::string, quota::LedgerImage> ledger;  // by object

  // The grants for tickets of the namespace.
  std::vector<quota::Grant> Grants(const std::string& ns) const;
  // What counts against quotas: UIDs of tickets that were acted upon and are not over, and what the
  // ledger has written down for others.
  std::set<std::string> Charged(const std::string& ns) const;
};

// INVALID_ARGUMENT when the ledger cannot be read.
absl::StatusOr<Instant> LookAt(kube::Client& client, const std::string& ns);

class FaultWitness {
 public:
  struct Options {
    std::string ns;
    int tickets = 0;  // at most, by the quota
    // What is acknowledged need not be there for longer.
    absl::Duration grants_live = absl::Seconds(50);
  };

  FaultWitness(kube::Client& client, Options options);

  void Acknowledged(const std::string& id);
  void Forgotten(const std::string& id);
  void Stop();

  // After Stop.
  int instants() const { return instants_; }
  size_t most_charged() const { return most_charged_; }
  // Grants that were acknowledged and looked for, each time counted.
  int64_t grants_seen() const { return grants_seen_; }
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void Look();
  void Judge(const Instant& instant, const std::set<std::string>& acknowledged);
  void Fault(const Instant& instant, const std::string& what);
  std::set<std::string> StillPromised();

  kube::Client& client_;
  const Options options_;
  Mutex mu_;
  std::map<std::string, absl::Time> acknowledged_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int64_t> epochs_;  // newest seen, by object
  int instants_ = 0;
  size_t most_charged_ = 0;
  int64_t grants_seen_ = 0;
  std::vector<std::string> faults_;
  std::jthread thread_;
};

}  // namespace korder::integration
