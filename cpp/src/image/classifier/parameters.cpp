#include "image/classifier/parameters.hpp"

#include <cmath>

#include "core/validation.hpp"
#include "image/network/network_plan.hpp"

namespace secondlook::image {

namespace {

void check_scale(const char* who, const char* name, const std::vector<float>& values) {
  require(values.empty() || values.size() == 1 || values.size() == 3,
          "{}: {}: expected one value or three, got {}", who, name, values.size());
  for (const float value : values)
    require(std::isfinite(value), "{}: {}: expected finite values, got {}", who, name, value);
}

void check_input(const char* who, const ImageClassifierParameters& p) {
  check(who, unscaled_preprocessing(p));
  check(who, p.augmentation);
  check_scale(who, "mean", p.mean);
  check_scale(who, "standard_deviation", p.standard_deviation);
  for (const float value : p.standard_deviation)
    require(value > 0, "{}: standard_deviation must be above 0, got {}", who, value);
}

void check_optimisation(const char* who, const ImageClassifierParameters& p) {
  require(p.trained_blocks >= -1, "{}: trained_blocks must be at least -1, got {}", who,
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
}

void check_run(const char* who, const ImageClassifierParameters& p) {
  require(p.batch_size >= 2 && p.batch_size <= 65536,
          "{}: batch_size must lie in [2, 65536], got {}", who, p.batch_size);
  require(p.max_epochs >= 1 && p.max_epochs <= 1'000'000,
          "{}: max_epochs must lie in [1, 1000000], got {}", who, p.max_epochs);
  require(p.positive_class >= -1, "{}: positive_class must be at least -1, got {}", who,
          p.positive_class);
  require(p.validation_fraction >= 0 && p.validation_fraction <= 0.5,
          "{}: validation_fraction must lie in [0, 0.5], got {}", who, p.validation_fraction);
}

}  // namespace

void check(const char* who, const ImageClassifierParameters& p) {
  check_input(who, p);
  check_optimisation(who, p);
  check_run(who, p);
  // Planning a network of two classes throws if the network cannot process images of this size.
  static_cast<void>(plan_network(p.architecture, most_channels(p), p.height, p.width, 2));
}

Preprocessing unscaled_preprocessing(const ImageClassifierParameters& p) {
  Preprocessing preprocessing;
  preprocessing.height = p.height;
  preprocessing.width = p.width;
  preprocessing.channels = most_channels(p);
  preprocessing.contrast = p.contrast;
  preprocessing.clipped_fraction = p.clipped_fraction;
  preprocessing.range = p.value_range;
  return preprocessing;
}

std::size_t most_channels(const ImageClassifierParameters& p) {
  return p.channels != 0 ? p.channels : 3;
}

}  // namespace secondlook::image
