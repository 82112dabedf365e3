#include "secondlook/image/image_classifier.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/shuffle.hpp"
#include "core/throttled_progress.hpp"
#include "core/validation.hpp"
#include "image/classifier/fit_checkpoint.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/network/torch_threads.hpp"
#include "image/network/trainer.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

using image::Batch;
using image::BatchPipeline;
using image::InferenceNetwork;
using image::Network;
using image::Trainer;

constexpr std::size_t kInferenceBatch = 32;
constexpr double kUpdateRate = 0.1;  // of the learning rate, when a trained network learns on

// Random streams of a seed; the split has 1, the dropout those from 2²⁰ on.
constexpr std::uint64_t kWeightStream = 0;
constexpr std::uint64_t kReplayStream = 2;
constexpr std::uint64_t kUpdateStream = 1U << 19;
constexpr std::uint64_t kOrderStream = 1U << 21;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Batches of so many, and no batch of one image alone, which has no statistics of its own.
std::size_t count_batches(std::size_t n, std::size_t batch_size) {
  return n / batch_size + (n % batch_size > (n > batch_size ? 1 : 0) ? 1 : 0);
}

std::span<const std::size_t> batch_of(std::span<const std::size_t> order, std::size_t number,
                                      std::size_t batch_size) {
  const bool last = number + 1 == count_batches(order.size(), batch_size);
  const std::size_t begin = number * batch_size;
  return order.subspan(begin, last ? order.size() - begin : batch_size);
}

/// Checks that labels are 0, 1, … without a gap, and says how many.
std::size_t count_classes(std::span<const std::int64_t> labels) {
  const auto [least, most] = std::ranges::minmax(labels);
  require(least >= 0 && most < static_cast<std::int64_t>(labels.size()),
          "ImageClassifier::fit: expected labels 0, 1, …, got {} to {}", least, most);
  std::vector<std::size_t> counts(static_cast<std::size_t>(most) + 1);
  for (const auto label : labels) ++counts[static_cast<std::size_t>(label)];
  require(counts.size() >= 2, "ImageClassifier::fit: expected at least 2 classes, got 1");
  for (std::size_t k = 0; k < counts.size(); ++k)
    require(counts[k] > 0,
            "ImageClassifier::fit: expected images of every class, got none of class {}, counted "
            "from 0",
            k);
  return counts.size();
}

std::vector<double> class_weights(const ImageClassifierParameters& p,
                                  std::span<const std::int64_t> labels, std::size_t n_classes) {
  require(p.class_weights.empty() || p.class_weights.size() == n_classes,
          "ImageClassifier::fit: expected {} class_weights, got {}", n_classes,
          p.class_weights.size());
  if (!p.class_weights.empty()) return p.class_weights;
  std::vector<double> weights(n_classes, 1.0);
  if (p.class_weighting == ClassWeighting::none) return weights;
  std::vector<double> counts(n_classes);
  for (const auto label : labels) ++counts[static_cast<std::size_t>(label)];
  for (std::size_t k = 0; k < n_classes; ++k)
    weights[k] = static_cast<double>(labels.size()) / (static_cast<double>(n_classes) * counts[k]);
  return weights;
}

Preprocessing preprocessing_before_scaling(const ImageClassifierParameters& p) {
  Preprocessing preprocessing;
  preprocessing.height = p.height;
  preprocessing.width = p.width;
  preprocessing.channels = p.channels != 0 ? p.channels : 3;
  preprocessing.contrast = p.contrast;
  preprocessing.clipped_fraction = p.clipped_fraction;
  preprocessing.range = p.value_range;
  return preprocessing;
}

/// One value for all channels, or one for each.
std::array<float, 3> three(const std::vector<float>& values) {
  if (values.size() == 1) return {values[0], values[0], values[0]};
  return {values[0], values[1], values[2]};
}

