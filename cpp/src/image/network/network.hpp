#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/network/network_plan.hpp"
#include "secondlook/store/model_file.hpp"

namespace secondlook::image {

/// Added to the variance in a batch normalisation.
inline constexpr double kNormEpsilon = 1e-5;

/// A network with its weights, as it is trained: a plan's steps carried out by LibTorch's
/// operators, which keep the gradients.
class Network {
 public:
  using Tensors = std::map<std::string, at::Tensor, std::less<>>;

  /// How the steps are carried out.
  struct Pass {
    bool training = false;  ///< with dropout, and batches normalised by their own statistics
    bool bfloat16 = false;  ///< convolutions in bfloat16, all else in float32
    std::size_t first_trained_block = 0;  ///< what lies before is not trained: as if not training
    bool frozen_statistics = false;       ///< normalise by the running statistics, and keep them
    std::optional<at::Generator> dropout;
  };

  explicit Network(NetworkPlan plan);

  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const Tensors& tensors() const { return tensors_; }
  [[nodiscard]] Tensors& tensors() { return tensors_; }

  /// First weights: normal by the number of outputs (He et al. 2015), the last layer's nearly 0.
  void initialise(std::uint64_t seed);
  /// The last layer's alone.
  void initialise_head(std::uint64_t seed);

  /// Carries out the steps [first, last) on a batch.
  [[nodiscard]] at::Tensor run(at::Tensor x, std::size_t first, std::size_t last,
                               const Pass& pass) const;

  /// Logits, shape (n, n_classes), of a batch of shape (n, channels, height, width).
  [[nodiscard]] at::Tensor logits(const at::Tensor& x, const Pass& pass) const {
    return run(x, 0, plan_.steps.size(), pass);
  }

  /// A copy with weights of its own.
  [[nodiscard]] Network clone() const;

  /// What is trained from this block on: tensors that are no running statistics.
  [[nodiscard]] std::vector<std::string> trained_names(std::size_t first_block) const;
  [[nodiscard]] std::vector<std::string> statistics_names() const;

  /// Adds the tensors to a file, their names after `prefix`.
  void write(ModelFile& file, const std::string& prefix) const;

  /// Tensors as a file stores them.
  using Stored = std::map<std::string, Tensor, std::less<>>;

  /// Takes the tensors of these names, which this library has written.
  /// @throws InvalidArgument naming the first that is missing, of another type or shape, or not
  ///   finite
  void read(const Stored& tensors, const std::string& prefix, const char* who);

  /// Takes the tensors of others: floats of 16, 32 or 64 bits, whose names may all begin with a
  /// prefix such as `module.`. A last layer that is missing, or of another number of classes, is
  /// left as it is.
  /// @throws InvalidArgument as above, and for tensors that the network does not have
  void read_others(const Stored& tensors, const char* who);

 private:
  [[nodiscard]] at::Tensor convolve(const Step& step, const at::Tensor& x, const Pass& pass) const;
  [[nodiscard]] const at::Tensor& tensor(const std::string& name) const;
  [[nodiscard]] bool is_head(const std::string& name) const;
  [[nodiscard]] std::string prefix_of(const Stored& tensors, const char* who) const;
  void take(const Stored& tensors, const std::string& prefix, const char* who, bool by_others);

  NetworkPlan plan_;
  Tensors tensors_;
};

/// Rows or columns that TensorFlow's SAME adds before and after, for a kernel and a stride.
struct EdgePadding {
  std::int64_t before;
  std::int64_t after;
};
[[nodiscard]] EdgePadding edge_padding(Padding padding, std::int64_t size, std::int64_t kernel,
                                       std::int64_t stride);

}  // namespace secondlook::image
