#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "image/classifier/batch_pipeline.hpp"
#include "image/network/inference_network.hpp"
#include "image/network/network.hpp"
#include "secondlook/image/image_classifier.hpp"

namespace secondlook::image {

/// Whether to compute convolutions in bfloat16; by default if the processor supports it.
[[nodiscard]] bool use_bfloat16(Precision precision);

/// The device to use; by default CUDA if LibTorch supports it here.
/// @throws InvalidArgument when CUDA is asked for and not available
[[nodiscard]] at::Device device_of(Device device);

/// The batch as a tensor on the device, in channels-last order.
[[nodiscard]] at::Tensor to_input(Batch& batch, const Preprocessing& preprocessing,
                                  at::Device device);

/// Probabilities, shape (n, n_classes), on the CPU, averaged over the variations of each image.
/// @param features of the input, computed by the same network
[[nodiscard]] at::Tensor probabilities(const InferenceNetwork& network, const at::Tensor& input,
                                       const at::Tensor& features,
                                       const TestTimeAugmentation& test_time_augmentation);

/// Trains a network step by step.
class Trainer {
 public:
  struct Options {
    double learning_rate;
    LearningRateSchedule schedule;
    std::size_t n_steps;  ///< length of the schedule
    std::vector<double> class_weights;
    bool frozen_statistics = false;
  };

  /// Keeps references to its arguments.
  /// @param network trained in place by `step`
  Trainer(Network& network, const ImageClassifierParameters& parameters,
          const Preprocessing& preprocessing, Options options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains on one batch and returns its loss.
  double step(Batch& batch);

  [[nodiscard]] std::size_t n_steps_done() const { return n_done_; }
  [[nodiscard]] double learning_rate() const { return learning_rate_at(n_done_); }

  /// The network that is validated and kept: with `weight_averaging` the average of the steps.
  [[nodiscard]] const Network& judged() const { return average_ ? *average_ : network_; }

  void write(ModelFile& file) const;
  /// @throws InvalidArgument, ModelFileError when the file belongs to another training
  void read(const ModelFile& file, std::size_t n_steps_done);

 private:
  [[nodiscard]] double learning_rate_at(std::size_t step) const;
  /// @param weights of the images, or undefined
  [[nodiscard]] at::Tensor loss_of(const at::Tensor& logits, const at::Tensor& labels,
                                   const at::Tensor& weights) const;
  void update(double learning_rate);
  void average();
  template <class Use>
  void for_each_moment(const Use& use) const;

  // Tensors with the same weight decay.
  struct Group {
    double weight_decay;
    std::vector<std::string> names;
    std::vector<at::Tensor> weights, first_moments, second_moments;
  };

  Network& network_;
  const ImageClassifierParameters& parameters_;
  const Preprocessing& preprocessing_;
  Options options_;
  Network::Pass pass_;
  std::vector<Group> groups_;
  std::optional<Network> average_;
  std::vector<at::Tensor> averaged_, averaging_;  // tensors of the average and of the network
  at::Tensor class_weights_;
  at::Device device_;
  std::size_t n_done_ = 0;
};

}  // namespace secondlook::image
