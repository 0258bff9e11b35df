// Limits that something does not fit, as people and programs read them. Pure.
//
//   text += DenialTable({response.denials().begin(), response.denials().end()}, now);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cli/pb.h"
#include "json/writer.h"

namespace korder::cli {

std::string DenialTable(const std::vector<pb::Denied>& denials, absl::Time now,
                        std::string_view indent = "  ");
// An array.
void WriteDenials(json::Writer& w, const std::vector<pb::Denied>& denials);

}  // namespace korder::cli
