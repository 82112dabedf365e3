#include "secondlook/detect/autoencoder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/quantile.hpp"
#include "core/shuffle.hpp"
#include "core/throttled_progress.hpp"
#include "core/validation.hpp"
#include "detect/neural/autoencoder_state.hpp"
#include "detect/neural/train_epochs.hpp"
#include "detect/neural/training_parameters.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

using detect::padded;

namespace {

constexpr std::size_t kBlockRows = 64;  // rows that pass the layers together, within the cache
constexpr std::size_t kMinParallelRows = 512;

// Random streams of a seed: the initial weights, the split, and two for each pass over the rows.
constexpr std::uint64_t kWeightStream = 0;
constexpr std::uint64_t kSplitStream = 1;
constexpr std::uint64_t kFirstPassStream = 2;

// Mean squared reconstruction error of the given rows.
double reconstruction_loss(const detect::FoldedNetwork& network, std::size_t n_features,
                           const std::vector<float>& inputs, std::span<const std::size_t> rows) {
  const std::size_t width = padded(n_features);
  std::vector<float> first(network.buffer_width()), second(network.buffer_width());
  double sum = 0;
  for (const std::size_t row : rows) {
    const float* x = &inputs[row * width];
    const float* y = network.run(1, x, width, first.data(), second.data());
    for (std::size_t j = 0; j < n_features; ++j)
      sum += static_cast<double>((y[j] - x[j]) * (y[j] - x[j]));
  }
  return sum / static_cast<double>(rows.size() * n_features);
}

// Trains the network on batches of rows in random order.
class Trainer {
 public:
  Trainer(const AutoencoderParameters& parameters, detect::DenseNetwork<float>& network,
          detect::Adam<float>& adam, const std::vector<float>& inputs)
      : parameters_(parameters), network_(network), adam_(adam), inputs_(inputs) {}

  /// Runs one pass over `rows`, which it shuffles, and returns the mean loss. Calls `tick` after
  /// each batch.
  template <class Tick>
  double pass(std::span<std::size_t> rows, std::uint64_t number, double learning_rate,
              const Tick& tick) {
    RandomStream order(parameters_.seed, kFirstPassStream + 2 * number);
    RandomStream dropout(parameters_.seed, kFirstPassStream + 2 * number + 1);
    shuffle(rows, order);
    const std::size_t width = padded(network_.widths().front());
    double sum = 0;
    for (std::size_t begin = 0; begin < rows.size();) {
      std::size_t end = std::min(begin + parameters_.batch_size, rows.size());
      if (rows.size() - end == 1) ++end;  // a single row has no batch statistics
      batch_.resize((end - begin) * width);
      for (std::size_t i = begin; i < end; ++i)
        std::copy_n(&inputs_[rows[i] * width], width, &batch_[(i - begin) * width]);
      network_.draw_dropout(end - begin, parameters_.dropout, dropout, work_);
      const double loss = network_.train(end - begin, batch_.data(), batch_.data(), work_);
      adam_.step(work_.gradients, learning_rate, parameters_.weight_decay, network_.parameters());
      sum += loss * static_cast<double>(end - begin);
      begin = end;
      tick(end);
    }
    return sum / static_cast<double>(rows.size());
  }

 private:
  const AutoencoderParameters& parameters_;
  detect::DenseNetwork<float>& network_;
  detect::Adam<float>& adam_;
  const std::vector<float>& inputs_;
  detect::DenseNetwork<float>::Workspace work_;
  std::vector<float> batch_;
};

}  // namespace

Autoencoder::Autoencoder(AutoencoderParameters parameters)
    : parameters_(std::move(parameters)), state_(std::make_unique<State>()) {
  const auto& p = parameters_;
  require(!p.hidden.empty(), "Autoencoder: expected at least one hidden layer, got none");
  for (const std::size_t units : p.hidden)
    require(units >= 1 && units <= 65536,
            "Autoencoder: hidden units must lie in [1, 65536], got {}", units);
  detect::require_training_parameters("Autoencoder", p, 2);
  for (const double weight : p.feature_weights)
    require(weight >= 0 && std::isfinite(weight),
            "Autoencoder: feature_weights must be at least 0, got {}", weight);
  require(p.feature_weights.empty() ||
              std::ranges::any_of(p.feature_weights, [](double weight) { return weight > 0; }),
          "Autoencoder: expected a feature weight above 0, got none");
}

