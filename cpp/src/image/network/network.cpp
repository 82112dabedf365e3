#include "image/network/network.hpp"

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
#include <optional>
#include <string_view>

#include "core/validation.hpp"
#include "image/network/torch_threads.hpp"

namespace secondlook::image {

namespace {

using Kind = Step::Kind;

constexpr double kNormMomentum = 0.1;
constexpr std::string_view kOurPrefix = "network.";

/// LibTorch's type for a type in a file; empty unless it is a float.
std::optional<at::ScalarType> float_type(DataType type) {
  switch (type) {
    case DataType::f16:
      return at::kHalf;
    case DataType::bf16:
      return at::kBFloat16;
    case DataType::f32:
      return at::kFloat;
    case DataType::f64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

std::optional<at::ScalarType> float_type_of_ours(DataType type) {
  return type == DataType::f32 ? float_type(type) : std::nullopt;
}

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

// Convolutions are fastest in channels-last order.
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
  heed_forks();
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
  const c10::NoGradGuard no_gradients;
  tensors_.at(plan_.head() + ".weight").normal_(0, 0.01, generator);
  tensors_.at(plan_.head() + ".bias").zero_();
}

at::Tensor Network::run(at::Tensor x, std::size_t first, std::size_t last, const Pass& pass) const {
  at::Tensor kept;
  for (std::size_t i = first; i < last; ++i) {
    const Step& step = plan_.steps[i];
    const bool trained = pass.training && step.block >= pass.first_trained_block;
    // Blocks that are not trained need no gradients.
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
  // With one channel both memory orders look alike, and LibTorch would choose the slower one.
  const at::Tensor y = at::conv2d(input, tensor(step.name + ".weight").to(type), bias, stride,
                                  padding, dilation, step.groups)
                           .contiguous(at::MemoryFormat::ChannelsLast);
  if (!has_norm) return y;
  const bool trained =
      pass.training && !pass.frozen_statistics && step.block >= pass.first_trained_block;
  return at::batch_norm(y, tensor(step.norm + ".weight"), tensor(step.norm + ".bias"),
                        tensor(step.norm + ".running_mean"), tensor(step.norm + ".running_var"),
                        trained, kNormMomentum, plan_.norm_epsilon, /*cudnn_enabled=*/true);
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
  heed_forks();
  for (const auto& [name, values] : tensors_) {
    const at::Tensor plain = values.detach().to(at::kCPU).contiguous();
    file.add<float>(
        prefix + name, plain.sizes().vec(),
        std::span(plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel())));
  }
}

void Network::read(const Stored& tensors, const std::string& prefix, const char* who) {
  take(tensors, prefix, who, /*by_others=*/false);
}

void Network::read_others(const Stored& tensors, const char* who) {
  const std::string prefix = prefix_of(tensors, who);
  // This library's model files contain more than the network.
  if (prefix != kOurPrefix) {
    for (const auto& [name, tensor] : tensors)
      require(name.starts_with(prefix), "{}: expected names that begin with '{}', got '{}'", who,
              prefix, name);
  }
  take(tensors, prefix, who, /*by_others=*/true);
}

bool Network::is_head(const std::string& name) const {
  return name.starts_with(plan_.head() + ".");
}

/// Prefix of the names of all tensors of the network; empty if they are not found.
std::string Network::prefix_of(const Stored& tensors, const char* who) const {
  const auto wanted = tensors_of(plan_);
  const auto holds_all = [&](const std::string& prefix) {
    return std::ranges::all_of(wanted, [&](const auto& entry) {
      return is_head(entry.name) || tensors.contains(prefix + entry.name);
    });
  };
  std::vector<std::string> found;
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(wanted.front().name)) continue;
    const std::string prefix = name.substr(0, name.size() - wanted.front().name.size());
    if ((prefix.empty() || prefix.ends_with('.')) && holds_all(prefix)) found.push_back(prefix);
  }
  require(found.size() <= 1, "{}: expected one network, got several, at '{}' and at '{}'", who,
          found.empty() ? "" : found.front(), found.empty() ? "" : found.back());
  return found.empty() ? "" : found.front();
}

void Network::take(const Stored& tensors, const std::string& prefix, const char* who,
                   bool by_others) {
  const c10::NoGradGuard no_gradients;
  std::map<std::string, at::Tensor> taken;
  for (const auto& [name, shape] : tensors_of(plan_)) {
    const auto found = tensors.find(prefix + name);
    const bool may_differ = by_others && is_head(name);
    if (may_differ && (found == tensors.end() || found->second.shape != shape)) continue;
    require(found != tensors.end(), "{}: expected a tensor '{}' of shape {}, got none of that name",
            who, name, shape_text(shape));
    const Tensor& tensor = found->second;
    require(tensor.shape == shape, "{}: expected '{}' of shape {}, got {}", who, name,
            shape_text(shape), shape_text(tensor.shape));
    const auto type = by_others ? float_type(tensor.type) : float_type_of_ours(tensor.type);
    require(type.has_value(), "{}: expected '{}' as {}, got {}", who, name,
            by_others ? "F32, F16, BF16 or F64" : "F32", name_of(tensor.type));
    at::Tensor stored = at::empty(shape, *type);
    std::memcpy(stored.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    const at::Tensor values = stored.to(at::kFloat);
    require(at::isfinite(values).all().item<bool>() &&
                !(name.ends_with(".running_var") && values.lt(0).any().item<bool>()),
            "{}: expected finite values in '{}', and variances of at least 0", who, name);
    taken.emplace(name, channels_together(values));
  }
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix) || name.ends_with(".num_batches_tracked")) continue;
    require(tensors_.contains(name.substr(prefix.size())),
            "{}: the network has no tensor '{}' of shape {}", who, name, shape_text(tensor.shape));
  }
  for (auto& [name, values] : taken) tensors_.at(name) = values;
}

const at::Tensor& Network::tensor(const std::string& name) const { return tensors_.at(name); }

}  // namespace secondlook::image
