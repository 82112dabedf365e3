#include "secondlook/learn/replay_reservoir.hpp"

#include <algorithm>
#include <utility>

#include "core/validation.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook {

ReplayReservoir::ReplayReservoir(std::size_t capacity, std::size_t n_features, std::uint64_t seed)
    : ReplayReservoir(State{capacity, n_features, seed, 0, {}}) {}

ReplayReservoir::ReplayReservoir(State state) : state_(std::move(state)) {
  const auto& s = state_;
  require(s.capacity >= 1, "ReplayReservoir: capacity must be at least 1, got 0");
  require(s.n_features >= 1, "ReplayReservoir: expected at least 1 feature, got 0");
  const auto n_kept = static_cast<std::size_t>(std::min<std::uint64_t>(s.capacity, s.n_seen));
  require(s.values.size() % s.n_features == 0 && s.values.size() / s.n_features == n_kept,
          "ReplayReservoir: expected {} rows of {} features, got {} values", n_kept, s.n_features,
          s.values.size());
}

void ReplayReservoir::add(std::span<const double> row) {
  auto& s = state_;
  require(row.size() == s.n_features, "ReplayReservoir::add: expected {} features, got {}",
          s.n_features, row.size());
  const std::uint64_t number = s.n_seen++;
  if (number < s.capacity) {
    s.values.insert(s.values.end(), row.begin(), row.end());
    return;
  }
  // A random stream of its own for each row: nothing but the count need be kept.
  const std::uint64_t place = RandomStream(s.seed, number).below(number + 1);
  if (place >= s.capacity) return;
  std::ranges::copy(row, s.values.begin() + static_cast<std::ptrdiff_t>(place * s.n_features));
}

MatrixView<double> ReplayReservoir::rows() const noexcept {
  return {state_.values.data(), static_cast<Index>(size()), static_cast<Index>(n_features())};
}

}  // namespace secondlook
