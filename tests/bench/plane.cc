#include "plane.h"

#include <atomic>
#include <iostream>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/pause.h"
#include "json/fields.h"
#include "kube/beast_transport.h"
#include "kube/cluster_config.h"

namespace korder::bench {
namespace {

constexpr char kKorder[] = "/apis/core.korder.dev/v1alpha1/namespaces/";
// What a guardian asks for, too.
constexpr char kRequests[] = R"({"requests":{"cpu":"50m","memory":"64Mi"}})";

// An object of which nothing is read.
struct Anything {
  template <class Self, class Visitor>
  static void Fields(Self&, Visitor&) {}
};

}  // namespace

Plane::Plane(const std::string& kubeconfig)
    : transport_(kube::NewBeastTransport(ValueOf(kube::LoadClusterConfig(kubeconfig)),
                                         {.user_agent = "korder-bench"})),
      client_(std::make_unique<kube::Client>(*transport_)) {}

Plane::~Plane() = default;

std::string Plane::Do(const std::string& method, const std::string& target,
                      const std::string& body) {
  auto answer = client_->Raw({method, target, body.empty() ? "" : "application/json", body},
                             {.timeout = absl::Minutes(5)});
  if (!answer.ok()) {
    throw std::runtime_error(absl::StrCat(method, " ", target, ": ", ToString(answer.status())));
  }
  return *std::move(answer);
}

void Plane::Try(const std::string& method, const std::string& target, const std::string& body) {
  const auto answer = client_->Raw({method, target, "application/json", body});
  if (!answer.ok()) {
    std::cerr << ToString(answer.status()) << "\n";
  }
}

int Plane::Count(const std::string& collection) {
  kube::ObjectList<Anything> page;
  if (!json::Parse(Do("GET", collection + "?limit=1"), page).ok()) {
    throw std::runtime_error("cannot read the list of " + collection);
  }
  return static_cast<int>(static_cast<int64_t>(page.items.size()) +
                          page.metadata.remaining_item_count.value_or(0));
}

std::string Plane::MakeNamespace() {
  static std::atomic<int> made =
      0;  // by every Plane of the process: a name may still be on its way out
  const std::string ns = absl::StrCat("bench-", ::getpid(), "-", ++made);
  Do("POST", "/api/v1/namespaces",
     absl::StrCat(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")", ns, "\"}}"));
  // Pods are refused until their account is there.
  const std::string account = absl::StrCat("/api/v1/namespaces/", ns, "/serviceaccounts/default");
  for (int i = 0; i < 100 && !client_->Raw({"GET", account, "", ""}).ok(); ++i) {
    Pause(absl::Milliseconds(100), {});
  }
  return ns;
}

void Plane::DropNamespace(const std::string& ns) {
  Do("DELETE", absl::StrCat("/api/v1/namespaces/", ns));
}

std::string PodsOf(const std::string& ns) {
  return absl::StrCat("/api/v1/namespaces/", ns, "/pods");
}
std::string OrdersOf(const std::string& ns) { return absl::StrCat(kKorder, ns, "/orders"); }
std::string TicketsOf(const std::string& ns) { return absl::StrCat(kKorder, ns, "/tickets"); }

std::string PodText(const std::string& name) {
  return absl::StrCat(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")", name,
      R"("},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"pause","image":"pause","resources":)",
      kRequests, "}]}}");
}

std::string TicketText(const std::string& name) {
  return absl::StrCat(
      R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Ticket","metadata":{"name":")", name,
      R"("},"spec":{"duration":"2h","resources":)", kRequests, "}}");
}

std::string OrderText(const std::string& ns, const std::string& name, int size) {
  return absl::StrCat(
      R"({"apiVersion":"core.korder.dev/v1alpha1","kind":"Order","metadata":{"name":")", name,
      R"(","namespace":")", ns, R"("},"spec":{"replicas":)", size,
      R"(,"template":{"spec":{"duration":"2h","resources":)", kRequests, "}}}}");
}

}  // namespace korder::bench
