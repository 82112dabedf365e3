#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/decide/anomaly_likelihood.hpp"
#include "secondlook/detect/detector.hpp"

namespace secondlook {

/// What a detector makes of a sample by its own offset.
enum class StreamVerdict {
  normal,
  anomaly,  ///< the score lies below the detector's offset
  unknown   ///< there is no score
};
template <>
inline constexpr std::array<std::string_view, 3> names_of<StreamVerdict>{"normal", "anomaly",
                                                                         "unknown"};

/// A feature that makes a sample abnormal.
struct StreamReason {
  std::size_t feature = 0;  ///< its index
  std::string name;         ///< as `Detector::feature_names`, or "feature 3"
  double fraction = 0;      ///< of all that speaks for an anomaly, in (0, 1]

  bool operator==(const StreamReason&) const = default;
};

template <FieldsOf<StreamReason> T>
void for_each_field(T& r, auto&& use) {
  use("feature", r.feature);
  use("name", r.name);
  use("fraction", r.fraction);
}
template <>
inline constexpr bool is_written_as_list<StreamReason> = true;

/// What a sample of a stream came to.
struct StreamRecord {
  double score = 0;  ///< as `Detector::score_samples`: higher is more normal; NaN: none
  StreamVerdict verdict = StreamVerdict::unknown;
  /// Probability of so abnormal a recent level of the score, given its own longer past
  /// (`AnomalyLikelihood`): near 0 where something has changed, also in a noisy stream.
  double tail_probability = 0.5;
  /// Of an anomaly, at most three features with a tenth of the evidence each or more, largest
  /// first.
  std::vector<StreamReason> reasons;
};

template <FieldsOf<StreamRecord> T>
void for_each_field(T& r, auto&& use) {
  use("score", r.score);
  use("verdict", r.verdict);
  use("tail_probability", r.tail_probability);
  use("reasons", r.reasons);
}
template <>
inline constexpr bool is_written_as_list<StreamRecord> = true;

/// One series, judged by a detector as its samples come, in constant time and memory per sample.
///
/// Many streams may share one detector, from several threads; one stream is used by one thread at a
/// time. The detector must not be trained or assigned meanwhile: train a copy, and begin a stream
/// of it from this one's state.
class SECONDLOOK_EXPORT DetectorStream {
 public:
  /// All there is to a stream but the detector and the parameters.
  struct State {
    AnomalyLikelihood::State likelihood;
    std::vector<double> series;  ///< snapshot of the detector's series

    bool operator==(const State&) const = default;
  };

  /// @throws NotFitted, and InvalidArgument when a parameter is out of range
  explicit DetectorStream(std::shared_ptr<const Detector> detector,
                          const AnomalyLikelihoodParameters& parameters = {});
  /// Continues from a state.
  /// @throws InvalidArgument for one that no samples of such a detector lead to
  DetectorStream(std::shared_ptr<const Detector> detector,
                 const AnomalyLikelihoodParameters& parameters, const State& state);

  /// Judges the next sample, a view of one row.
  /// @throws InvalidArgument for another number of features, infinities, and NaN where the detector
  ///   takes none; the stream is then unchanged
  StreamRecord push(SampleView sample);
  StreamRecord push(std::span<const double> sample);

  [[nodiscard]] const Detector& detector() const noexcept { return *detector_; }
  [[nodiscard]] State state() const;

 private:
  [[nodiscard]] std::vector<StreamReason> reasons() const;

  std::shared_ptr<const Detector> detector_;
  std::unique_ptr<SampleSeries> series_;
  AnomalyLikelihood likelihood_;
  double offset_;
};

template <FieldsOf<DetectorStream::State> T>
void for_each_field(T& s, auto&& use) {
  use("likelihood", s.likelihood);
  use("series", s.series);
}

}  // namespace secondlook
