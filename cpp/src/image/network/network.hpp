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

/// A network with its weights, for training: runs the steps of a plan with LibTorch's
/// differentiable operators.
class Network {
 public:
  using Tensors = std::map<std::string, at::Tensor, std::less<>>;

  /// How the steps are run.
  struct Pass {
    bool training = false;  ///< with dropout, and normalisation by the statistics of the batch
    bool bfloat16 = false;  ///< convolutions in bfloat16, everything else in float32
    std::size_t first_trained_block = 0;  ///< earlier blocks run as if not training
    bool frozen_statistics = false;  ///< normalise by the running statistics and do not update them
    std::optional<at::Generator> dropout;
  };

  explicit Network(NetworkPlan plan);

  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const Tensors& tensors() const { return tensors_; }
  [[nodiscard]] Tensors& tensors() { return tensors_; }

  /// Initial weights: normal, with the variance given by the number of outputs (He et al. 2015);
  /// those of the last layer nearly 0.
  void initialise(std::uint64_t seed);
  /// Initial weights of the last layer only.
  void initialise_head(std::uint64_t seed);

  /// Runs the steps [first, last) on a batch.
  [[nodiscard]] at::Tensor run(at::Tensor x, std::size_t first, std::size_t last,
                               const Pass& pass) const;

  /// Logits, shape (n, n_classes), of a batch of shape (n, channels, height, width).
  [[nodiscard]] at::Tensor logits(const at::Tensor& x, const Pass& pass) const {
    return run(x, 0, plan_.steps.size(), pass);
  }

  /// A copy with its own weights.
  [[nodiscard]] Network clone() const;

  /// Names of the tensors trained from this block on: all but the running statistics.
  [[nodiscard]] std::vector<std::string> trained_names(std::size_t first_block) const;
  [[nodiscard]] std::vector<std::string> statistics_names() const;

  /// Adds the tensors to a file, with `prefix` before their names.
  void write(ModelFile& file, const std::string& prefix) const;

  /// Tensors as a file stores them.
  using Stored = std::map<std::string, Tensor, std::less<>>;

  /// Reads the tensors of a file that this library has written.
  /// @throws InvalidArgument naming the first that is missing, of another type or shape, or not
  ///   finite
  void read(const Stored& tensors, const std::string& prefix, const char* who);

  /// Reads the tensors of a file from elsewhere: floats of 16, 32 or 64 bits, whose names may all
  /// have a prefix such as `module.`. If the last layer is missing or has another number of
  /// classes, it is left unchanged.
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

/// Rows or columns of zeros added before and after, for a kernel and a stride.
struct EdgePadding {
  std::int64_t before;
  std::int64_t after;
};
[[nodiscard]] EdgePadding edge_padding(Padding padding, std::int64_t size, std::int64_t kernel,
                                       std::int64_t stride);

}  // namespace secondlook::image
