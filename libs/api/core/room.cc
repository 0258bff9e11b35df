#include "api/core/room.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "api/core/pod_requests.h"

namespace korder::api {
namespace {

// What no order asks for; keeps sums over nodes far from overflowing.
constexpr int64_t kMost = 1'000'000'000;

// At 0 it stops: a node may be overcommitted by pods that came around the scheduler.
void Take(ResourceList& room, std::string_view resource, const Quantity& amount) {
  const auto it = room.find(resource);
  if (it == room.end()) {
    return;
  }
  const auto left = it->second.Sub(amount);
  it->second = left.ok() && !left->IsNegative() ? *left : Quantity::FromInt(0, it->second.format());
}

}  // namespace

int64_t TicketsThatFit(const ResourceList& requests, const ResourceList& room) {
  std::optional<int64_t> fit;
  const auto limit = [&](Quantity::Nanos has, Quantity::Nanos takes) {
    const Quantity::Nanos times = std::clamp<Quantity::Nanos>(has / takes, 0, kMost);
    fit = std::min(fit.value_or(kMost), static_cast<int64_t>(times));
  };
  for (const auto& [resource, amount] : requests) {
    if (amount > Quantity()) {
      const auto has = room.find(resource);
      limit(has == room.end() ? 0 : has->second.nanos(), amount.nanos());
    }
  }
  if (const auto pods = room.find(kResourcePods); pods != room.end()) {
    limit(pods->second.nanos(), Quantity::kNanosPerUnit);
  }
  return fit.value_or(0);
}

std::map<std::string, ResourceList> FreeRooms(const std::vector<Node>& nodes,
                                              const std::vector<Pod>& pods) {
  std::map<std::string, ResourceList> rooms;
  for (const Node& node : nodes) {
    rooms[node.metadata.name] = node.status.allocatable;
  }
  for (const Pod& pod : pods) {
    const auto room = rooms.find(pod.spec.node_name);
    if (room == rooms.end() || IsTerminal(pod)) {
      continue;
    }
    for (const auto& [resource, amount] : PodRequests(pod.spec)) {
      Take(room->second, resource, amount);
    }
    Take(room->second, kResourcePods, Quantity::FromInt(1));
  }
  return rooms;
}

}  // namespace korder::api
