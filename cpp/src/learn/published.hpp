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
/// libstdc++'s atomic shared_ptr takes a spinning lock, so this counts the readers of each of a few
/// slots instead. A reader announces itself, then looks whether the slot is still the current one;
/// the writer changes the current slot, then looks for readers. Both orders are sequentially
/// consistent, so one of the two sees the other. Only the writer ever waits: for a reader that is
/// still on the value before the last `kSlots` − 1.
template <class Value>
class Published {
 public:
  /// The value as it was when reading began; it stays until this goes.
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
      const std::size_t place = current_.load();
      const Slot& slot = slots_[place];
      slot.n_readers.fetch_add(1);
      if (current_.load() == place) return Reading(*slot.value, slot.n_readers);
      slot.n_readers.fetch_sub(1);
    }
  }

  /// Readers from now on see `value`. From one thread at a time.
  void replace(std::unique_ptr<const Value> value) {
    const std::size_t before = current_.load();
    std::size_t place = (before + 1) % kSlots;
    while (place == before || slots_[place].n_readers.load() != 0) {
      place = (place + 1) % kSlots;
      if (place == before) std::this_thread::yield();
    }
    slots_[place].value = std::move(value);
    current_.store(place);
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
