#include "secondlook/decide/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "decide/labelled_scores.hpp"

namespace secondlook {

namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Cross-entropy at x = slope · z + intercept, without overflow.
double cross_entropy(double x, double target) {
  return (x > 0 ? std::log1p(std::exp(-x)) + x : std::log1p(std::exp(x))) - target * x;
}

// Newton's method on standardised scores; each step is halved until the loss decreases.
Calibration::State fit_platt(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const auto n = static_cast<double>(scores.size());
  const auto n_positive = static_cast<double>(std::ranges::count(labels, 1));
  const double high = (n_positive + 1) / (n_positive + 2);
  const double low = 1 / (n - n_positive + 2);
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
  double squares = 0;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  const double width = squares > 0 ? std::sqrt(squares / n) : 1;

  double a = 0;
  double b = std::log((n_positive + 1) / (n - n_positive + 1));
  const auto loss = [&](double slope, double intercept) {
    double sum = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
      sum += cross_entropy(slope * (scores[i] - mean) / width + intercept,
                           labels[i] != 0 ? high : low);
    return sum;
  };
  double current = loss(a, b);
  for (int iteration = 0; iteration < 100; ++iteration) {
    double gradient_a = 0;
    double gradient_b = 0;
    double aa = 1e-12;  // never singular, even if all scores are equal
    double ab = 0;
    double bb = 1e-12;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double z = (scores[i] - mean) / width;
      const double p = logistic(a * z + b);
      const double error = p - (labels[i] != 0 ? high : low);
      const double weight = p * (1 - p);
      gradient_a += error * z;
      gradient_b += error;
      aa += weight * z * z;
      ab += weight * z;
      bb += weight;
    }
    if (std::abs(gradient_a) + std::abs(gradient_b) < 1e-10 * n) break;
    const double determinant = aa * bb - ab * ab;
    const double step_a = -(bb * gradient_a - ab * gradient_b) / determinant;
    const double step_b = -(aa * gradient_b - ab * gradient_a) / determinant;
    double fraction = 1;
    double next = loss(a + step_a, b + step_b);
    while (!(next < current) && fraction > 1e-10) {
      fraction /= 2;
      next = loss(a + fraction * step_a, b + fraction * step_b);
    }
    if (!(next < current)) break;
    a += fraction * step_a;
    b += fraction * step_b;
    current = next;
  }
  return {CalibrationMethod::platt, a / width, b - a * mean / width, {}, {}};
}

