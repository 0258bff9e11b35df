// The messages of quota-svc, by a short name.
#pragma once

#include "korder/quota/v1/quota.pb.h"

namespace korder::cli {

namespace pb = korder::quota::v1;

}  // namespace korder::cli
