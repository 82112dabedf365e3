#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// A uniform sample of all rows ever seen, in bounded memory: algorithm R (Vitter 1985).
///
/// After n rows each of them is kept with the same probability, min(1, capacity / n). The same seed
/// and rows keep the same rows. Rows are independent of each other: where their order carries
/// meaning, as in a window of a series, make each window one row. Not thread-safe; copies are
/// independent.
class SECONDLOOK_EXPORT ReplayReservoir {
 public:
  /// All there is to a reservoir: what is kept to continue it elsewhere.
  struct State {
    std::size_t capacity = 0;    ///< rows kept at most, at least 1
    std::size_t n_features = 0;  ///< values a row, at least 1
    std::uint64_t seed = 0;
    std::uint64_t n_seen = 0;    ///< rows so far
    std::vector<double> values;  ///< of the kept rows, one after another

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a size is 0
  ReplayReservoir(std::size_t capacity, std::size_t n_features, std::uint64_t seed);

  /// Continues from a state.
  /// @throws InvalidArgument for one that no rows lead to
  explicit ReplayReservoir(State state);

  /// Offers a row of `n_features` values; NaN is a value like others. O(n_features).
  /// @throws InvalidArgument for another length
  void add(std::span<const double> row);

  /// The kept rows, in no particular order.
  [[nodiscard]] MatrixView<double> rows() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return state_.values.size() / n_features(); }
  [[nodiscard]] std::size_t n_features() const noexcept { return state_.n_features; }
  [[nodiscard]] const State& state() const noexcept { return state_; }

 private:
  State state_;
};

template <FieldsOf<ReplayReservoir::State> T>
void for_each_field(T& s, auto&& use) {
  use("capacity", s.capacity);
  use("n_features", s.n_features);
  use("seed", s.seed);
  use("n_seen", s.n_seen);
  use("values", s.values);
}

}  // namespace secondlook
