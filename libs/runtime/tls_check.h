// Looks into certificates before they are used, so that a bad one is refused with a reason instead
// of failing every handshake later.
//
//   RETURN_IF_ERROR(CheckTls(material));
//   metrics.Expiry(*CertificateExpiry(material));
#pragma once

#include "absl/time/time.h"
#include "base/status.h"
#include "runtime/tls.h"

namespace korder::runtime {

// INVALID_ARGUMENT with the part that is wrong: texts that are no PEM, a key that does not belong
// to the certificate. Does not look at dates: a clock that is wrong must not stop a service.
absl::Status CheckTls(const TlsMaterial& material);

// FAILED_PRECONDITION with what speaks against a change from one usable material to another: it has
// ended while the current one has not, or it was signed by none of those that it comes with.
// REQUIRES: CheckTls of both is OK.
absl::Status CheckSuccessor(const TlsMaterial& current, const TlsMaterial& next, absl::Time now);

// When the certificate ends. REQUIRES: CheckTls(material) is OK.
absl::Time CertificateExpiry(const TlsMaterial& material);

}  // namespace korder::runtime
