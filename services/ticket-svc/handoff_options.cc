#include "ticket-svc/handoff_options.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "json/fields.h"

namespace korder::ticket {
namespace {

constexpr int kFirstOrderedMinor = 35;

struct ServerVersion {
  std::string minor;

  template <class Self, class Visitor>
  static void Fields(Self& self, Visitor& v) {
    v("minor", self.minor);
  }
};

}  // namespace

absl::StatusOr<int> ParseServerMinor(std::string version_json) {
  ServerVersion version;
  RETURN_IF_ERROR(Annotate(json::Parse(std::move(version_json), version), "read /version"));
  const std::string& text = version.minor;
  int minor = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
  if (error != std::errc()) {
    return InvalidArgumentError(absl::StrCat("read /version: minor \"", text, "\" is no number"));
  }
  return minor;
}

HandoffOptions OptionsFor(int server_minor, FenceMode fence, HandoffMethodName method) {
  const bool in_order = server_minor >= kFirstOrderedMinor;
  return {.method = method,
          .fence = fence,
          .scheduler_keeps_order = in_order,
          .settle = in_order || method == HandoffMethodName::kPreempt ? absl::ZeroDuration()
                                                                      : absl::Milliseconds(500)};
}

bool NeedsFence(const HandoffOptions& options, absl::Duration disturbed_ago) {
  if (!MethodOf(options.method).nominates() || options.fence == FenceMode::kNever) {
    return false;
  }
  return options.fence == FenceMode::kAlways || !options.scheduler_keeps_order ||
         disturbed_ago < kDisturbed;
}

}  // namespace korder::ticket
