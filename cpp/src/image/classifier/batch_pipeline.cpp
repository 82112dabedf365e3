#include "image/classifier/batch_pipeline.hpp"

#include <chrono>
#include <utility>

namespace secondlook::image {

std::size_t count_batches(std::size_t n, std::size_t batch_size) {
  return n / batch_size + (n % batch_size > (n > batch_size ? 1 : 0) ? 1 : 0);
}

std::span<const std::size_t> batch_of(std::span<const std::size_t> order, std::size_t number,
                                      std::size_t batch_size) {
  const bool last = number + 1 == count_batches(order.size(), batch_size);
  const std::size_t begin = number * batch_size;
  return order.subspan(begin, last ? order.size() - begin : batch_size);
}

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
  ++n_taken_;  // frees the slot of the batch before
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
      // The slot is free once the call of `next` after batch number − kSlots has begun.
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
