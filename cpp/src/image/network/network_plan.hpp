#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/image/architecture.hpp"

namespace secondlook::image {

enum class Activation { none, relu, relu6 };

/// How a convolution of stride 2 sees the image's edge.
enum class Padding {
  symmetric,  ///< as much on every side, as torchvision has it
  tensorflow  ///< TensorFlow's SAME: where the size is even, at the bottom and the right alone
};

/// One step of a network, which takes what the step before it gives.
struct Step {
  enum class Kind {
    convolution,   ///< with batch normalisation where `norm` is named, else with a bias
    linear,        ///< with a bias
    max_pool,      ///< of `kernel` and `stride`
    average_pool,  ///< down to `kernel` × `kernel`
    flatten,
    dropout,
    keep,     ///< remembers what comes in, for `add`
    project,  ///< a convolution of what `keep` remembers
    add       ///< adds what `keep` remembers
  };
  Kind kind;
  std::string name;  ///< of `.weight` and `.bias`
  std::string norm;  ///< of the normalisation's tensors; empty: none
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
  Activation activation = Activation::none;
  double dropout = 0;
  std::size_t block = 0;  ///< layers of one block are trained or frozen together
};

/// A network as a list of steps, without its weights.
struct NetworkPlan {
  std::vector<Step> steps;
  std::size_t n_map_steps = 0;      ///< so many steps give the last feature maps; 0: it has none
  std::size_t n_feature_steps = 0;  ///< so many steps give the features that the last layer takes
  std::size_t n_features = 0;
  std::size_t n_blocks = 0;  ///< without the last layer, which is a block of its own
  Padding padding = Padding::symmetric;

  [[nodiscard]] const std::string& head() const { return steps.back().name; }
};

/// @throws InvalidArgument when the network cannot see images of that size or channels
[[nodiscard]] NetworkPlan plan_network(Architecture architecture, std::size_t channels,
                                       std::size_t height, std::size_t width,
                                       std::size_t n_classes);

[[nodiscard]] std::vector<TensorShape> tensors_of(const NetworkPlan& plan);

}  // namespace secondlook::image
