// Numbers that nobody can guess, for names and ids that must never meet again.
//
//   absl::StrCat("handoff-", absl::Hex(RandomWord(), absl::kZeroPad8));
//
// Thread-safe.
#pragma once

#include <cstdint>

namespace korder {

uint32_t RandomWord();

}  // namespace korder
