#include "machine.h"

#include <algorithm>

namespace korder::simulation {

Machine::Machine(uint64_t seed) : program_dice_(seed, "programs"), order_dice_(seed, "order") {}

Machine::~Machine() = default;

Machine::Task* Machine::Find(uint64_t task) {
  const auto it = tasks_.find(task);
  return it == tasks_.end() ? nullptr : it->second.get();
}

uint64_t Machine::Add(Process* process, std::function<void()> work) {
  const uint64_t id = ++next_task_;
  auto task = std::make_unique<Task>();
  task->process = process;
  task->fiber.emplace(std::move(work));
  tasks_.emplace(id, std::move(task));
  ready_.push_back(id);
  ++threads_;
  if (process != nullptr) {
    ++process->threads;
  }
  return id;
}

uint64_t Machine::StartThread(std::function<void()> work) {
  return Add(current_process(), std::move(work));
}

void Machine::Start(Process& process, std::function<void()> work) {
  const uint64_t id = Add(&process, std::move(work));
  Find(id)->detached = true;
}

void Machine::JoinThread(uint64_t thread) {
  Task* const task = Find(thread);
  while (!task->fiber->done()) {
    Wait(task, MonoTime::max(), {});
  }
  tasks_.erase(thread);
}

void Machine::Wait(const void* on, MonoTime deadline, const std::stop_token& stop) {
  Task& task = *running_;
  const uint64_t id = running_id_;
  const uint64_t wait = ++task.waits;
  task.waiting = true;
  if (on != nullptr) {
    waiting_[on].push_back({id, wait});
  }
  if (deadline != MonoTime::max()) {
    At(deadline, [this, id, wait] { Wake(id, wait); });
  }
  const std::stop_callback stopped(stop, [this, id, wait] { Wake(id, wait); });
  Fiber::Suspend();
  if (on == nullptr) {
    return;
  }
  const auto it = waiting_.find(on);
  if (it != waiting_.end()) {
    std::erase_if(it->second, [id](const Waiter& waiter) { return waiter.task == id; });
    if (it->second.empty()) {
      waiting_.erase(it);
    }
  }
}

void Machine::Sleep(absl::Duration delay, const std::stop_token& stop) {
  const MonoTime until = now_ + absl::ToChronoNanoseconds(delay);
  while (now_ < until && !stop.stop_requested()) {
    Wait(nullptr, until, stop);
  }
}

void Machine::Wake(uint64_t id, uint64_t wait) {
  Task* const task = Find(id);
  if (task != nullptr && task->waiting && task->waits == wait) {
    task->waiting = false;
    ready_.push_back(id);
  }
}

void Machine::WakeOne(const void* on) {
  const auto it = waiting_.find(on);
  if (it == waiting_.end()) {
    return;
  }
  for (const Waiter& waiter : it->second) {
    const Task* const task = Find(waiter.task);
    if (task != nullptr && task->waiting && task->waits == waiter.wait) {
      return Wake(waiter.task, waiter.wait);
    }
  }
}

void Machine::WakeAll(const void* on) {
  const auto it = waiting_.find(on);
  if (it == waiting_.end()) {
    return;
  }
  for (const Waiter& waiter : it->second) {
    Wake(waiter.task, waiter.wait);
  }
}

void Machine::At(MonoTime time, std::function<void()> event) {
  agenda_.push({std::max(time, now_), ++next_event_, std::move(event)});
}

std::optional<MonoTime> Machine::NextTime() const {
  if (!ready_.empty()) {
    return now_;
  }
  return agenda_.empty() ? std::nullopt : std::optional(agenda_.top().time);
}

bool Machine::Turn() {
  ++turns_;
  if (ready_.empty()) {
    if (agenda_.empty()) {
      return false;
    }
    Event event = std::move(const_cast<Event&>(agenda_.top()));
    agenda_.pop();
    now_ = event.time;
    event.action();
    return true;
  }
  const size_t chosen = order_dice_.Below(ready_.size());
  const uint64_t id = ready_[chosen];
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(chosen));
  Task* const task = Find(id);
  if (const Process* process = task->process;
      process != nullptr && process->frozen_until > now_ && !process->dead) {
    At(process->frozen_until, [this, id] { ready_.push_back(id); });
    return true;
  }
  ++resumed_;
  running_ = task;
  running_id_ = id;
  task->fiber->Resume();
  running_ = nullptr;
  if (task->fiber->done()) {
    --threads_;
    if (task->process != nullptr) {
      --task->process->threads;
    }
    if (task->detached) {
      tasks_.erase(id);
    } else {
      WakeAll(task);
    }
  }
  return true;
}

}  // namespace korder::simulation