void set_scaling(const ImageClassifierParameters& p, std::span<const Image> images,
                 std::span<const std::size_t> training, Preprocessing& preprocessing) {
  if (p.architecture == Architecture::vgg16) {
    preprocessing.mean = {0.485F, 0.456F, 0.406F};
    preprocessing.standard_deviation = {0.229F, 0.224F, 0.225F};
  } else if (p.architecture != Architecture::mobilenet_v2) {
    const auto statistics = image::channel_statistics(images, training);
    preprocessing.mean = statistics.mean;
    preprocessing.standard_deviation = statistics.standard_deviation;
  }
  if (!p.mean.empty()) preprocessing.mean = three(p.mean);
  if (!p.standard_deviation.empty()) preprocessing.standard_deviation = three(p.standard_deviation);
  check("ImageClassifier::fit", preprocessing);
}

/// A network to begin with: random, or with the weights of a file.
/// @param given  the weights, read already; null where the file that the parameters name is to be
Network first_network(const ImageClassifierParameters& p, const TensorFile* given,
                      const auto& make_plan) {
  image::Padding padding = p.padding == EdgePaddingRule::tensorflow ? image::Padding::tensorflow
                                                                    : image::Padding::symmetric;
  TensorFile read;
  if (!p.weights.empty() && given == nullptr) read = read_tensors(p.weights);
  const TensorFile& file = given != nullptr ? *given : read;
  if (!p.weights.empty()) {
    const auto stated = file.metadata.find("padding");
    if (p.padding == EdgePaddingRule::automatic && stated != file.metadata.end() &&
        stated->second.starts_with("TensorFlow SAME"))
      padding = image::Padding::tensorflow;
  }
  Network network(make_plan(padding));
  const auto seed = RandomStream(p.seed, kWeightStream)();
  if (p.weights.empty()) {
    network.initialise(seed);
    return network;
  }
  const std::string who = "ImageClassifier::fit: weights '" + p.weights + "'";
  network.initialise_head(seed);
  network.read_others(file.tensors, who.c_str());
  return network;
}

