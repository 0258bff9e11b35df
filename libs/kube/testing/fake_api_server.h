// An API server in memory, for tests and the simulation: objects of any resource, with versions and
// conflicts, generations, status subresources, finalizers, owners, paging, selectors and watches as
// the real server has them, and faults where a test wants them.
//
//   FakeClock clock;
//   FakeApiServer server(clock);
//   Client client(server);
//   server.FailNext("create", "pods", 503);
//   server.LoseNextResponse("patch", "tickets/status");   // done, but the client is not told
//   server.OnWrite({.after = [&](const ServedCall& call) { ... }});
//   CHECK(server.Count("create", "pods") == 2);
//
// What it does not have: schemas and their validation, admission, authorization, namespaces that
// must exist, field ownership (apply merges), DELETE of collections. Nothing happens by itself:
// garbage, bookmarks, the end of a watch are steps that a test takes. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/object_key.h"
#include "kube/transport.h"

namespace korder::kube {

struct FakeApiOptions {
  bool collect_garbage = false;  // after each write, instead of on demand
};

// One request, as the server saw it.
struct ServedCall {
  std::string verb;      // "create", "get", "list", "watch", "update", "patch", "delete"
  std::string resource;  // "pods", "pods/status"
  ObjectKey key;         // without a name for create, list and watch
  std::string body;
  int code = 0;  // of the answer; 0 when the client got none, and before a write
};

// Called around every write, also one that is refused; not for one that is lost before it arrives.
// No lock is held: a hook may use the server, and what it throws passes through to the caller.
struct WriteHooks {
  std::function<void(const ServedCall&)> before;
  std::function<void(const ServedCall&)> after;
};

class FakeApiServer final : public HttpTransport {
 public:
  explicit FakeApiServer(const Clock& clock, FakeApiOptions options = {});
  ~FakeApiServer() override;

  // Answers at once; `options.timeout` never passes.
  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, const CallOptions& options) override;
  // A stream lasts as long as its holder wants, also beyond the server.
  absl::StatusOr<StreamResponse> Open(const HttpRequest& request,
                                      const CallOptions& options) override;

  // --- faults: each meets the next `times` requests that match; "" matches every verb or resource

  // Refused with this code, nothing done.
  void FailNext(std::string verb, std::string resource, int http_status, int times = 1,
                absl::Duration retry_after = absl::ZeroDuration());
  // The request does not arrive: UNAVAILABLE.
  void LoseNextRequest(std::string verb, std::string resource, int times = 1);
  // The request is performed, its answer does not arrive: UNAVAILABLE.
  void LoseNextResponse(std::string verb, std::string resource, int times = 1);
  // The request arrives twice; the client gets the second answer.
  void DuplicateNext(std::string verb, std::string resource, int times = 1);
  void OnWrite(WriteHooks hooks);

  // --- watches

  // Tells every watch that takes bookmarks the newest version.
  void SendBookmarks();
  // Ends every watch, after what it has yet to tell: in good order, or with an error.
  void EndWatches(const absl::Status& status = absl::OkStatus());
  // Between the two, watches tell nothing; they catch up afterwards.
  void PauseWatches();
  void ResumeWatches();
  // Forgets the past: a watch from an older version gets 410, as does the next page of a list.
  void Compact();

  // Deletes what has lost its owners, and lets go what waited for its dependents.
  void CollectGarbage();

  // --- what was asked

  std::vector<ServedCall> Log() const;
  int Count(std::string_view verb, std::string_view resource) const;
  void ClearLog();

 private:
  struct Shared;
  class Stream;

  // Shared with the streams that are open.
  const std::shared_ptr<Shared> shared_;
};

}  // namespace korder::kube
