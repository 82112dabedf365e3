#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "secondlook/core/random.hpp"

/// Scores with labels.
struct LabelledCases {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

inline double normal(secondlook::RandomStream& random) {
  constexpr double kTwoPi = 6.283185307179586;
  const double radius = std::sqrt(-2 * std::log1p(-random.uniform()));
  return radius * std::cos(kTwoPi * random.uniform());
}

/// Normal deviates around 0, and around `gap` for the abnormal, of which there is one case in
/// `one_in`.
inline LabelledCases normal_cases(std::size_t n, double gap, std::size_t one_in,
                                  secondlook::RandomStream& random) {
  LabelledCases cases;
  for (std::size_t i = 0; i < n; ++i) {
    cases.labels.push_back(i % one_in == 0 ? 1 : 0);
    cases.scores.push_back(normal(random) + gap * cases.labels.back());
  }
  return cases;
}

/// Cases of both classes whose scores are integers below `n_values`, so that there are many ties.
inline LabelledCases tied_cases(std::size_t n, std::uint64_t n_values,
                                secondlook::RandomStream& random) {
  LabelledCases cases;
  for (std::size_t i = 0; i < n; ++i) {
    cases.labels.push_back(i < 2 ? static_cast<std::uint8_t>(i)
                                 : static_cast<std::uint8_t>(random.below(2)));
    cases.scores.push_back(static_cast<double>(random.below(n_values)));
  }
  return cases;
}