/// Recall of the positive class, or the mean over those that occur; NaN where none does.
double recall_of(const std::vector<double>& hits, const std::vector<double>& counts,
                 int positive_class) {
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

/// How good a network is on some images.
struct Evaluation {
  double loss = 0;
  double accuracy = 0;
  double recall = 0;
};

Evaluation evaluate(const InferenceNetwork& network, const Preprocessing& preprocessing,
                    std::span<const Image> images, std::span<const std::int64_t> labels,
                    std::span<const std::size_t> places, std::span<const double> weights,
                    int positive_class, std::size_t n_threads) {
  const std::size_t n_classes = weights.size();
  const std::size_t n_batches = (places.size() + kInferenceBatch - 1) / kInferenceBatch;
  BatchPipeline pipeline(n_batches, [&](std::size_t number, Batch& batch) {
    const std::size_t begin = number * kInferenceBatch;
    const auto part = places.subspan(begin, std::min(kInferenceBatch, places.size() - begin));
    image::fill(batch, part.size(), preprocessing, n_threads,
                [&](std::size_t i) { return images[part[i]]; });
  });
  double loss = 0, total_weight = 0;
  std::vector<double> counts(n_classes), hits(n_classes);
  for (std::size_t number = 0; number < n_batches; ++number) {
    Batch& batch = pipeline.next();
    const at::Tensor input = image::to_input(batch, preprocessing, network.device());
    const at::Tensor p = image::probabilities(network, input, network.features(input), {});
    const auto* row = p.const_data_ptr<double>();
    for (std::size_t i = 0; i < batch.size; ++i, row += n_classes) {
      const auto label = static_cast<std::size_t>(labels[places[number * kInferenceBatch + i]]);
      loss -= weights[label] * std::log(std::max(row[label], 1e-300));
      total_weight += weights[label];
      ++counts[label];
      hits[label] += std::max_element(row, row + n_classes) == row + label ? 1 : 0;
    }
  }
  Evaluation result;
  result.loss = loss / total_weight;
  result.accuracy =
      std::accumulate(hits.begin(), hits.end(), 0.0) / static_cast<double>(places.size());
  result.recall = recall_of(hits, counts, positive_class);
  return result;
}

/// Passes over images in random order, each image a random variation of itself.
class Passes {
 public:
  Passes(const ImageClassifierParameters& parameters, const Preprocessing& preprocessing,
         std::span<const Image> images, std::span<const std::int64_t> labels, const char* who,
         const ImageTrainingProgress& progress, std::size_t n_threads)
      : parameters_(parameters),
        preprocessing_(preprocessing),
        images_(images),
        labels_(labels),
        who_(who),
        progress_(progress),
        n_threads_(n_threads) {}

  /// Training loss, its time and waiting; the rest is left as it is.
  ImageTrainingEpoch pass(Trainer& trainer, std::vector<std::size_t> order, std::uint64_t number,
                          ImageTrainingStatus status) {
    RandomStream random(parameters_.seed, kOrderStream + number);
    shuffle(std::span(order), random);
    const std::size_t n_batches = count_batches(order.size(), parameters_.batch_size);
    BatchPipeline pipeline(n_batches, [&](std::size_t b, Batch& batch) {
      const auto part = batch_of(order, b, parameters_.batch_size);
      image::fill(batch, part.size(), preprocessing_, n_threads_, [&](std::size_t i) {
        return augment(images_[part[i]], parameters_.augmentation, parameters_.seed, number,
                       part[i]);
      });
      batch.labels.resize(part.size());
      for (std::size_t i = 0; i < part.size(); ++i) batch.labels[i] = labels_[part[i]];
    });
    ImageTrainingEpoch epoch;
    const auto start = Clock::now();
    double sum = 0;
    std::size_t n_seen = 0;
    for (std::size_t b = 0; b < n_batches; ++b) {
      Batch& batch = pipeline.next();
      epoch.learning_rate = trainer.learning_rate();
      const double loss = trainer.step(batch);
      require(std::isfinite(loss),
              "{}: the loss diverged in epoch {}: expected a smaller learning_rate than {}", who_,
              number + 1, parameters_.learning_rate);
      sum += loss * static_cast<double>(batch.size);
      n_seen += batch.size;
      ++status.done;
      status.loss = sum / static_cast<double>(n_seen);
      if (progress_ && !progress_(status)) throw Cancelled(std::string(who_) + ": cancelled");
    }
    epoch.loss = status.loss;
    epoch.seconds = seconds_since(start);
    epoch.wait_fraction = pipeline.seconds_waited() / epoch.seconds;
    return epoch;
  }

 private:
  const ImageClassifierParameters& parameters_;
  const Preprocessing& preprocessing_;
  std::span<const Image> images_;
  std::span<const std::int64_t> labels_;
  const char* who_;
  const ImageTrainingProgress& progress_;
  std::size_t n_threads_;
};

/// Ctrl-C while images are read: there is no loss yet to tell of.
Progress while_loading(const ImageTrainingProgress& progress) {
  if (!progress) return {};
  return [&progress](std::size_t, std::size_t) { return progress({}); };
}

}  // namespace

