#include "base/shared_text.h"

#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "base/mutex.h"

namespace korder {

// Owns the entries. Only it makes a user of an entry that has none, so one without users goes
// safely while it is locked.
class SharedText::Pool {
 public:
  static Pool& Get() {
    static auto& pool = *new Pool;
    return pool;
  }

  Entry* Keep(std::string_view text) {
    const MutexLock lock(mu_);
    const auto it = entries_.find(text);
    Entry* const entry = it != entries_.end() ? it->get() : Add(text);
    entry->users.fetch_add(1, std::memory_order_relaxed);
    return entry;
  }
  size_t size() const {
    const MutexLock lock(mu_);
    return entries_.size();
  }

 private:
  using EntryPtr = std::unique_ptr<Entry>;
  static std::string_view TextOf(std::string_view text) { return text; }
  static std::string_view TextOf(const EntryPtr& entry) { return entry->text; }
  struct Hash {
    using is_transparent = void;
    template <class T>
    size_t operator()(const T& value) const {
      return absl::HashOf(TextOf(value));
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return TextOf(a) == TextOf(b);
    }
  };

  Entry* Add(std::string_view text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (entries_.size() >= purge_at_) {
      // Acquires what the last user released.
      absl::erase_if(entries_, [](const EntryPtr& entry) {
        return entry->users.load(std::memory_order_acquire) == 0;
      });
      purge_at_ = 2 * entries_.size() + 64;
    }
    return entries_.insert(std::make_unique<Entry>(text)).first->get();
  }

  mutable Mutex mu_;
  absl::flat_hash_set<EntryPtr, Hash, Equal> entries_ ABSL_GUARDED_BY(mu_);
  size_t purge_at_ ABSL_GUARDED_BY(mu_) = 64;
};

const std::string& SharedText::NoText() {
  static const auto& none = *new std::string;
  return none;
}

SharedText::Entry* SharedText::Keep(std::string_view text) {
  return text.empty() ? nullptr : Pool::Get().Keep(text);
}

size_t SharedText::Kept() { return Pool::Get().size(); }

}  // namespace korder
