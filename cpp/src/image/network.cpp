#include "image/network.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/validation.hpp"

namespace secondlook::image {
#include "image/torch_threads.hpp"

namespace {

using Kind = Step::Kind;

constexpr double kNormMomentum = 0.1;

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return at::relu(x);
    case Activation::relu6:
      return at::hardtanh(x, 0, 6);
  }
  return x;
}

bool is_statistic(const std::string& name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var");
}

// Convolutions are quickest where channels lie together.
at::Tensor channels_together(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x.contiguous();
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

}  // namespace

EdgePadding edge_padding(Padding padding, std::int64_t size, std::int64_t kernel,
                         std::int64_t stride) {
  if (padding == Padding::symmetric || stride == 1) return {kernel / 2, kernel / 2};
  const std::int64_t outputs = (size + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((outputs - 1) * stride + kernel - size, 0);
  return {total / 2, total - total / 2};
}

Network::Network(NetworkPlan plan) : plan_(std::move(plan)) {
  for (const auto& [name, shape] : tensors_of(plan_)) {
    const bool is_variance = name.ends_with(".running_var");
    at::Tensor values = is_variance ? at::ones(shape) : at::zeros(shape);
    tensors_.emplace(name, channels_together(values));
  }
}

void Network::initialise(std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const c10::NoGradGuard no_gradients;
  for (const Step& step : plan_.steps) {
    if (step.name.empty()) continue;
    at::Tensor weight = tensor(step.name + ".weight");
    const bool is_head = step.name == plan_.head();
    const auto fan_out =
        static_cast<double>(step.outputs * step.kernel * step.kernel / step.groups);
    weight.normal_(0, is_head ? 0.01 : std::sqrt(2.0 / fan_out), generator);
    if (!step.norm.empty()) tensors_.at(step.norm + ".weight").fill_(1);
  }
}

void Network::initialise_head(std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  heed_forks();
  const c10::NoGradGuard no_gradients;
  tensors_.at(plan_.head() + ".weight").normal_(0, 0.01, generator);
  tensors_.at(plan_.head() + ".bias").zero_();
}

at::Tensor Network::run(at::Tensor x, std::size_t first, std::size_t last, const Pass& pass) const {
  at::Tensor kept;
  for (std::size_t i = first; i < last; ++i) {
    const Step& step = plan_.steps[i];
    const bool trained = pass.training && step.block >= pass.first_trained_block;
    // What is not trained keeps nothing for the way back.
    const c10::AutoGradMode gradients(c10::GradMode::is_enabled() && (!pass.training || trained));
    switch (step.kind) {
      case Kind::convolution:
        x = activate(convolve(step, x, pass), step.activation);
        break;
      case Kind::linear:
        x = activate(at::linear(x.to(at::kFloat), tensor(step.name + ".weight"),
                                tensor(step.name + ".bias")),
                     step.activation);
        break;
      case Kind::max_pool:
        x = at::max_pool2d(x, {step.kernel, step.kernel}, {step.stride, step.stride},
                           {(step.kernel - 1) / 2, (step.kernel - 1) / 2});
        break;
      case Kind::average_pool:
        x = at::adaptive_avg_pool2d(x, {step.kernel, step.kernel});
        break;
      case Kind::flatten:
        x = x.contiguous().flatten(1).to(at::kFloat);
        break;
      case Kind::dropout:
        if (trained && pass.dropout) {
          at::Tensor mask = at::empty(x.sizes(), x.options().device(at::kCPU));
          mask.bernoulli_(1 - step.dropout, pass.dropout).div_(1 - step.dropout);
          x = x.mul(mask.to(x.device()));
        }
        break;
      case Kind::keep:
        kept = x;
        break;
      case Kind::project:
        kept = convolve(step, kept, pass);
        break;
      case Kind::add:
        x = activate(x.add(kept), step.activation);
        break;
    }
  }
  return x;
}

at::Tensor Network::convolve(const Step& step, const at::Tensor& x, const Pass& pass) const {
  const auto type = pass.bfloat16 ? at::kBFloat16 : at::kFloat;
  at::Tensor input = x.to(type);
  const auto rows = edge_padding(plan_.padding, x.size(2), step.kernel, step.stride);
  const auto columns = edge_padding(plan_.padding, x.size(3), step.kernel, step.stride);
  std::array<std::int64_t, 2> padding = {rows.before, columns.before};
  if (rows.before != rows.after || columns.before != columns.after) {
    input = at::constant_pad_nd(input, {columns.before, columns.after, rows.before, rows.after});
    padding = {0, 0};
  }
  const bool has_norm = !step.norm.empty();
  std::optional<at::Tensor> bias;
  if (!has_norm) bias = tensor(step.name + ".bias").to(type);
  const std::array<std::int64_t, 2> stride = {step.stride, step.stride};
  const std::array<std::int64_t, 2> dilation = {1, 1};
  // Of one channel there is no telling how it lies, and what follows would take rows together.
  const at::Tensor y = at::conv2d(input, tensor(step.name + ".weight").to(type), bias, stride,
                                  padding, dilation, step.groups)
                           .contiguous(at::MemoryFormat::ChannelsLast);
  if (!has_norm) return y;
  const bool trained =
      pass.training && !pass.frozen_statistics && step.block >= pass.first_trained_block;
  return at::batch_norm(y, tensor(step.norm + ".weight"), tensor(step.norm + ".bias"),
                        tensor(step.norm + ".running_mean"), tensor(step.norm + ".running_var"),
                        trained, kNormMomentum, kNormEpsilon, /*cudnn_enabled=*/true);
}

Network Network::clone() const {
  Network copy(*this);
  const c10::NoGradGuard no_gradients;
  for (auto& [name, values] : copy.tensors_) values = values.detach().clone();
  return copy;
}

std::vector<std::string> Network::trained_names(std::size_t first_block) const {
  std::vector<std::string> names;
  for (const Step& step : plan_.steps) {
    if (step.name.empty() || step.block < first_block) continue;
    names.push_back(step.name + ".weight");
    if (step.norm.empty()) {
      names.push_back(step.name + ".bias");
    } else {
      names.push_back(step.norm + ".weight");
      names.push_back(step.norm + ".bias");
    }
  }
  return names;
}

std::vector<std::string> Network::statistics_names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : tensors_)
    if (is_statistic(name)) names.push_back(name);
  return names;
}