Autoencoder::~Autoencoder() = default;
Autoencoder::Autoencoder(const Autoencoder& other)
    : Detector(other),
      parameters_(other.parameters_),
      state_(std::make_unique<State>(*other.state_)) {}
Autoencoder& Autoencoder::operator=(const Autoencoder& other) { return *this = Autoencoder(other); }
Autoencoder::Autoencoder(Autoencoder&&) noexcept = default;
Autoencoder& Autoencoder::operator=(Autoencoder&&) noexcept = default;

std::unique_ptr<Detector> Autoencoder::clone() const {
  return std::make_unique<Autoencoder>(*this);
}

double Autoencoder::offset() const {
  require_fitted("Autoencoder::offset");
  return state_->offset;
}
bool Autoencoder::offset_is_stale() const noexcept { return state_->offset_is_stale; }
bool Autoencoder::fitted() const noexcept { return n_features() > 0; }
std::size_t Autoencoder::n_features() const noexcept { return state_->scaler.n_features(); }
const std::vector<TrainingEpoch>& Autoencoder::history() const noexcept { return state_->history; }

void Autoencoder::require_fitted(const char* who) const {
  require<NotFitted>(fitted(), "{}: not fitted yet, call fit first", who);
}

// Scales and pads rows to the network's input layout.
template <class Scalar>
std::vector<float> Autoencoder::to_inputs(const State& state, MatrixView<Scalar> x) {
  const std::size_t width = padded(state.scaler.n_features());
  std::vector<float> inputs(static_cast<std::size_t>(x.rows()) * width);
  detect::scale_rows(state.scaling(), static_cast<std::size_t>(x.rows()), x.data(),
                     static_cast<std::size_t>(x.row_stride()), inputs.data(), width);
  return inputs;
}

void Autoencoder::fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const auto& p = parameters_;
    require_samples("Autoencoder::fit", x);
    const auto n_rows = static_cast<std::size_t>(x.rows());
    const auto n_features = static_cast<std::size_t>(x.cols());
    require(n_rows >= 2, "Autoencoder::fit: expected at least 2 samples, got 1 sample");
    require(p.feature_weights.empty() || p.feature_weights.size() == n_features,
            "Autoencoder::fit: expected {} features, one per weight, got {}",
            p.feature_weights.size(), n_features);

    State state;
    state.scaler = Scaler(x);
    const auto inputs = to_inputs(state, x);
    state.network = detect::DenseNetwork<float>(State::widths(n_features, p.hidden));
    RandomStream weights(p.seed, kWeightStream);
    state.network.initialise(weights);
    state.adam = detect::Adam<float>(state.network.parameters().size());

    RandomStream split(p.seed, kSplitStream);
    auto rows = shuffled_indices(n_rows, split);
    const auto n_held_out =
        static_cast<std::size_t>(std::lround(p.validation_fraction * static_cast<double>(n_rows)));
    const auto training = std::span(rows).subspan(n_held_out);
    // Without held-out rows, the training rows are used for validation.
    const auto held_out = n_held_out > 0 ? std::span(rows).first(n_held_out) : training;

    Trainer trainer(p, state.network, state.adam, inputs);
    ThrottledProgress report(progress, "Autoencoder::fit");
    detect::train_epochs(
        "Autoencoder::fit", p, state,
        [&](double learning_rate) {
          const std::size_t done = state.n_passes * training.size();
          return trainer.pass(training, state.n_passes, learning_rate, [&](std::size_t n) {
            report(done + n, p.max_epochs * training.size());
          });
        },
        [&] {
          return reconstruction_loss(detect::FoldedNetwork(state.network), n_features, inputs,
                                     held_out);
        },
        [&](std::unique_ptr<State> best) {
          best->prepare(p.feature_weights);
          state_ = std::move(best);
          fit_offset(x);
        });
  });
}

