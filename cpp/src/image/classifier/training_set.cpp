#include "image/classifier/training_set.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/validation.hpp"
#include "image/classifier/parameters.hpp"
#include "image/network/network_plan.hpp"

namespace secondlook::image {

namespace {

constexpr const char* kWho = "ImageClassifier::fit";

/// Number of classes; checks that the labels are 0, 1, … without a gap.
std::size_t count_classes(std::span<const std::int64_t> labels) {
  const auto [least, most] = std::ranges::minmax(labels);
  require(least >= 0 && most < static_cast<std::int64_t>(labels.size()),
          "{}: expected labels 0, 1, …, got {} to {}", kWho, least, most);
  std::vector<std::size_t> counts(static_cast<std::size_t>(most) + 1);
  for (const auto label : labels) ++counts[static_cast<std::size_t>(label)];
  require(counts.size() >= 2, "{}: expected at least 2 classes, got 1", kWho);
  for (std::size_t k = 0; k < counts.size(); ++k)
    require(counts[k] > 0, "{}: expected images of every class, got none of class {}", kWho, k);
  return counts.size();
}

void check_input(std::span<const ImageInput> images, std::span<const std::int64_t> labels,
                 const ImageFitOptions& options) {
  require_labels(kWho, images.size(), labels);
  const auto per_image = [&](const char* what, std::size_t n) {
    require(n == 0 || n == images.size(), "{}: expected one {} per image ({}), got {}", kWho, what,
            images.size(), n);
  };
  per_image("group", options.groups.size());
  per_image("sample weight", options.sample_weights.size());
  for (const double weight : options.sample_weights)
    require(weight >= 0 && std::isfinite(weight),
            "{}: expected finite sample weights of at least 0, got {}", kWho, weight);
  require(options.validation_labels.size() == options.validation_images.size(),
          "{}: expected one label per validation image ({}), got {}", kWho,
          options.validation_images.size(), options.validation_labels.size());
  static_cast<void>(count_classes(labels));
}

/// Takes over the images that could be read, with their labels, groups and weights.
/// @return the index of each among the inputs
std::vector<std::size_t> load(TrainingSet& set, const ImageClassifierParameters& p,
                              std::span<const ImageInput> inputs,
                              std::span<const std::int64_t> labels, const ImageFitOptions& options,
                              std::size_t n_threads) {
  set.preprocessing = unscaled_preprocessing(p);
  ImageSet loaded = load_images(kWho, inputs, set.preprocessing, options.skip_broken, n_threads,
                                progress_while_loading(options.progress));
  require(!loaded.images.empty(), "{}: expected images that can be read, got none: {}", kWho,
          loaded.broken.empty() ? "" : loaded.broken[0].message);
  for (const std::size_t index : loaded.indices) {
    set.labels.push_back(labels[index]);
    if (!options.groups.empty()) set.groups.push_back(options.groups[index]);
    if (!options.sample_weights.empty())
      set.sample_weights.push_back(options.sample_weights[index]);
  }
  set.images = std::move(loaded.images);
  set.report.skipped = std::move(loaded.broken);
  set.n_classes = count_classes(set.labels);
  require(p.positive_class < static_cast<int>(set.n_classes),
          "{}: positive_class: expected a class from 0 to {}, or -1, got {}", kWho,
          set.n_classes - 1, p.positive_class);
  return std::move(loaded.indices);
}

/// Adds the images given for validation after those trained on.
/// @return the index of each among the inputs
std::vector<std::size_t> load_validation(TrainingSet& set, const ImageFitOptions& options,
                                         std::size_t n_threads) {
  if (options.validation_images.empty()) return {};
  const std::string who = std::string(kWho) + ": validation data";
  for (const auto label : options.validation_labels)
    require(label >= 0 && static_cast<std::size_t>(label) < set.n_classes,
            "{}: expected labels from 0 to {}, got {}", who, set.n_classes - 1, label);
  ImageSet loaded =
      load_images(who.c_str(), options.validation_images, set.preprocessing, options.skip_broken,
                  n_threads, progress_while_loading(options.progress));
  require(!loaded.images.empty(), "{}: expected images that can be read, got none: {}", who,
          loaded.broken.empty() ? "" : loaded.broken[0].message);
  for (const std::size_t index : loaded.indices)
    set.labels.push_back(options.validation_labels[index]);
  if (!set.sample_weights.empty()) set.sample_weights.resize(set.labels.size(), 1);
  std::ranges::move(loaded.images, std::back_inserter(set.images));
  set.report.skipped_validation = std::move(loaded.broken);
  return std::move(loaded.indices);
}

void choose_channels(TrainingSet& set, const ImageClassifierParameters& p) {
  const auto is_grey = [](const Image& image) { return image.channels == 1; };
  if (p.channels != 3 && accepts_grey(p.architecture) && std::ranges::all_of(set.images, is_grey))
    set.preprocessing.channels = 1;
}

/// Pairs that look alike, by their indices among the inputs; if images were given for validation,
/// only pairs of an image trained on and one of those.
std::vector<NearDuplicates> near_duplicates_among(std::span<const Image> images,
                                                  std::span<const std::size_t> input_indices,
                                                  std::size_t n_given_for_validation) {
  auto pairs = find_near_duplicates(images);
  if (n_given_for_validation > 0) {
    const std::size_t n_trained = images.size() - n_given_for_validation;
    std::erase_if(pairs, [&](const NearDuplicates& pair) {
      return pair.first >= n_trained || pair.second < n_trained;
    });
  }
  for (auto& pair : pairs) {
    pair.first = input_indices[pair.first];
    pair.second = input_indices[pair.second];
  }
  return pairs;
}

void split(TrainingSet& set, const ImageClassifierParameters& p,
           std::size_t n_given_for_validation) {
  if (n_given_for_validation > 0) {
    set.split.training.resize(set.images.size() - n_given_for_validation);
    set.split.validation.resize(n_given_for_validation);
    std::iota(set.split.training.begin(), set.split.training.end(), std::size_t{0});
    std::iota(set.split.validation.begin(), set.split.validation.end(), set.split.training.size());
  } else {
    set.split = split_by_group(set.labels, set.groups, p.validation_fraction, p.seed);
  }
  require(set.split.training.size() >= 2, "{}: expected at least 2 images to train on, got {}",
          kWho, set.split.training.size());
  set.report.none_held_out = set.split.validation.empty() && p.validation_fraction > 0;
  std::vector<bool> is_validated(set.n_classes);
  for (const std::size_t i : set.validation())
    is_validated[static_cast<std::size_t>(set.labels[i])] = true;
  for (std::size_t k = 0; k < set.n_classes; ++k)
    if (!is_validated[k]) set.report.classes_not_held_out.push_back(k);
}

/// Scales the sample weights so that those of the images trained on are 1 on average.
void scale_sample_weights(TrainingSet& set) {
  if (set.sample_weights.empty()) return;
  const auto sum_of = [&](std::span<const std::size_t> indices) {
    double sum = 0;
    for (const std::size_t i : indices) sum += set.sample_weights[i];
    return sum;
  };
  require(sum_of(set.split.training) > 0 && sum_of(set.validation()) > 0,
          "{}: expected sample weights above 0 among the images trained on and among those held "
          "out, got only 0",
          kWho);
  const double mean = sum_of(set.split.training) / static_cast<double>(set.split.training.size());
  for (double& weight : set.sample_weights) weight /= mean;
}

/// The value of each channel, where one value may be given for all.
std::array<float, 3> per_channel(const std::vector<float>& values) {
  if (values.size() == 1) return {values[0], values[0], values[0]};
  return {values[0], values[1], values[2]};
}

void set_scale(TrainingSet& set, const ImageClassifierParameters& p) {
  Preprocessing& preprocessing = set.preprocessing;
  if (p.architecture == Architecture::vgg16) {
    preprocessing.mean = {0.485F, 0.456F, 0.406F};
    preprocessing.standard_deviation = {0.229F, 0.224F, 0.225F};
  } else if (p.architecture == Architecture::efficientnet_lite0 ||
             p.architecture == Architecture::efficientnet_lite2) {
    preprocessing.mean.fill(127.0F / 255);
    preprocessing.standard_deviation.fill(128.0F / 255);
  } else if (p.architecture != Architecture::mobilenet_v2) {
    const auto statistics = channel_statistics(set.images, set.split.training);
    preprocessing.mean = statistics.mean;
    preprocessing.standard_deviation = statistics.standard_deviation;
  }
  if (!p.mean.empty()) preprocessing.mean = per_channel(p.mean);
  if (!p.standard_deviation.empty())
    preprocessing.standard_deviation = per_channel(p.standard_deviation);
  check(kWho, preprocessing);
}

}  // namespace

TrainingSet make_training_set(const ImageClassifierParameters& parameters,
                              std::span<const ImageInput> images,
                              std::span<const std::int64_t> labels, const ImageFitOptions& options,
                              std::size_t n_threads) {
  check_input(images, labels, options);
  TrainingSet set;
  auto input_indices = load(set, parameters, images, labels, options, n_threads);
  const auto given = load_validation(set, options, n_threads);
  input_indices.insert(input_indices.end(), given.begin(), given.end());
  choose_channels(set, parameters);
  if (options.groups.empty() || !given.empty())
    set.report.near_duplicates = near_duplicates_among(set.images, input_indices, given.size());
  split(set, parameters, given.size());
  scale_sample_weights(set);
  set_scale(set, parameters);
  std::vector<std::int64_t> training_labels;
  for (const std::size_t i : set.split.training) training_labels.push_back(set.labels[i]);
  set.class_weights = class_weights(parameters, training_labels, set.n_classes);
  return set;
}

std::vector<double> class_weights(const ImageClassifierParameters& p,
                                  std::span<const std::int64_t> labels, std::size_t n_classes) {
  require(p.class_weights.empty() || p.class_weights.size() == n_classes,
          "{}: expected {} class_weights, got {}", kWho, n_classes, p.class_weights.size());
  if (!p.class_weights.empty()) return p.class_weights;
  std::vector<double> weights(n_classes, 1.0);
  if (p.class_weighting == ClassWeighting::none) return weights;
  std::vector<double> counts(n_classes);
  for (const auto label : labels) ++counts[static_cast<std::size_t>(label)];
  for (std::size_t k = 0; k < n_classes; ++k)
    weights[k] = static_cast<double>(labels.size()) / (static_cast<double>(n_classes) * counts[k]);
  return weights;
}

ChannelStatistics channel_statistics(std::span<const Image> images,
                                     std::span<const std::size_t> indices) {
  std::array<double, 3> sum{}, squares{};
  double n_pixels = 0;
  for (const std::size_t index : indices) {
    const Image& image = images[index];
    const double scale = image.bits() == 8 ? 1.0 / 255 : 1.0 / 65535;
    std::visit(
        [&](const auto& values) {
          for (std::size_t channel = 0; channel < 3; ++channel) {
            double image_sum = 0, image_squares = 0;
            // A grey image counts for all channels.
            const std::size_t first = image.channels == 1 ? 0 : channel;
            for (std::size_t i = first; i < values.size(); i += image.channels) {
              const double value = scale * values[i];
              image_sum += value;
              image_squares += value * value;
            }
            sum[channel] += image_sum;
            squares[channel] += image_squares;
          }
        },
        image.pixels);
    n_pixels += static_cast<double>(image.height * image.width);
  }
  ChannelStatistics statistics{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const double mean = sum[channel] / n_pixels;
    const double variance = std::max(squares[channel] / n_pixels - mean * mean, 0.0);
    statistics.mean[channel] = static_cast<float>(mean);
    // Images of a single value must not lead to a division by nearly 0.
    statistics.standard_deviation[channel] =
        static_cast<float>(std::max(std::sqrt(variance), 1e-3));
  }
  return statistics;
}

}  // namespace secondlook::image
