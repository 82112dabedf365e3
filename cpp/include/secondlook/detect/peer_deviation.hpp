#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/progress.hpp"

namespace secondlook {

/// On which side of its peers a sensor may be called deviating.
enum class Side { both, low, high };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Side>{"both", "low", "high"};

struct PeerDeviationParameters {
  double n_sigma = 3;  ///< limit in standard deviations, above 0
  double floor = 0;    ///< least limit in the sensors' unit: their precision
  std::optional<double> bound =
      std::nullopt;  ///< fixed limit in the sensors' unit, instead of both
  Side side = Side::both;
  bool robust = false;  ///< median and median absolute deviation for mean and standard deviation
  int n_jobs = 0;       ///< threads, as `resolve_threads` reads it
};

template <FieldsOf<PeerDeviationParameters> T>
void for_each_field(T& p, auto&& use) {
  use("n_sigma", p.n_sigma);
  use("floor", p.floor);
  use("bound", p.bound);
  use("side", p.side);
  use("robust", p.robust);
  use("n_jobs", p.n_jobs);
}

/// What the sensors of a group allow one another at an instant: a sensor deviates when it lies more
/// than `half_width` from `centre`. NaN where too few sensors were there to judge.
///
/// Leave-one-out limits are folded in: for a given group, being beyond `n_sigma` standard
/// deviations of the others' mean is the same as being beyond one distance from everybody's mean.
struct PeerBand {
  double centre;
  double half_width;  ///< 0 where `robust` finds most readings equal: all others then deviate
};

/// What was found about one sensor. Instants count from 0; −1 is none.
struct PeerVerdict {
  std::int64_t n_judged = 0;  ///< instants at which it was there and could be judged
  std::int64_t n_beyond = 0;  ///< of them, instants at which it deviated
  std::int64_t first = -1;    ///< first of those
  std::int64_t last = -1;     ///< last of those
  std::int64_t worst = -1;    ///< instant at which it came nearest to its limit, or furthest beyond
  /// Its distance from the centre then over the half width: above 1 is beyond, infinity where the
  /// half width was 0.
  double worst_ratio = 0;
  double worst_deviation = 0;  ///< from its peers then, signed, in the sensors' unit
  double worst_sigma = 0;      ///< the same in standard deviations of its peers

  bool operator==(const PeerVerdict&) const = default;
};

template <FieldsOf<PeerVerdict> T>
void for_each_field(T& p, auto&& use) {
  use("n_judged", p.n_judged);
  use("n_beyond", p.n_beyond);
  use("first", p.first);
  use("last", p.last);
  use("worst", p.worst);
  use("worst_ratio", p.worst_ratio);
  use("worst_deviation", p.worst_deviation);
  use("worst_sigma", p.worst_sigma);
}

/// Sensors that should agree, judged against one another at each instant.
///
/// A sensor's peers are all others of its group (leave-one-out, so that three sensors are enough
/// and a deviating one does not widen its own limit): it deviates when it lies further from their
/// mean than `n_sigma` of their standard deviations, and than `floor`. With `robust`, median
/// and 1.4826 median absolute deviations of all take their place (Iglewicz & Hoaglin 1993). Missing
/// readings (NaN) are left out; instants with fewer than three readings are not judged.
class SECONDLOOK_EXPORT PeerDeviation {
 public:
  /// @throws InvalidArgument when a parameter is out of range
  explicit PeerDeviation(PeerDeviationParameters parameters = {});

  /// Judges each sensor (column) of `x`, shape (instants, sensors), over all instants (rows).
  ///
  /// One pass over memory. The same verdicts at any number of threads, and as
  /// `PeerDeviationStream`.
  /// @param active of as many values as instants: only where not 0 is judged; empty: everywhere
  /// @throws InvalidArgument for infinities, for fewer than three sensors, and for no instants
  [[nodiscard]] std::vector<PeerVerdict> judge(MatrixView<float> x,
                                               std::span<const std::uint8_t> active = {},
                                               const Progress& progress = {}) const;
  [[nodiscard]] std::vector<PeerVerdict> judge(MatrixView<double> x,
                                               std::span<const std::uint8_t> active = {},
                                               const Progress& progress = {}) const;

  /// The band of each instant, whether it would be judged or not.
  [[nodiscard]] std::vector<PeerBand> bands(MatrixView<float> x) const;
  [[nodiscard]] std::vector<PeerBand> bands(MatrixView<double> x) const;

  [[nodiscard]] const PeerDeviationParameters& parameters() const noexcept { return parameters_; }

 private:
  PeerDeviationParameters parameters_;
};

/// The same, an instant at a time: O(sensors) each, in constant memory. Not thread-safe.
class SECONDLOOK_EXPORT PeerDeviationStream {
 public:
  /// @throws InvalidArgument for fewer than three sensors
  PeerDeviationStream(const PeerDeviation& detector, std::size_t n_sensors);
  ~PeerDeviationStream();
  PeerDeviationStream(PeerDeviationStream&&) noexcept;
  PeerDeviationStream& operator=(PeerDeviationStream&&) noexcept;

  /// Judges the readings of the next instant and returns their band.
  /// @param active whether this instant counts; if not, the band is returned all the same
  /// @throws InvalidArgument for infinities and another number of sensors; the instant is then not
  ///   counted
  PeerBand push(std::span<const double> readings, bool active = true);

  /// Sensors that deviated at the last instant, ascending; none where it did not count.
  [[nodiscard]] std::span<const std::size_t> deviating() const noexcept;

  /// What was found so far.
  [[nodiscard]] const std::vector<PeerVerdict>& verdicts() const noexcept;
  /// Instants so far.
  [[nodiscard]] std::int64_t n_samples() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a plant does with its storage.
enum class PlantState : std::uint8_t { idle, charging, discharging };
template <>
inline constexpr std::array<std::string_view, 3> names_of<PlantState>{"idle", "charging",
                                                                      "discharging"};

/// The plant's state at each instant, by its current.
/// @param current in any unit, positive while discharging; NaN is idle
/// @param threshold largest magnitude of current that still is idling, in the same unit
[[nodiscard]] SECONDLOOK_EXPORT std::vector<PlantState> plant_states(
    std::span<const double> current, double threshold);

}  // namespace secondlook
