// The ledger object's text: all grants and who wrote them, in a form that people can read too.
//
//   std::string text = Encode(image);
//   absl::StatusOr<LedgerImage> image = Decode(text);   // DATA_LOSS-like: InvalidArgument with the
//   line
//
//   korder-ledger 1 crc32=5d1f3a90
//   epoch 7
//   writer korder-quota-svc-0_1f2e
//   seq 42
//   segments 3
//   claim default 3600s reserved.cpu=500m,tickets=1 app=web
//   grant a 1800000060000 - my-order-7
//   grant ticket/6f1d 1800000061000 6f1d
//   end
//
// One claim is followed by its grants: id, when to look after it, the ticket's uid and, if it is
// for one ticket only, that one's name. A text that was cut, mixed up or edited is refused as a
// whole: what it says is not to be trusted. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/status.h"
#include "quota-svc/grant_table.h"

namespace korder::quota {

struct LedgerImage {
  int64_t epoch = 0;
  // The process that wrote it; unique.
  std::string writer;
  // Grows with every attempt of this writer to write.
  int64_t seq = 0;
  // After the ledger was lost: until then nothing new is granted.
  std::optional<absl::Time> closed_until;
  // In the first object of a ledger: how many objects there are.
  int64_t segments = 1;
  std::vector<Grant> grants;

  bool operator==(const LedgerImage&) const = default;
};

// Equal images give equal texts, whatever the order of their grants. Times are kept to the
// millisecond.
std::string Encode(const LedgerImage& image);
// Grants are sorted by id. INVALID_ARGUMENT says what is wrong with the text.
absl::StatusOr<LedgerImage> Decode(std::string_view text);

// At most what Encode writes for a grant, without its claim, and for a claim.
size_t EncodedBytes(const Grant& grant);
size_t EncodedBytes(const Claim& claim);

// The body with the first line, which names version and checksum, in front.
std::string Seal(std::string_view body);

}  // namespace korder::quota