ImageClassifier::ImageClassifier(ImageClassifierParameters parameters)
    : parameters_(std::move(parameters)), state_(std::make_unique<State>()) {
  constexpr const char* who = "ImageClassifier";
  const auto& p = parameters_;
  check(who, preprocessing_before_scaling(p));
  check(who, p.augmentation);
  const auto scaling = [&](const char* name, const std::vector<float>& values) {
    require(values.empty() || values.size() == 1 || values.size() == 3,
            "{}: {}: expected one value or three, got {}", who, name, values.size());
    for (const float value : values)
      require(std::isfinite(value), "{}: {}: expected finite values, got {}", who, name, value);
  };
  scaling("mean", p.mean);
  scaling("standard_deviation", p.standard_deviation);
  for (const float value : p.standard_deviation)
    require(value > 0, "{}: standard_deviation must be above 0, got {}", who, value);
  require(p.trained_blocks >= -1, "{}: trained_blocks must be -1 at least, got {}", who,
          p.trained_blocks);
  require(p.learning_rate > 0 && std::isfinite(p.learning_rate),
          "{}: learning_rate must be above 0, got {}", who, p.learning_rate);
  require(p.weight_decay >= 0 && std::isfinite(p.weight_decay),
          "{}: weight_decay must be at least 0, got {}", who, p.weight_decay);
  require(p.label_smoothing >= 0 && p.label_smoothing < 1,
          "{}: label_smoothing must lie in [0, 1), got {}", who, p.label_smoothing);
  require(p.mixup >= 0 && p.mixup <= 1, "{}: mixup must lie in [0, 1], got {}", who, p.mixup);
  for (const double weight : p.class_weights)
    require(weight > 0 && std::isfinite(weight), "{}: class_weights must be above 0, got {}", who,
            weight);
  require(p.weight_averaging >= 0 && p.weight_averaging < 1,
          "{}: weight_averaging must lie in [0, 1), got {}", who, p.weight_averaging);
  require(p.batch_size >= 2 && p.batch_size <= 65536,
          "{}: batch_size must lie in [2, 65536], got {}", who, p.batch_size);
  require(p.max_epochs >= 1 && p.max_epochs <= 1'000'000,
          "{}: max_epochs must lie in [1, 1000000], got {}", who, p.max_epochs);
  require(p.positive_class >= -1, "{}: positive_class must be -1 at least, got {}", who,
          p.positive_class);
  require(p.validation_fraction >= 0 && p.validation_fraction <= 0.5,
          "{}: validation_fraction must lie in [0, 0.5], got {}", who, p.validation_fraction);
  // The network of two classes says whether it can see such images.
  static_cast<void>(
      tensors_of(p.architecture, p.channels != 0 ? p.channels : 3, p.height, p.width, 2));
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
  constexpr const char* who = "ImageClassifier::fit";
  const auto& p = parameters_;
  require_labels(who, images.size(), labels);
  require(options.groups.empty() || options.groups.size() == images.size(),
          "{}: expected one group per image ({}), got {}", who, images.size(),
          options.groups.size());
  count_classes(labels);
  const std::size_t n_threads = resolve_threads(p.n_jobs);
  const image::TorchThreads torch_threads(n_threads);

  State state;
  state.preprocessing = preprocessing_before_scaling(p);
  image::ImageSet set = image::load_images(who, images, state.preprocessing, options.skip_broken,
                                           n_threads, while_loading(options.progress));
  std::vector<std::int64_t> kept_labels, kept_groups;
  for (const std::size_t place : set.places) {
    kept_labels.push_back(labels[place]);
    if (!options.groups.empty()) kept_groups.push_back(options.groups[place]);
  }
  require(!kept_labels.empty(), "{}: expected images that can be read, got none: {}", who,
          set.broken.empty() ? "" : set.broken[0].message);
  state.n_classes = count_classes(kept_labels);
  require(p.positive_class < static_cast<int>(state.n_classes),
          "{}: positive_class: expected a class from 0 to {}, or -1, got {}", who,
          state.n_classes - 1, p.positive_class);
  const bool sees_colour = p.channels == 3 || p.architecture == Architecture::mobilenet_v2 ||
                           p.architecture == Architecture::vgg16;
  if (!sees_colour && std::ranges::all_of(set.images, [](auto& i) { return i.channels == 1; }))
    state.preprocessing.channels = 1;

  ImageFitReport report;
  report.skipped = std::move(set.broken);
  std::vector<std::uint64_t> hashes;
  for (const Image& image : set.images) hashes.push_back(difference_hash(image));
  if (options.groups.empty()) {
    report.near_duplicates = find_near_duplicates(set.images);
    for (auto& pair : report.near_duplicates) {
      pair.first = set.places[pair.first];
      pair.second = set.places[pair.second];
    }
  }

  const auto split = image::split_by_group(kept_labels, kept_groups, p.validation_fraction, p.seed);
  require(split.training.size() >= 2, "{}: expected at least 2 images to train on, got {}", who,
          split.training.size());
  // Where there are none to hold out, the training images themselves have to judge.
  const auto& judges = split.validation.empty() ? split.training : split.validation;
  report.none_held_out = split.validation.empty() && p.validation_fraction > 0;
  std::vector<bool> is_judged(state.n_classes);
  for (const std::size_t place : judges)
    is_judged[static_cast<std::size_t>(kept_labels[place])] = true;
  for (std::size_t k = 0; k < state.n_classes; ++k)
    if (!is_judged[k]) report.classes_not_held_out.push_back(k);
  set_scaling(p, set.images, split.training, state.preprocessing);

  std::vector<std::int64_t> training_labels;
  for (const std::size_t place : split.training) training_labels.push_back(kept_labels[place]);
  const auto weights = class_weights(p, training_labels, state.n_classes);

  Network network = first_network(p, options.weights, [&](image::Padding padding) {
    return state.plan(p.architecture, padding);
  });
  const std::size_t n_steps_an_epoch = count_batches(split.training.size(), p.batch_size);
  Trainer trainer(network, p, state.preprocessing,
                  {p.learning_rate, p.schedule, n_steps_an_epoch * p.max_epochs, weights});
  Passes passes(p, state.preprocessing, set.images, kept_labels, who, options.progress, n_threads);

  image::FitCheckpoint checkpoint(options.checkpoint,
                                  image::fingerprint(p, hashes, kept_labels, kept_groups));
  image::FitProgress done = checkpoint.read(trainer, network);

  const auto keep_best = [&] {
    state.history = done.history;
    state.use(done.best->clone(), p);
    image::keep_for_replay(set.images, kept_labels, split.training, p.replay_size, p.seed,
                           state.replay, state.replay_labels);
    state.n_seen = split.training.size();
    *state_ = std::move(state);
  };
  const bool bfloat16 = image::use_bfloat16(p.precision);
  try {
    while (done.history.size() < p.max_epochs &&
           done.n_worse < std::max<std::size_t>(p.patience, 1)) {
      ImageTrainingStatus status;
      status.epoch = done.history.size();
      status.done = status.epoch * n_steps_an_epoch;
      status.total = n_steps_an_epoch * p.max_epochs;
      status.last_epoch = done.history.empty() ? nullptr : &done.history.back();
      ImageTrainingEpoch epoch = passes.pass(trainer, split.training, status.epoch, status);
      const InferenceNetwork judged(trainer.judged(), state.preprocessing, bfloat16);
      const Evaluation judgement = evaluate(judged, state.preprocessing, set.images, kept_labels,
                                            judges, weights, p.positive_class, n_threads);
      epoch.validation_loss = judgement.loss;
      epoch.validation_accuracy = judgement.accuracy;
      epoch.validation_recall = judgement.recall;
      done.history.push_back(epoch);
      ++done.n_worse;
      if (!done.best || judgement.loss < done.best_loss) {
        done.best_loss = judgement.loss;
        done.best = trainer.judged().clone();
        done.n_worse = 0;
      }
      checkpoint.write(trainer, done);
      status.epoch = done.history.size();
      status.done = status.epoch * n_steps_an_epoch;
      status.loss = epoch.loss;
      status.last_epoch = &done.history.back();
      if (options.progress && !options.progress(status))
        throw Cancelled(std::string(who) + ": cancelled");
    }
  } catch (...) {
    // Whoever stops it, by Ctrl-C or otherwise, has what was learned until then.
    if (done.best) keep_best();
    throw;
  }
  keep_best();
  checkpoint.remove();
  return report;
}

