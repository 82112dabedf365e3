#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/fields.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/detect/training_epoch.hpp"

namespace secondlook {

struct AutoencoderParameters {
  std::vector<std::size_t> hidden = {
      32, 16, 8};                    ///< units of the encoder's layers; the decoder mirrors them
  double dropout = 0.25;             ///< fraction of units dropped in training, in [0, 1)
  double learning_rate = 1e-3;       ///< learning rate of Adam, above 0
  double weight_decay = 1e-5;        ///< weight decay of Adam, at least 0
  std::size_t batch_size = 32;       ///< rows per step, at least 2
  std::size_t max_epochs = 100;      ///< largest number of passes over the rows, at least 1
  std::size_t patience = 10;         ///< epochs without a better held-out loss before `fit` stops
  double validation_fraction = 0.1;  ///< fraction of rows held out, in [0, 0.5]
  double contamination = 0.01;       ///< fraction of the training rows below `offset`, in (0, 0.5]
  std::vector<double> feature_weights = {};  ///< weights of the features' errors; empty: all 1
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< threads used for scoring, see `resolve_threads`
};

template <FieldsOf<AutoencoderParameters> T>
void for_each_field(T& p, auto&& use) {
  use("hidden", p.hidden);
  use("dropout", p.dropout);
  use("learning_rate", p.learning_rate);
  use("weight_decay", p.weight_decay);
  use("batch_size", p.batch_size);
  use("max_epochs", p.max_epochs);
  use("patience", p.patience);
  use("validation_fraction", p.validation_fraction);
  use("contamination", p.contamination);
  use("feature_weights", p.feature_weights);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}

/// Autoencoder: rows that a narrow network cannot reproduce differ from those it was trained on
/// (Hawkins et al., "Outlier Detection Using Replicator Neural Networks", DaWaK 2002).
///
/// Fully connected layers with batch normalisation, leaky ReLU and dropout, trained by Adam on
/// standardised features until the loss over held-out rows stops improving. The best weights are
/// kept, and the learning rate is halved whenever that loss stagnates. The same seed gives the same
/// bits on the same instruction set. NaN is refused.
class SECONDLOOK_EXPORT Autoencoder final : public Detector {
 public:
  /// @throws InvalidArgument if a parameter is out of range
  explicit Autoencoder(AutoencoderParameters parameters = {});
  ~Autoencoder() override;
  Autoencoder(const Autoencoder& other);
  Autoencoder& operator=(const Autoencoder& other);
  Autoencoder(Autoencoder&&) noexcept;
  Autoencoder& operator=(Autoencoder&&) noexcept;

  /// Trains from scratch on the rows of `x`, shape (n, n_features).
  ///
  /// If training is cancelled after an epoch, the best weights so far are kept before `Cancelled`
  /// is thrown.
  /// @throws InvalidArgument for NaN or infinities, for fewer than two rows, and if the loss
  ///   diverges; the model is then unchanged
  void fit(SampleView x, const Progress& progress = {}) override;

  /// Trains for one more pass over the rows of `x`, at the current learning rate. Features keep the
  /// scale of the first training. Makes the offset stale. An untrained model is trained by `fit`.
  void partial_fit(SampleView x, const Progress& progress = {}) override;

  /// Minus the weighted mean squared reconstruction error, in squared standard deviations.
  void score_samples(SampleView x, std::span<double> scores) const override;
  using Detector::score_samples;

  /// Reconstruction of each row by the network, in the units of the features.
  /// @param reconstruction row-major, shape (n, n_features)
  void reconstruct(SampleView x, std::span<double> reconstruction) const;

  /// Each feature's part of the error: a row sums to minus its score.
  /// @param contributions row-major, shape (n, n_features)
  void feature_contributions(SampleView x, std::span<double> contributions) const override;

  /// Sets the offset from rows that are assumed to be normal; it is then no longer stale.
  void fit_offset(SampleView x) override;

  [[nodiscard]] std::unique_ptr<Detector> clone() const override;

  /// Rows with a lower score are anomalous: the `contamination` quantile of the training scores.
  [[nodiscard]] double offset() const override;
  [[nodiscard]] bool offset_is_stale() const noexcept override;
  [[nodiscard]] bool fitted() const noexcept override;
  [[nodiscard]] std::size_t n_features() const noexcept override;
  [[nodiscard]] const std::vector<TrainingEpoch>& history() const noexcept;
  [[nodiscard]] const AutoencoderParameters& parameters() const noexcept { return parameters_; }

  [[nodiscard]] std::string_view kind() const noexcept override { return "autoencoder"; }
  /// @throws ModelFileError if the file does not hold an autoencoder
  [[nodiscard]] static Autoencoder from_file(const ModelFile& file);

 protected:
  /// Tensors: `scaler.mean` and `scaler.scale` (n_features); of each layer l the `layers.l.weight`
  /// (outputs, inputs), then `gain`, `shift`, running `mean` and `variance` of hidden layers and
  /// the `bias` of the last; `adam.moments` (2, parameters with padding); `history` (epochs, 3).
  [[nodiscard]] ModelFile write() const override;

 private:
  struct State;

  void require_fitted(const char* who) const;
  template <class Scalar>
  static std::vector<float> to_inputs(const State& state, MatrixView<Scalar> x);
  template <class Scalar, class Use>
  void for_each_block(const char* who, MatrixView<Scalar> x, std::size_t n_values,
                      std::size_t n_columns, const Use& use) const;

  AutoencoderParameters parameters_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