void Network::write(ModelFile& file, const std::string& prefix) const {
  for (const auto& [name, values] : tensors_) {
    const at::Tensor plain = values.detach().to(at::kCPU).contiguous();
    file.add<float>(
        prefix + name, plain.sizes().vec(),
        std::span(plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel())));
  }
}

bool Network::read(const std::map<std::string, Tensor, std::less<>>& tensors,
                   const std::string& prefix, const char* who, bool any_head) {
  const c10::NoGradGuard no_gradients;
  bool took_head = true;
  std::map<std::string, at::Tensor> taken;
  for (const auto& [name, shape] : tensors_of(plan_)) {
    const auto found = tensors.find(prefix + name);
    require(found != tensors.end(), "{}: expected a tensor '{}' of shape {}, got none of that name",
            who, name, shape_text(shape));
    const Tensor& tensor = found->second;
    const bool is_head = name.starts_with(plan_.head() + ".");
    if (is_head && any_head && tensor.shape != shape) {
      took_head = false;
      continue;
    }
  heed_forks();
    require(tensor.shape == shape, "{}: expected '{}' of shape {}, got {}", who, name,
            shape_text(shape), shape_text(tensor.shape));
    require(tensor.type == DataType::f32, "{}: expected '{}' as F32, got {}", who, name,
            name_of(tensor.type));
    at::Tensor values = at::empty(shape);
    std::memcpy(values.mutable_data_ptr<float>(), tensor.bytes.data(), tensor.bytes.size());
    require(at::isfinite(values).all().item<bool>() &&
                !(name.ends_with(".running_var") && values.lt(0).any().item<bool>()),
            "{}: expected finite values in '{}', and variances of 0 at least", who, name);
    taken.emplace(name, channels_together(values));
  }
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix) || name.ends_with(".num_batches_tracked")) continue;
    require(tensors_.contains(name.substr(prefix.size())),
            "{}: the network has no tensor '{}' of shape {}", who, name, shape_text(tensor.shape));
  }
  for (auto& [name, values] : taken) tensors_.at(name) = values;
  return took_head;
}

const at::Tensor& Network::tensor(const std::string& name) const { return tensors_.at(name); }

}  // namespace secondlook::image
