#include "secondlook/detect/lstm_stream.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/validation.hpp"
#include "detect/neural/lstm_stream_state.hpp"

namespace secondlook {

LstmStream::State::State(std::shared_ptr<const detect::LstmWeights> shared)
    : weights(std::move(shared)), residual(weights->scaler.n_features()) {
  const auto& w = *weights;
  const std::size_t n = w.scaler.n_features();
  std::size_t n_values = 0;
  for (const auto& layer : w.layers) n_values += 2 * layer.n_cells;
  memory.resize(n_values);
  forecast.resize(w.view.n_outputs);
  scaled.resize(n);
  inputs.resize(n);
  gates.resize(4 * w.layers.front().n_cells);
  n_missing.resize(n);
  restart();
}

void LstmStream::State::restart() {
  std::ranges::fill(memory, 0.0F);
  std::ranges::fill(forecast, 0.0F);
  std::ranges::fill(n_missing, std::size_t{0});
  n_seen = 0;
}

void LstmStream::State::advance(std::span<const float> sample) {
  const auto& w = *weights;
  bool all_missing = true;
  bool all_missing_for_long = true;
  for (std::size_t j = 0; j < sample.size(); ++j) {
    const bool present = sample[j] == sample[j];
    n_missing[j] = present ? 0 : n_missing[j] + 1;
    if (present) all_missing = false;
    if (n_missing[j] <= w.max_gap) all_missing_for_long = false;
    // A channel that has been missing for long is replaced by its mean.
    const float replacement = n_missing[j] <= w.max_gap ? forecast[j] : 0.0F;
    inputs[j] =
        std::clamp(present ? sample[j] : replacement, -detect::kInputLimit, detect::kInputLimit);
  }
  if (all_missing_for_long || (all_missing && n_seen == 0)) return restart();
  detect::lstm_step(w.view, inputs.data(), memory.data(), gates.data(), forecast.data());
  ++n_seen;
}

LstmStream::LstmStream(std::shared_ptr<const detect::LstmWeights> weights)
    : state_(std::make_unique<State>(std::move(weights))) {}
LstmStream::~LstmStream() = default;
LstmStream::LstmStream(const LstmStream& other) : state_(std::make_unique<State>(*other.state_)) {}
LstmStream& LstmStream::operator=(const LstmStream& other) { return *this = LstmStream(other); }
LstmStream::LstmStream(LstmStream&&) noexcept = default;
LstmStream& LstmStream::operator=(LstmStream&&) noexcept = default;

double LstmStream::push(SampleView sample) {
  require(sample.rows() == 1, "LstmStream::push: expected one sample, got {}", sample.rows());
  return sample.visit([&](const auto& x) { return push_any(x.row(0)); });
}
double LstmStream::push(std::span<const double> sample) { return push_any(sample); }
double LstmStream::push(std::span<const float> sample) { return push_any(sample); }

std::vector<double> LstmStream::contributions() const { return state_->residual.contributions; }
std::size_t LstmStream::n_channels() const noexcept { return state_->scaled.size(); }
std::size_t LstmStream::n_samples() const noexcept { return state_->n_seen; }

void LstmStream::forecast(std::span<double> sample) const {
  const State& s = *state_;
  require(sample.size() == n_channels(),
          "LstmStream::forecast: expected an output of {} values, got {}", n_channels(),
          sample.size());
  if (s.n_seen > 0) return s.weights->scaler.inverse_transform(s.forecast.data(), sample.data());
  std::ranges::fill(sample, std::numeric_limits<double>::quiet_NaN());
}

std::vector<double> LstmStream::snapshot() const {
  const State& s = *state_;
  std::vector<double> values{static_cast<double>(s.n_seen)};
  values.insert(values.end(), s.n_missing.begin(), s.n_missing.end());
  values.insert(values.end(), s.forecast.begin(), s.forecast.end());
  values.insert(values.end(), s.memory.begin(), s.memory.end());
  return values;
}

void LstmStream::restore(std::span<const double> snapshot) {
  State& s = *state_;
  const std::size_t n_counts = 1 + s.n_missing.size();
  const std::size_t n_values = n_counts + s.forecast.size() + s.memory.size();
  require(snapshot.size() == n_values, "LstmStream::restore: expected {} values, got {}", n_values,
          snapshot.size());
  for (std::size_t i = 0; i < n_values; ++i)
    require(std::abs(snapshot[i]) < (i < n_counts ? 0x1p53 : 1e30) &&
                (i >= n_counts || snapshot[i] >= 0),
            "LstmStream::restore: expected a valid snapshot, got {} at index {}", snapshot[i], i);
  const auto take = [&](auto& values) {
    using Value = std::decay_t<decltype(values.front())>;
    std::ranges::transform(snapshot.first(values.size()), values.begin(),
                           [](double value) { return static_cast<Value>(value); });
    snapshot = snapshot.subspan(values.size());
  };
  s.n_seen = static_cast<std::size_t>(snapshot.front());
  snapshot = snapshot.subspan(1);
  take(s.n_missing);
  take(s.forecast);
  take(s.memory);
}

template <class Scalar>
double LstmStream::push_any(std::span<const Scalar> sample) {
  State& s = *state_;
  const auto& w = *s.weights;
  const std::size_t n = n_channels();
  require(sample.size() == n, "LstmStream::push: expected {} channels, got {}", n, sample.size());
  for (std::size_t j = 0; j < n; ++j)
    require(!std::isinf(sample[j]),
            "LstmStream::push: expected a finite value or NaN, got {} for channel {}", sample[j],
            j);
  w.scaler.transform(sample.data(), s.scaled.data());

  for (std::size_t j = 0; j < n; ++j) {
    const bool present = s.scaled[j] == s.scaled[j];
    s.residual.present[j] = present ? 1 : 0;
    s.residual.values[j] = present ? static_cast<double>(s.scaled[j] - s.forecast[j]) : 0.0;
  }
  const double score = s.residual.score(w, s.n_seen >= w.window);
  s.advance(s.scaled);
  return score;
}

}  // namespace secondlook
