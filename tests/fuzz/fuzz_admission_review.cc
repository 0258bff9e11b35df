// AdmissionReviews, as anybody who reaches the webhooks' port may send them. An example is the path
// and, from the second line on, the body.
//
// Each gets a review with the request's own uid, or a 4xx that says why; the same one when it is
// sent again.
#include <optional>
#include <prometheus/registry.h>
#include <string>

#include "admission-svc/admission_handler.h"
#include "admission-svc/pod_webhook.h"
#include "admission-svc/routes.h"
#include "admission-svc/testing/policies.h"
#include "admission-svc/validate.h"
#include "base/testing/fake_clock.h"
#include "fuzz.h"
#include "json/fields.h"
#include "utf8.h"

namespace korder::fuzz {
namespace {

using admission::Offer;

// The other services say yes, no, or nothing, depending on what they are asked.
class QuotaDesk final : public admission::QuotaDesk {
 public:
  absl::StatusOr<runtime::AdmitAnswer> AdmitOrder(const runtime::LedgerOrder& order,
                                                  const runtime::LedgerClaim&, bool) override {
    return Answer(order.name);
  }
  absl::StatusOr<runtime::AdmitAnswer> AdmitTicket(const runtime::LedgerTicket& ticket,
                                                   const runtime::LedgerClaim&, bool) override {
    return Answer(ticket.name);
  }

 private:
  static absl::StatusOr<runtime::AdmitAnswer> Answer(const std::string& name) {
    switch (name.size() % 3) {
      case 1:
        return UnavailableError("no leader");
      case 2:
        return runtime::AdmitAnswer{
            .denied = runtime::LedgerDenial{"team", "reserved.cpu", "too much"},
            .warnings = {"soon"}};
      default:
        return runtime::AdmitAnswer{};
    }
  }
};

class TicketDesk final : public admission::TicketDesk {
 public:
  absl::StatusOr<Offer> Ask(const std::string&, const std::string& pod_json) override {
    switch (pod_json.size() % 3) {
      case 0:
        return UnavailableError("no leader");
      case 1:
        return Offer{.fits = false, .message = "nothing fits"};
      default:
        return Offer{.fits = true, .message = ""};
    }
  }
};

struct Webhooks {
  Webhooks() {
    policies.AddIndex(admission::kByNamespace, admission::NamespaceOf<api::ClaimPolicy>);
    policies.Put(admission::MakePolicy("shop", "web", {.fallback = api::ClaimFallback::kWait}));
    policies.Put(admission::MakePolicy("shop", "", {.uid = "malformed"}));
  }

  FakeClock clock;
  QuotaDesk quota_desk;
  TicketDesk ticket_desk;
  kube::Store<api::ClaimPolicy> policies;
  kube::Store<api::Quota> quotas;
  prometheus::Registry registry;
  const admission::PodWebhook pods{ticket_desk, policies, [] { return true; }};
  admission::NodeSizes sizes;
  const admission::Validator validator{quota_desk, quotas, sizes, clock};
  admission::AdmissionHandler handler{admission::Routes(pods, validator), registry, clock};
};

void CheckReview(const std::string& body, const std::string& answer) {
  api::AdmissionReview asked, answered;
  FUZZ_CHECK(json::Parse(body, asked).ok());
  FUZZ_CHECK(json::Parse(answer, answered).ok());
  FUZZ_CHECK(answer.starts_with(R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview")"));
  FUZZ_CHECK(!answered.request);
  FUZZ_CHECK(asked.request && answered.response);
  const api::AdmissionResponse& response = *answered.response;
  FUZZ_CHECK(!response.uid.empty() && response.uid == asked.request->uid);
  if (response.allowed) {
    FUZZ_CHECK(!response.status);
    FUZZ_CHECK(response.patch.value.empty() == response.patch_type.empty());
    json::RawValue patch;
    FUZZ_CHECK(response.patch.value.empty() || (response.patch.value.starts_with('[') &&
                                                json::Parse(response.patch.value, patch).ok()));
  } else {
    FUZZ_CHECK(response.status && !response.status->message.empty());
    FUZZ_CHECK(response.status->code >= 400 && response.status->code <= 503);
    FUZZ_CHECK(response.patch.value.empty());
  }
}

}  // namespace

int FuzzOne(std::string_view input) {
  static Webhooks webhooks;
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string path(input.substr(0, line));
  const std::string body(input.substr(std::min(line + 1, input.size())));
  const auto ask = [&] { return webhooks.handler.Handle({"POST", path, body}); };
  const runtime::HttpServerResponse answer = ask();
  FUZZ_CHECK(answer.status == 200 || answer.status == 400 || answer.status == 404);
  FUZZ_CHECK(IsUtf8(answer.body));
  if (answer.status == 200) {
    CheckReview(body, answer.body);
  } else {
    FUZZ_CHECK(answer.body.size() > 4 && answer.body.size() < 4096 && answer.body.back() == '\n');
  }
  const runtime::HttpServerResponse again = ask();
  FUZZ_CHECK(again.status == answer.status && again.body == answer.body);
  return answer.status == 200 ? kTaken : kRefused;
}

}  // namespace korder::fuzz