void ImageClassifier::partial_fit(std::span<const ImageInput> images,
                                  std::span<const std::int64_t> labels,
                                  const ImageTrainingProgress& progress) {
  constexpr const char* who = "ImageClassifier::partial_fit";
  require_fitted(who);
  require_labels(who, images.size(), labels);
  require_known(who, labels);
  image::ImageSet set =
      image::load_images(who, images, state_->preprocessing, false,
                         resolve_threads(parameters_.n_jobs), while_loading(progress));
  auto& all = set.images;
  const std::size_t n_new = labels.size();
  std::vector<std::int64_t> all_labels(labels.begin(), labels.end());
  all.insert(all.end(), state_->replay.begin(), state_->replay.end());
  all_labels.insert(all_labels.end(), state_->replay_labels.begin(), state_->replay_labels.end());
  RandomStream random(state_->update_seed(parameters_), kReplayStream);
  state_->learn_on(who, all, all_labels, parameters_, progress);
  // Each image ever seen is kept with the same probability (Vitter 1985).
  for (std::size_t i = 0; i < n_new; ++i) {
    const std::uint64_t place = random.below(++state_->n_seen);
    if (state_->replay.size() < parameters_.replay_size) {
      state_->replay.push_back(all[i]);
      state_->replay_labels.push_back(labels[i]);
    } else if (place < state_->replay.size()) {
      state_->replay[place] = all[i];
      state_->replay_labels[place] = labels[i];
    }
  }
}

