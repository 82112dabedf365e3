#include "secondlook/detect/lstm_forecaster.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <utility>

#include "core/quantile.hpp"
#include "core/throttled_progress.hpp"
#include "core/validation.hpp"
#include "detect/neural/lstm_forecaster_state.hpp"
#include "detect/neural/lstm_stream_state.hpp"
#include "detect/neural/lstm_trainer.hpp"
#include "detect/neural/train_epochs.hpp"
#include "detect/neural/training_parameters.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "secondlook/eigen.hpp"

namespace secondlook {

using detect::padded;
using detect::SampleRange;
using detect::TrainingSeries;

namespace {

constexpr std::uint64_t kWeightStream = 0;

template <class Scalar>
TrainingSeries to_training_series(const Scaler& scaler, MatrixView<Scalar> x) {
  const std::size_t n_channels = scaler.n_features();
  const std::size_t width = padded(n_channels);
  const auto n = static_cast<std::size_t>(x.rows());
  TrainingSeries series{n, std::vector<float>(n * n_channels), std::vector<float>(n * width)};
  std::vector<float> last(n_channels, 0.0F);  // before the first value, the mean is used
  for (std::size_t t = 0; t < n; ++t) {
    float* target = &series.targets[t * width];
    scaler.transform(x.row(static_cast<Index>(t)).data(), target);
    for (std::size_t j = 0; j < n_channels; ++j) {
      if (target[j] == target[j])
        last[j] = std::clamp(target[j], -detect::kInputLimit, detect::kInputLimit);
      series.inputs[t * n_channels + j] = last[j];
    }
  }
  return series;
}

struct Split {
  std::vector<SampleRange> training;
  std::vector<SampleRange> held_out;
};

// Holds out the end of each series that is long enough. If none is, holds out whole series, evenly
// spread. If there is nothing to hold out, the training samples are used for validation.
Split split(std::span<const TrainingSeries> series, std::size_t window, double fraction) {
  Split result;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::size_t n = series[i].n_samples;
    const auto n_held_out =
        static_cast<std::size_t>(std::lround(fraction * static_cast<double>(n)));
    if (n_held_out > 0 && n - n_held_out >= 2 * window + 1) {
      result.training.push_back({i, 0, n - n_held_out});
      result.held_out.push_back({i, n - n_held_out - 1, n});
    } else {
      result.training.push_back({i, 0, n});
    }
  }
  const auto n_whole =
      static_cast<std::size_t>(fraction * static_cast<double>(result.training.size()));
  if (result.held_out.empty() && n_whole > 0) {
    std::vector<SampleRange> kept;
    for (std::size_t i = 0; i < result.training.size(); ++i) {
      const bool is_held_out =
          (i + 1) * n_whole / result.training.size() > i * n_whole / result.training.size();
      (is_held_out ? result.held_out : kept).push_back(result.training[i]);
    }
    result.training = std::move(kept);
  }
  if (result.held_out.empty()) result.held_out = result.training;
  return result;
}

template <class Scalar>
void require_series(const char* who, MatrixView<Scalar> x, std::size_t n_channels,
                    std::size_t window) {
  require(x.cols() > 0, "{}: expected at least 1 channel, got 0", who);
  require(n_channels == 0 || static_cast<std::size_t>(x.cols()) == n_channels,
          "{}: expected {} channels, got {}", who, n_channels, x.cols());
  require(static_cast<std::size_t>(x.rows()) >= window + 1,
          "{}: expected at least {} steps (window {} + 1), got {}", who, window + 1, window,
          x.rows());
  require_samples(who, x, Missing::allow_nan);
}

// Calls `use` with all series in their scalar type.
template <class Use>
void visit_series(const char* who, std::span<const SampleView> all, const Use& use) {
  require(!all.empty(), "{}: expected at least 1 series, got 0", who);
  std::vector<MatrixView<float>> singles;
  std::vector<MatrixView<double>> doubles;
  for (const SampleView& series : all)
    series.visit([&]<class Scalar>(MatrixView<Scalar> x) {
      if constexpr (std::same_as<Scalar, float>)
        singles.push_back(x);
      else
        doubles.push_back(x);
    });
  require(singles.empty() || doubles.empty(),
          "{}: expected series of one type, got {} in float32 and {} in float64", who,
          singles.size(), doubles.size());
  if (doubles.empty())
    use(std::span<const MatrixView<float>>(singles));
  else
    use(std::span<const MatrixView<double>>(doubles));
}

// Whether every channel is constant over all series; missing values are ignored.
bool all_constant(std::span<const SampleView> all) {
  std::vector<std::optional<double>> first(static_cast<std::size_t>(all.front().cols()));
  const auto changes = [&](auto x) {
    for (Index t = 0; t < x.rows(); ++t)
      for (Index j = 0; j < x.cols(); ++j) {
        const auto value = static_cast<double>(x(t, j));
        if (std::isnan(value)) continue;
        auto& known = first[static_cast<std::size_t>(j)];
        if (known && value != *known) return true;
        known = value;
      }
    return false;
  };
  return std::ranges::none_of(all, [&](const SampleView& x) { return x.visit(changes); });
}

}  // namespace

