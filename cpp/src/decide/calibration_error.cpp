#include "decide/calibration_error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/quantile.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook::decide {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kBins = 15;

struct Bin {
  double cases = 0;
  double distance = 0;   // sum of scores minus sum of labels
  double variance = 0;   // of the labels, if the scores were calibrated
  double residuals = 0;  // sum of squared differences between scores and labels
};

std::array<Bin, kBins> bins_of(std::span<const double> scores,
                               std::span<const std::uint8_t> labels) {
  std::array<Bin, kBins> bins;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Bin& bin = bins[std::min(static_cast<std::size_t>(scores[i] * kBins), kBins - 1)];
    const double residual = scores[i] - labels[i];
    ++bin.cases;
    bin.distance += residual;
    bin.variance += scores[i] * (1 - scores[i]);
    bin.residuals += residual * residual;
  }
  return bins;
}

// Standard deviation of a bin's distance: the larger of that of calibrated scores and that observed
// in its cases, with one calibrated case added. If all cases came out as the scores predict, up to
// three of many might not have (the rule of three).
double noise_of(const Bin& bin) {
  const double shown = (bin.residuals + bin.variance / bin.cases) * bin.cases / (bin.cases + 1);
  return std::sqrt(std::max({bin.variance, shown, std::min(3.0, bin.cases / 20)}));
}

// Standard normal numbers (Box & Muller 1958).
std::vector<double> normal_numbers(std::size_t n, RandomStream random) {
  std::vector<double> numbers(n);
  for (double& number : numbers)
    number = std::sqrt(-2 * std::log1p(-random.uniform())) *
             std::cos(2 * std::numbers::pi * random.uniform());
  return numbers;
}

// Simulates the error that is measured when each bin's true distance is a multiple of its noise.
class SimulatedErrors {
 public:
  SimulatedErrors(std::span<const double> noise, std::size_t n_draws, std::uint64_t seed)
      : noise_(noise.begin(), noise.end()),
        numbers_(normal_numbers(noise.size() * n_draws, RandomStream(seed, n_draws))) {}

  [[nodiscard]] double quantile(double times, double fraction) const {
    std::vector<double> errors(numbers_.size() / noise_.size());
    const double* number = numbers_.data();
    for (double& error : errors)
      for (const double noise : noise_) error += noise * std::abs(times + *number++);
    return secondlook::quantile(std::move(errors), fraction);
  }

 private:
  std::vector<double> noise_;
  std::vector<double> numbers_;
};

}  // namespace

// The true error differs from the measured one by at most the summed noise of the bins, so the low
// end subtracts an upper bound of that sum: 0 is inside the interval whenever calibrated scores
// could have shown as much.
//
// Noise inflates a small error, and it inflates it least if the error is spread over the bins in
// proportion to their noise. So the high end is the largest error with that spread that may show as
// little as was measured, plus one case, since counts are not normally distributed. A bootstrap
// does not work here, because its resamples are inflated twice.
Estimate calibration_error(std::span<const double> scores, std::span<const std::uint8_t> labels,
                           double confidence, std::int64_t n_draws, std::uint64_t seed) {
  if (std::ranges::any_of(scores, [](double score) { return score < 0 || score > 1; }))
    return {kNaN, {kNaN, kNaN}};
  const auto n = static_cast<double>(scores.size());
  double found = 0;
  double all_noise = 0;
  std::vector<double> noise;
  for (const Bin& bin : bins_of(scores, labels)) {
    if (bin.cases == 0) continue;
    noise.push_back(noise_of(bin) / n);
    all_noise += noise.back();
    found += std::abs(bin.distance) / n;
  }
  if (n_draws == 0) return {found, {kNaN, kNaN}};

  const double risk = (1 - confidence) / 2;
  const SimulatedErrors errors(noise, static_cast<std::size_t>(n_draws), seed);
  const double shown = found + 1 / n;
  double low = 0;
  double high = shown / all_noise + 10;
  constexpr int kHalvings = 30;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (errors.quantile(middle, risk) <= shown ? low : high) = middle;
  }
  return {found,
          {std::max(0.0, found - errors.quantile(0, 1 - risk)), std::max(found, low * all_noise)}};
}

}  // namespace secondlook::decide