std::uint64_t ImageClassifier::State::update_seed(const ImageClassifierParameters& p) const {
  return RandomStream(p.seed, kUpdateStream + n_updates)();
}

void ImageClassifier::State::learn_on(const char* who, std::span<const Image> images,
                                      std::span<const std::int64_t> labels,
                                      const ImageClassifierParameters& p,
                                      const ImageTrainingProgress& progress) {
  require(images.size() >= 2, "{}: expected at least 2 images with those for replay, got {}", who,
          images.size());
  const std::size_t n_threads = resolve_threads(p.n_jobs);
  const image::TorchThreads torch_threads(n_threads);
  std::vector<std::size_t> order(images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});

  // A class that is neither among the new nor among those kept has no say in the weights.
  std::vector<double> weights(n_classes, 1.0);
  if (!p.class_weights.empty()) weights = p.class_weights;
  Network trained = network->clone();
  ImageClassifierParameters update = p;
  update.weight_averaging = 0;
  // Streams of its own: not the same order and variations as in the training's first pass.
  update.seed = update_seed(p);
  {
    const std::size_t n_steps = count_batches(images.size(), p.batch_size);
    Trainer trainer(trained, update, preprocessing,
                    {.learning_rate = kUpdateRate * p.learning_rate,
                     .schedule = LearningRateSchedule::constant,
                     .n_steps = n_steps,
                     .class_weights = weights,
                     .frozen_statistics = true});
    Passes passes(update, preprocessing, images, labels, who, progress, n_threads);
    ImageTrainingStatus status;
    status.total = n_steps;
    static_cast<void>(passes.pass(trainer, order, 0, status));
  }
  use(std::move(trained), p);
  ++n_updates;
}

namespace {

/// Calls use(first, batch tensor) for n images, a batch at a time, made while others are used.
/// @param image of a place, prepared
template <class Use>
void for_each_batch(const char* who, std::size_t n, const std::function<Image(std::size_t)>& image,
                    const Preprocessing& preprocessing, at::Device device, std::size_t n_threads,
                    const Progress& progress, const Use& use) {
  const std::size_t n_batches = (n + kInferenceBatch - 1) / kInferenceBatch;
  BatchPipeline pipeline(n_batches, [&](std::size_t number, Batch& batch) {
    const std::size_t begin = number * kInferenceBatch;
    image::fill(batch, std::min(kInferenceBatch, n - begin), preprocessing, n_threads,
                [&](std::size_t i) { return image(begin + i); });
  });
  ThrottledProgress report(progress, who);
  for (std::size_t number = 0; number < n_batches; ++number) {
    Batch& batch = pipeline.next();
    use(number * kInferenceBatch, image::to_input(batch, preprocessing, device));
    report(std::min((number + 1) * kInferenceBatch, n), n);
  }
}

void copy_rows(const at::Tensor& rows, std::size_t first, std::span<double> target) {
  const at::Tensor plain = rows.to(at::kCPU).to(at::kDouble).contiguous();
  const auto n = static_cast<std::size_t>(plain.numel());
  const auto width = static_cast<std::size_t>(plain.size(1));
  std::copy_n(plain.const_data_ptr<double>(), n, target.data() + first * width);
}

void require_room(const char* who, std::span<const double> target, std::size_t n) {
  require(target.size() == n, "{}: expected room for {}, got {}", who, n, target.size());
}

}  // namespace

