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

/// Whether convolutions shall be in bfloat16: as asked for, or where the processor multiplies it.
[[nodiscard]] bool use_bfloat16(Precision precision);

/// As asked for, or CUDA where LibTorch has it.
[[nodiscard]] at::Device device_of(Device device);

/// The batch as a tensor on the device, channels together.
[[nodiscard]] at::Tensor to_input(Batch& batch, const Preprocessing& preprocessing,
                                  at::Device device);

/// Probabilities, shape (n, n_classes), on the CPU; averaged over the variations.
/// @param features of the input, by the same network
[[nodiscard]] at::Tensor probabilities(const InferenceNetwork& network, const at::Tensor& input,
                                       const at::Tensor& features,
                                       const TestTimeAugmentation& test_time_augmentation);

/// Trains a network, step after step.
class Trainer {
 public:
  struct Options {
    double learning_rate;
    LearningRateSchedule schedule;
    std::size_t n_steps;  ///< that the schedule is made for
    std::vector<double> class_weights;
    bool frozen_statistics = false;
  };

  /// @param network changed by `step`; must outlive the trainer
  Trainer(Network& network, const ImageClassifierParameters& parameters,
          const Preprocessing& preprocessing, Options options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// One step on a batch; its loss.
  double step(Batch& batch);

  [[nodiscard]] std::size_t n_steps_done() const { return n_done_; }
  [[nodiscard]] double learning_rate() const { return learning_rate_at(n_done_); }

  /// The network that is judged and kept: the average of the steps where there is one.
  [[nodiscard]] const Network& judged() const { return average_ ? *average_ : network_; }

  void write(ModelFile& file) const;
  /// @throws InvalidArgument, ModelFileError where the file is of another training
  void read(const ModelFile& file, std::size_t n_steps_done);

 private:
  [[nodiscard]] double learning_rate_at(std::size_t step) const;
  void update(double learning_rate);
  void average();
  template <class Use>
  void for_each_moment(const Use& use) const;

  // Tensors that are trained alike.
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
  std::vector<at::Tensor> averaged_, averaging_;  // the average's tensors, and the network's
  at::Tensor class_weights_;
  at::Device device_;
  std::size_t n_done_ = 0;
};

}  // namespace secondlook::image
