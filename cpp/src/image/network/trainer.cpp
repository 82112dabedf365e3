#include "image/network/trainer.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/validation.hpp"
#include "image/random_streams.hpp"

namespace secondlook::image {

namespace {

constexpr double kMomentum = 0.9;
constexpr double kSecondMomentum = 0.999;

/// Draws from Beta(alpha, alpha) by Jöhnk's method.
/// @param alpha in (0, 1]
double symmetric_beta(double alpha, RandomStream random) {
  for (;;) {
    const double x = std::pow(random.uniform(), 1 / alpha);
    const double y = std::pow(random.uniform(), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

}  // namespace

bool use_bfloat16(Precision precision) {
#if defined(__x86_64__)
  if (precision == Precision::automatic) return __builtin_cpu_supports("avx512bf16") != 0;
#endif
  return precision == Precision::bfloat16;
}

at::Device device_of(Device device) {
  require(
      device != Device::cuda || at::hasCUDA(),
      "ImageClassifier: device 'cuda' is not available; install PyTorch with CUDA, or use 'cpu'");
  if (device == Device::cpu || !at::hasCUDA()) return at::kCPU;
  return at::kCUDA;
}

at::Tensor to_input(Batch& batch, const Preprocessing& p, at::Device device) {
  const at::Tensor values =
      at::from_blob(batch.values.data(),
                    {static_cast<std::int64_t>(batch.size), static_cast<std::int64_t>(p.channels),
                     static_cast<std::int64_t>(p.height), static_cast<std::int64_t>(p.width)});
  return values.to(device).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor probabilities(const InferenceNetwork& network, const at::Tensor& input,
                         const at::Tensor& features,
                         const TestTimeAugmentation& test_time_augmentation) {
  const c10::NoGradGuard no_gradients;
  std::vector<at::Tensor> variations;
  if (test_time_augmentation.flip) variations.push_back(at::flip(input, {3}));
  if (test_time_augmentation.vertical_flip) variations.push_back(at::flip(input, {2}));
  if (test_time_augmentation.flip && test_time_augmentation.vertical_flip)
    variations.push_back(at::flip(input, {2, 3}));
  if (test_time_augmentation.shift) {
    const std::int64_t rows = std::max<std::int64_t>(input.size(2) / 32, 1);
    const std::int64_t columns = std::max<std::int64_t>(input.size(3) / 32, 1);
    const at::Tensor wide = at::replication_pad2d(input, {columns, columns, rows, rows});
    for (const auto& [row, column] : {std::pair{std::int64_t{0}, columns},
                                      {2 * rows, columns},
                                      {rows, std::int64_t{0}},
                                      {rows, 2 * columns}})
      variations.push_back(wide.narrow(2, row, input.size(2)).narrow(3, column, input.size(3)));
  }
  const auto of_features = [&](const at::Tensor& values) {
    return at::softmax(network.head(values).to(at::kDouble), 1);
  };
  at::Tensor sum = of_features(features);
  for (const at::Tensor& variation : variations) {
    const at::Tensor x = variation.contiguous(at::MemoryFormat::ChannelsLast);
    sum = sum.add(of_features(network.features(x)));
  }
  return sum.div(static_cast<double>(1 + variations.size())).to(at::kCPU).contiguous();
}

Trainer::Trainer(Network& network, const ImageClassifierParameters& parameters,
                 const Preprocessing& preprocessing, Options options)
    : network_(network),
      parameters_(parameters),
      preprocessing_(preprocessing),
      options_(std::move(options)),
      device_(device_of(parameters.device)) {
  const std::size_t n_blocks = network.plan().n_blocks;
  const auto n_trained = static_cast<std::size_t>(std::max(parameters.trained_blocks, 0));
  pass_.training = true;
  pass_.bfloat16 = use_bfloat16(parameters.precision);
  pass_.first_trained_block =
      parameters.trained_blocks < 0 ? 0 : n_blocks - std::min(n_blocks, n_trained);
  pass_.frozen_statistics = options_.frozen_statistics;

  for (auto& [name, values] : network.tensors()) values = values.to(device_);
  groups_ = {{parameters.weight_decay, {}, {}, {}, {}}, {0, {}, {}, {}, {}}};
  for (const std::string& name : network.trained_names(pass_.first_trained_block)) {
    at::Tensor& values = network.tensors().at(name);
    Group& group = groups_[values.dim() > 1 ? 0 : 1];
    values.set_requires_grad(true);
    group.names.push_back(name);
    group.weights.push_back(values);
    group.first_moments.push_back(at::zeros_like(values));
    if (parameters.optimizer == Optimizer::adamw)
      group.second_moments.push_back(at::zeros_like(values));
  }
  if (parameters.weight_averaging > 0) {
    average_ = network.clone();
    for (auto& [name, values] : average_->tensors()) {
      averaged_.push_back(values);
      averaging_.push_back(network.tensors().at(name).detach());
    }
  }
  const auto& weights = options_.class_weights;
  class_weights_ = at::empty({static_cast<std::int64_t>(weights.size())});
  std::ranges::copy(weights, class_weights_.mutable_data_ptr<float>());
  class_weights_ = class_weights_.to(device_);
}

Trainer::~Trainer() {
  for (Group& group : groups_)
    for (at::Tensor& values : group.weights) {
      values.mutable_grad().reset();
      values.set_requires_grad(false);
    }
}

double Trainer::step(Batch& batch) {
  const c10::AutoGradMode gradients(true);
  at::Tensor x = to_input(batch, preprocessing_, device_);
  at::Tensor labels = at::empty({static_cast<std::int64_t>(batch.size)}, at::kLong);
  std::ranges::copy(batch.labels, labels.mutable_data_ptr<std::int64_t>());
  labels = labels.to(device_);
  // The batch is in random order, so blending it with its own reverse pairs images at random.
  double fraction = 1;
  if (parameters_.mixup > 0) {
    fraction = symmetric_beta(parameters_.mixup,
                              random_stream(parameters_.seed, RandomUse::mixup, n_done_));
    x = at::lerp(at::flip(x, {0}), x, fraction).contiguous(at::MemoryFormat::ChannelsLast);
  }
  pass_.dropout = at::make_generator<at::CPUGeneratorImpl>(
      random_stream(parameters_.seed, RandomUse::dropout, n_done_)());
  const at::Tensor logits = network_.logits(x, pass_);
  at::Tensor weights;
  if (!batch.weights.empty()) {
    weights = at::empty({static_cast<std::int64_t>(batch.size)});
    std::ranges::copy(batch.weights, weights.mutable_data_ptr<float>());
    weights = weights.to(device_);
  }
  at::Tensor loss = loss_of(logits, labels, weights);
  if (fraction < 1) {
    const at::Tensor others = weights.defined() ? at::flip(weights, {0}) : weights;
    loss = at::lerp(loss_of(logits, at::flip(labels, {0}), others), loss, fraction);
  }
  loss.backward();
  const c10::NoGradGuard no_gradients;
  update(learning_rate());
  ++n_done_;
  if (average_) average();
  return loss.item<double>();
}

at::Tensor Trainer::loss_of(const at::Tensor& logits, const at::Tensor& labels,
                            const at::Tensor& weights) const {
  const auto cross_entropy = [&](std::int64_t reduction) {
    return at::cross_entropy_loss(logits, labels, class_weights_, reduction, /*ignore_index=*/-100,
                                  parameters_.label_smoothing);
  };
  if (!weights.defined()) return cross_entropy(at::Reduction::Mean);
  // Divided by the class weights alone, as the mean is: images keep their weight relative to those
  // of other batches, and a batch whose weights are all 0 has no effect.
  return cross_entropy(at::Reduction::None)
      .mul(weights)
      .sum()
      .div(class_weights_.index_select(0, labels).sum());
}

void Trainer::update(double learning_rate) {
  for (Group& group : groups_) {
    if (group.weights.empty()) continue;
    std::vector<at::Tensor> gradients;
    for (at::Tensor& values : group.weights) {
      at::Tensor& gradient = values.mutable_grad();
      // Weights that took no part in this batch have no gradient.
      gradients.push_back(gradient.defined() ? gradient : at::zeros_like(values));
    }
    if (parameters_.optimizer == Optimizer::adamw) {
      const at::Tensor number = at::full({}, static_cast<double>(n_done_ + 1),
                                         at::TensorOptions(at::kFloat).device(device_));
      const std::vector<at::Tensor> numbers(group.weights.size(), number);
      at::_fused_adamw_(group.weights, gradients, group.first_moments, group.second_moments, {},
                        numbers, learning_rate, kMomentum, kSecondMomentum, group.weight_decay,
                        1e-8, /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_sgd_(group.weights, gradients, group.first_moments, group.weight_decay, kMomentum,
                      learning_rate, /*dampening=*/0, /*nesterov=*/true, /*maximize=*/false,
                      /*is_first_step=*/n_done_ == 0);
    }
    for (at::Tensor& values : group.weights) values.mutable_grad().reset();
  }
}

void Trainer::average() {
  // A short memory at first, so that the random initial weights are soon forgotten.
  const auto n = static_cast<double>(n_done_);
  const double decay = std::min(parameters_.weight_averaging, (1 + n) / (10 + n));
  at::_foreach_lerp_(averaged_, averaging_, 1 - decay);
}

double Trainer::learning_rate_at(std::size_t step) const {
  const auto half_wave = [](double from, double to, double fraction) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * std::clamp(fraction, 0.0, 1.0))) / 2;
  };
  const double peak = options_.learning_rate;
  const double fraction = static_cast<double>(step) / static_cast<double>(options_.n_steps);
  switch (options_.schedule) {
    case LearningRateSchedule::one_cycle: {
      constexpr double rise = 0.25;
      if (fraction < rise) return half_wave(peak / 25, peak, fraction / rise);
      return half_wave(peak, peak / 1e4, (fraction - rise) / (1 - rise));
    }
    case LearningRateSchedule::cosine:
      return half_wave(peak, 0, fraction);
    case LearningRateSchedule::constant:
      break;
  }
  return peak;
}

template <class Use>
void Trainer::for_each_moment(const Use& use) const {
  for (const Group& group : groups_)
    for (std::size_t i = 0; i < group.names.size(); ++i) {
      use("moments.first." + group.names[i], group.first_moments[i]);
      if (!group.second_moments.empty())
        use("moments.second." + group.names[i], group.second_moments[i]);
    }
}

void Trainer::write(ModelFile& file) const {
  network_.write(file, "network.");
  if (average_) average_->write(file, "average.");
  for_each_moment([&](const std::string& name, const at::Tensor& values) {
    const at::Tensor plain = values.to(at::kCPU).contiguous();
    file.add<float>(
        name, plain.sizes().vec(),
        std::span(plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel())));
  });
}

void Trainer::read(const ModelFile& file, std::size_t n_steps_done) {
  const c10::NoGradGuard no_gradients;
  // Copied into the existing tensors, which the optimiser and the average refer to.
  const auto read_network = [&](Network& network, const std::string& prefix) {
    Network read = network.clone();
    read.read(file.tensors(), prefix, "ImageClassifier::fit");
    for (auto& [name, values] : network.tensors()) values.copy_(read.tensors().at(name));
  };
  read_network(network_, "network.");
  if (average_) read_network(*average_, "average.");
  for_each_moment([&](const std::string& name, const at::Tensor& values) {
    const auto read = file.get<float>(name, std::span(values.sizes().data(), values.dim()));
    at::Tensor plain = at::empty(values.sizes());
    std::ranges::copy(read, plain.mutable_data_ptr<float>());
    values.copy_(plain);
  });
  n_done_ = n_steps_done;
}

}  // namespace secondlook::image
