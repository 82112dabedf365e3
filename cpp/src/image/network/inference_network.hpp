#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/network/network.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

/// A network made ready to be used: batch normalisation folded into the convolutions, activations
/// and residual sums carried out by oneDNN's convolutions themselves. Without gradients; any number
/// of threads may run it.
class InferenceNetwork {
 public:
  /// @param preprocessing what makes the images: the network is made ready for their size alone
  /// @param bfloat16 convolutions in bfloat16; probabilities then differ by some thousandths
  InferenceNetwork(const Network& network, const Preprocessing& preprocessing, bool bfloat16);

  /// Features of shape (n, n_features) of a batch (n, channels, height, width): what the last layer
  /// takes.
  [[nodiscard]] at::Tensor features(const at::Tensor& x) const;

  /// Logits of features.
  [[nodiscard]] at::Tensor head(const at::Tensor& features) const;

  [[nodiscard]] at::Device device() const { return head_weight_.device(); }

  /// The last feature maps, before they are averaged; only of a network that has any.
  [[nodiscard]] at::Tensor maps(const at::Tensor& x) const;

 private:
  struct Layer {
    Step step;
    at::Tensor weight;
    at::Tensor bias;
    bool adds_kept = false;           // the residual sum that follows is this convolution's own
    std::int64_t first_padding = -1;  // where the kernel was widened: of all four sides
  };

  // What a run over the layers has met.
  struct Sizes {
    std::vector<std::vector<std::int64_t>> inputs;  // of each layer
    std::size_t largest_bytes = 0;                  // of what one layer gives for one image
  };

  void pack(const Preprocessing& preprocessing);
  [[nodiscard]] at::Tensor run_in_parts(const at::Tensor& x, std::size_t last) const;
  [[nodiscard]] at::Tensor run(at::Tensor x, std::size_t last, Sizes* sizes = nullptr) const;
  [[nodiscard]] at::Tensor convolve(const Layer& layer, at::Tensor x, const at::Tensor& kept) const;

  std::vector<Layer> layers_;
  std::size_t n_map_layers_ = 0;
  Padding padding_ = Padding::symmetric;
  bool bfloat16_ = false;
  bool fused_ = false;
  std::int64_t part_ = 32;  // images that go through the layers together
  at::Tensor head_weight_;
  at::Tensor head_bias_;
};

}  // namespace secondlook::image
