#include "secondlook/core/thread_pool.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::parallel_for;

TEST_CASE("parallel_for: runs every item exactly once, for any grain and number of threads") {
  const auto n_items = GENERATE(0U, 1U, 7U, 1000U);
  const auto grain = GENERATE(1U, 3U, 5000U);
  const auto n_threads = GENERATE(1U, 2U, 9U);
  std::vector<std::atomic<int>> visits(n_items);
  std::atomic<bool> within_grain{true};  // Catch2's assertions may only be used on one thread
  parallel_for(n_items, grain, n_threads, [&](std::size_t begin, std::size_t end) {
    if (end - begin > grain) within_grain = false;
    for (std::size_t i = begin; i < end; ++i) ++visits[i];
  });
  REQUIRE(within_grain);
  for (const auto& count : visits) REQUIRE(count == 1);
}

TEST_CASE("parallel_for: the first exception reaches the caller, and the pool remains usable") {
  REQUIRE_THROWS_WITH(parallel_for(1000, 1, 4,
                                   [](std::size_t begin, std::size_t) {
                                     if (begin == 17) throw std::runtime_error("item 17");
                                   }),
                      "item 17");
  std::atomic<std::size_t> sum{0};
  parallel_for(100, 1, 4, [&](std::size_t begin, std::size_t) { sum += begin; });
  REQUIRE(sum == 4950);
}

TEST_CASE("parallel_for: nested calls run inline and do not deadlock") {
  std::atomic<int> count{0};
  parallel_for(8, 1, 4, [&](std::size_t, std::size_t) {
    parallel_for(8, 1, 4, [&](std::size_t, std::size_t) { ++count; });
  });
  REQUIRE(count == 64);
}

TEST_CASE("parallel_for: callers on several threads do not disturb one another") {
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        parallel_for(64, 1, 3, [&](std::size_t begin, std::size_t end) { total += end - begin; });
    });
  for (auto& caller : callers) caller.join();
  REQUIRE(total == 4U * 50U * 64U);
}

TEST_CASE("parallel_for: the progress callback can stop it early") {
  std::atomic<int> pieces{0};
  REQUIRE_THROWS_AS(parallel_for(
                        10'000, 1, 2,
                        [&](std::size_t, std::size_t) {
                          std::this_thread::sleep_for(std::chrono::milliseconds(5));
                          ++pieces;
                        },
                        [](std::size_t, std::size_t) { return false; }),
                    secondlook::Cancelled);
  REQUIRE(pieces < 1'000);
}

TEST_CASE("parallel_for: reports progress on the calling thread, finally the total") {
  const auto caller = std::this_thread::get_id();
  std::size_t last = 0;
  parallel_for(
      40, 1, 3,
      [](std::size_t, std::size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); },
      [&](std::size_t done, std::size_t total) {
        REQUIRE(std::this_thread::get_id() == caller);
        REQUIRE(total == 40);
        REQUIRE(done >= last);
        last = done;
        return true;
      });
  REQUIRE(last == 40);
}

// ThreadSanitizer does not follow threads started in the child of a threaded process.
#ifndef __SANITIZE_THREAD__
TEST_CASE("parallel_for: works in a child process after fork") {
  parallel_for(64, 1, 2, [](std::size_t, std::size_t) {});  // starts the threads of the parent
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::atomic<int> count{0};
    parallel_for(64, 1, 2, [&](std::size_t, std::size_t) { ++count; });
    _exit(count == 64 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
}
#endif
