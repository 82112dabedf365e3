#include "image/network/network_plan.hpp"

#include <map>
#include <optional>
#include <set>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;
using Kind = image::Step::Kind;

namespace {

struct Case {
  Architecture architecture;
  std::size_t channels, height, width, n_classes;
};

const std::vector<Case> kCases = {{Architecture::mlp, 1, 1, 1, 2},
                                  {Architecture::mlp, 3, 5, 9, 4},
                                  {Architecture::small_cnn, 1, 16, 16, 2},
                                  {Architecture::small_cnn, 3, 63, 300, 3},
                                  {Architecture::small_cnn, 1, 64, 64, 10},
                                  {Architecture::small_cnn, 3, 1000, 700, 2},
                                  {Architecture::mobilenet_v2, 3, 32, 32, 2},
                                  {Architecture::mobilenet_v2, 3, 224, 160, 1000},
                                  {Architecture::vgg16, 3, 32, 32, 2},
                                  {Architecture::vgg16, 3, 224, 224, 7},
                                  {Architecture::efficientnet_lite0, 3, 32, 32, 2},
                                  {Architecture::efficientnet_lite2, 3, 260, 224, 1000}};

image::NetworkPlan plan_of(const Case& c) {
  return image::plan_network(c.architecture, c.channels, c.height, c.width, c.n_classes);
}

}  // namespace

TEST_CASE("network plan: each layer takes what the one before gives") {
  for (const Case& c : kCases) {
    CAPTURE(name_of(c.architecture), c.height, c.width);
    const auto plan = plan_of(c);
    auto width = static_cast<std::int64_t>(c.channels);
    std::optional<std::int64_t> kept;
    for (const auto& step : plan.steps) {
      CAPTURE(step.name);
      REQUIRE(step.inputs == width);
      if (step.kind == Kind::convolution || step.kind == Kind::linear) {
        REQUIRE(step.inputs % step.groups == 0);
        REQUIRE(step.outputs % step.groups == 0);
        width = step.outputs;
      } else if (step.kind == Kind::flatten) {
        // The next layer says how many positions there are.
        const auto& next = *std::find_if(&step + 1, plan.steps.data() + plan.steps.size(),
                                         [](auto& s) { return s.kind == Kind::linear; });
        REQUIRE(next.inputs % width == 0);
        width = next.inputs;
      } else if (step.kind == Kind::keep) {
        kept = width;
      } else if (step.kind == Kind::project) {
        REQUIRE(kept == step.inputs);
        kept = step.outputs;
      } else if (step.kind == Kind::add) {
        REQUIRE(kept == width);  // the shapes of a residual sum agree
        kept.reset();
      }
    }
    CHECK_FALSE(kept.has_value());
    CHECK(width == static_cast<std::int64_t>(c.n_classes));
  }
}

TEST_CASE("network plan: features, feature maps and blocks lie where the plan says") {
  for (const Case& c : kCases) {
    CAPTURE(name_of(c.architecture), c.height, c.width);
    const auto plan = plan_of(c);
    CHECK(plan.n_feature_steps == plan.steps.size() - 1);
    CHECK(plan.steps.back().kind == Kind::linear);
    CHECK(plan.steps.back().inputs == static_cast<std::int64_t>(plan.n_features));
    CHECK(plan.steps.back().block == plan.n_blocks);
    CHECK((plan.n_map_steps == 0) == (c.architecture == Architecture::mlp));
    for (std::size_t i = plan.n_map_steps; i < plan.steps.size(); ++i)
      CHECK(plan.steps[i].kind != Kind::convolution);
    std::size_t block = 0;
    for (const auto& step : plan.steps) {
      const bool is_next = step.block == block || step.block == block + 1;
      REQUIRE(is_next);
      block = step.block;
    }
  }
}

TEST_CASE("network plan: no two tensors share a name, and their shapes are those of the steps") {
  for (const Case& c : kCases) {
    CAPTURE(name_of(c.architecture), c.height, c.width);
    const auto tensors = image::tensors_of(plan_of(c));
    CHECK(tensors == tensors_of(c.architecture, c.channels, c.height, c.width, c.n_classes));
    std::set<std::string> names;
    for (const auto& tensor : tensors) {
      CHECK(names.insert(tensor.name).second);
      for (const auto size : tensor.shape) CHECK(size > 0);
    }
  }
}

TEST_CASE("network plan: parameter counts of the published networks") {
  const auto count = [](Architecture architecture) {
    std::int64_t n = 0;
    for (const auto& tensor : tensors_of(architecture, 3, 224, 224, 1000)) {
      if (tensor.name.ends_with(".running_mean") || tensor.name.ends_with(".running_var")) continue;
      std::int64_t size = 1;
      for (const auto side : tensor.shape) size *= side;
      n += size;
    }
    return n;
  };
  CHECK(count(Architecture::mobilenet_v2) == 3'504'872);
  CHECK(count(Architecture::vgg16) == 138'357'544);
  CHECK(count(Architecture::efficientnet_lite0) == 4'652'008);
  CHECK(count(Architecture::efficientnet_lite2) == 6'092'072);
}

TEST_CASE("network plan: images that a network cannot process are refused") {
  const auto refused = [](const Case& c, const char* message) {
    CHECK_THROWS_WITH(plan_of(c), Contains(message));
  };
  refused({Architecture::small_cnn, 1, 15, 64, 2}, "at least 16 pixels per side, got 15 × 64");
  refused({Architecture::mobilenet_v2, 3, 64, 31, 2}, "at least 32 pixels per side, got 64 × 31");
  refused({Architecture::vgg16, 1, 64, 64, 2}, "vgg16: expected 3 channels, got 1");
  refused({Architecture::efficientnet_lite0, 1, 64, 64, 2}, "expected 3 channels, got 1");
}