LstmForecaster::LstmForecaster(LstmForecasterParameters parameters)
    : parameters_(parameters), state_(std::make_unique<State>()) {
  const auto& p = parameters_;
  require(p.window >= 2 && p.window <= 65536,
          "LstmForecaster: window must lie in [2, 65536], got {}", p.window);
  require(p.hidden >= 1 && p.hidden <= 4096, "LstmForecaster: hidden must lie in [1, 4096], got {}",
          p.hidden);
  require(p.layers >= 1 && p.layers <= 16, "LstmForecaster: layers must lie in [1, 16], got {}",
          p.layers);
  detect::require_training_parameters("LstmForecaster", p, 1);
}

LstmForecaster::~LstmForecaster() = default;
LstmForecaster::LstmForecaster(const LstmForecaster& other)
    : Detector(other),
      parameters_(other.parameters_),
      state_(std::make_unique<State>(*other.state_)) {}
LstmForecaster& LstmForecaster::operator=(const LstmForecaster& other) {
  return *this = LstmForecaster(other);
}
LstmForecaster::LstmForecaster(LstmForecaster&&) noexcept = default;
LstmForecaster& LstmForecaster::operator=(LstmForecaster&&) noexcept = default;

std::unique_ptr<Detector> LstmForecaster::clone() const {
  return std::make_unique<LstmForecaster>(*this);
}

LstmStream LstmForecaster::stream() const {
  require_fitted("LstmForecaster::stream");
  return LstmStream(state_->weights);
}

std::unique_ptr<SampleSeries> LstmForecaster::series() const {
  return std::make_unique<LstmStream>(stream());
}

double LstmForecaster::offset() const {
  require_fitted("LstmForecaster::offset");
  return state_->offset;
}
bool LstmForecaster::offset_is_stale() const noexcept { return state_->offset_is_stale; }
bool LstmForecaster::fitted() const noexcept { return n_features() > 0; }
std::size_t LstmForecaster::n_features() const noexcept { return state_->scaler.n_features(); }
const std::vector<TrainingEpoch>& LstmForecaster::history() const noexcept {
  return state_->history;
}

void LstmForecaster::require_fitted(const char* who) const {
  require<NotFitted>(fitted(), "{}: not fitted yet, call fit first", who);
}

void LstmForecaster::fit(SampleView x, const Progress& progress) {
  fit(std::span<const SampleView>(&x, 1), progress);
}

