#include "image/classifier/training_run.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "core/validation.hpp"
#include "image/classifier/prediction.hpp"
#include "image/random_streams.hpp"
#include "secondlook/image/near_duplicates.hpp"

namespace secondlook::image {

namespace {

constexpr const char* kWho = "ImageClassifier::fit";

/// The edge padding asked for; if it is left to the weights' file, what that file states.
Padding padding_of(const ImageClassifierParameters& p, const TensorFile* weights) {
  if (p.padding == EdgePaddingRule::tensorflow) return Padding::tensorflow;
  if (p.padding == EdgePaddingRule::symmetric) return Padding::symmetric;
  if (weights == nullptr) return usual_padding(p.architecture);
  const auto stated = weights->metadata.find("padding");
  if (stated == weights->metadata.end()) return usual_padding(p.architecture);
  return stated->second.starts_with("TensorFlow SAME") ? Padding::tensorflow : Padding::symmetric;
}

/// The untrained network: with random weights, or with those of a file.
/// @param given weights that were read already; null: the file named by the parameters is read
Network initial_network(const ImageClassifierParameters& p, const TrainingSet& data,
                        const TensorFile* given) {
  std::optional<TensorFile> read;
  if (!p.weights.empty() && given == nullptr) read = read_tensors(p.weights);
  const TensorFile* weights = p.weights.empty() ? nullptr : given != nullptr ? given : &*read;
  Network network(
      plan_network(p.architecture, data.preprocessing, data.n_classes, padding_of(p, weights)));
  const auto seed = random_stream(p.seed, RandomUse::weights)();
  if (weights == nullptr) {
    network.initialise(seed);
    return network;
  }
  const std::string who = std::string(kWho) + ": weights '" + p.weights + "'";
  network.initialise_head(seed);
  network.read_others(weights->tensors, who.c_str());
  return network;
}

FitCheckpoint checkpoint_of(const ImageClassifierParameters& p, const TrainingSet& data,
                            const std::filesystem::path& path) {
  if (path.empty()) return {path, ""};
  std::vector<std::uint64_t> hashes;
  for (const Image& image : data.images) hashes.push_back(difference_hash(image));
  return {path, fingerprint(p, hashes, data)};
}

}  // namespace

TrainingRun::TrainingRun(const ImageClassifierParameters& parameters, const TrainingSet& data,
                         const ImageFitOptions& options, std::size_t n_threads)
    : parameters_(parameters),
      data_(data),
      options_(options),
      n_threads_(n_threads),
      n_steps_per_epoch_(count_batches(data.split.training.size(), parameters.batch_size)),
      bfloat16_(use_bfloat16(parameters.precision)),
      network_(initial_network(parameters, data, options.weights)),
      trainer_(network_, parameters, data.preprocessing,
               {parameters.learning_rate, parameters.schedule,
                n_steps_per_epoch_ * parameters.max_epochs, data.class_weights}),
      pass_(kWho, parameters, data.preprocessing, data.images, data.labels, data.sample_weights,
            options.progress, n_threads),
      checkpoint_(checkpoint_of(parameters, data, options.checkpoint)),
      result_(checkpoint_.read(trainer_, network_)) {}

void TrainingRun::train() {
  while (!finished()) {
    train_epoch();
    checkpoint_.write(trainer_, result_);
    if (options_.progress && !options_.progress(status()))
      throw Cancelled(std::string(kWho) + ": cancelled");
    if (options_.after_epoch && options_.after_epoch(status())) return;
  }
}

bool TrainingRun::finished() const {
  return result_.history.size() >= parameters_.max_epochs ||
         result_.n_worse >= std::max<std::size_t>(parameters_.patience, 1);
}

void TrainingRun::train_epoch() {
  const std::size_t number = result_.history.size();
  ImageTrainingStatus before = status();
  before.loss = 0;
  ImageTrainingEpoch epoch = pass_.run(trainer_, data_.split.training, number, before);
  const InferenceNetwork judged(trainer_.judged(), data_.preprocessing, bfloat16_);
  const Evaluation evaluation =
      evaluate(judged, data_.preprocessing, data_.images, data_.labels, data_.validation(),
               data_.class_weights, data_.sample_weights, parameters_.positive_class, n_threads_);
  epoch.validation_loss = evaluation.loss;
  epoch.validation_accuracy = evaluation.accuracy;
  epoch.validation_recall = evaluation.recall;
  result_.history.push_back(epoch);
  keep_if_best();
}

void TrainingRun::keep_if_best() {
  const double loss = result_.history.back().validation_loss;
  ++result_.n_worse;
  if (result_.best && !(loss < result_.best_loss)) return;
  result_.best_loss = loss;
  result_.best = trainer_.judged().clone();
  result_.n_worse = 0;
}

ImageTrainingStatus TrainingRun::status() const {
  ImageTrainingStatus status;
  status.epoch = result_.history.size();
  status.done = status.epoch * n_steps_per_epoch_;
  status.total = n_steps_per_epoch_ * parameters_.max_epochs;
  if (!result_.history.empty()) {
    status.loss = result_.history.back().loss;
    status.last_epoch = &result_.history.back();
  }
  return status;
}

}  // namespace secondlook::image
