// All webhooks of admission-svc: which path reviews what.
//
//   AdmissionHandler handler(Routes(pods, validator), metrics.registry(), clock);
#pragma once

#include <vector>

#include "admission-svc/admission_handler.h"
#include "admission-svc/pod_webhook.h"
#include "admission-svc/validate.h"

namespace korder::admission {

// Borrows both.
std::vector<Route> Routes(const PodWebhook& pods, const Validator& validator);

}  // namespace korder::admission
