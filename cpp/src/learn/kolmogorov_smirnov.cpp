#include "secondlook/learn/kolmogorov_smirnov.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "decide/kolmogorov_tail.hpp"
#include "decide/scores.hpp"

namespace secondlook {

namespace {

constexpr double kMaxExactPairs = 4e6;

// n · m times the statistic: an integer, so that comparisons are exact.
std::int64_t largest_distance(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<std::int64_t>(a.size());
  const auto m = static_cast<std::int64_t>(b.size());
  std::int64_t largest = 0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const double value = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    const std::int64_t distance =
        static_cast<std::int64_t>(i) * m - static_cast<std::int64_t>(j) * n;
    largest = std::max(largest, std::abs(distance));
  }
  return largest;
}

// Every order of the pooled sample is a lattice path from (0, 0) to (n, m); under the null
// hypothesis all are equally probable. The last step of a random path to (i, j) comes from (i − 1,
// j) with probability i / (i + j). So the probability that the path has been at least `distance`
// from the diagonal follows from those of the two neighbours, in sums of positive terms.
double exact_p_value(std::int64_t n, std::int64_t m, std::int64_t distance) {
  std::vector<double> inverse(static_cast<std::size_t>(n + m + 1));
  for (std::size_t k = 1; k < inverse.size(); ++k) inverse[k] = 1 / static_cast<double>(k);
  std::vector<double> reached(static_cast<std::size_t>(m + 1), 0.0);
  for (std::int64_t i = 0; i <= n; ++i) {
    double left = 0;
    for (std::int64_t j = 0; j <= m; ++j) {
      double& current = reached[static_cast<std::size_t>(j)];  // (i − 1, j) until it is overwritten
      if (std::abs(i * m - j * n) >= distance)
        current = 1;
      else if (i + j > 0)
        current = (static_cast<double>(i) * current + static_cast<double>(j) * left) *
                  inverse[static_cast<std::size_t>(i + j)];
      left = current;
    }
  }
  return std::min(reached.back(), 1.0);
}

// Kolmogorov's limit distribution, with Stephens's correction of the argument for finite samples.
double approximate_p_value(double n, double m, double statistic) {
  const double root = std::sqrt(n * m / (n + m));
  return decide::kolmogorov_tail((root + 0.12 + 0.11 / root) * statistic);
}

}  // namespace

TwoSampleTest kolmogorov_smirnov(std::span<const double> a, std::span<const double> b) {
  decide::require_scores("kolmogorov_smirnov", a);
  decide::require_scores("kolmogorov_smirnov", b);
  std::vector<double> first(a.begin(), a.end());
  std::vector<double> second(b.begin(), b.end());
  std::ranges::sort(first);
  std::ranges::sort(second);
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const std::int64_t distance = largest_distance(first, second);
  const double statistic = static_cast<double>(distance) / (n * m);
  const double p_value = n * m <= kMaxExactPairs
                             ? exact_p_value(static_cast<std::int64_t>(a.size()),
                                             static_cast<std::int64_t>(b.size()), distance)
                             : approximate_p_value(n, m, statistic);
  return {statistic, p_value};
}

}  // namespace secondlook
