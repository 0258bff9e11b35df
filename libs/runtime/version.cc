#include "runtime/version.h"

namespace korder::runtime {

std::string_view Version() { return KORDER_VERSION; }

}  // namespace korder::runtime
