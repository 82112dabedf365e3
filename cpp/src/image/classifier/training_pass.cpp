#include "image/classifier/training_pass.hpp"

#include <chrono>
#include <cmath>
#include <utility>

#include "core/shuffle.hpp"
#include "core/validation.hpp"
#include "image/classifier/image_set.hpp"
#include "image/random_streams.hpp"

namespace secondlook::image {

TrainingPass::TrainingPass(const char* who, const ImageClassifierParameters& parameters,
                           const Preprocessing& preprocessing, std::span<const Image> images,
                           std::span<const std::int64_t> labels,
                           std::span<const double> sample_weights,
                           const ImageTrainingProgress& progress, std::size_t n_threads)
    : who_(who),
      parameters_(parameters),
      preprocessing_(preprocessing),
      images_(images),
      labels_(labels),
      sample_weights_(sample_weights),
      progress_(progress),
      n_threads_(n_threads) {}

ImageTrainingEpoch TrainingPass::run(Trainer& trainer, std::vector<std::size_t> indices,
                                     std::uint64_t number, ImageTrainingStatus status) const {
  RandomStream random = random_stream(parameters_.seed, RandomUse::order, number);
  shuffle(std::span(indices), random);
  const std::size_t n_batches = count_batches(indices.size(), parameters_.batch_size);
  BatchPipeline pipeline(n_batches, [&](std::size_t b, Batch& batch) {
    fill_batch(batch, batch_of(indices, b, parameters_.batch_size), number);
  });
  ImageTrainingEpoch epoch;
  const auto start = std::chrono::steady_clock::now();
  double sum = 0;
  std::size_t n_seen = 0;
  for (std::size_t b = 0; b < n_batches; ++b) {
    Batch& batch = pipeline.next();
    epoch.learning_rate = trainer.learning_rate();
    const double loss = trainer.step(batch);
    require(std::isfinite(loss),
            "{}: the loss diverged in epoch {}: expected a learning_rate below {}", who_,
            number + 1, parameters_.learning_rate);
    sum += loss * static_cast<double>(batch.size);
    n_seen += batch.size;
    ++status.done;
    status.loss = sum / static_cast<double>(n_seen);
    if (progress_ && !progress_(status)) throw Cancelled(std::string(who_) + ": cancelled");
  }
  epoch.loss = status.loss;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  epoch.seconds = elapsed.count();
  epoch.wait_fraction = pipeline.seconds_waited() / epoch.seconds;
  return epoch;
}

void TrainingPass::fill_batch(Batch& batch, std::span<const std::size_t> indices,
                              std::uint64_t number) const {
  fill(batch, indices.size(), preprocessing_, n_threads_, [&](std::size_t i) {
    const std::size_t index = indices[i];
    return augment(images_[index], parameters_.augmentation, parameters_.seed, number, index);
  });
  batch.labels.resize(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) batch.labels[i] = labels_[indices[i]];
  if (sample_weights_.empty()) return;
  batch.weights.resize(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i)
    batch.weights[i] = static_cast<float>(sample_weights_[indices[i]]);
}

}  // namespace secondlook::image
