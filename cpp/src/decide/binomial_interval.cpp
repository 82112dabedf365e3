#include "secondlook/decide/binomial_interval.hpp"

#include "core/validation.hpp"
#include "decide/binomial.hpp"

namespace secondlook {

namespace {

// Where an increasing function of a probability crosses `level`. Bisecting to the last bit is cheap
// enough here.
template <class Increasing>
double solve(const Increasing& increasing, double level) {
  double low = 0;
  double high = 1;
  while (true) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    (increasing(middle) < level ? low : high) = middle;
  }
}

}  // namespace

Interval binomial_interval(std::int64_t n_successes, std::int64_t n_trials, double confidence) {
  require(n_trials >= 0, "binomial_interval: n_trials must be at least 0, got {}", n_trials);
  require(n_successes >= 0 && n_successes <= n_trials,
          "binomial_interval: n_successes must lie in [0, {}], got {}", n_trials, n_successes);
  require(confidence > 0 && confidence < 1,
          "binomial_interval: confidence must lie in (0, 1), got {}", confidence);
  const auto k = static_cast<double>(n_successes);
  const auto n = static_cast<double>(n_trials);
  const double risk = (1 - confidence) / 2;
  const auto as_many = [&](double p) { return 1 - decide::binomial_cdf(k - 1, n, p); };
  const auto more = [&](double p) { return 1 - decide::binomial_cdf(k, n, p); };
  return {n_successes == 0 ? 0 : solve(as_many, risk),
          n_successes == n_trials ? 1 : solve(more, 1 - risk)};
}

}  // namespace secondlook
