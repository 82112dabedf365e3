#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/matrix.hpp"
#include "secondlook/core/sample_view.hpp"

namespace secondlook {

/// A uniform sample of all rows ever seen, in bounded memory: algorithm R (Vitter 1985).
///
/// After n rows each of them is kept with the same probability, min(1, capacity / n). The same seed
/// and rows keep the same rows. Rows of float64 are kept as float64. Rows of float32 are kept as
/// bytes while all values are whole numbers from 0 to 255, such as pixels, and as float32
/// otherwise. Rows are independent of each other: where their order carries meaning, as in a window
/// of a series, make each window one row. Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT ReplayReservoir {
 public:
  /// Values of the kept rows, one after another, in the type in which they are kept.
  using Values = std::variant<std::vector<std::uint8_t>, std::vector<float>, std::vector<double>>;

  /// All there is to a reservoir: what is kept to continue it elsewhere.
  struct State {
    std::size_t capacity = 0;    ///< rows kept at most, at least 1
    std::size_t n_features = 0;  ///< values per row, at least 1
    std::uint64_t seed = 0;
    std::uint64_t n_seen = 0;  ///< rows so far
    Values values;

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a size is 0
  ReplayReservoir(std::size_t capacity, std::size_t n_features, std::uint64_t seed);

  /// Continues from a state.
  /// @throws InvalidArgument for one that no rows lead to
  explicit ReplayReservoir(State state);

  /// Offers a row of `n_features` values; NaN is a value like others. O(n_features), and once
  /// O(all) where it needs a wider type than the rows so far.
  /// @returns the index at which it is kept now, none where it is not
  /// @throws InvalidArgument for another length
  std::optional<std::size_t> add(std::span<const float> row);
  std::optional<std::size_t> add(std::span<const double> row);

  /// Some of the kept rows, by their indices: `use` is called with a `SampleView` of them, float32
  /// for bytes.
  template <class Use>
  decltype(auto) with_rows(std::span<const std::size_t> indices, const Use& use) const {
    if (is_wide()) return use(SampleView(gather<double>(indices)));
    return use(SampleView(gather<float>(indices)));
  }

  /// Whether rows are kept as float64.
  [[nodiscard]] bool is_wide() const noexcept { return state_.values.index() == 2; }
  /// Copies of some of the kept rows, which the type, float or double, must be able to hold.
  template <class Scalar>
  [[nodiscard]] Matrix<Scalar> gather(std::span<const std::size_t> indices) const;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t n_features() const noexcept { return state_.n_features; }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  template <class Scalar>
  std::optional<std::size_t> add_any(std::span<const Scalar> row);

  State state_;
};

extern template SECONDLOOK_EXPORT Matrix<float> ReplayReservoir::gather(
    std::span<const std::size_t> indices) const;
extern template SECONDLOOK_EXPORT Matrix<double> ReplayReservoir::gather(
    std::span<const std::size_t> indices) const;

}  // namespace secondlook
