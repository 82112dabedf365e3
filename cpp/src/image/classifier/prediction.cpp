#include "image/classifier/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/throttled_progress.hpp"
#include "core/validation.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/classifier/image_set.hpp"
#include "image/network/torch_threads.hpp"
#include "image/network/trainer.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kBatchSize = 32;

void copy_rows(const at::Tensor& rows, std::size_t first, std::span<double> target) {
  const at::Tensor plain = rows.to(at::kCPU).to(at::kDouble).contiguous();
  const auto n = static_cast<std::size_t>(plain.numel());
  const auto width = static_cast<std::size_t>(plain.size(1));
  std::copy_n(plain.const_data_ptr<double>(), n, target.data() + first * width);
}

/// See `ImageClassifierParameters::positive_class`; NaN if there are no images to compute it from.
/// @param hits, counts images predicted correctly and all images, per class
double recall_of(std::span<const double> hits, std::span<const double> counts, int positive_class) {
  if (positive_class < 0 && counts.size() == 2) positive_class = 1;
  double sum = 0, n_present = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const bool wanted = positive_class < 0 || k == static_cast<std::size_t>(positive_class);
    if (!wanted || counts[k] == 0) continue;
    ++n_present;
    sum += hits[k] / counts[k];
  }
  return n_present > 0 ? sum / n_present : std::numeric_limits<double>::quiet_NaN();
}

void require_size(const char* who, const char* name, std::span<const double> buffer,
                  std::size_t n) {
  require(buffer.size() == n, "{}: expected a buffer of {} elements for {}, got {}", who, n, name,
          buffer.size());
}

}  // namespace

void ImageClassifier::predict_proba(std::span<const ImageInput> images,
                                    std::span<double> probabilities,
                                    const TestTimeAugmentation& test_time_augmentation,
                                    const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::predict_proba";
  require_fitted(who);
  require_size(who, "probabilities", probabilities, images.size() * n_classes());
  predict(who, images, probabilities, {}, test_time_augmentation, progress);
}

void ImageClassifier::features(std::span<const ImageInput> images, std::span<double> features,
                               const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::features";
  require_fitted(who);
  require_size(who, "features", features, images.size() * n_features());
  predict(who, images, {}, features, {}, progress);
}

void ImageClassifier::predict_with_features(std::span<const ImageInput> images,
                                            std::span<double> probabilities,
                                            std::span<double> features,
                                            const TestTimeAugmentation& test_time_augmentation,
                                            const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::predict_with_features";
  require_fitted(who);
  require_size(who, "probabilities", probabilities, images.size() * n_classes());
  require_size(who, "features", features, images.size() * n_features());
  predict(who, images, probabilities, features, test_time_augmentation, progress);
}

void ImageClassifier::predict(const char* who, std::span<const ImageInput> images,
                              std::span<double> probabilities, std::span<double> features,
                              const TestTimeAugmentation& test_time_augmentation,
                              const Progress& progress) const {
  const auto prepared = [&](std::size_t i) {
    return image::prepare_input(who, images[i], i, state_->preprocessing);
  };
  state_->predict(who, images.size(), prepared, {probabilities, features}, test_time_augmentation,
                  parameters_, progress);
}

void ImageClassifier::State::predict(const char* who, std::size_t n,
                                     const std::function<Image(std::size_t)>& image,
                                     const Outputs& outputs,
                                     const TestTimeAugmentation& test_time_augmentation,
                                     const ImageClassifierParameters& parameters,
                                     const Progress& progress) const {
  const std::size_t n_threads = resolve_threads(parameters.n_jobs);
  const image::TorchThreads torch_threads(n_threads);
  const auto predict_batch = [&](std::size_t first, const at::Tensor& x) {
    const at::Tensor seen = inference->features(x);
    if (!outputs.features.empty()) copy_rows(seen, first, outputs.features);
    if (!outputs.probabilities.empty())
      copy_rows(image::probabilities(*inference, x, seen, test_time_augmentation), first,
                outputs.probabilities);
  };
  image::for_each_batch(who, n, image, preprocessing, inference->device(), n_threads, progress,
                        predict_batch);
}

namespace image {

void for_each_batch(const char* who, std::size_t n, const std::function<Image(std::size_t)>& image,
                    const Preprocessing& preprocessing, at::Device device, std::size_t n_threads,
                    const Progress& progress,
                    const std::function<void(std::size_t, const at::Tensor&)>& use) {
  const std::size_t n_batches = (n + kBatchSize - 1) / kBatchSize;
  BatchPipeline pipeline(n_batches, [&](std::size_t number, Batch& batch) {
    const std::size_t begin = number * kBatchSize;
    fill(batch, std::min(kBatchSize, n - begin), preprocessing, n_threads,
         [&](std::size_t i) { return image(begin + i); });
  });
  ThrottledProgress report(progress, who);
  for (std::size_t number = 0; number < n_batches; ++number) {
    Batch& batch = pipeline.next();
    use(number * kBatchSize, to_input(batch, preprocessing, device));
    report(std::min((number + 1) * kBatchSize, n), n);
  }
}

Evaluation evaluate(const InferenceNetwork& network, const Preprocessing& preprocessing,
                    std::span<const Image> images, std::span<const std::int64_t> labels,
                    std::span<const std::size_t> indices, std::span<const double> weights,
                    std::span<const double> sample_weights, int positive_class,
                    std::size_t n_threads) {
  const std::size_t n_classes = weights.size();
  double loss = 0, total_weight = 0;
  std::vector<double> counts(n_classes), hits(n_classes);
  const auto add_batch = [&](std::size_t first, const at::Tensor& x) {
    const at::Tensor p = probabilities(network, x, network.features(x), {});
    const auto* row = p.const_data_ptr<double>();
    for (std::size_t i = first; i < first + static_cast<std::size_t>(p.size(0)); ++i) {
      const auto label = static_cast<std::size_t>(labels[indices[i]]);
      const double weight =
          weights[label] * (sample_weights.empty() ? 1 : sample_weights[indices[i]]);
      loss -= weight * std::log(std::max(row[label], 1e-300));
      total_weight += weight;
      ++counts[label];
      hits[label] += std::max_element(row, row + n_classes) == row + label ? 1 : 0;
      row += n_classes;
    }
  };
  const auto image = [&](std::size_t i) { return images[indices[i]]; };
  for_each_batch("ImageClassifier::fit", indices.size(), image, preprocessing, network.device(),
                 n_threads, {}, add_batch);
  return {.loss = loss / total_weight,
          .accuracy =
              std::accumulate(hits.begin(), hits.end(), 0.0) / static_cast<double>(indices.size()),
          .recall = recall_of(hits, counts, positive_class)};
}

}  // namespace image

}  // namespace secondlook
