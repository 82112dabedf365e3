#include "core/sparse_validation.hpp"

#include <cmath>

namespace secondlook {

template <class Scalar>
void require_samples(std::string_view who, const SparseView<Scalar>& x, std::size_t n_features,
                     Missing missing) {
  // The checks of its shape are those of a dense matrix.
  require_sample_shape(who, MatrixView<Scalar>(nullptr, x.rows(), x.cols), n_features);
  const auto n_entries = static_cast<std::int64_t>(x.values.size());
  require(x.columns.size() == x.values.size() && x.row_starts.front() == 0 &&
              x.row_starts.back() == n_entries,
          "{}: expected a column for each of {} values, and rows that start at 0 and end there, "
          "got {} columns and rows from {} to {}",
          who, n_entries, x.columns.size(), x.row_starts.front(), x.row_starts.back());
  for (std::size_t row = 0; row + 1 < x.row_starts.size(); ++row) {
    const std::int64_t begin = x.row_starts[row];
    const std::int64_t end = x.row_starts[row + 1];
    require(begin <= end && end <= n_entries, "{}: expected row {} to end in [{}, {}], got {}", who,
            row, begin, n_entries, end);
    std::int64_t before = -1;
    for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k) {
      const std::int32_t column = x.columns[k];
      const Scalar value = x.values[k];
      require(column > before && column < x.cols,
              "{}: expected increasing columns below {} in row {}, got {} after {}", who, x.cols,
              row, column, before);
      require(std::isfinite(value) || (std::isnan(value) && missing == Missing::allow_nan),
              "{}: expected finite values, got {} in row {}, column {}", who,
              std::isnan(value) ? "NaN" : "infinity", row, column);
      before = column;
    }
  }
}

template SECONDLOOK_EXPORT void require_samples(std::string_view, const SparseView<float>&,
                                                std::size_t, Missing);
template SECONDLOOK_EXPORT void require_samples(std::string_view, const SparseView<double>&,
                                                std::size_t, Missing);

}  // namespace secondlook
