#pragma once

#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// @throws InvalidArgument, its message beginning with `who`, when a parameter is out of range or
///   the network cannot process images of that size
void check(const char* who, const ImageClassifierParameters& parameters);

/// Preprocessing by the parameters, without the scale of the channels, which may depend on the
/// training images.
[[nodiscard]] Preprocessing unscaled_preprocessing(const ImageClassifierParameters& parameters);

/// Channels that the network has when `channels` is 0 and some image is in colour.
[[nodiscard]] std::size_t most_channels(const ImageClassifierParameters& parameters);

}  // namespace secondlook::image
