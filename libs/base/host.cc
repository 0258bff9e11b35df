#include "base/host.h"

#include <utility>

namespace korder {
namespace {

thread_local Host* current = nullptr;

}  // namespace

Host* SimulatedHost() { return current; }

HostScope::HostScope(Host& host) : outer_(std::exchange(current, &host)) {}
HostScope::~HostScope() { current = outer_; }

}  // namespace korder
