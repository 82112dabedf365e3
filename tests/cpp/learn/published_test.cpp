#include "learn/published.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "catch.hpp"

using secondlook::learn::Published;

TEST_CASE("Published: readers see whole values, and never an older one than before") {
  using Value = std::array<int, 16>;
  const auto value = [](int number) {
    auto made = std::make_unique<Value>();
    made->fill(number);
    return std::unique_ptr<const Value>(std::move(made));
  };
  Published<Value> published(value(0));
  constexpr int kLast = 30'000;
  std::atomic<int> n_torn{0};
  std::atomic<int> n_backwards{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      for (int seen = 0; seen < kLast;) {
        const auto reading = published.read();
        const int first = (*reading)[0];
        for (const int item : *reading)
          if (item != first) ++n_torn;
        if (first < seen) ++n_backwards;
        seen = first;
      }
    });
  for (int number = 1; number <= kLast; ++number) published.replace(value(number));
  for (auto& reader : readers) reader.join();
  REQUIRE(n_torn == 0);
  REQUIRE(n_backwards == 0);
}

TEST_CASE("Published: a reading keeps its value while new ones are published") {
  Published<int> published(std::make_unique<const int>(0));
  const auto reading = published.read();
  for (int i = 1; i < 20; ++i) published.replace(std::make_unique<const int>(i));
  REQUIRE(*reading == 0);
  REQUIRE(*published.read() == 19);
}
