// The messages of quota-svc and order-svc, by short names.
#pragma once

#include "korder/order/v1/order.pb.h"
#include "korder/quota/v1/quota.pb.h"

namespace korder::cli {

namespace pb = korder::quota::v1;
namespace order_pb = korder::order::v1;

}  // namespace korder::cli