void LstmForecaster::fit(std::span<const SampleView> all, const Progress& progress) {
  visit_series("LstmForecaster::fit", all, [&](const auto& series) {
    const auto& p = parameters_;
    const auto n_channels = static_cast<std::size_t>(series.front().cols());
    for (const auto& x : series) require_series("LstmForecaster::fit", x, n_channels, p.window);

    State state;
    state.scaler = Scaler(series);
    for (std::size_t j = 0; j < n_channels; ++j)
      require(std::ranges::any_of(
                  series,
                  [&](const auto& x) {
                    return !as_eigen(x).col(static_cast<Index>(j)).array().isNaN().all();
                  }),
              "LstmForecaster::fit: expected at least one value in channel {}, got only NaN", j);
    std::vector<TrainingSeries> scaled;
    scaled.reserve(series.size());
    for (const auto& x : series) scaled.push_back(to_training_series(state.scaler, x));
    const auto [training, held_out] = split(scaled, p.window, p.validation_fraction);

    state.network = detect::LstmNetwork<float>(State::shape(p, n_channels));
    RandomStream random(p.seed, kWeightStream);
    state.network.initialise(random);
    state.adam = detect::Adam<float>(state.network.parameters().size());
    state.covariance.assign(n_channels * n_channels, 0);
    for (std::size_t j = 0; j < n_channels; ++j) state.covariance[j * n_channels + j] = 1;

    detect::LstmTrainer trainer(p, state.network, state.adam, scaled);
    ThrottledProgress report(progress, "LstmForecaster::fit");
    detect::train_epochs(
        "LstmForecaster::fit", p, state,
        [&](double learning_rate) {
          return trainer.pass(training, state.n_passes, learning_rate,
                              [&](std::size_t done, std::size_t total) {
                                report(state.n_passes * total + done, p.max_epochs * total);
                              });
        },
        [&] { return trainer.evaluate(held_out); },
        [&](std::unique_ptr<State> best) {
          best->prepare(p);
          state_ = std::move(best);
          fit_offset(all);
        });
  });
}

void LstmForecaster::partial_fit(SampleView samples, const Progress& progress) {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    if (!fitted()) return fit(samples, progress);
    require_series("LstmForecaster::partial_fit", x, n_features(), parameters_.window);
    auto state = std::make_unique<State>(*state_);
    const TrainingSeries scaled = to_training_series(state->scaler, x);
    const SampleRange all{0, 0, scaled.n_samples};
    detect::LstmTrainer trainer(parameters_, state->network, state->adam, {&scaled, 1});
    ThrottledProgress report(progress, "LstmForecaster::partial_fit");
    const double loss =
        trainer.pass({&all, 1}, state->n_passes, state->learning_rate,
                     [&](std::size_t done, std::size_t total) { report(done, total); });
    require(std::isfinite(loss),
            "LstmForecaster::partial_fit: the loss diverged; the model is unchanged");
    ++state->n_passes;
    state->offset_is_stale = true;
    state->prepare(parameters_);
    state_ = std::move(state);
  });
}

void LstmForecaster::fit_offset(SampleView x) { fit_offset(std::span<const SampleView>(&x, 1)); }

// Computes the covariance of the residuals from a run over whole series, and the offset from the
// scores under this covariance.
void LstmForecaster::fit_offset(std::span<const SampleView> series) {
  const std::size_t n = n_features();
  // Residuals of the scored samples of a series, one after another, and whether each is present.
  struct Run {
    std::vector<double> values;
    std::vector<char> present;
  };
  std::vector<Run> runs(series.size());
  parallel_for(series.size(), 1, resolve_threads(parameters_.n_jobs),
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i) {
                   const auto keep = [&](std::size_t, const LstmStream::State& s, double score) {
                     if (score != score) return;
                     const auto append = [](auto& to, const auto& from) {
                       to.insert(to.end(), from.begin(), from.end());
                     };
                     append(runs[i].values, s.residual.values);
                     append(runs[i].present, s.residual.present);
                   };
                   series[i].visit([&](auto x) { run("LstmForecaster::fit_offset", x, keep); });
                 }
               });
  require(std::ranges::any_of(runs, [](const Run& r) { return !r.values.empty(); }),
          "LstmForecaster::fit_offset: expected samples after the warm-up of {}, got none",
          parameters_.window);

  std::vector<double> products(n * n, 0.0), counts(n * n, 0.0);
  for (const Run& r : runs)
    for (std::size_t first = 0; first < r.values.size(); first += n)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          if (r.present[first + i] == 0 || r.present[first + j] == 0) continue;
          products[i * n + j] += r.values[first + i] * r.values[first + j];
          ++counts[i * n + j];
        }
  for (std::size_t k = 0; k < n * n; ++k)
    if (counts[k] > 0) state_->covariance[k] = products[k] / counts[k];
  state_->prepare(parameters_);

  std::vector<double> scores;
  detect::LstmResidual residual(n);
  for (const Run& r : runs)
    for (std::size_t first = 0; first < r.values.size(); first += n) {
      std::copy_n(&r.values[first], n, residual.values.begin());
      std::copy_n(&r.present[first], n, residual.present.begin());
      scores.push_back(residual.score(*state_->weights, true));
    }
  // Constant samples are all normal: their scores differ only because the network's state is still
  // converging.
  state_->offset = all_constant(series) ? *std::ranges::min_element(scores)
                                        : quantile(std::move(scores), parameters_.contamination);
  state_->offset_is_stale = false;
}

