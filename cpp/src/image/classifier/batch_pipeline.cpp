#include "image/classifier/batch_pipeline.hpp"

#include <chrono>
#include <utility>

namespace secondlook::image {

BatchPipeline::BatchPipeline(std::size_t n_batches, Make make)
    : n_batches_(n_batches), make_(std::move(make)) {
  if (n_batches > 1) thread_ = std::thread([this] { run(); });
}

BatchPipeline::~BatchPipeline() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Batch& BatchPipeline::next() {
  Batch& batch = slots_[n_taken_ % kSlots];
  if (!thread_.joinable()) {
    make_(n_taken_++, batch);
    return batch;
  }
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  ++n_taken_;  // gives back the batch taken before
  changed_.notify_all();
  changed_.wait(lock, [&] { return n_made_ >= n_taken_ || error_; });
  seconds_waited_ +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (n_made_ < n_taken_) std::rethrow_exception(error_);
  return batch;
}

void BatchPipeline::run() {
  for (std::size_t number = 0; number < n_batches_; ++number) {
    {
      std::unique_lock lock(mutex_);
      // Slot n is free when batch n − kSlots has been given back, which the next `next` does.
      changed_.wait(lock, [&] { return stopped_ || number < n_taken_ + kSlots - 1; });
      if (stopped_) return;
    }
    std::exception_ptr error;
    try {
      make_(number, slots_[number % kSlots]);
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    error_ = error;
    if (!error) ++n_made_;
    changed_.notify_all();
    if (error) return;
  }
}

}  // namespace secondlook::image
