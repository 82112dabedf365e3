#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

namespace secondlook::learn {

/// A value that one thread replaces while others read it, without a lock for the readers.
///
/// libstdc++'s atomic shared_ptr uses a spinlock, so this class counts the readers of each of a few
/// slots instead. A reader registers with a slot, then checks that the slot is still the current
/// one; the writer changes the current slot, then checks for readers. Both are sequentially
/// consistent, so one of the two sees the other. Only the writer ever waits, while all other slots
/// have readers.
template <class Value>
class Published {
 public:
  /// The value at the time of `read`; it stays valid as long as this object exists.
  class Reading {
   public:
    Reading(const Value& value, std::atomic<std::size_t>& n_readers)
        : value_(value), n_readers_(n_readers) {}
    ~Reading() { n_readers_.fetch_sub(1); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    const Value& operator*() const noexcept { return value_; }
    const Value* operator->() const noexcept { return &value_; }

   private:
    const Value& value_;
    std::atomic<std::size_t>& n_readers_;
  };

  explicit Published(std::unique_ptr<const Value> value) { slots_[0].value = std::move(value); }

  [[nodiscard]] Reading read() const noexcept {
    for (;;) {
      const std::size_t index = current_.load();
      const Slot& slot = slots_[index];
      slot.n_readers.fetch_add(1);
      if (current_.load() == index) return Reading(*slot.value, slot.n_readers);
      slot.n_readers.fetch_sub(1);
    }
  }

  /// Publishes `value` to all later reads. Must be called from one thread at a time.
  void replace(std::unique_ptr<const Value> value) {
    const std::size_t before = current_.load();
    std::size_t index = (before + 1) % kSlots;
    while (index == before || slots_[index].n_readers.load() != 0) {
      index = (index + 1) % kSlots;
      if (index == before) std::this_thread::yield();
    }
    slots_[index].value = std::move(value);
    current_.store(index);
  }

 private:
  static constexpr std::size_t kSlots = 4;
  static constexpr std::size_t kCacheLine = 64;

  struct alignas(kCacheLine) Slot {
    std::unique_ptr<const Value> value;
    mutable std::atomic<std::size_t> n_readers{0};
  };

  std::array<Slot, kSlots> slots_;
  std::atomic<std::size_t> current_{0};
};

}  // namespace secondlook::learn