// Calls use(t, stream state, score) for each sample of a series; returns the stream at its end.
template <class Scalar, class Use>
LstmStream LstmForecaster::run(const char* who, MatrixView<Scalar> x, const Use& use) const {
  require_fitted(who);
  require_samples(who, x, n_features(), Missing::allow_nan);
  LstmStream stream(state_->weights);
  for (Index t = 0; t < x.rows(); ++t) {
    const double score = stream.push(x.row(t));
    use(static_cast<std::size_t>(t), *stream.state_, score);
  }
  return stream;
}

void LstmForecaster::score_samples(SampleView samples, std::span<double> scores) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "LstmForecaster::score_samples";
    require(scores.size() == static_cast<std::size_t>(x.rows()),
            "{}: expected an output of {} values, got {}", who, x.rows(), scores.size());
    run(who, x, [&](std::size_t t, const LstmStream::State&, double score) { scores[t] = score; });
  });
}

void LstmForecaster::feature_contributions(SampleView samples,
                                           std::span<double> contributions) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "LstmForecaster::feature_contributions";
    require(contributions.size() == static_cast<std::size_t>(x.rows() * x.cols()),
            "{}: expected an output of {} values, got {}", who, x.rows() * x.cols(),
            contributions.size());
    run(who, x, [&](std::size_t t, const LstmStream::State& s, double) {
      const auto& parts = s.residual.contributions;
      std::ranges::copy(parts, &contributions[t * parts.size()]);
    });
  });
}

void LstmForecaster::residuals(SampleView samples, std::span<double> residuals) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "LstmForecaster::residuals";
    require(residuals.size() == static_cast<std::size_t>(x.rows() * x.cols()),
            "{}: expected an output of {} values, got {}", who, x.rows() * x.cols(),
            residuals.size());
    run(who, x, [&](std::size_t t, const LstmStream::State& s, double score) {
      // The previous step has written its forecast to this row. The scaled residual is not used, as
      // it has only single precision.
      const std::size_t n = s.scaled.size();
      const Scalar* sample = x.row(static_cast<Index>(t)).data();
      for (double& value : residuals.subspan(t * n, n)) {
        const double measured = static_cast<double>(*sample++);
        value = score == score ? measured - value : std::numeric_limits<double>::quiet_NaN();
      }
      if (t + 1 < static_cast<std::size_t>(x.rows()))
        s.weights->scaler.inverse_transform(s.forecast.data(), &residuals[(t + 1) * n]);
    });
  });
}

void LstmForecaster::forecast(SampleView samples, std::span<double> forecast) const {
  samples.visit([&]<class Scalar>(MatrixView<Scalar> x) {
    const char* who = "LstmForecaster::forecast";
    require_fitted(who);
    const std::size_t n = n_features();
    require(
        forecast.size() % n == 0,
        "{}: expected an output with a multiple of {} values (one per channel and step), got {}",
        who, n, forecast.size());
    auto stream = run(who, x, [](std::size_t, const LstmStream::State&, double) {});
    auto& s = *stream.state_;
    for (std::size_t i = 0; i < forecast.size(); i += n) {
      stream.forecast(forecast.subspan(i, n));
      for (std::size_t j = 0; j < n; ++j) s.scaled[j] = s.forecast[j];
      s.advance(s.scaled);
    }
  });
}

}  // namespace secondlook
