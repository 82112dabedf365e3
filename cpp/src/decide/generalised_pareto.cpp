#include "decide/generalised_pareto.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

namespace secondlook::decide {

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

// Excesses divided by the largest one, so from 0 to 1.
class Excesses {
 public:
  explicit Excesses(std::vector<double> values) : n_(values.size()), padded_(std::move(values)) {
    padded_.resize((n_ + kLanes - 1) / kLanes * kLanes, 0.0);  // zeros do not change the sums
  }

  double count() const { return static_cast<double>(n_); }
  double sum() const { return std::accumulate(padded_.begin(), padded_.end(), 0.0); }

  // Σ log(1 + x·y). Logarithms would dominate the cost, so the logarithm is taken of products,
  // which are only as long as a double's exponent range allows.
  double log_sum(double x) const {
    const double bits = std::abs(std::log2(1 + x)) + 1e-3;
    const auto length = kLanes * static_cast<std::size_t>(std::clamp(1000 / bits, 1.0, 1e6));
    double sum = 0;
    for (std::size_t begin = 0; begin < padded_.size(); begin += length) {
      const std::size_t end = std::min(begin + length, padded_.size());
      double products[kLanes];
      std::fill_n(products, kLanes, 1.0);
      for (std::size_t i = begin; i < end; i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
          products[lane] *= 1 + x * padded_[i + lane];
      for (const double product : products) sum += std::log(product);
    }
    return sum;
  }

 private:
  static constexpr std::size_t kLanes = 8;

  std::size_t n_;
  std::vector<double> padded_;
};

// Log-likelihood as a function of x alone.
class Profile {
 public:
  Profile(Excesses uncensored, Excesses censored)
      : uncensored_(std::move(uncensored)),
        censored_(std::move(censored)),
        n_(uncensored_.count()),
        mean_((uncensored_.sum() + censored_.sum()) / n_) {}

  double log_likelihood(double x) const {
    if (is_exponential(x)) return -n_ * (std::log(mean_) + 1);
    const double uncensored = uncensored_.log_sum(x);
    const double shape = (uncensored + censored_.log_sum(x)) / n_;
    if (!(shape > -1)) return kNone;  // the likelihood is unbounded there
    return -n_ * (std::log(shape / x) + 1) - uncensored;
  }

  GeneralisedPareto tail(double x) const {
    if (is_exponential(x)) return {0, mean_};
    const double shape = (uncensored_.log_sum(x) + censored_.log_sum(x)) / n_;
    return {shape, shape / x};
  }

 private:
  // Below this, 1 + x·y is too close to 1 to tell the shape from 0.
  static bool is_exponential(double x) { return std::abs(x) < 1e-9; }

  Excesses uncensored_;
  Excesses censored_;
  double n_;
  double mean_;
};

// Starting points of the search, ascending: from the pole at −1 / largest to tails so heavy that
// their shape is above 2 for any sample.
std::vector<double> grid(double median) {
  std::vector<double> x;
  for (int power = 20; power >= 1; --power) x.push_back(std::ldexp(1, -power) - 1);
  for (int power = 2; power <= 10; ++power) x.push_back(-std::ldexp(1, -power));
  x.push_back(0);
  const int steps = 14 + static_cast<int>(std::min(std::ceil(-std::log2(median)), 1000.0));
  for (int power = -10; power < steps; ++power) x.push_back(std::ldexp(1, power));
  return x;
}

template <class Function>
double golden_section_maximum(const Function& f, double low, double high) {
  constexpr double kRatio = 1 / std::numbers::phi;
  double a = high - kRatio * (high - low);
  double b = low + kRatio * (high - low);
  double fa = f(a);
  double fb = f(b);
  for (int i = 0; i < 40; ++i) {  // to 5e-9 of the interval, where the likelihood is flat
    if (fa > fb) {
      high = b;
      b = a;
      fb = fa;
      a = high - kRatio * (high - low);
      fa = f(a);
    } else {
      low = a;
      a = b;
      fa = fb;
      b = low + kRatio * (high - low);
      fb = f(b);
    }
  }
  return (low + high) / 2;
}

GeneralisedPareto by_moments(std::span<const Peak> peaks, double largest) {
  const auto n = static_cast<double>(peaks.size());
  double mean = 0;
  double variance = 0;
  for (const Peak& peak : peaks) mean += peak.excess / largest / n;
  for (const Peak& peak : peaks) variance += std::pow(peak.excess / largest - mean, 2) / n;
  const double squared = mean * mean / variance;
  return {(1 - squared) / 2, mean * (1 + squared) / 2};
}

}  // namespace

double upper_quantile(const GeneralisedPareto& tail, double probability) {
  const double log_probability = std::log(probability);
  if (tail.shape == 0) return -tail.scale * log_probability;
  return tail.scale / tail.shape * std::expm1(-tail.shape * log_probability);
}

std::optional<GeneralisedPareto> fit_generalised_pareto(std::span<const Peak> peaks) {
  if (peaks.empty()) return std::nullopt;
  const auto [least, most] = std::ranges::minmax_element(peaks, {}, &Peak::excess);
  const double largest = most->excess;
  if (least->excess == largest) return std::nullopt;

  std::vector<double> uncensored;
  std::vector<double> censored;
  for (const Peak& peak : peaks)
    (peak.censored ? censored : uncensored).push_back(peak.excess / largest);
  if (uncensored.empty()) return std::nullopt;
  std::vector<double> values = uncensored;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);

  const Profile profile(Excesses(std::move(uncensored)), Excesses(std::move(censored)));
  const auto log_likelihood = [&](double x) { return profile.log_likelihood(x); };
  const auto candidates = grid(*middle);
  std::vector<double> likelihoods(candidates.size());
  std::ranges::transform(candidates, likelihoods.begin(), log_likelihood);
  const auto best =
      static_cast<std::size_t>(std::ranges::max_element(likelihoods) - likelihoods.begin());
  const bool inside = best > 0 && best + 1 < candidates.size() && likelihoods[best - 1] > kNone;
  const GeneralisedPareto tail =
      inside ? profile.tail(golden_section_maximum(log_likelihood, candidates[best - 1],
                                                   candidates[best + 1]))
             : by_moments(peaks, largest);
  return GeneralisedPareto{tail.shape, tail.scale * largest};
}

}  // namespace secondlook::decide
