// What changes in quotas, as it happens. Pure.
//
//   WatchBook book;
//   for (const QuotaChange& change : book.Apply(response, first_of_stream)) {
//     out << ChangeText(change, style, now);
//   }
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/pb.h"
#include "cli/style.h"

namespace korder::cli {

// Neither `before` nor `now`: impossible. Only `now`: new to us. Only `before`: gone.
struct QuotaChange {
  std::optional<pb::QuotaUsage> before;
  std::optional<pb::QuotaUsage> now;
};

// What was told so far, over several streams. Not thread-safe.
class WatchBook {
 public:
  // A stream begins with everything there is, so what it leaves out then is gone. A quota that is
  // as before is no change.
  std::vector<QuotaChange> Apply(const pb::WatchResponse& response, bool first_of_stream);
  // True when the answer is of a leader that was replaced: to be ignored.
  bool IsStale(const pb::WatchResponse& response) const { return response.epoch() < epoch_; }

 private:
  int64_t epoch_ = 0;
  std::map<std::string, pb::QuotaUsage> known_;
};

// One line; in JSON one object: {"time":..., "type":"Added", "quota":{...}}; in YAML a document.
std::string ChangeText(const QuotaChange& change, const Style& style, absl::Time now);

}  // namespace korder::cli
