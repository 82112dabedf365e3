#include "secondlook/learn/replay_reservoir.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/validation.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook {

namespace {

using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

std::size_t count(const ReplayReservoir::Values& values) {
  return std::visit([](const auto& kept) { return kept.size(); }, values);
}

bool are_bytes(std::span<const float> row) {
  return std::ranges::all_of(row, [](float value) {
    return value >= 0 && value <= 255 && value == std::floor(value) && !std::signbit(value);
  });
}

template <class Wide>
void widen(ReplayReservoir::Values& values) {
  Wide wide;
  std::visit([&](const auto& kept) { wide.assign(kept.begin(), kept.end()); }, values);
  values = std::move(wide);
}

// Converts the values to a type that can also represent the row. Values of float64 stay float64: a
// float32 row may be followed by float64 rows.
void widen_for(ReplayReservoir::Values& values, std::span<const float> row) {
  if (std::holds_alternative<Bytes>(values) && !are_bytes(row)) widen<Floats>(values);
}
void widen_for(ReplayReservoir::Values& values, std::span<const double>) {
  if (!std::holds_alternative<Doubles>(values)) widen<Doubles>(values);
}

template <class Kept, class Scalar>
void copy_as(std::span<const Kept> from, std::span<Scalar> to) {
  std::ranges::transform(from, to.begin(), [](Kept value) { return static_cast<Scalar>(value); });
}

}  // namespace

ReplayReservoir::ReplayReservoir(std::size_t capacity, std::size_t n_features, std::uint64_t seed)
    : ReplayReservoir(State{capacity, n_features, seed, 0, {}}) {}

ReplayReservoir::ReplayReservoir(State state) : state_(std::move(state)) {
  const auto& s = state_;
  require(s.capacity >= 1, "ReplayReservoir: capacity must be at least 1, got 0");
  require(s.n_features >= 1, "ReplayReservoir: expected at least 1 feature, got 0");
  const auto n_kept = static_cast<std::size_t>(std::min<std::uint64_t>(s.capacity, s.n_seen));
  const std::size_t n_values = count(s.values);
  require(n_values % s.n_features == 0 && n_values / s.n_features == n_kept,
          "ReplayReservoir: expected {} rows of {} features, got {} values", n_kept, s.n_features,
          n_values);
}

std::optional<std::size_t> ReplayReservoir::add(std::span<const float> row) { return add_any(row); }
std::optional<std::size_t> ReplayReservoir::add(std::span<const double> row) {
  return add_any(row);
}

std::size_t ReplayReservoir::size() const { return count(state_.values) / n_features(); }

template <class Scalar>
std::optional<std::size_t> ReplayReservoir::add_any(std::span<const Scalar> row) {
  auto& s = state_;
  require(row.size() == s.n_features, "ReplayReservoir::add: expected {} features, got {}",
          s.n_features, row.size());
  const std::uint64_t number = s.n_seen++;
  std::uint64_t index = number;
  // Each row has its own random stream, so only the count needs to be stored.
  if (number >= s.capacity) index = RandomStream(s.seed, number).below(number + 1);
  if (index >= s.capacity) return std::nullopt;
  widen_for(s.values, row);
  std::visit(
      [&](auto& kept) {
        using Kept = typename std::decay_t<decltype(kept)>::value_type;
        const std::size_t first = static_cast<std::size_t>(index) * s.n_features;
        if (kept.size() == first) kept.resize(first + s.n_features);
        copy_as<Scalar>(row, std::span<Kept>(kept).subspan(first, s.n_features));
      },
      s.values);
  return static_cast<std::size_t>(index);
}

template <class Scalar>
Matrix<Scalar> ReplayReservoir::gather(std::span<const std::size_t> indices) const {
  Matrix<Scalar> rows(std::ssize(indices), static_cast<Index>(n_features()));
  std::visit(
      [&](const auto& kept) {
        using Kept = typename std::decay_t<decltype(kept)>::value_type;
        for (std::size_t i = 0; i < indices.size(); ++i)
          copy_as(std::span<const Kept>(kept).subspan(indices[i] * n_features(), n_features()),
                  rows.row(static_cast<Index>(i)));
      },
      state_.values);
  return rows;
}

template Matrix<float> ReplayReservoir::gather(std::span<const std::size_t> indices) const;
template Matrix<double> ReplayReservoir::gather(std::span<const std::size_t> indices) const;

}  // namespace secondlook
