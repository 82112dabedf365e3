#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Network architectures of an image classifier.
enum class Architecture {
  mlp,           ///< fully connected, 256 and 64 units: a baseline
  small_cnn,     ///< residual network of about a million weights, for images from 16 pixels a side
  mobilenet_v2,  ///< Sandler et al. 2018; tensors have torchvision's names
  vgg16,         ///< Simonyan & Zisserman 2015; likewise, 134 million weights with two classes
  /// Tan & Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
  /// 2019, in its published variant "lite": ReLU6, no squeeze-and-excitation, and stem, head and
  /// the depth of the first and the last stage are not scaled. 3.4 million weights with two
  /// classes.
  efficientnet_lite0,
  efficientnet_lite2  ///< likewise, wider and deeper: 4.8 million
};
template <>
inline constexpr std::array<std::string_view, 6> names_of<Architecture>{
    "mlp", "small_cnn", "mobilenet_v2", "vgg16", "efficientnet_lite0", "efficientnet_lite2"};

/// Name and shape of one tensor of a network.
struct TensorShape {
  std::string name;
  std::vector<std::int64_t> shape;

  bool operator==(const TensorShape&) const = default;
};

/// The tensors of a network in the order of its layers, including the running statistics of its
/// batch normalisations.
/// @throws InvalidArgument when the network cannot process images of that size or channels
[[nodiscard]] SECONDLOOK_EXPORT std::vector<TensorShape> tensors_of(Architecture architecture,
                                                                    std::size_t channels,
                                                                    std::size_t height,
                                                                    std::size_t width,
                                                                    std::size_t n_classes);

}  // namespace secondlook
