// What would become of a pod that does not exist yet, in plain words. Pure.
//
//   out << Render(ExplainResolution(item, response), now, style);
#pragma once

#include "cli/explanation.h"
#include "cli/pod_file.h"
#include "korder/admission/v1/admission.pb.h"

namespace korder::cli {

inline constexpr char kWouldNotAsk[] = "WouldNotAsk";
inline constexpr char kWouldBeUnseen[] = "WouldBeUnseen";  // asks, and korder does not look
inline constexpr char kWouldBeRefused[] = "WouldBeRefused";
inline constexpr char kWouldClaim[] = "WouldClaim";
inline constexpr char kWouldWait[] = "WouldWait";

Explanation ExplainResolution(const PodItem& item,
                              const korder::admission::v1::ResolveResponse& response);

}  // namespace korder::cli
