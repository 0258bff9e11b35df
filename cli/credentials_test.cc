#include "cli/credentials.h"

#include <catch2/catch.hpp>

#include "kube/testing/scripted_transport.h"

namespace korder::cli {
namespace {

using Kind = TokenSource::Kind;

TEST_CASE("credentials: what was asked for comes first, then the kubeconfig's token",
          "[credentials]") {
  struct Case {
    const char* name;
    GlobalOptions options;
    kube::ClusterConfig cluster;
    TokenSource want;
  };
  const kube::ClusterConfig with_all{.token = "t", .token_file = "/f"};
  const Case cases[] = {
      {"--token wins over all",
       {.token = "mine", .service_account = "sa"},
       with_all,
       {.kind = Kind::kGiven, .token = "mine"}},
      {"--service-account wins over the kubeconfig",
       {.service_account = "ns/sa"},
       with_all,
       {.kind = Kind::kRequest, .account = {"ns", "sa"}}},
      {"a bare name is in korder's namespace",
       {.service_account = "sa", .system_namespace = "sys"},
       {},
       {.kind = Kind::kRequest, .account = {"sys", "sa"}}},
      {"a token file wins over a token", {}, with_all, {.kind = Kind::kFile, .file = "/f"}},
      {"a token", {}, {.token = "t"}, {.kind = Kind::kGiven, .token = "t"}},
      {"only a client certificate",
       {},
       {.certificate = "c", .key = "k"},
       {.kind = Kind::kRequest, .account = {"korder-system", "korder-quota-cli"}}},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) { CHECK(ChooseToken(c.options, c.cluster) == c.want); }
  }
}

TEST_CASE("credentials: a token is requested for ten minutes", "[credentials]") {
  kube::ScriptedTransport transport;
  kube::Client client(transport);
  transport.Answer(kube::HttpResponse{.status = 201, .body = R"({"status":{"token":"short"}})"});
  CHECK(*RequestToken(client, {"sys", "sa"}, absl::Seconds(1)) == "short");
  REQUIRE(transport.requests.size() == 1);
  CHECK(transport.requests[0] ==
        kube::HttpRequest{.method = "POST",
                          .target = "/api/v1/namespaces/sys/serviceaccounts/sa/token",
                          .content_type = "application/json",
                          .body = R"({"apiVersion":"authentication.k8s.io/v1",)"
                                  R"("kind":"TokenRequest","spec":{"expirationSeconds":600}})"});
  transport.Answer(kube::HttpResponse{.status = 201, .body = "{}"});
  CHECK_FALSE(RequestToken(client, {"sys", "sa"}, absl::Seconds(1)).ok());
}

TEST_CASE("credentials: a refused request says how to go on", "[credentials]") {
  kube::ScriptedTransport transport;
  kube::Client client(transport);
  transport.Answer(kube::HttpResponse{.status = 404});
  const absl::Status missing = RequestToken(client, {"sys", "sa"}, absl::Seconds(1)).status();
  CHECK(absl::IsFailedPrecondition(missing));
  CHECK_THAT(std::string(Message(missing)),
             Catch::Contains("no ServiceAccount sys/sa") && Catch::Contains("--service-account"));
  transport.Answer(kube::HttpResponse{.status = 403});
  const absl::Status forbidden = RequestToken(client, {"sys", "sa"}, absl::Seconds(1)).status();
  CHECK(absl::IsPermissionDenied(forbidden));
  CHECK_THAT(std::string(Message(forbidden)),
             Catch::Contains("create serviceaccounts/token") && Catch::Contains("--token"));
}

}  // namespace
}  // namespace korder::cli
