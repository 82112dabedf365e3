#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "secondlook/core/error.hpp"
#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

namespace detail {
// Inline, so that no library of ours offers a symbol with fmt's types: the image room sees
// LibTorch's fmt, which is of another version.
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_formatted(
    void (*thrower)(const std::string&), fmt::string_view format, fmt::format_args args) {
  thrower(fmt::vformat(format, args));
  std::abort();  // never: the thrower throws
}

template <class Exception>
[[noreturn]] void throw_as(const std::string& message) {
  throw Exception(message);
}
}  // namespace detail

/// The one validation helper: throws `Exception` with the formatted message unless `condition`.
///
/// Messages say who, what was expected and what came:
/// `IsolationForest::score: expected 14 features, got 12`.
template <class Exception = InvalidArgument, class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (condition) [[likely]]
    return;
  detail::throw_formatted(&detail::throw_as<Exception>, format, fmt::make_format_args(args...));
}

/// What a matrix may hold.
enum class Missing { refuse, allow_nan };

/// Checks that there is at least one row and one column, and as many columns as `n_features`
/// unless that is 0.
template <class Scalar>
void require_sample_shape(std::string_view who, MatrixView<Scalar> x, std::size_t n_features = 0) {
  require(x.rows() > 0, "{}: expected at least 1 sample, got 0", who);
  require(x.cols() > 0, "{}: expected at least 1 feature, got 0", who);
  require(n_features == 0 || static_cast<std::size_t>(x.cols()) == n_features,
          "{}: expected {} features, got {}", who, n_features, x.cols());
}

/// Whether there is neither NaN nor infinity.
template <class Scalar>
[[nodiscard]] bool all_finite(MatrixView<Scalar> x);

/// Checks a matrix of samples: its shape, and finite values (NaN where allowed). The first
/// offending cell is named by row and column.
template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, Missing missing = Missing::refuse);

/// As above, and of so many columns.
template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, std::size_t n_features,
                     Missing missing = Missing::refuse) {
  require_sample_shape(who, x, n_features);
  require_samples(who, x, missing);
}

}  // namespace secondlook
