// What somebody who looks at the cluster sees in the end, as lines of text: without names, times
// and places that may differ from run to run.
//
//   const std::vector<std::string> seen = EndState(world);
//   for (const std::string& line : Differences(seen, expected)) { ... "+ order default/web: ..." }
#pragma once

#include <string>
#include <vector>

#include "world.h"

namespace korder::simulation {

// Sorted.
std::vector<std::string> EndState(const World& world);

// "- " and what is missing, "+ " and what is there instead. REQUIRES: both are sorted.
std::vector<std::string> Differences(const std::vector<std::string>& is,
                                     const std::vector<std::string>& should_be);

}  // namespace korder::simulation
