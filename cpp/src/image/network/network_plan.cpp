#include "image/network/network_plan.hpp"

#include <algorithm>
#include <cmath>

#include "core/validation.hpp"

namespace secondlook {

namespace image {

namespace {

using Kind = Step::Kind;

/// Builds a plan step by step.
class Planner {
 public:
  explicit Planner(std::size_t channels) : width_(static_cast<std::int64_t>(channels)) {}

  void next_block() { ++block_; }

  void convolve(std::string name, std::string norm, std::int64_t outputs, std::int64_t kernel,
                std::int64_t stride, Activation activation, bool depthwise = false) {
    Step step = make(Kind::convolution, std::move(name));
    step.norm = std::move(norm);
    step.outputs = outputs;
    step.kernel = kernel;
    step.stride = stride;
    step.groups = depthwise ? width_ : 1;
    step.activation = activation;
    push(std::move(step));
    width_ = outputs;
  }

  /// Projects what was kept just before.
  void project(std::string name, std::string norm, std::int64_t outputs, std::int64_t stride) {
    Step step = make(Kind::project, std::move(name));
    step.norm = std::move(norm);
    step.outputs = outputs;
    step.stride = stride;
    push(std::move(step));
  }

  void linear(std::string name, std::int64_t outputs, Activation activation) {
    Step step = make(Kind::linear, std::move(name));
    step.outputs = outputs;
    step.activation = activation;
    push(std::move(step));
    width_ = outputs;
  }

  void pool(Kind kind, std::int64_t kernel, std::int64_t stride) {
    Step step = make(kind, "");
    step.kernel = kernel;
    step.stride = stride;
    push(std::move(step));
  }

  void flatten(std::int64_t positions) {
    push(make(Kind::flatten, ""));
    width_ *= positions;
  }

  void dropout(double fraction) {
    Step step = make(Kind::dropout, "");
    step.dropout = fraction;
    push(std::move(step));
  }

  void keep() { push(make(Kind::keep, "")); }

  void add(Activation activation) {
    Step step = make(Kind::add, "");
    step.activation = activation;
    push(std::move(step));
  }

  [[nodiscard]] std::int64_t width() const { return width_; }

  void norm_epsilon(double epsilon) { plan_.norm_epsilon = epsilon; }

  void maps_end() { plan_.n_map_steps = plan_.steps.size(); }

  /// Adds the last layer, whose input is the features.
  NetworkPlan finish(std::string name, std::size_t n_classes) {
    next_block();
    plan_.n_feature_steps = plan_.steps.size();
    plan_.n_features = static_cast<std::size_t>(width_);
    plan_.n_blocks = block_;
    linear(std::move(name), static_cast<std::int64_t>(n_classes), Activation::none);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] Step make(Kind kind, std::string name) const {
    Step step{kind, std::move(name), {}};
    step.inputs = width_;
    step.block = block_;
    return step;
  }

  void push(Step step) { plan_.steps.push_back(std::move(step)); }

