#include <numeric>
#include <utility>

#include "core/validation.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/classifier/image_set.hpp"
#include "image/classifier/training_pass.hpp"
#include "image/network/torch_threads.hpp"
#include "image/network/trainer.hpp"
#include "image/random_streams.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

constexpr double kUpdateRate = 0.1;  // of the learning rate, when training continues

}  // namespace

void ImageClassifier::partial_fit(std::span<const ImageInput> images,
                                  std::span<const std::int64_t> labels,
                                  const ImageTrainingProgress& progress) {
  constexpr const char* who = "ImageClassifier::partial_fit";
  require_fitted(who);
  image::require_labels(who, images.size(), labels);
  require_known(who, labels);
  const auto fresh = image::load_images(who, images, state_->preprocessing, false,
                                        resolve_threads(parameters_.n_jobs),
                                        image::progress_while_loading(progress))
                         .images;
  image::Replay& replay = state_->replay;
  std::vector<Image> all = fresh;
  std::vector<std::int64_t> all_labels(labels.begin(), labels.end());
  all.insert(all.end(), replay.images.begin(), replay.images.end());
  all_labels.insert(all_labels.end(), replay.labels.begin(), replay.labels.end());
  // Of the seed before the update, which changes it.
  const RandomStream random =
      image::random_stream(state_->update_seed(parameters_), image::RandomUse::replay);
  state_->continue_training(who, all, all_labels, parameters_, progress);
  image::offer_for_replay(replay, fresh, labels, parameters_.replay_size, random);
}

std::uint64_t ImageClassifier::State::update_seed(const ImageClassifierParameters& p) const {
  return image::random_stream(p.seed, image::RandomUse::update, n_updates)();
}

void ImageClassifier::State::continue_training(const char* who, std::span<const Image> images,
                                               std::span<const std::int64_t> labels,
                                               const ImageClassifierParameters& p,
                                               const ImageTrainingProgress& progress) {
  require(images.size() >= 2, "{}: expected at least 2 images including those for replay, got {}",
          who, images.size());
  const std::size_t n_threads = resolve_threads(p.n_jobs);
  const image::TorchThreads torch_threads(n_threads);
  std::vector<std::size_t> indices(images.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});

  ImageClassifierParameters update = p;
  update.weight_averaging = 0;
  // A seed of its own: otherwise order and augmentation would be those of the first pass of `fit`.
  update.seed = update_seed(p);
  // Not balanced: a class may be missing among these images.
  const std::vector<double> weights =
      p.class_weights.empty() ? std::vector<double>(n_classes, 1.0) : p.class_weights;
  image::Network trained = network->clone();
  {
    ImageTrainingStatus status;
    status.total = image::count_batches(images.size(), p.batch_size);
    image::Trainer trainer(trained, update, preprocessing,
                           {.learning_rate = kUpdateRate * p.learning_rate,
                            .schedule = LearningRateSchedule::constant,
                            .n_steps = status.total,
                            .class_weights = weights,
                            .frozen_statistics = true});
    const image::TrainingPass pass(who, update, preprocessing, images, labels, {}, progress,
                                   n_threads);
    static_cast<void>(pass.run(trainer, indices, 0, status));
  }
  use(std::move(trained), p);
  ++n_updates;
}

}  // namespace secondlook
