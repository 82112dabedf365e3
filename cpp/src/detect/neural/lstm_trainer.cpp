#include "detect/neural/lstm_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/shuffle.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook::detect {

namespace {

// Random streams of a seed: 0 draws the initial weights; then one for each pass and its batches.
constexpr std::uint64_t kFirstPassStream = 1;
constexpr std::uint64_t kStreamsPerPass = std::uint64_t{1} << 32;

// Fewest windows for which a further thread pays.
constexpr std::size_t kMinWindowsPerThread = 8;

// Norm to which the gradient of a step is clipped (Pascanu et al. 2013). It is far above the usual
// norm, but protects the weights from a single extreme window.
constexpr double kMaxGradientNorm = 1;

}  // namespace

LstmTrainer::LstmTrainer(const LstmForecasterParameters& parameters, LstmNetwork<float>& network,
                         Adam<float>& adam, std::span<const TrainingSeries> series)
    : parameters_(parameters),
      network_(network),
      adam_(adam),
      series_(series),
      n_threads_(resolve_threads(parameters.n_jobs)) {}

std::vector<LstmTrainer::Batch> LstmTrainer::cut(std::span<const SampleRange> ranges,
                                                 std::uint64_t number) const {
  const std::size_t window = parameters_.window;
  RandomStream random(parameters_.seed, kFirstPassStream + number * kStreamsPerPass);
  Batch from_start{0, window, {}};
  Batch from_middle{window, window, {}};
  for (const auto& range : ranges) {
    const std::size_t n_inputs = range.end - range.begin - 1;  // the last sample is only a target
    if (n_inputs < window) continue;
    if (range.begin == 0) from_start.windows.push_back({range.series, 0});
    if (n_inputs < 2 * window) continue;
    // The phase is random, so that windows begin at every time.
    const std::size_t slack = std::min(n_inputs - 2 * window, window - 1);
    std::size_t begin = range.begin + window + random.below(slack + 1);
    for (; begin + window < range.end; begin += window)
      from_middle.windows.push_back({range.series, begin});
  }
  std::vector<Batch> batches;
  for (Batch* all : {&from_start, &from_middle}) {
    shuffle(std::span(all->windows), random);
    for (std::size_t i = 0; i < all->windows.size(); i += parameters_.batch_size) {
      const auto first = all->windows.begin() + static_cast<std::ptrdiff_t>(i);
      const std::size_t n = std::min(parameters_.batch_size, all->windows.size() - i);
      batches.push_back(
          {all->n_burn_in, all->n_steps, {first, first + static_cast<std::ptrdiff_t>(n)}});
    }
  }
  shuffle(std::span(batches), random);
  return batches;
}

LstmNetwork<float>::Sequences LstmTrainer::gather(const Batch& batch, std::size_t first,
                                                  std::size_t last, Part& part) const {
  const std::size_t n_rows = last - first;
  const std::size_t n_channels = network_.shape().n_inputs;
  const std::size_t width = padded(n_channels);
  part.inputs.resize((batch.n_burn_in + batch.n_steps) * n_rows * n_channels);
  part.targets.resize(batch.n_steps * n_rows * width);
  double n_targets = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const Window& window = batch.windows[first + r];
    const TrainingSeries& series = series_[window.series];
    const float* from = &series.inputs[(window.begin - batch.n_burn_in) * n_channels];
    for (std::size_t t = 0; t < batch.n_burn_in + batch.n_steps; ++t)
      std::copy_n(from + t * n_channels, n_channels, &part.inputs[(t * n_rows + r) * n_channels]);
    const float* targets = &series.targets[(window.begin + 1) * width];
    for (std::size_t t = 0; t < batch.n_steps; ++t) {
      std::copy_n(targets + t * width, width, &part.targets[(t * n_rows + r) * width]);
      for (std::size_t j = 0; j < n_channels; ++j)
        n_targets += targets[t * width + j] == targets[t * width + j] ? 1 : 0;
    }
  }
  part.sum.n = n_targets;
  return {n_rows, batch.n_burn_in, batch.n_steps, part.inputs.data(), part.targets.data()};
}

template <class Prepare>
std::size_t LstmTrainer::run(const Batch& batch, bool backward, const Prepare& prepare, Sum& sum) {
  const std::size_t n_windows = batch.windows.size();
  const std::size_t n_parts =
      std::clamp<std::size_t>(n_windows / kMinWindowsPerThread, 1, n_threads_);
  if (parts_.size() < n_parts) parts_.resize(n_parts);
  const double n_values =
      static_cast<double>(n_windows * batch.n_steps * network_.shape().n_outputs);
  parallel_for(n_parts, 1, n_threads_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t p = begin; p < end; ++p) {
      Part& part = parts_[p];
      const auto sequences =
          gather(batch, p * n_windows / n_parts, (p + 1) * n_windows / n_parts, part);
      prepare(p, sequences, part.work);
      part.sum.squares = network_.forward(sequences, packed_, part.work);
      if (backward)
        network_.backward(sequences, static_cast<float>(2 / n_values), packed_, part.work);
    }
  });
  for (std::size_t p = 0; p < n_parts; ++p) {
    sum.squares += parts_[p].sum.squares;
    sum.n += parts_[p].sum.n;
  }
  return n_parts;
}

void LstmTrainer::learn(const Batch& batch, std::uint64_t number, std::size_t index,
                        double learning_rate, Sum& sum) {
  network_.pack(packed_);
  const std::uint64_t stream = kFirstPassStream + number * kStreamsPerPass + 1 + index * 64;
  const std::size_t n_parts = run(
      batch, true,
      [&](std::size_t p, const auto& sequences, auto& work) {
        RandomStream dropout(parameters_.seed, stream + p);
        network_.draw_dropout(sequences, parameters_.dropout, dropout, work);
      },
      sum);
  auto& gradients = parts_.front().work.gradients;
  for (std::size_t p = 1; p < n_parts; ++p)
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] += parts_[p].work.gradients[i];
  double norm = 0;
  for (const float g : gradients) norm += static_cast<double>(g) * static_cast<double>(g);
  norm = std::sqrt(norm);
  if (norm > kMaxGradientNorm)
    for (float& g : gradients) g *= static_cast<float>(kMaxGradientNorm / norm);
  adam_.step(gradients, learning_rate, parameters_.weight_decay, network_.parameters());
}

double LstmTrainer::evaluate(std::span<const SampleRange> ranges) {
  const std::size_t window = parameters_.window;
  // Windows of the same length and burn-in form batches.
  std::map<std::pair<std::size_t, std::size_t>, std::vector<Window>> groups;
  for (const auto& range : ranges)
    for (std::size_t begin = range.begin; begin + 1 < range.end; begin += window)
      groups[{std::min(begin, window), std::min(window, range.end - 1 - begin)}].push_back(
          {range.series, begin});
  network_.pack(packed_);
  Sum sum;
  for (const auto& [lengths, windows] : groups)
    for (std::size_t i = 0; i < windows.size(); i += parameters_.batch_size) {
      const auto first = windows.begin() + static_cast<std::ptrdiff_t>(i);
      const std::size_t n = std::min(parameters_.batch_size, windows.size() - i);
      run(
          {lengths.first, lengths.second, {first, first + static_cast<std::ptrdiff_t>(n)}}, false,
          [](std::size_t, const auto&, auto& work) {
            for (auto& layer : work.layers) layer.dropout.clear();
          },
          sum);
    }
  return sum.mean();
}

}  // namespace secondlook::detect
