#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "image/network/network.hpp"
#include "secondlook/image/preprocessing.hpp"

namespace secondlook::image {

/// A network optimised for inference: batch normalisations are folded into the convolutions, and
/// oneDNN fuses activations and residual sums with them. No gradients. Thread-safe.
class InferenceNetwork {
 public:
  /// @param preprocessing of the images: the network is optimised for their size only
  /// @param bfloat16 convolutions in bfloat16; probabilities then differ by a few thousandths
  InferenceNetwork(const Network& network, const Preprocessing& preprocessing, bool bfloat16);

  /// Input of the last layer, shape (n, n_features), for a batch (n, channels, height, width).
  [[nodiscard]] at::Tensor features(const at::Tensor& x) const;

  /// Logits of features.
  [[nodiscard]] at::Tensor head(const at::Tensor& features) const;

  [[nodiscard]] at::Device device() const { return head_weight_.device(); }

  /// The last feature maps, before averaging; only if the network has any.
  [[nodiscard]] at::Tensor maps(const at::Tensor& x) const;

 private:
  struct Layer {
    Step step;
    at::Tensor weight;
    at::Tensor bias;
    bool adds_kept = false;           // computes the residual sum that follows as well
    std::int64_t first_padding = -1;  // of all four sides, if the kernel was widened; otherwise -1
  };

  // Sizes seen by a run over the layers.
  struct Sizes {
    std::vector<std::vector<std::int64_t>> inputs;  // per layer
    std::size_t largest_bytes = 0;                  // of the output of one layer for one image
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
  std::int64_t part_ = 32;  // images that go through the layers at a time
  at::Tensor head_weight_;
  at::Tensor head_bias_;
};

}  // namespace secondlook::image