  NetworkPlan plan_;
  std::int64_t width_;
  std::size_t block_ = 0;
};

NetworkPlan plan_mlp(std::size_t channels, std::size_t height, std::size_t width,
                     std::size_t n_classes) {
  Planner planner(channels);
  planner.flatten(static_cast<std::int64_t>(height * width));
  planner.linear("fc1", 256, Activation::relu);
  planner.dropout(0.2);
  planner.next_block();
  planner.linear("fc2", 64, Activation::relu);
  return planner.finish("fc", n_classes);
}

// A residual network (He et al. 2016) whose first stage works on 32 to 63 pixels per side, whatever
// the image's size. Names are those of torchvision's ResNet.
NetworkPlan plan_small_cnn(std::size_t channels, std::size_t height, std::size_t width,
                           std::size_t n_classes) {
  Planner planner(channels);
  std::size_t side = std::min(height, width);
  const bool halve = side >= 64;
  planner.convolve("conv1", "bn1", 32, 3, halve ? 2 : 1, Activation::relu);
  if (halve) side /= 2;
  for (; side >= 64; side /= 2) planner.pool(Kind::max_pool, 3, 2);
  constexpr std::array<std::int64_t, 3> widths = {32, 64, 160};
  for (std::size_t stage = 0; stage < widths.size(); ++stage)
    for (std::size_t i = 0; i < 2; ++i) {
      planner.next_block();
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
      const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      const std::int64_t inputs = planner.width();
      planner.keep();
      if (stride != 1 || inputs != widths[stage])
        planner.project(name + "downsample.0", name + "downsample.1", widths[stage], stride);
      planner.convolve(name + "conv1", name + "bn1", widths[stage], 3, stride, Activation::relu);
      planner.convolve(name + "conv2", name + "bn2", widths[stage], 3, 1, Activation::none);
      planner.add(Activation::relu);
    }
  planner.maps_end();
  planner.pool(Kind::average_pool, 1, 1);
  planner.flatten(1);
  planner.dropout(0.2);
  return planner.finish("fc", n_classes);
}

NetworkPlan plan_mobilenet_v2(std::size_t channels, std::size_t n_classes) {
  struct Stage {
    std::int64_t expansion, width, repeats, stride;
  };
  constexpr std::array<Stage, 7> stages = {{{1, 16, 1, 1},
                                            {6, 24, 2, 2},
                                            {6, 32, 3, 2},
                                            {6, 64, 4, 2},
                                            {6, 96, 3, 1},
                                            {6, 160, 3, 2},
                                            {6, 320, 1, 1}}};
  Planner planner(channels);
  planner.convolve("features.0.0", "features.0.1", 32, 3, 2, Activation::relu6);
  std::size_t number = 1;
  for (const Stage& stage : stages)
    for (std::int64_t i = 0; i < stage.repeats; ++i, ++number) {
      planner.next_block();
      const std::string name = "features." + std::to_string(number) + ".conv.";
      const std::int64_t inputs = planner.width();
      const std::int64_t stride = i == 0 ? stage.stride : 1;
      const bool residual = stride == 1 && inputs == stage.width;
      if (residual) planner.keep();
      std::size_t part = 0;
      const auto part_name = [&] { return name + std::to_string(part++); };
      const auto convolve = [&](std::int64_t outputs, std::int64_t kernel, std::int64_t step,
                                bool depthwise) {
        const std::string layer = part_name();
        planner.convolve(layer + ".0", layer + ".1", outputs, kernel, step, Activation::relu6,
                         depthwise);
      };
      if (stage.expansion != 1) convolve(inputs * stage.expansion, 1, 1, false);
      convolve(inputs * stage.expansion, 3, stride, true);
      const std::string narrow = part_name();
      planner.convolve(narrow, part_name(), stage.width, 1, 1, Activation::none);
      if (residual) planner.add(Activation::none);
    }
  planner.next_block();
  planner.convolve("features.18.0", "features.18.1", 1280, 1, 1, Activation::relu6);
  planner.maps_end();
  planner.pool(Kind::average_pool, 1, 1);
  planner.flatten(1);
  planner.dropout(0.2);
  return planner.finish("classifier.1", n_classes);
}

NetworkPlan plan_vgg16(std::size_t channels, std::size_t n_classes) {
  constexpr std::array<std::array<std::int64_t, 2>, 5> stages = {
      {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}};  // width, convolutions
  Planner planner(channels);
  std::size_t number = 0;
  for (const auto& [width, repeats] : stages) {
    for (std::int64_t i = 0; i < repeats; ++i) {
      if (number > 0) planner.next_block();
      planner.convolve("features." + std::to_string(number), "", width, 3, 1, Activation::relu);
      number += 2;  // torchvision counts the activations as well
    }
    // Heat maps use the maps before the last pooling, which have a finer resolution.
    if (number == 30) planner.maps_end();
    planner.pool(Kind::max_pool, 2, 2);
    ++number;
  }
  planner.pool(Kind::average_pool, 7, 1);
  planner.flatten(49);
  for (const char* name : {"classifier.0", "classifier.3"}) {
    planner.next_block();
    planner.linear(name, 4096, Activation::relu);
    planner.dropout(0.5);
  }
  return planner.finish("classifier.6", n_classes);
}

/// A number of channels times a factor, as a multiple of 8 that is at least 90 % of it.
std::int64_t scaled_width(std::int64_t width, double factor) {
  const double wanted = static_cast<double>(width) * factor;
  const std::int64_t rounded =
      std::max<std::int64_t>(8, static_cast<std::int64_t>(wanted + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * wanted ? rounded + 8 : rounded;
}

struct EfficientNetScale {
  double width, depth, dropout;
};

// Names are those of the published weights, which count the blocks over all stages.
NetworkPlan plan_efficientnet_lite(const EfficientNetScale& scale, std::size_t channels,
                                   std::size_t n_classes) {
  struct Stage {
    std::int64_t expansion, kernel, width, repeats, stride;
  };
  constexpr std::array<Stage, 7> stages = {{{1, 3, 16, 1, 1},
                                            {6, 3, 24, 2, 2},
                                            {6, 5, 40, 2, 2},
                                            {6, 3, 80, 3, 2},
                                            {6, 5, 112, 3, 1},
                                            {6, 5, 192, 4, 2},
                                            {6, 3, 320, 1, 1}}};
  Planner planner(channels);
  planner.norm_epsilon(1e-3);
  planner.convolve("_conv_stem", "_bn0", 32, 3, 2, Activation::relu6);
  std::size_t number = 0;
  for (const Stage& stage : stages) {
    const bool outer = &stage == &stages.front() || &stage == &stages.back();
    const double deeper = outer ? 1 : scale.depth;
    const auto repeats =
        static_cast<std::int64_t>(std::ceil(static_cast<double>(stage.repeats) * deeper));
    const std::int64_t width = scaled_width(stage.width, scale.width);
    for (std::int64_t i = 0; i < repeats; ++i, ++number) {
      planner.next_block();
      const std::string name = "_blocks." + std::to_string(number) + ".";
      const std::int64_t inputs = planner.width();
      const std::int64_t wide = inputs * stage.expansion;
      const std::int64_t stride = i == 0 ? stage.stride : 1;
      const bool residual = stride == 1 && inputs == width;
      if (residual) planner.keep();
      if (stage.expansion != 1)
        planner.convolve(name + "_expand_conv", name + "_bn0", wide, 1, 1, Activation::relu6);
      planner.convolve(name + "_depthwise_conv", name + "_bn1", wide, stage.kernel, stride,
                       Activation::relu6, true);
      planner.convolve(name + "_project_conv", name + "_bn2", width, 1, 1, Activation::none);
      if (residual) planner.add(Activation::none);
    }
  }
  planner.next_block();
  planner.convolve("_conv_head", "_bn1", 1280, 1, 1, Activation::relu6);
  planner.maps_end();
  planner.pool(Kind::average_pool, 1, 1);
  planner.flatten(1);
  planner.dropout(scale.dropout);
  return planner.finish("_fc", n_classes);
}

}  // namespace

bool accepts_grey(Architecture architecture) {
  return architecture == Architecture::mlp || architecture == Architecture::small_cnn;
}

Padding usual_padding(Architecture architecture) {
  const bool efficientnet = architecture == Architecture::efficientnet_lite0 ||
                            architecture == Architecture::efficientnet_lite2;
  return efficientnet ? Padding::tensorflow : Padding::symmetric;
}

NetworkPlan plan_network(Architecture architecture, std::size_t channels, std::size_t height,
                         std::size_t width, std::size_t n_classes) {
  constexpr std::array<std::size_t, 6> smallest = {1, 16, 32, 32, 32, 32};
  const std::size_t least = smallest[static_cast<std::size_t>(architecture)];
  require(height >= least && width >= least,
          "{}: expected images of at least {} pixels per side, got {} × {}", name_of(architecture),
          least, height, width);
  require(channels == 3 || accepts_grey(architecture), "{}: expected 3 channels, got {}",
          name_of(architecture), channels);
  switch (architecture) {
    case Architecture::mlp:
      return plan_mlp(channels, height, width, n_classes);
    case Architecture::small_cnn:
      return plan_small_cnn(channels, height, width, n_classes);
    case Architecture::mobilenet_v2:
      break;
    case Architecture::vgg16:
      return plan_vgg16(channels, n_classes);
    case Architecture::efficientnet_lite0:
      return plan_efficientnet_lite({1.0, 1.0, 0.2}, channels, n_classes);
    case Architecture::efficientnet_lite2:
      return plan_efficientnet_lite({1.1, 1.2, 0.3}, channels, n_classes);
  }
  return plan_mobilenet_v2(channels, n_classes);
}

NetworkPlan plan_network(Architecture architecture, const Preprocessing& p, std::size_t n_classes,
                         Padding padding) {
  NetworkPlan plan = plan_network(architecture, p.channels, p.height, p.width, n_classes);
  plan.padding = padding;
  return plan;
}

std::vector<TensorShape> tensors_of(const NetworkPlan& plan) {
  std::vector<TensorShape> tensors;
  for (const Step& step : plan.steps) {
    if (step.name.empty()) continue;
    TensorShape weight{step.name + ".weight", {step.outputs, step.inputs / step.groups}};
    if (step.kind != Kind::linear) weight.shape.insert(weight.shape.end(), 2, step.kernel);
    tensors.push_back(std::move(weight));
    if (step.norm.empty()) {
      tensors.push_back({step.name + ".bias", {step.outputs}});
      continue;
    }
    for (const char* name : {".weight", ".bias", ".running_mean", ".running_var"})
      tensors.push_back({step.norm + name, {step.outputs}});
  }
  return tensors;
}

}  // namespace image

std::vector<TensorShape> tensors_of(Architecture architecture, std::size_t channels,
                                    std::size_t height, std::size_t width, std::size_t n_classes) {
  return image::tensors_of(image::plan_network(architecture, channels, height, width, n_classes));
}

}  // namespace secondlook
