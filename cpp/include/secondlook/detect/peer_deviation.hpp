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

/// Side of its peers on which a sensor may be called deviating.
enum class Side { both, low, high };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Side>{"both", "low", "high"};

struct PeerDeviationParameters {
  double n_sigma = 3;  ///< limit in standard deviations of the peers, above 0
  double floor = 0;    ///< smallest limit, in the sensors' unit: their precision
  std::optional<double> bound =
      std::nullopt;  ///< fixed limit in the sensors' unit, instead of both
  Side side = Side::both;
  bool robust =
      false;       ///< median and median absolute deviation instead of mean and standard deviation
  int n_jobs = 0;  ///< number of threads, see `resolve_threads`
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

/// Range that the sensors of a group allow each other at an instant: a sensor deviates if its
/// distance from `centre` exceeds `half_width`. NaN if too few sensors were present to judge.
///
/// Leave-one-out limits are included: for a given group, being more than `n_sigma` standard
/// deviations from the mean of the others is equivalent to exceeding one distance from the mean of
/// all.
struct PeerBand {
  double centre;
  double half_width;  ///< 0 if `robust` finds most readings equal: all others then deviate
};

/// Findings about one sensor. Instants count from 0; −1 means none.
struct PeerVerdict {
  std::int64_t n_judged = 0;  ///< instants at which it was present and judged
  std::int64_t n_beyond = 0;  ///< instants at which it deviated
  std::int64_t first = -1;    ///< first of these
  std::int64_t last = -1;     ///< last of these
  std::int64_t worst = -1;  ///< instant at which it came closest to its limit, or exceeded it most
  /// Its distance from the centre at that instant, divided by the half width: above 1 is beyond the
  /// limit; infinite if the half width was 0.
  double worst_ratio = 0;
  double worst_deviation =
      0;  ///< signed deviation from its peers at that instant, in the sensors' unit
  double worst_sigma = 0;  ///< the same in standard deviations of its peers

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

/// Compares sensors that should agree with each other at each instant.
///
/// The peers of a sensor are all others of its group (leave-one-out, so that three sensors suffice
/// and a deviating one does not widen its own limit). It deviates if its distance from their mean
/// exceeds both `n_sigma` of their standard deviations and `floor`. With `robust`, the median and
/// 1.4826 median absolute deviations of all sensors are used instead (Iglewicz & Hoaglin 1993).
/// Missing readings (NaN) are ignored; instants with fewer than three readings are not judged.
class SECONDLOOK_EXPORT PeerDeviation {
 public:
  /// @throws InvalidArgument if a parameter is out of range
  explicit PeerDeviation(PeerDeviationParameters parameters = {});

  /// Judges each sensor (column) of `x`, shape (instants, sensors), over all instants (rows).
  ///
  /// Makes one pass over memory. The verdicts do not depend on the number of threads and equal
  /// those of `PeerDeviationStream`.
  /// @param active one value per instant: instants with 0 are not judged; empty: all are judged
  /// @throws InvalidArgument for infinities, for fewer than three sensors, and for no instants
  [[nodiscard]] std::vector<PeerVerdict> judge(MatrixView<float> x,
                                               std::span<const std::uint8_t> active = {},
                                               const Progress& progress = {}) const;
  [[nodiscard]] std::vector<PeerVerdict> judge(MatrixView<double> x,
                                               std::span<const std::uint8_t> active = {},
                                               const Progress& progress = {}) const;

  /// The band of each instant, also of those that would not be judged.
  [[nodiscard]] std::vector<PeerBand> bands(MatrixView<float> x) const;
  [[nodiscard]] std::vector<PeerBand> bands(MatrixView<double> x) const;

  [[nodiscard]] const PeerDeviationParameters& parameters() const noexcept { return parameters_; }

 private:
  PeerDeviationParameters parameters_;
};

/// `PeerDeviation` for one instant at a time: O(sensors) per instant, in constant memory. Not
/// thread-safe.
class SECONDLOOK_EXPORT PeerDeviationStream {
 public:
  /// @throws InvalidArgument for fewer than three sensors
  PeerDeviationStream(const PeerDeviation& detector, std::size_t n_sensors);
  ~PeerDeviationStream();
  PeerDeviationStream(PeerDeviationStream&&) noexcept;
  PeerDeviationStream& operator=(PeerDeviationStream&&) noexcept;

  /// Judges the readings of the next instant and returns their band.
  /// @param active whether this instant is judged; the band is returned in any case
  /// @throws InvalidArgument for infinities and a wrong number of sensors; the instant is then not
  ///   counted
  PeerBand push(std::span<const double> readings, bool active = true);

  /// Indices of the sensors that deviated at the last instant, ascending; empty if it was not
  /// judged.
  [[nodiscard]] std::span<const std::size_t> deviating() const noexcept;

  /// Findings so far.
  [[nodiscard]] const std::vector<PeerVerdict>& verdicts() const noexcept;
  /// Number of instants so far.
  [[nodiscard]] std::int64_t n_samples() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Operating state of a storage plant.
enum class PlantState : std::uint8_t { idle, charging, discharging };
template <>
inline constexpr std::array<std::string_view, 3> names_of<PlantState>{"idle", "charging",
                                                                      "discharging"};

/// State of the plant at each instant, derived from its current.
/// @param current in any unit, positive while discharging; NaN counts as idle
/// @param threshold largest magnitude of the current that counts as idle, in the same unit
[[nodiscard]] SECONDLOOK_EXPORT std::vector<PlantState> plant_states(
    std::span<const double> current, double threshold);

}  // namespace secondlook
