#include "secondlook/image/image_classifier.hpp"

#include <utility>

#include "core/validation.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/classifier/parameters.hpp"
#include "image/classifier/training_run.hpp"
#include "image/classifier/training_set.hpp"
#include "image/network/torch_threads.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

ImageClassifier::ImageClassifier(ImageClassifierParameters parameters)
    : parameters_(std::move(parameters)), state_(std::make_unique<State>()) {
  image::check("ImageClassifier", parameters_);
}

ImageClassifier::~ImageClassifier() = default;
ImageClassifier::ImageClassifier(const ImageClassifier& other)
    : parameters_(other.parameters_), state_(std::make_unique<State>(*other.state_)) {}
ImageClassifier& ImageClassifier::operator=(const ImageClassifier& other) {
  return *this = ImageClassifier(other);
}
ImageClassifier::ImageClassifier(ImageClassifier&&) noexcept = default;
ImageClassifier& ImageClassifier::operator=(ImageClassifier&&) noexcept = default;

ImageFitReport ImageClassifier::fit(std::span<const ImageInput> images,
                                    std::span<const std::int64_t> labels,
                                    const ImageFitOptions& options) {
  const std::size_t n_threads = resolve_threads(parameters_.n_jobs);
  const image::TorchThreads torch_threads(n_threads);
  image::TrainingSet data =
      image::make_training_set(parameters_, images, labels, options, n_threads);
  image::TrainingRun run(parameters_, data, options, n_threads);
  try {
    run.train();
  } catch (...) {
    // Stopped by Ctrl-C or an error: the best network so far is kept.
    if (run.result().best) state_->take(run.result(), data, parameters_);
    throw;
  }
  state_->take(run.result(), data, parameters_);
  run.remove_checkpoint();
  return std::move(data.report);
}

void ImageClassifier::State::take(const image::FitProgress& result, const image::TrainingSet& data,
                                  const ImageClassifierParameters& p) {
  State trained;
  trained.n_classes = data.n_classes;
  trained.preprocessing = data.preprocessing;
  trained.history = result.history;
  trained.replay = image::choose_for_replay(data.images, data.labels, data.split.training,
                                            p.replay_size, p.seed);
  trained.use(result.best->clone(), p);
  *this = std::move(trained);
}

void ImageClassifier::State::use(image::Network trained,
                                 const ImageClassifierParameters& parameters) {
  const at::Device device = image::device_of(parameters.device);
  for (auto& [name, values] : trained.tensors()) values = values.detach().to(device);
  const bool bfloat16 = image::use_bfloat16(parameters.inference_precision);
  inference = std::make_shared<const image::InferenceNetwork>(trained, preprocessing, bfloat16);
  network = std::make_shared<const image::Network>(std::move(trained));
}

bool ImageClassifier::fitted() const noexcept { return state_->network != nullptr; }
std::size_t ImageClassifier::n_classes() const noexcept { return state_->n_classes; }

std::size_t ImageClassifier::n_features() const {
  require_fitted("ImageClassifier::n_features");
  return state_->network->plan().n_features;
}

std::size_t ImageClassifier::n_weights() const {
  require_fitted("ImageClassifier::n_weights");
  std::size_t n = 0;
  for (const auto& name : state_->network->trained_names(0))
    n += static_cast<std::size_t>(state_->network->tensors().at(name).numel());
  return n;
}

const Preprocessing& ImageClassifier::preprocessing() const {
  require_fitted("ImageClassifier::preprocessing");
  return state_->preprocessing;
}

const std::vector<ImageTrainingEpoch>& ImageClassifier::history() const noexcept {
  return state_->history;
}

const ImageClassifierParameters& ImageClassifier::parameters() const noexcept {
  return parameters_;
}

void ImageClassifier::require_known(const char* who, std::span<const std::int64_t> labels) const {
  for (const auto label : labels)
    require(label >= 0 && static_cast<std::size_t>(label) < state_->n_classes,
            "{}: expected labels from 0 to {}, got {}", who, state_->n_classes - 1, label);
}

void ImageClassifier::require_fitted(const char* who) const {
  require<NotFitted>(fitted(), "{}: not fitted yet, call fit first", who);
}

}  // namespace secondlook