void Autoencoder::partial_fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    if (!fitted()) return fit(x, progress);
    require_samples("Autoencoder::partial_fit", x, n_features());
    require(x.rows() >= 2, "Autoencoder::partial_fit: expected at least 2 samples, got 1 sample");
    auto state = std::make_unique<State>(*state_);
    const auto inputs = to_inputs(*state, x);
    std::vector<std::size_t> rows(static_cast<std::size_t>(x.rows()));
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    Trainer trainer(parameters_, state->network, state->adam, inputs);
    ThrottledProgress report(progress, "Autoencoder::partial_fit");
    const double loss = trainer.pass(rows, state->n_passes, state->learning_rate,
                                     [&](std::size_t n) { report(n, rows.size()); });
    require(std::isfinite(loss),
            "Autoencoder::partial_fit: the loss diverged; the model is unchanged");
    ++state->n_passes;
    state->offset_is_stale = true;
    state->prepare(parameters_.feature_weights);
    state_ = std::move(state);
  });
}

void Autoencoder::fit_offset(SampleView samples) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    std::vector<double> scores(static_cast<std::size_t>(x.rows()));
    score_samples(x, scores);
    state_->offset = quantile(std::move(scores), parameters_.contamination);
    state_->offset_is_stale = false;
  });
}

// Calls use(first, n, inputs, outputs) with the scaled values of n rows and the network's outputs
// for them, both padded. Uses several threads if there are many rows.
template <class Scalar, class Use>
void Autoencoder::for_each_block(const char* who, MatrixView<Scalar> x, std::size_t n_values,
                                 std::size_t n_columns, const Use& use) const {
  require_fitted(who);
  require_sample_shape(who, x, n_features());
  const auto n_rows = static_cast<std::size_t>(x.rows());
  require(n_values == n_rows * n_columns, "{}: expected an output of {} values, got {}", who,
          n_rows * n_columns, n_values);
  const State& s = *state_;
  const detect::FoldedNetwork& folded = *s.folded;
  const std::size_t width = padded(n_features());
  const auto run_block = [&](std::size_t begin, std::size_t end) {
    thread_local std::vector<float> buffer;
    const std::size_t n = end - begin;
    const std::size_t layer_size = n * folded.buffer_width();
    buffer.resize(std::max(buffer.size(), n * width + 2 * layer_size));
    const auto block = x.middle_rows(static_cast<Index>(begin), static_cast<Index>(n));
    if (!all_finite(block)) require_samples(who, x);  // names the row in the whole input
    detect::scale_rows(s.scaling(), n, block.data(), static_cast<std::size_t>(block.row_stride()),
                       buffer.data(), width);
    const float* outputs =
        folded.run(n, buffer.data(), width, &buffer[n * width], &buffer[n * width + layer_size]);
    use(begin, n, buffer.data(), outputs);
  };
  if (n_rows < kMinParallelRows) {
    for (std::size_t begin = 0; begin < n_rows; begin += kBlockRows)
      run_block(begin, std::min(begin + kBlockRows, n_rows));
    return;
  }
  parallel_for(n_rows, kBlockRows, resolve_threads(parameters_.n_jobs), run_block);
}

void Autoencoder::score_samples(SampleView samples, std::span<double> scores) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    for_each_block(
        "Autoencoder::score_samples", x, scores.size(), 1,
        [&](std::size_t first, std::size_t n, const float* inputs, const float* outputs) {
          detect::score_rows(n, padded(n_features()), state_->error_weights.data(), inputs, outputs,
                             &scores[first]);
        });
  });
}

void Autoencoder::reconstruct(SampleView samples, std::span<double> reconstruction) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const std::size_t n_columns = n_features();
    for_each_block("Autoencoder::reconstruct", x, reconstruction.size(), n_columns,
                   [&](std::size_t first, std::size_t n, const float*, const float* outputs) {
                     for (std::size_t i = 0; i < n; ++i)
                       state_->scaler.inverse_transform(outputs + i * padded(n_columns),
                                                        &reconstruction[(first + i) * n_columns]);
                   });
  });
}

void Autoencoder::feature_contributions(SampleView samples, std::span<double> contributions) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const std::size_t n_columns = n_features();
    for_each_block(
        "Autoencoder::feature_contributions", x, contributions.size(), n_columns,
        [&](std::size_t first, std::size_t n, const float* inputs, const float* outputs) {
          for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n_columns; ++j) {
              const std::size_t index = i * padded(n_columns) + j;
              const float error = outputs[index] - inputs[index];
              contributions[(first + i) * n_columns + j] =
                  static_cast<double>(state_->error_weights[j] * error * error);
            }
        });
  });
}

}  // namespace secondlook
