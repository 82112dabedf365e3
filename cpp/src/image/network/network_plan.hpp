#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/image/architecture.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

enum class Activation { none, relu, relu6 };

/// How a convolution of stride 2 pads the edges of an image.
enum class Padding {
  symmetric,  ///< equally on every side, as in torchvision
  tensorflow  ///< TensorFlow's SAME: for an even size, only at the bottom and on the right
};

/// One step of a network; its input is the output of the step before.
struct Step {
  enum class Kind {
    convolution,   ///< with batch normalisation if `norm` is set, otherwise with a bias
    linear,        ///< with a bias
    max_pool,      ///< of `kernel` and `stride`
    average_pool,  ///< down to `kernel` × `kernel`
    flatten,
    dropout,
    keep,     ///< remembers its input for `add` and `project`
    project,  ///< replaces what `keep` remembers by a convolution of it
    add       ///< adds what `keep` remembers
  };
  Kind kind;
  std::string name;  ///< tensors `name.weight` and `name.bias`; empty: none
  std::string norm;  ///< same for the normalisation
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
  std::size_t n_map_steps = 0;  ///< number of steps up to the last feature maps; 0: there are none
  std::size_t n_feature_steps = 0;  ///< number of steps up to the input of the last layer
  std::size_t n_features = 0;
  std::size_t n_blocks = 0;  ///< without the last layer, which is a block by itself
  Padding padding = Padding::symmetric;
  double norm_epsilon = 1e-5;  ///< added to the variance in batch normalisations

  [[nodiscard]] const std::string& head() const { return steps.back().name; }
};

/// Whether the network accepts grey images; the others take them as three equal channels.
[[nodiscard]] bool accepts_grey(Architecture architecture);

/// How weights of this architecture pad unless they state it: the EfficientNets were trained with
/// TensorFlow, the other networks have torchvision's layout.
[[nodiscard]] Padding usual_padding(Architecture architecture);

/// @throws InvalidArgument when the network cannot process images of that size or channels
[[nodiscard]] SECONDLOOK_EXPORT NetworkPlan plan_network(Architecture architecture,
                                                         std::size_t channels, std::size_t height,
                                                         std::size_t width, std::size_t n_classes);

/// The network for images prepared in this way.
[[nodiscard]] NetworkPlan plan_network(Architecture architecture,
                                       const Preprocessing& preprocessing, std::size_t n_classes,
                                       Padding padding);

/// Name and shape of each tensor, in the order of the steps.
[[nodiscard]] SECONDLOOK_EXPORT std::vector<TensorShape> tensors_of(const NetworkPlan& plan);

}  // namespace secondlook::image
