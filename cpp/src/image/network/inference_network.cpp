#include "image/network/inference_network.hpp"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace secondlook::image {

namespace {

using Kind = Step::Kind;
using Scalars = c10::List<std::optional<at::Scalar>>;
using MaybeTensor = std::optional<at::Tensor>;
using MaybeText = std::optional<std::string_view>;

// oneDNN's fused convolutions: operators of LibTorch's compiler, which have no C++ function.
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const MaybeTensor&,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t,
                             std::string_view, Scalars, MaybeText);
using PointwiseInto = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                                  const MaybeTensor&, at::IntArrayRef, at::IntArrayRef,
                                  at::IntArrayRef, std::int64_t, std::string_view,
                                  std::optional<at::Scalar>, MaybeText, Scalars, MaybeText);

using Reorder = at::Tensor(const at::Tensor&, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                           std::int64_t, at::OptionalIntArrayRef);

struct FusedOperators {
  c10::TypedOperatorHandle<Pointwise> activate;
  c10::TypedOperatorHandle<PointwiseInto> add;
  c10::TypedOperatorHandle<Reorder> reorder;
};

// A batch runs in parts whose activations fit into the cache. MobileNetV2 at 224 × 224 takes 4.7 ms
// per image in parts of 4 images, and 9.0 ms with all 32 at once; in bfloat16 2.4 ms in parts of 8,
// and 3.1 ms.
constexpr std::size_t kCachedBytes = 20U << 20;

/// Whether oneDNN supports bfloat16 on this processor; LibTorch can also do without oneDNN.
bool convolves_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0;
#else
  return false;
#endif
}

const FusedOperators* fused_operators() {
  static const auto operators = []() -> std::optional<FusedOperators> {
    if (!at::hasMKLDNN()) return std::nullopt;
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto activate = dispatcher.findSchema({"mkldnn::_convolution_pointwise", ""});
    const auto add = dispatcher.findSchema({"mkldnn::_convolution_pointwise_", "binary"});
    const auto reorder = dispatcher.findSchema({"mkldnn::_reorder_convolution_weight", ""});
    if (!activate || !add || !reorder) return std::nullopt;
    return FusedOperators{activate->typed<Pointwise>(), add->typed<PointwiseInto>(),
                          reorder->typed<Reorder>()};
  }();
  return operators ? &*operators : nullptr;
}

at::Tensor activate(at::Tensor x, Activation activation) {
  if (activation == Activation::relu) return x.relu_();
  if (activation == Activation::relu6) return at::hardtanh(x, 0, 6);
  return x;
}

std::string_view name_of(Activation activation) {
  if (activation == Activation::relu) return "relu";
  return activation == Activation::relu6 ? "hardtanh" : "none";
}

Scalars limits_of(Activation activation) {
  Scalars limits;
  if (activation == Activation::relu6) {
    limits.push_back(at::Scalar(0.0));
    limits.push_back(at::Scalar(6.0));
  }
  return limits;
}

}  // namespace

InferenceNetwork::InferenceNetwork(const Network& network, const Preprocessing& preprocessing,
                                   bool bfloat16)
    : padding_(network.plan().padding), bfloat16_(bfloat16) {
  const c10::NoGradGuard no_gradients;
  const NetworkPlan& plan = network.plan();
  const auto tensor = [&](const std::string& name) { return network.tensors().at(name).detach(); };
  for (std::size_t i = 0; i < plan.n_feature_steps; ++i) {
    Layer layer{plan.steps[i], {}, {}, false};
    const Step& step = layer.step;
    if (step.kind == Kind::dropout) continue;
    if (!step.name.empty()) layer.weight = tensor(step.name + ".weight");
    if (!step.name.empty() && step.norm.empty()) layer.bias = tensor(step.name + ".bias");
    if (!step.norm.empty()) {
      const at::Tensor factor =
          tensor(step.norm + ".weight")
              .div(tensor(step.norm + ".running_var").add(plan.norm_epsilon).sqrt());
      layer.weight = layer.weight.mul(factor.view({-1, 1, 1, 1}));
      layer.bias = tensor(step.norm + ".bias").sub(tensor(step.norm + ".running_mean").mul(factor));
    }
    if (step.kind == Kind::convolution || step.kind == Kind::project) {
      const auto type = bfloat16 ? at::kBFloat16 : at::kFloat;
      layer.weight = layer.weight.to(type).contiguous(at::MemoryFormat::ChannelsLast);
      layer.bias = layer.bias.to(type);
      fused_ = fused_operators() != nullptr && layer.weight.device().is_cpu() &&
               (!bfloat16 || convolves_bfloat16());
    }
    layers_.push_back(std::move(layer));
    if (i + 1 == plan.n_map_steps) n_map_layers_ = layers_.size();
  }
  // A convolution computes the sum that directly follows it, unless the kept tensor is still
  // needed.
  for (std::size_t i = 0; fused_ && i + 1 < layers_.size(); ++i)
    layers_[i].adds_kept =
        layers_[i].step.kind == Kind::convolution && layers_[i + 1].step.kind == Kind::add;
  head_weight_ = tensor(plan.head() + ".weight");
  head_bias_ = tensor(plan.head() + ".bias");
  if (fused_) pack(preprocessing);
}

