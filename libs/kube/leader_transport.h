// Lets only the leader write. A process that stood still (SIGSTOP, a starved machine) goes on in
// the middle of what it had decided before, while another leads: what it sends then is refused
// here, by time alone, before anybody has noticed that the term is over.
//
//   LeaderTransport writing(transport, [&elector] { return elector.leading(); });
//   Client client(writing);   // for what runs while leading; the Lease itself goes another way
//
// Not a fence: what was sent in time may arrive late. What must never happen twice has
// preconditions besides.
#pragma once

#include <functional>
#include <utility>

#include "kube/transport.h"

namespace korder::kube {

// Thread-safe if the transport and `leads` are.
class LeaderTransport final : public HttpTransport {
 public:
  // Borrows the transport.
  LeaderTransport(HttpTransport& transport, std::function<bool()> leads)
      : transport_(transport), leads_(std::move(leads)) {}

  // CANCELLED for a write when `leads` says no; nothing was sent then.
  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override;
  absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                      const CallOptions& options) override;

 private:
  HttpTransport& transport_;
  const std::function<bool()> leads_;
};

}  // namespace korder::kube
