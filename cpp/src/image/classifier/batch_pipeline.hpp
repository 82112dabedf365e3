#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "secondlook/core/export.hpp"

namespace secondlook::image {

/// Images as the network takes them, one after another, and their labels.
struct Batch {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  std::size_t size = 0;
};

/// Makes batches on a thread of its own while those before are used, two ahead at most.
class SECONDLOOK_EXPORT BatchPipeline {
 public:
  using Make = std::function<void(std::size_t number, Batch& batch)>;

  /// Begins with batch 0. A single batch is made by `next` itself, without a thread.
  BatchPipeline(std::size_t n_batches, Make make);
  ~BatchPipeline();
  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;

  /// The next batch, valid until the next call. What `make` throws comes from here.
  [[nodiscard]] Batch& next();

  /// How long `next` waited in all.
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
