#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "core/validation.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/classifier/image_set.hpp"
#include "image/codec/pixels.hpp"
#include "image/network/torch_threads.hpp"
#include "image/network/trainer.hpp"
#include "image/prepare/value_range.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

/// Grad-CAM of one class on the last feature maps, not scaled.
cv::Mat activation_map(const image::Network& network, const image::InferenceNetwork& inference,
                       const at::Tensor& input, std::int64_t class_index) {
  const auto& plan = network.plan();
  const at::Tensor maps = inference.maps(input).to(at::kFloat).detach().clone();
  maps.set_requires_grad(true);
  {
    const c10::AutoGradMode gradients(true);
    const at::Tensor logits = network.run(maps, plan.n_map_steps, plan.steps.size(), {});
    logits.select(1, class_index).sum().backward();
  }
  const c10::NoGradGuard no_gradients;
  const at::Tensor weights = maps.grad().mean(at::IntArrayRef{2, 3}, /*keepdim=*/true);
  const at::Tensor map = at::relu(maps.detach().mul(weights).sum(at::IntArrayRef{1}))
                             .select(0, 0)
                             .to(at::kCPU)
                             .contiguous();
  const cv::Mat values(static_cast<int>(map.size(0)), static_cast<int>(map.size(1)), CV_32F,
                       const_cast<float*>(map.const_data_ptr<float>()));
  return values.clone();
}

}  // namespace

Heatmap ImageClassifier::heatmap(const ImageInput& input, std::size_t class_index) const {
  constexpr const char* who = "ImageClassifier::heatmap";
  require_fitted(who);
  require(class_index < n_classes(), "{}: expected a class from 0 to {}, got {}", who,
          n_classes() - 1, class_index);
  require(state_->network->plan().n_map_steps > 0,
          "{}: expected a network with feature maps, got {}; use another architecture", who,
          name_of(parameters_.architecture));
  const image::TorchThreads torch_threads(resolve_threads(parameters_.n_jobs));
  const Image image = image::take(input);
  image::require_values(who, image, state_->preprocessing);
  image::Batch batch;
  batch.size = 1;
  batch.values = preprocess(image, state_->preprocessing);
  const at::Tensor x = image::to_input(batch, state_->preprocessing, state_->inference->device());
  const cv::Mat map = activation_map(*state_->network, *state_->inference, x,
                                     static_cast<std::int64_t>(class_index));
  Heatmap result{image.height, image.width, std::vector<float>(image.height * image.width)};
  cv::Mat values(static_cast<int>(image.height), static_cast<int>(image.width), CV_32F,
                 result.values.data());
  cv::resize(map, values, values.size(), 0, 0, cv::INTER_LINEAR);
  double largest = 0;
  cv::minMaxLoc(values, nullptr, &largest);
  if (largest > 0) values /= largest;
  return result;
}

Image ImageClassifier::overlay(const ImageInput& input, std::size_t class_index,
                               double strength) const {
  require(strength >= 0 && strength <= 1,
          "ImageClassifier::overlay: strength must lie in [0, 1], got {}", strength);
  const Image image = image::take(input);
  Heatmap map = heatmap(image, class_index);
  const cv::Mat values(static_cast<int>(map.height), static_cast<int>(map.width), CV_32F,
                       map.values.data());
  cv::Mat heat, colours, pixels;
  values.convertTo(heat, CV_8U, 255);
  cv::applyColorMap(heat, colours, cv::COLORMAP_TURBO);
  cv::cvtColor(colours, colours, cv::COLOR_BGR2RGB);
  cv::Mat original = image::as_mat(image);
  if (original.depth() == CV_32F) original = image::within_range(original, state_->preprocessing);
  original.convertTo(pixels, CV_8U, original.depth() == CV_8U ? 1.0 : 1.0 / 257);
  if (pixels.channels() == 1) cv::cvtColor(pixels, pixels, cv::COLOR_GRAY2RGB);
  cv::addWeighted(colours, strength, pixels, 1 - strength, 0, pixels);
  return image::to_image(pixels);
}

}  // namespace secondlook
