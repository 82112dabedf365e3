#include "secondlook/image/network.hpp"

// Layers and optimisers cost 21 s to compile, <torch/torch.h> 25 s, operators from ATen/ops alone
// 9 s: sources that need no layers include those.
#include <ATen/CPUGeneratorImpl.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include "core/validation.hpp"

namespace secondlook {

TrainingLoss train_small_network(std::size_t samples, std::size_t features, std::size_t hidden,
                                 std::size_t steps, std::uint64_t seed) {
  require(samples > 0 && features > 0 && hidden > 0 && steps > 0,
          "train_small_network: expected sizes above 0, got {} samples, {} features, {} hidden, {} "
          "steps",
          samples, features, hidden, steps);
  const auto rows = static_cast<std::int64_t>(samples);
  const auto columns = static_cast<std::int64_t>(features);
  const auto width = static_cast<std::int64_t>(hidden);

  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor x = at::randn({rows, columns}, generator);
  const at::Tensor y = at::randn({rows, 1}, generator);

  torch::nn::Sequential network(torch::nn::Linear(columns, width), torch::nn::ReLU(),
                                torch::nn::Linear(width, 1));
  {
    // The layers came with the global generator's numbers; ours depend on the seed alone.
    const torch::NoGradGuard no_gradients;
    for (at::Tensor& parameter : network->parameters()) parameter.uniform_(-0.3, 0.3, generator);
  }
  torch::optim::Adam adam(network->parameters(), torch::optim::AdamOptions(1e-2));

  const auto loss = [&] { return torch::nn::functional::mse_loss(network->forward(x), y); };
  TrainingLoss result;
  result.first = loss().item<double>();
  for (std::size_t step = 0; step < steps; ++step) {
    adam.zero_grad();
    loss().backward();
    adam.step();
  }
  result.last = loss().item<double>();
  return result;
}

}  // namespace secondlook
