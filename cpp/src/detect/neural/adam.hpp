#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace secondlook::detect {

/// Adam (Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015) with weight decay as
/// part of the gradient. Matches torch.optim.Adam with its default decays.
template <class T>
class Adam {
 public:
  Adam() = default;
  /// @param n_weights a multiple of kPadding
  explicit Adam(std::size_t n_weights) : moments_(2 * n_weights) {}

  void step(std::span<const T> gradients, double learning_rate, double weight_decay,
            std::span<T> weights);

  /// All first moments, then all second moments.
  [[nodiscard]] const std::vector<T>& moments() const noexcept { return moments_; }
  [[nodiscard]] std::uint64_t n_steps() const noexcept { return n_steps_; }

  void restore(std::vector<T> moments, std::uint64_t n_steps) {
    moments_ = std::move(moments);
    n_steps_ = n_steps;
  }

 private:
  std::vector<T> moments_;
  std::uint64_t n_steps_ = 0;
};

}  // namespace secondlook::detect
