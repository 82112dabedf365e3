#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook::image {

/// Images as input of the network, one after another, with their labels and weights in the loss.
struct Batch {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  std::vector<float> weights;  ///< empty: all are 1
  std::size_t size = 0;
};

/// Number of batches for n images. No batch has a single image, which would have no statistics for
/// the normalisation: it joins the batch before.
[[nodiscard]] SECONDLOOK_EXPORT std::size_t count_batches(std::size_t n, std::size_t batch_size);

/// The indices of one batch, of an order of all.
[[nodiscard]] SECONDLOOK_EXPORT std::span<const std::size_t> batch_of(
    std::span<const std::size_t> order, std::size_t number, std::size_t batch_size);

/// Makes batches on its own thread, at most two ahead of the one in use.
class SECONDLOOK_EXPORT BatchPipeline {
 public:
  using Make = std::function<void(std::size_t number, Batch& batch)>;

  /// Starts with batch 0. A single batch is made by `next` itself, without a thread.
  BatchPipeline(std::size_t n_batches, Make make);
  ~BatchPipeline();
  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;

  /// The next batch, valid until the next call; at most `n_batches` calls. An exception of `make`
  /// is thrown by the call for that batch.
  [[nodiscard]] Batch& next();

  /// Total time that `next` has waited.
  [[nodiscard]] double seconds_waited() const { return seconds_waited_; }

 private:
  static constexpr std::size_t kSlots = 3;  // one in use, two ahead

  void run();

  std::size_t n_batches_;
  Make make_;
  std::array<Batch, kSlots> slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t n_made_ = 0;
  std::size_t n_taken_ = 0;
  bool stopped_ = false;
  std::exception_ptr error_;
  double seconds_waited_ = 0;
  std::thread thread_;
};

}  // namespace secondlook::image
