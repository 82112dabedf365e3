#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "decide/scores.hpp"

namespace secondlook::decide {

/// Checks that there are finite scores and one label, 0 or 1, per score.
inline void require_labelled(std::string_view who, std::span<const double> scores,
                             std::span<const std::uint8_t> labels) {
  require_scores(who, scores);
  require(labels.size() == scores.size(), "{}: expected one label per score ({}), got {}", who,
          scores.size(), labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    require(labels[i] <= 1, "{}: expected labels 0 (normal) and 1 (abnormal), got {} at index {}",
            who, labels[i], i);
}

/// The scores of each class, ascending: all the information that a threshold depends on.
struct LabelledScores {
  std::vector<double> negatives;
  std::vector<double> positives;

  LabelledScores(std::string_view who, std::span<const double> scores,
                 std::span<const std::uint8_t> labels) {
    require_labelled(who, scores, labels);
    const auto n_positives = static_cast<std::size_t>(std::ranges::count(labels, 1));
    positives.reserve(n_positives);
    negatives.reserve(scores.size() - n_positives);
    for (std::size_t i = 0; i < scores.size(); ++i)
      (labels[i] != 0 ? positives : negatives).push_back(scores[i]);
    std::ranges::sort(negatives);
    std::ranges::sort(positives);
  }

  [[nodiscard]] std::size_t size() const noexcept { return negatives.size() + positives.size(); }

  void require_both_classes(std::string_view who) const {
    require(!negatives.empty() && !positives.empty(),
            "{}: expected labels of both classes, got {} positive and {} negative", who,
            positives.size(), negatives.size());
  }
};

/// A threshold and the number of cases of each class below it.
struct CountedThreshold {
  double value;
  std::size_t negatives_below;
  std::size_t positives_below;
};

/// Calls `use` with every threshold that decides differently from the previous one: each distinct
/// score, ascending, and then infinity.
template <class Use>
void for_each_threshold(const LabelledScores& scores, const Use& use) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto& [negatives, positives] = scores;
  std::size_t n = 0;
  std::size_t p = 0;
  while (n < negatives.size() || p < positives.size()) {
    const double value = std::min(n < negatives.size() ? negatives[n] : kInfinity,
                                  p < positives.size() ? positives[p] : kInfinity);
    use(CountedThreshold{value, n, p});
    while (n < negatives.size() && negatives[n] == value) ++n;
    while (p < positives.size() && positives[p] == value) ++p;
  }
  use(CountedThreshold{kInfinity, n, p});
}

}  // namespace secondlook::decide
