#include "secondlook/core/thread_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/processors.hpp"
#include "core/validation.hpp"

namespace secondlook {

namespace {

using namespace std::chrono_literals;

constexpr auto kProgressInterval = 50ms;

thread_local bool inside_work = false;

// One call of parallel_for, shared by the caller and its helper threads.
struct Job {
  Job(std::size_t n, std::size_t g, const std::function<void(std::size_t, std::size_t)>& w)
      : n_items(n), grain(g), work(w) {}

  const std::size_t n_items;
  const std::size_t grain;
  const std::function<void(std::size_t, std::size_t)>& work;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> stop{false};

  std::mutex mutex;
  std::condition_variable helper_left;
  std::size_t n_helpers = 0;  // threads at work besides the caller, guarded by mutex
  bool closed = false;        // no further helper may enter, guarded by mutex
  std::exception_ptr error;   // the first error, guarded by mutex

  bool run_one_piece() {
    if (stop.load(std::memory_order_relaxed)) return false;
    const std::size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
    if (begin >= n_items) return false;
    const std::size_t end = std::min(n_items, begin + grain);
    inside_work = true;
    try {
      work(begin, end);
    } catch (...) {
      fail(std::current_exception());
    }
    inside_work = false;
    done.fetch_add(end - begin, std::memory_order_relaxed);
    return true;
  }

  void fail(std::exception_ptr what) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(what);
    stop.store(true, std::memory_order_relaxed);
  }

  void help() {
    {
      const std::lock_guard lock(mutex);
      if (closed) return;
      ++n_helpers;
    }
    while (run_one_piece()) {
    }
    const std::lock_guard lock(mutex);
    --n_helpers;
    helper_left.notify_all();
  }
};

class Pool {
 public:
  static Pool& instance() {
    Pool* pool = current().load(std::memory_order_acquire);
    if (pool != nullptr) return *pool;
    static std::mutex creation;
    const std::lock_guard lock(creation);
    pool = current().load(std::memory_order_acquire);
    if (pool == nullptr) {
      pool = new Pool;  // never deleted, since threads may still run at exit
      current().store(pool, std::memory_order_release);
    }
    return *pool;
  }

  void ask_for_help(const std::shared_ptr<Job>& job, std::size_t n_helpers) {
    {
      const std::lock_guard lock(mutex_);
      while (n_threads_ < n_helpers) {
        std::thread([this] { serve(); }).detach();
        ++n_threads_;
      }
      for (std::size_t i = 0; i < n_helpers; ++i) jobs_.push_back(job);
    }
    if (n_helpers == 1)
      wake_.notify_one();
    else
      wake_.notify_all();
  }

 private:
  Pool() {
    static std::once_flag once;
    std::call_once(once, [] {
      // A forked child has none of the parent's threads, so it starts without a pool. It must not
      // touch the parent's pool, whose mutex may be held by a thread that the child does not have.
      pthread_atfork(nullptr, nullptr, [] {
        current().store(nullptr, std::memory_order_release);
        inside_work = false;
      });
    });
  }

  static std::atomic<Pool*>& current() {
    static std::atomic<Pool*> pool{nullptr};
    return pool;
  }

  [[noreturn]] void serve() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !jobs_.empty(); });
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job->help();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::size_t n_threads_ = 0;
};

// Calls the progress callback from time to time, and turns its request to stop into an error.
class Reporter {
 public:
  Reporter(Job& job, const Progress& progress) : job_(job), progress_(progress) {}

  void report_if_due() {
    if (!progress_ || job_.stop.load(std::memory_order_relaxed)) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < kProgressInterval) return;
    last_ = now;
    report();
  }

  void report() {
    try {
      const std::size_t done = job_.done.load(std::memory_order_relaxed);
      if (!progress_(done, job_.n_items))
        job_.fail(std::make_exception_ptr(Cancelled("stopped by the progress callback")));
    } catch (...) {
      job_.fail(std::current_exception());
    }
  }

 private:
  Job& job_;
  const Progress& progress_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

std::size_t resolve_threads(int n_jobs) {
  if (n_jobs > 0) return static_cast<std::size_t>(n_jobs);
  if (n_jobs < 0) {
    const auto all = static_cast<long>(available_processors());
    return static_cast<std::size_t>(std::max(1L, all + 1 + n_jobs));
  }
  const char* setting = std::getenv("SECONDLOOK_NUM_THREADS");
  if (setting != nullptr && *setting != '\0') {
    const auto number = positive_number_in("SECONDLOOK_NUM_THREADS");
    require(number.has_value() && std::string_view(setting).find(',') == std::string_view::npos,
            "SECONDLOOK_NUM_THREADS: expected a positive number of threads, got '{}'", setting);
    return *number;
  }
  return positive_number_in("OMP_NUM_THREADS").value_or(available_processors());
}

void parallel_for(std::size_t n_items, std::size_t grain, std::size_t n_threads,
                  const std::function<void(std::size_t, std::size_t)>& work,
                  const Progress& progress) {
  if (n_items == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const auto job = std::make_shared<Job>(n_items, grain, work);
  Reporter reporter(*job, progress);

  const std::size_t n_pieces = (n_items + grain - 1) / grain;
  const std::size_t n_helpers =
      inside_work ? 0 : std::min(std::max<std::size_t>(n_threads, 1), n_pieces) - 1;
  if (n_helpers > 0) Pool::instance().ask_for_help(job, n_helpers);

  const bool was_inside = inside_work;
  while (job->run_one_piece()) reporter.report_if_due();
  inside_work = was_inside;

  if (n_helpers > 0) {
    std::unique_lock lock(job->mutex);
    job->closed = true;
    while (!job->helper_left.wait_for(lock, kProgressInterval,
                                      [&job] { return job->n_helpers == 0; })) {
      lock.unlock();
      reporter.report_if_due();
      lock.lock();
    }
  }
  if (progress && !job->error) reporter.report();
  // Moved out of the job, because a helper may release the job last and must not own the exception.
  if (job->error) std::rethrow_exception(std::exchange(job->error, nullptr));
}

}  // namespace secondlook