// Reorders the weights into oneDNN's layout once, rather than at every call.
void InferenceNetwork::pack(const Preprocessing& p) {
  Sizes sizes;
  const auto channels = static_cast<std::int64_t>(p.channels);
  static_cast<void>(run(at::zeros({1, channels, static_cast<std::int64_t>(p.height),
                                   static_cast<std::int64_t>(p.width)})
                            .contiguous(at::MemoryFormat::ChannelsLast),
                        layers_.size(), &sizes));
  part_ = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(kCachedBytes / std::max<std::size_t>(sizes.largest_bytes, 1)), 1,
      32);
  const std::array<std::int64_t, 2> dilation = {1, 1};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const Step& step = layer.step;
    if (step.kind != Kind::convolution && step.kind != Kind::project) continue;
    std::vector<std::int64_t> size = sizes.inputs[i];
    size[0] = part_;
    const auto rows = edge_padding(padding_, size[2], step.kernel, step.stride);
    const auto columns = edge_padding(padding_, size[3], step.kernel, step.stride);
    std::array<std::int64_t, 2> padding = {rows.before, columns.before};
    if (rows.before != rows.after && columns.before != columns.after) {
      // One row and column more at the bottom and on the right would copy the image. A row and a
      // column of zeros before the kernel have the same effect, with equal padding on all sides.
      layer.weight = at::constant_pad_nd(layer.weight, {1, 0, 1, 0})
                         .contiguous(at::MemoryFormat::ChannelsLast);
      layer.first_padding = rows.after;
      padding = {rows.after, columns.after};
    }
    const std::array<std::int64_t, 2> stride = {step.stride, step.stride};
    layer.weight = fused_operators()->reorder.call(layer.weight, padding, stride, dilation,
                                                   step.groups, at::OptionalIntArrayRef(size));
  }
}

at::Tensor InferenceNetwork::features(const at::Tensor& x) const {
  return run_in_parts(x, layers_.size());
}

at::Tensor InferenceNetwork::maps(const at::Tensor& x) const {
  return run_in_parts(x, n_map_layers_);
}

at::Tensor InferenceNetwork::run_in_parts(const at::Tensor& x, std::size_t last) const {
  if (!fused_ || x.size(0) <= part_) return run(x, last);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : x.split(part_)) parts.push_back(run(part, last));
  return at::cat(parts);
}

at::Tensor InferenceNetwork::head(const at::Tensor& features) const {
  const c10::NoGradGuard no_gradients;
  return at::linear(features, head_weight_, head_bias_);
}

at::Tensor InferenceNetwork::run(at::Tensor x, std::size_t last, Sizes* sizes) const {
  const c10::NoGradGuard no_gradients;
  at::Tensor kept;
  for (std::size_t i = 0; i < last; ++i) {
    const Layer& layer = layers_[i];
    const Step& step = layer.step;
    if (sizes != nullptr) {
      sizes->inputs.push_back((step.kind == Kind::project ? kept : x).sizes().vec());
      sizes->largest_bytes = std::max(sizes->largest_bytes, static_cast<std::size_t>(x.nbytes()));
    }
    switch (step.kind) {
      case Kind::convolution:
        x = convolve(layer, std::move(x), kept);
        break;
      case Kind::linear:
        x = activate(at::linear(x, layer.weight, layer.bias), step.activation);
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
        break;
      case Kind::keep:
        kept = x;
        break;
      case Kind::project:
        kept = convolve(layer, kept, {});
        break;
      case Kind::add:
        if (!layers_[i - 1].adds_kept) x = activate(x.add(kept), step.activation);
        break;
    }
  }
  return x;
}

at::Tensor InferenceNetwork::convolve(const Layer& layer, at::Tensor x,
                                      const at::Tensor& kept) const {
  const Step& step = layer.step;
  x = x.to(bfloat16_ ? at::kBFloat16 : at::kFloat);
  const auto rows = edge_padding(padding_, x.size(2), step.kernel, step.stride);
  const auto columns = edge_padding(padding_, x.size(3), step.kernel, step.stride);
  std::array<std::int64_t, 2> padding = {rows.before, columns.before};
  if (layer.first_padding >= 0) {
    padding = {layer.first_padding, layer.first_padding};
  } else if (rows.before != rows.after || columns.before != columns.after) {
    x = at::constant_pad_nd(x, {columns.before, columns.after, rows.before, rows.after});
    padding = {0, 0};
  }
  const std::array<std::int64_t, 2> stride = {step.stride, step.stride};
  const std::array<std::int64_t, 2> dilation = {1, 1};
  if (!fused_)
    return activate(at::conv2d(x, layer.weight, layer.bias, stride, padding, dilation, step.groups),
                    step.activation);
  const FusedOperators& operators = *fused_operators();
  if (layer.adds_kept) {
    const Activation after = (&layer + 1)->step.activation;
    // Overwrites the kept tensor, which is no longer needed.
    at::Tensor sum = kept;
    operators.add.call(sum, x, layer.weight, layer.bias, padding, stride, dilation, step.groups,
                       "add", at::Scalar(1.0),
                       after == Activation::none ? MaybeText() : MaybeText(name_of(after)),
                       limits_of(after), MaybeText());
    return sum;
  }
  // With one channel both memory orders look alike; the sums that follow need channels-last order.
  return operators.activate
      .call(x, layer.weight, layer.bias, padding, stride, dilation, step.groups,
            name_of(step.activation), limits_of(step.activation), MaybeText(""))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace secondlook::image
