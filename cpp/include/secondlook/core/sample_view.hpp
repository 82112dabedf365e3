#pragma once

#include <concepts>
#include <utility>
#include <variant>

#include "secondlook/core/matrix_view.hpp"

namespace secondlook {

/// Non-owning view of samples, one per row, in float32 or float64. Made from anything that converts
/// to a `MatrixView`.
class SampleView {
 public:
  SampleView(MatrixView<float> x) : x_(x) {}   // NOLINT(google-explicit-constructor)
  SampleView(MatrixView<double> x) : x_(x) {}  // NOLINT(google-explicit-constructor)

  template <class Samples>
    requires(std::convertible_to<const Samples&, MatrixView<float>> &&
             !std::same_as<Samples, MatrixView<float>>)
  SampleView(const Samples& x)  // NOLINT(google-explicit-constructor): lossless
      : x_(MatrixView<float>(x)) {}

  template <class Samples>
    requires(std::convertible_to<const Samples&, MatrixView<double>> &&
             !std::same_as<Samples, MatrixView<double>>)
  SampleView(const Samples& x)  // NOLINT(google-explicit-constructor): lossless
      : x_(MatrixView<double>(x)) {}

  /// Calls `use` with the `MatrixView` of the samples' type.
  template <class Use>
  decltype(auto) visit(Use&& use) const {
    return std::visit(std::forward<Use>(use), x_);
  }

  [[nodiscard]] Index rows() const {
    return visit([](const auto& x) { return x.rows(); });
  }
  [[nodiscard]] Index cols() const {
    return visit([](const auto& x) { return x.cols(); });
  }

 private:
  std::variant<MatrixView<float>, MatrixView<double>> x_;
};

}  // namespace secondlook
