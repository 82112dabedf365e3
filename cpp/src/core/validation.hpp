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
// Inline, so that none of our libraries exports a symbol with types of fmt: the image component
// uses the fmt of LibTorch, which has another version.
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

/// Throws `Exception` with the formatted message unless `condition` holds. All checks use it.
///
/// A message says who found the error, what was expected and what came:
/// `IsolationForest::score: expected 14 features, got 12`.
template <class Exception = InvalidArgument, class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (condition) [[likely]]
    return;
  detail::throw_formatted(&detail::throw_as<Exception>, format, fmt::make_format_args(args...));
}

/// Whether a matrix may contain missing values.
enum class Missing { refuse, allow_nan };

/// Checks that there is at least one row and one column, and `n_features` columns unless that is 0.
template <class Scalar>
void require_sample_shape(std::string_view who, MatrixView<Scalar> x, std::size_t n_features = 0) {
  require(x.rows() > 0, "{}: expected at least 1 sample, got 0", who);
  require(x.cols() > 0, "{}: expected at least 1 feature, got 0", who);
  require(n_features == 0 || static_cast<std::size_t>(x.cols()) == n_features,
          "{}: expected {} features, got {}", who, n_features, x.cols());
}

/// Whether there are neither NaN nor infinite values.
template <class Scalar>
[[nodiscard]] bool all_finite(MatrixView<Scalar> x);

/// Checks the shape of a matrix of samples and that its values are finite (or NaN, if allowed). The
/// error names the row and column of the first invalid value.
template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, Missing missing = Missing::refuse);

/// As above, and checks that there are `n_features` columns.
template <class Scalar>
void require_samples(std::string_view who, MatrixView<Scalar> x, std::size_t n_features,
                     Missing missing = Missing::refuse) {
  require_sample_shape(who, x, n_features);
  require_samples(who, x, missing);
}

}  // namespace secondlook
