#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/detect/sample_series.hpp"

namespace secondlook {

namespace detect {
struct LstmWeights;
}

/// One series, scored as its samples come: constant time and memory a sample, and no allocation.
/// Not thread-safe; streams of one model share its weights, and copies are independent.
class SECONDLOOK_EXPORT LstmStream final : public SampleSeries {
 public:
  ~LstmStream() override;
  LstmStream(const LstmStream& other);
  LstmStream& operator=(const LstmStream& other);
  LstmStream(LstmStream&&) noexcept;
  LstmStream& operator=(LstmStream&&) noexcept;

  /// Scores the next sample, one value a channel, NaN where missing, and moves on.
  /// @returns as `LstmForecaster::score_samples`
  /// @throws InvalidArgument for infinities and another number of channels; the stream is then as
  ///   before
  double push(SampleView sample) override;
  double push(std::span<const double> sample);
  double push(std::span<const float> sample);

  /// Each channel's part in the last sample's residual, summing to minus its score; 0 where it was
  /// missing, and everywhere where there was no score.
  [[nodiscard]] std::vector<double> contributions() const override;

  /// What the next sample is expected to be, in the channels' own units; NaN before the first.
  /// @param sample of as many values as channels
  void forecast(std::span<double> sample) const;

  /// All that the series has left behind, for `restore` in a stream of the same model.
  [[nodiscard]] std::vector<double> snapshot() const override;
  /// Goes on where the stream of a snapshot stood.
  /// @throws InvalidArgument for a snapshot of a model of another shape; the stream is then
  ///   unchanged
  void restore(std::span<const double> snapshot) override;

  [[nodiscard]] std::size_t n_channels() const noexcept;
  /// Samples since the series began, or began anew after a gap.
  [[nodiscard]] std::size_t n_samples() const noexcept;

 private:
  friend class LstmForecaster;
  struct State;
  explicit LstmStream(std::shared_ptr<const detect::LstmWeights> weights);
  template <class Scalar>
  double push_any(std::span<const Scalar> sample);

  std::unique_ptr<State> state_;
};

}  // namespace secondlook
