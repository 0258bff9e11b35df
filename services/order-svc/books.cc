#include "order-svc/books.h"

#include <algorithm>
#include <utility>

namespace korder::order {
namespace {

Book ReadBook(const std::string& slots, const std::vector<std::string>& used_nodes) {
  return {.slots = OrdinalSet::Parse(slots).value_or(OrdinalSet()),
          .used_nodes = {used_nodes.begin(), used_nodes.end()}};
}

Memory ReadStatus(const api::OrderStatus& status) {
  Memory memory;
  memory.books[kNoOccurrence] = ReadBook(status.slots, status.used_nodes);
  for (const api::OrderOccurrence& occurrence : status.occurrences) {
    if (occurrence.start) {
      Book& book = memory.books[*occurrence.start];
      book = ReadBook(occurrence.slots, occurrence.used_nodes);
      book.skipped = occurrence.skipped;
    }
  }
  memory.next_ordinal = status.next_ordinal;
  memory.last_tick = status.last_schedule_time;
  if (status.current_window) {
    memory.told_open = status.current_window->start;
  }
  return memory;
}

// Whoever changes the strategy begins other books.
void KeepBooksOf(api::StrategyType type, Memory& memory) {
  if (type == api::StrategyType::kScheduled) {
    memory.books.erase(kNoOccurrence);
    return;
  }
  std::erase_if(memory.books, [](const auto& entry) { return entry.first != kNoOccurrence; });
  memory.books[kNoOccurrence];
}

}  // namespace

Memory Recall(const Situation& situation) {
  const api::Order& order = situation.order();
  const std::optional<Memory>& remembered = situation.observed.memory;
  Memory memory = remembered ? *remembered : ReadStatus(order.status);
  KeepBooksOf(order.spec.strategy.type, memory);
  const int64_t known_below = memory.next_ordinal;
  std::set<int64_t> still_shown;
  for (const auto& [occurrence, entries] : situation.entries) {
    auto book = memory.books.find(occurrence);
    for (const Entry& entry : entries) {
      const int64_t ordinal = entry.ordinal;
      memory.unseen.erase(ordinal);
      const bool was_unsure = memory.unsure.erase(ordinal) > 0;
      memory.next_ordinal = std::max(memory.next_ordinal, ordinal + 1);
      if (memory.deleted.contains(ordinal)) {
        still_shown.insert(ordinal);
        continue;
      }
      if (book == memory.books.end()) {
        if (!situation.IsOpen(occurrence)) {
          continue;  // what is left of a window that is over
        }
        book = memory.books.try_emplace(occurrence).first;  // begun just before a crash
      }
      // What holds room counts, however it came to be: made just before a crash, made by a request
      // whose answer was lost, or given up by a deletion that failed. What is claimed or finished
      // counts unless its slot was given up before.
      const bool holds = !entry.ticket->deleting && api::IsLive(entry.ticket->phase);
      if (holds || was_unsure || ordinal >= known_below) {
        book->second.slots.Add(ordinal);
      }
    }
  }
  memory.deleted = std::move(still_shown);
  return memory;
}

Memory Remember(const Plan& plan, const Outcome& outcome, absl::Time now) {
  Memory memory = plan.memory;
  std::map<int64_t, Cell> cells;
  for (const NewTicket& wanted : plan.create) {
    cells[wanted.ordinal] = wanted.cell;
  }
  const auto used = [&memory](int64_t ordinal) {
    memory.next_ordinal = std::max(memory.next_ordinal, ordinal + 1);
    memory.unsure.erase(ordinal);
  };
  for (const int64_t ordinal : outcome.created) {
    const Cell& cell = cells[ordinal];
    memory.books[cell.occurrence].slots.Add(ordinal);
    memory.unseen[ordinal] = cell;
    if (!cell.node.empty()) {
      memory.node_of[ordinal] = cell.node;
    }
    used(ordinal);
  }
  for (const int64_t ordinal : outcome.taken) {
    used(ordinal);
  }
  for (const int64_t ordinal : outcome.failed) {
    if (ordinal < memory.next_ordinal) {
      memory.unsure[ordinal] = cells[ordinal];
    }
  }
  if (outcome.no_ledger.empty()) {
    memory.no_ledger_since.reset();
  } else if (!memory.no_ledger_since) {
    memory.no_ledger_since = now;
  }
  const bool denied = !outcome.denied.empty();
  memory.denials = denied ? memory.denials + 1 : plan.create.empty() ? memory.denials : 0;
  if (plan.surging && denied && outcome.created.empty()) {
    memory.no_surge = true;
  }
  memory.deleted.insert(outcome.deleted.begin(), outcome.deleted.end());
  const std::set<int64_t> renewed(outcome.renewed.begin(), outcome.renewed.end());
  for (const RenewTicket& ticket : plan.renew) {
    if (renewed.contains(ticket.ordinal)) {
      memory.renewed[ticket.ordinal] = ticket.resource_version;
    }
  }
  return memory;
}

void KeepInStatus(const api::Order& order, const Memory& memory, api::OrderStatus& status) {
  status.slots.clear();
  status.used_nodes.clear();
  status.occurrences.clear();
  for (const auto& [start, book] : memory.books) {
    std::vector<std::string> used_nodes(book.used_nodes.begin(), book.used_nodes.end());
    if (start == kNoOccurrence) {
      status.slots = book.slots.ToString();
      status.used_nodes = std::move(used_nodes);
    } else {
      status.occurrences.push_back({.start = start,
                                    .slots = book.slots.ToString(),
                                    .used_nodes = std::move(used_nodes),
                                    .skipped = book.skipped});
    }
  }
  status.next_ordinal = memory.next_ordinal;
  if (order.spec.strategy.type != api::StrategyType::kOneTime) {
    status.last_schedule_time = memory.last_tick;
  }
}

}  // namespace korder::order
