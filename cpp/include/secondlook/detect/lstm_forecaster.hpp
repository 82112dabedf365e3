#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "secondlook/core/fields.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/detect/lstm_stream.hpp"
#include "secondlook/detect/training_epoch.hpp"

namespace secondlook {

struct LstmForecasterParameters {
  std::size_t window = 48;      ///< steps of back-propagation and of warm-up, at least 2
  std::size_t hidden = 64;      ///< cells per layer
  std::size_t layers = 1;       ///< number of LSTM layers
  double dropout = 0;           ///< fraction of units dropped between layers in training, in [0, 1)
  double learning_rate = 2e-3;  ///< learning rate of Adam, above 0
  double weight_decay = 0;      ///< weight decay of Adam, at least 0
  std::size_t batch_size = 64;  ///< windows per training step, at least 1
  std::size_t max_epochs = 50;  ///< largest number of passes over the series, at least 1
  std::size_t patience = 5;     ///< epochs without a better held-out loss before `fit` stops
  double validation_fraction = 0.2;  ///< fraction held out: the end of each series, or whole series
  std::size_t max_gap = 12;          ///< consecutive missing samples that forecasts replace
  double contamination = 0.01;  ///< fraction of the training samples below `offset`, in (0, 0.5]
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< threads used for training, see `resolve_threads`
};

template <FieldsOf<LstmForecasterParameters> T>
void for_each_field(T& p, auto&& use) {
  use("window", p.window);
  use("hidden", p.hidden);
  use("layers", p.layers);
  use("dropout", p.dropout);
  use("learning_rate", p.learning_rate);
  use("weight_decay", p.weight_decay);
  use("batch_size", p.batch_size);
  use("max_epochs", p.max_epochs);
  use("patience", p.patience);
  use("validation_fraction", p.validation_fraction);
  use("max_gap", p.max_gap);
  use("contamination", p.contamination);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}

/// LSTM (Hochreiter & Schmidhuber 1997) that forecasts the next sample of a series; samples that it
/// does not foresee are abnormal (Malhotra et al., "Long Short Term Memory Networks for Anomaly
/// Detection in Time Series", ESANN 2015).
///
/// One or many channels, one or many series. Trained on standardised channels by truncated
/// back-propagation over `window` steps, each window warmed up by the `window` steps before it,
/// with Adam and early stopping on held-out samples. A series is scored from its start, sample by
/// sample, exactly as by `LstmStream`: the first `window` samples have no score (NaN). Up to
/// `max_gap` consecutive missing samples (NaN) are replaced by the forecast; after a longer gap the
/// series restarts. The same seed gives the same bits for the same number of threads and
/// instruction set.
class SECONDLOOK_EXPORT LstmForecaster final : public Detector {
 public:
  /// @throws InvalidArgument if a parameter is out of range
  explicit LstmForecaster(LstmForecasterParameters parameters = {});
  ~LstmForecaster() override;
  LstmForecaster(const LstmForecaster& other);
  LstmForecaster& operator=(const LstmForecaster& other);
  LstmForecaster(LstmForecaster&&) noexcept;
  LstmForecaster& operator=(LstmForecaster&&) noexcept;

  /// Trains from scratch on one series, shape (steps, channels), or on several independent ones.
  ///
  /// If training is cancelled after an epoch, the best weights so far are kept before `Cancelled`
  /// is thrown.
  /// @throws InvalidArgument for infinities, for fewer than window + 1 steps, for a channel without
  ///   any value, and if the loss diverges; the model is then unchanged
  void fit(SampleView x, const Progress& progress = {}) override;
  void fit(std::span<const SampleView> series, const Progress& progress = {});

  /// Trains for one more pass over a series, at the current learning rate. Channels keep the scale
  /// of the first training. Makes the offset stale. An untrained model is trained by `fit`.
  void partial_fit(SampleView x, const Progress& progress = {}) override;

  /// Scores one series from its start: minus the mean squared residual of the one-step forecast,
  /// under the covariance of the residuals in training (a squared Mahalanobis distance divided by
  /// the number of channels present). About −1 is usual. NaN during the warm-up and if nothing was
  /// measured.
  void score_samples(SampleView x, std::span<double> scores) const override;
  using Detector::score_samples;

  /// Each channel's part of the residual: a row sums to minus its score.
  /// @param contributions row-major, shape (steps, channels)
  void feature_contributions(SampleView x, std::span<double> contributions) const override;

  /// Each sample minus its one-step forecast, in the units of the channels: positive if more was
  /// measured than foreseen. NaN wherever the score is, and in missing channels.
  ///
  /// The sample itself is used as measured. The preceding samples, from which the forecast is made,
  /// are clipped to 10 standard deviations around the channel's training mean. Missing ones are
  /// replaced by their own forecast, and by the mean in a channel that is missing for longer than
  /// `max_gap`.
  /// @param residuals row-major, shape (steps, channels)
  void residuals(SampleView x, std::span<double> residuals) const;

  /// Forecasts the samples after those of `x`; each forecast is fed back as if it had been
  /// measured.
  /// @param forecast row-major, shape (any number of steps, channels), in the channels' own units
  void forecast(SampleView x, std::span<double> forecast) const;

  /// Sets the offset from a series that is assumed to be normal; it is then no longer stale.
  void fit_offset(SampleView x) override;

  [[nodiscard]] bool ordered() const noexcept override { return true; }
  [[nodiscard]] std::unique_ptr<Detector> clone() const override;

  /// A new series, scored sample by sample. It shares the model's current weights.
  [[nodiscard]] LstmStream stream() const;
  [[nodiscard]] std::unique_ptr<SampleSeries> series() const override;

  /// Samples with a lower score are anomalous: the `contamination` quantile of the training scores.
  [[nodiscard]] double offset() const override;
  [[nodiscard]] bool offset_is_stale() const noexcept override;
  [[nodiscard]] bool fitted() const noexcept override;
  /// Number of channels; 0 before training.
  [[nodiscard]] std::size_t n_features() const noexcept override;
  [[nodiscard]] const std::vector<TrainingEpoch>& history() const noexcept;
  [[nodiscard]] const LstmForecasterParameters& parameters() const noexcept { return parameters_; }

  [[nodiscard]] std::string_view kind() const noexcept override { return "lstm_forecaster"; }
  /// @throws ModelFileError if the file does not hold an LSTM forecaster
  [[nodiscard]] static LstmForecaster from_file(const ModelFile& file);

 protected:
  /// Tensors: `scaler.mean` and `scaler.scale` (channels); of each layer l `layers.l.weight_input`
  /// (4 hidden, inputs), `layers.l.weight_hidden` (4 hidden, hidden) and `layers.l.bias` (4
  /// hidden), gates in torch's order; `head.weight` (channels, hidden), `head.bias` (channels);
  /// `covariance` (channels, channels) of the residuals; `adam.moments` (2, parameters with
  /// padding); `history` (epochs, 3).
  [[nodiscard]] ModelFile write() const override;

 private:
  struct State;

  void require_fitted(const char* who) const;
  void fit_offset(std::span<const SampleView> series);
  template <class Scalar, class Use>
  LstmStream run(const char* who, MatrixView<Scalar> x, const Use& use) const;

  LstmForecasterParameters parameters_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
