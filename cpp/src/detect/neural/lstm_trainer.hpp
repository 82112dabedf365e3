#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "detect/neural/adam.hpp"
#include "detect/neural/lstm_network.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"

namespace secondlook::detect {

/// A series prepared for training.
struct TrainingSeries {
  std::size_t n_samples;
  std::vector<float> inputs;   ///< n_samples × channels, gaps filled with the previous value
  std::vector<float> targets;  ///< n_samples × padded channels, NaN where missing
};

/// Samples [begin, end) of a series: each except the first is to be forecast.
struct SampleRange {
  std::size_t series;
  std::size_t begin;
  std::size_t end;
};

/// Trains the network on batches of windows, on several threads.
class LstmTrainer {
 public:
  LstmTrainer(const LstmForecasterParameters& parameters, LstmNetwork<float>& network,
              Adam<float>& adam, std::span<const TrainingSeries> series);

  /// Trains on windows of the ranges, cut at random for each pass, and returns the mean squared
  /// error. Calls `tick` with the number of batches done and in total after each batch.
  template <class Tick>
  double pass(std::span<const SampleRange> ranges, std::uint64_t number, double learning_rate,
              const Tick& tick) {
    const auto batches = cut(ranges, number);
    Sum sum;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      learn(batches[i], number, i, learning_rate, sum);
      tick(i + 1, batches.size());
    }
    return sum.mean();
  }

  /// Mean squared error over all samples of the ranges.
  double evaluate(std::span<const SampleRange> ranges);

 private:
  struct Window {
    std::size_t series;
    std::size_t begin;  // the first input that is trained on
  };
  // Windows of the same length and burn-in, which pass the network in parallel.
  struct Batch {
    std::size_t n_burn_in;
    std::size_t n_steps;
    std::vector<Window> windows;
  };
  struct Sum {
    double squares = 0;
    double n = 0;
    [[nodiscard]] double mean() const { return squares / (n > 0 ? n : 1); }
  };
  struct Part {
    std::vector<float> inputs, targets;
    LstmNetwork<float>::Workspace work;
    Sum sum;
  };

  [[nodiscard]] std::vector<Batch> cut(std::span<const SampleRange> ranges,
                                       std::uint64_t number) const;
  // Runs a batch forward and optionally backward, in parts on several threads; returns the number
  // of parts.
  template <class Prepare>
  std::size_t run(const Batch& batch, bool backward, const Prepare& prepare, Sum& sum);
  void learn(const Batch& batch, std::uint64_t number, std::size_t index, double learning_rate,
             Sum& sum);
  LstmNetwork<float>::Sequences gather(const Batch& batch, std::size_t first, std::size_t last,
                                       Part& part) const;

  const LstmForecasterParameters& parameters_;
  LstmNetwork<float>& network_;
  Adam<float>& adam_;
  std::span<const TrainingSeries> series_;
  std::size_t n_threads_;
  LstmNetwork<float>::PackedWeights packed_;
  std::vector<Part> parts_;
};

}  // namespace secondlook::detect