void ImageClassifier::State::predict(const char* who, std::size_t n,
                                     const std::function<Image(std::size_t)>& image,
                                     const Outputs& outputs,
                                     const TestTimeAugmentation& test_time_augmentation,
                                     const ImageClassifierParameters& parameters,
                                     const Progress& progress) const {
  const std::size_t n_threads = resolve_threads(parameters.n_jobs);
  const image::TorchThreads torch_threads(n_threads);
  for_each_batch(who, n, image, preprocessing, inference->device(), n_threads, progress,
                 [&](std::size_t first, const at::Tensor& x) {
                   const at::Tensor seen = inference->features(x);
                   if (!outputs.features.empty()) copy_rows(seen, first, outputs.features);
                   if (!outputs.probabilities.empty())
                     copy_rows(image::probabilities(*inference, x, seen, test_time_augmentation),
                               first, outputs.probabilities);
                 });
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

void ImageClassifier::predict_proba(std::span<const ImageInput> images,
                                    std::span<double> probabilities,
                                    const TestTimeAugmentation& test_time_augmentation,
                                    const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::predict_proba";
  require_fitted(who);
  require_room(who, probabilities, images.size() * n_classes());
  predict(who, images, probabilities, {}, test_time_augmentation, progress);
}

void ImageClassifier::features(std::span<const ImageInput> images, std::span<double> features,
                               const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::features";
  require_fitted(who);
  require_room(who, features, images.size() * n_features());
  predict(who, images, {}, features, {}, progress);
}

void ImageClassifier::predict_with_features(std::span<const ImageInput> images,
                                            std::span<double> probabilities,
                                            std::span<double> features,
                                            const TestTimeAugmentation& test_time_augmentation,
                                            const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::predict_with_features";
  require_fitted(who);
  require_room(who, probabilities, images.size() * n_classes());
  require_room(who, features, images.size() * n_features());
  predict(who, images, probabilities, features, test_time_augmentation, progress);
}

void ImageClassifier::State::use(Network trained, const ImageClassifierParameters& parameters) {
  const at::Device device = image::device_of(parameters.device);
  for (auto& [name, values] : trained.tensors()) values = values.detach().to(device);
  const bool bfloat16 = image::use_bfloat16(parameters.inference_precision);
  inference = std::make_shared<const InferenceNetwork>(trained, preprocessing, bfloat16);
  network = std::make_shared<const Network>(std::move(trained));
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

void ImageClassifier::require_labels(const char* who, std::size_t n_images,
                                     std::span<const std::int64_t> labels) {
  require(n_images > 0, "{}: expected at least 1 image, got none", who);
  require(labels.size() == n_images, "{}: expected one label per image ({}), got {}", who, n_images,
          labels.size());
}

void ImageClassifier::require_known(const char* who, std::span<const std::int64_t> labels) const {
  for (const auto label : labels)
    require(label >= 0 && static_cast<std::size_t>(label) < state_->n_classes,
            "{}: expected labels 0 to {}, got {}", who, state_->n_classes - 1, label);
}

void ImageClassifier::require_fitted(const char* who) const {
  require<NotFitted>(fitted(), "{}: not fitted yet, call fit first", who);
}

}  // namespace secondlook
