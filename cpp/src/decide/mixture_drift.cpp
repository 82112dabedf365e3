#include "secondlook/decide/mixture_drift.hpp"

#include <algorithm>
#include <cmath>

#include "decide/kolmogorov_tail.hpp"
#include "decide/labelled_scores.hpp"

namespace secondlook {

namespace {

using ScoresOfClass = MixtureDrift::ScoresOfClass;

constexpr std::size_t kMostQuantiles = 512;

ScoresOfClass thin(const std::vector<double>& sorted) {
  ScoresOfClass kept{static_cast<std::int64_t>(sorted.size()), {}};
  const std::size_t n = std::min(sorted.size(), kMostQuantiles);
  for (std::size_t i = 0; i < n; ++i)
    kept.quantiles.push_back(n == 1 ? sorted.front() : sorted[i * (sorted.size() - 1) / (n - 1)]);
  return kept;
}

void require_kept(const ScoresOfClass& scores) {
  const std::size_t n = scores.quantiles.size();
  require(scores.count > 0 && n == std::min(static_cast<std::size_t>(scores.count), kMostQuantiles),
          "MixtureDrift: expected one quantile per score, but at most {}, got {} quantiles of {} "
          "scores",
          kMostQuantiles, n, scores.count);
  for (std::size_t i = 0; i < n; ++i)
    require(std::isfinite(scores.quantiles[i]) &&
                (i == 0 || scores.quantiles[i] >= scores.quantiles[i - 1]),
            "MixtureDrift: expected quantiles that never fall, got {} at index {}",
            scores.quantiles[i], i);
}

// Fraction of a class at or below a score.
double distribution(const std::vector<double>& quantiles, double score) {
  return static_cast<double>(std::ranges::upper_bound(quantiles, score) - quantiles.begin()) /
         static_cast<double>(quantiles.size());
}

// Values of the distribution functions at one score.
struct Point {
  double live;
  double normal;
  double abnormal;
};

double largest_distance(const std::vector<Point>& points, double abnormal_fraction) {
  double largest = 0;
  for (const Point& p : points)
    largest =
        std::max(largest, std::abs(p.live - std::lerp(p.normal, p.abnormal, abnormal_fraction)));
  return largest;
}

// Ternary search: the largest distance is convex in the fraction.
double nearest_fraction(const std::vector<Point>& points) {
  double low = 0;
  double high = 1;
  for (int step = 0; step < 50; ++step) {
    const double left = low + (high - low) / 3;
    const double right = high - (high - low) / 3;
    if (largest_distance(points, left) <= largest_distance(points, right))
      high = right;
    else
      low = left;
  }
  return (low + high) / 2;
}

}  // namespace

MixtureDrift::MixtureDrift(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const decide::LabelledScores sorted("MixtureDrift", scores, labels);
  sorted.require_both_classes("MixtureDrift");
  normal_ = thin(sorted.negatives);
  abnormal_ = thin(sorted.positives);
}

MixtureDrift::MixtureDrift(ScoresOfClass normal, ScoresOfClass abnormal)
    : normal_(std::move(normal)), abnormal_(std::move(abnormal)) {
  require_kept(normal_);
  require_kept(abnormal_);
}

double MixtureDrift::p_value(std::span<const double> scores, bool any_mixture) const {
  decide::require_scores("MixtureDrift::p_value", scores);
  std::vector<double> live(scores.begin(), scores.end());
  std::ranges::sort(live);
  // With many live scores, a few thousand points are accurate enough.
  constexpr std::size_t kMostLivePoints = 2048;
  const std::size_t n_live_points = std::min(live.size(), kMostLivePoints);
  std::vector<double> positions(n_live_points);
  for (std::size_t i = 0; i < n_live_points; ++i)
    positions[i] = live[i * live.size() / n_live_points];
  for (const auto* quantiles : {&normal_.quantiles, &abnormal_.quantiles})
    positions.insert(positions.end(), quantiles->begin(), quantiles->end());
  std::ranges::sort(positions);
  std::vector<Point> points(positions.size());
  std::ranges::transform(positions, points.begin(), [&](double score) -> Point {
    return {distribution(live, score), distribution(normal_.quantiles, score),
            distribution(abnormal_.quantiles, score)};
  });

  const auto n_normal = static_cast<double>(normal_.count);
  const auto n_abnormal = static_cast<double>(abnormal_.count);
  const double fraction =
      any_mixture ? nearest_fraction(points) : n_abnormal / (n_normal + n_abnormal);
  const double variance = 1 / static_cast<double>(live.size()) +
                          (1 - fraction) * (1 - fraction) / n_normal +
                          fraction * fraction / n_abnormal;
  // Between two stored quantiles the distribution of a class is known only to within one of them.
  const auto slack = [](const ScoresOfClass& kept) {
    return static_cast<std::size_t>(kept.count) > kMostQuantiles
               ? 1 / static_cast<double>(kMostQuantiles)
               : 0.0;
  };
  const double distance =
      largest_distance(points, fraction) - std::lerp(slack(normal_), slack(abnormal_), fraction);
  return decide::kolmogorov_tail(distance / std::sqrt(variance));
}

}  // namespace secondlook
