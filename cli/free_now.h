// How many tickets of an order fit in what is free on the nodes at this moment. Pure.
//
//   const FreeNow free = CountFree(order.spec, nodes, pods);   // 37 tickets on 8 of 10 nodes
#pragma once

#include <cstdint>
#include <vector>

#include "api/core/node.h"
#include "api/core/pod.h"
#include "api/v1alpha1/order.h"

namespace korder::cli {

struct FreeNow {
  int64_t tickets = 0;   // with one ticket a node, the nodes that have room for one
  int64_t nodes = 0;     // that have room for one
  int64_t eligible = 0;  // that suit the tickets

  bool operator==(const FreeNow&) const = default;
};

// `pods` are those of all namespaces. An upper bound: affinity to pods, topology spread, priorities
// and what is on its way are not looked at.
FreeNow CountFree(const api::OrderSpec& spec, const std::vector<api::Node>& nodes,
                  const std::vector<api::Pod>& pods);

}  // namespace korder::cli
