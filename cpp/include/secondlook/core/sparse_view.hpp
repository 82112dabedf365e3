#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "secondlook/core/matrix.hpp"

namespace secondlook {

/// Non-owning view of a sparse matrix in compressed rows (CSR): row i holds `values[k]` in column
/// `columns[k]` for k in [`row_starts[i]`, `row_starts[i + 1]`), and zero elsewhere.
///
/// The columns of a row must increase. What reads the matrix checks that.
template <std::floating_point Scalar>
struct SparseView {
  Index cols = 0;
  std::span<const std::int64_t> row_starts;  ///< one more than there are rows
  std::span<const std::int32_t> columns;
  std::span<const Scalar> values;

  [[nodiscard]] Index rows() const noexcept {
    return row_starts.empty() ? 0 : static_cast<Index>(row_starts.size()) - 1;
  }

  /// Calls `use` with the column and the value of each entry of row i.
  template <class Use>
  void for_each_entry(std::size_t i, Use&& use) const {
    const auto end = static_cast<std::size_t>(row_starts[i + 1]);
    for (auto k = static_cast<std::size_t>(row_starts[i]); k < end; ++k)
      use(static_cast<std::size_t>(columns[k]), values[k]);
  }
};

/// Samples in float32 or float64, one per row of a sparse matrix.
using SparseSampleView = std::variant<SparseView<float>, SparseView<double>>;

}  // namespace secondlook