// Pools adjacent violators (Ayer et al. 1955); equal scores are one block.
Calibration::State fit_isotonic(std::span<const double> scores,
                                std::span<const std::uint8_t> labels) {
  struct Block {
    double first;
    double last;
    double positives;
    double cases;
    [[nodiscard]] double mean() const { return positives / cases; }
  };
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < order.size();) {
    const double score = scores[order[i]];
    Block block{score, score, 0, 0};
    for (; i < order.size() && scores[order[i]] == score; ++i) {
      block.positives += labels[order[i]];
      ++block.cases;
    }
    while (!blocks.empty() && blocks.back().mean() >= block.mean()) {
      block = {blocks.back().first, block.last, blocks.back().positives + block.positives,
               blocks.back().cases + block.cases};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  Calibration::State state{CalibrationMethod::isotonic, 0, 0, {}, {}};
  for (const Block& block : blocks) {
    state.scores.push_back(block.first);
    state.probabilities.push_back(block.mean());
    if (block.last == block.first) continue;
    state.scores.push_back(block.last);
    state.probabilities.push_back(block.mean());
  }
  return state;
}

Calibration::State fit(CalibrationMethod method, std::span<const double> scores,
                       std::span<const std::uint8_t> labels) {
  decide::require_labelled("Calibration", scores, labels);
  const auto n_positive = std::ranges::count(labels, 1);
  const auto n_negative = std::ranges::count(labels, 0);
  require(n_positive > 0 && n_negative > 0,
          "Calibration: expected labels of both classes, got {} positive and {} negative",
          n_positive, n_negative);
  switch (method) {
    case CalibrationMethod::platt:
      return fit_platt(scores, labels);
    case CalibrationMethod::isotonic:
      return fit_isotonic(scores, labels);
    case CalibrationMethod::temperature: {
      Matrix<double> logits(static_cast<Index>(scores.size()), 2);
      for (std::size_t i = 0; i < scores.size(); ++i) logits(static_cast<Index>(i), 1) = scores[i];
      const std::vector<std::int64_t> classes(labels.begin(), labels.end());
      return {method, 1 / fit_temperature(logits, classes), 0, {}, {}};
    }
  }
  throw InvalidArgument("Calibration: unknown method");
}

void require_state(const Calibration::State& state) {
  require(std::isfinite(state.slope) && std::isfinite(state.intercept),
          "Calibration: expected finite parameters, got slope {} and intercept {}", state.slope,
          state.intercept);
  require(state.method != CalibrationMethod::temperature || state.slope > 0,
          "Calibration: expected a temperature above 0, got slope {}", state.slope);
  if (state.method != CalibrationMethod::isotonic) return;
  require(!state.scores.empty() && state.scores.size() == state.probabilities.size(),
          "Calibration: expected at least 1 score and one probability per score, got {} "
          "probabilities and {} scores",
          state.probabilities.size(), state.scores.size());
  for (std::size_t i = 0; i < state.scores.size(); ++i) {
    require(std::isfinite(state.scores[i]) && (i == 0 || state.scores[i] > state.scores[i - 1]),
            "Calibration: expected strictly increasing scores, got {} at index {}", state.scores[i],
            i);
    require(state.probabilities[i] >= (i == 0 ? 0 : state.probabilities[i - 1]) &&
                state.probabilities[i] <= 1,
            "Calibration: expected probabilities that never fall, got {} at index {}",
            state.probabilities[i], i);
  }
}

double interpolate(const Calibration::State& state, double score) {
  const auto above = std::ranges::upper_bound(state.scores, score);
  const auto i = static_cast<std::size_t>(above - state.scores.begin());
  if (i == 0) return state.probabilities.front();
  if (i == state.scores.size()) return state.probabilities.back();
  const double fraction = (score - state.scores[i - 1]) / (state.scores[i] - state.scores[i - 1]);
  return std::lerp(state.probabilities[i - 1], state.probabilities[i], fraction);
}

}  // namespace

Calibration::Calibration(CalibrationMethod method, std::span<const double> scores,
                         std::span<const std::uint8_t> labels)
    : state_(fit(method, scores, labels)) {}

Calibration::Calibration(State state) : state_(std::move(state)) { require_state(state_); }

std::vector<double> Calibration::probabilities(std::span<const double> scores) const {
  decide::require_scores("Calibration::probabilities", scores);
  std::vector<double> p(scores.size());
  std::ranges::transform(scores, p.begin(), [&](double score) {
    if (state_.method == CalibrationMethod::isotonic) return interpolate(state_, score);
    return logistic(state_.slope * score + state_.intercept);
  });
  return p;
}

double fit_temperature(MatrixView<double> logits, std::span<const std::int64_t> labels) {
  require(logits.rows() > 0 && logits.cols() > 1,
          "fit_temperature: expected at least 1 row of 2 logits, got shape ({}, {})", logits.rows(),
          logits.cols());
  require_samples("fit_temperature", logits);
  require(labels.size() == static_cast<std::size_t>(logits.rows()),
          "fit_temperature: expected one label per row ({}), got {}", logits.rows(), labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    require(labels[i] >= 0 && labels[i] < logits.cols(),
            "fit_temperature: expected labels from 0 to {}, got {} at index {}", logits.cols() - 1,
            labels[i], i);
  // The likelihood is concave in β = 1 / T. Its derivative, the labels' logits minus the expected
  // ones, decreases with β.
  const auto derivative = [&](double beta) {
    double sum = 0;
    for (Index i = 0; i < logits.rows(); ++i) {
      const auto row = logits.row(i);
      const double largest = std::ranges::max(row);
      double weights = 0;
      double expected = 0;
      for (Index j = 0; j < logits.cols(); ++j) {
        const double weight = std::exp(beta * (row[j] - largest));
        weights += weight;
        expected += weight * row[j];
      }
      sum += row[labels[static_cast<std::size_t>(i)]] - expected / weights;
    }
    return sum;
  };
  double low = std::log(0.01);
  double high = std::log(100.0);
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (derivative(std::exp(middle)) > 0 ? low : high) = middle;
  }
  return std::exp(-(low + high) / 2);
}

}  // namespace secondlook
