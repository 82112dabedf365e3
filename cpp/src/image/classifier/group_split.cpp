#include "secondlook/image/group_split.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/shuffle.hpp"
#include "core/validation.hpp"
#include "image/random_streams.hpp"

namespace secondlook {

namespace {

constexpr std::int64_t kMostClasses = 1'000'000;  // the counts of all classes are in memory

}  // namespace

GroupSplit split_by_group(std::span<const std::int64_t> labels,
                          std::span<const std::int64_t> groups, double fraction,
                          std::uint64_t seed) {
  require(
      !labels.empty() && std::ranges::min(labels) >= 0 && std::ranges::max(labels) < kMostClasses,
      "split_by_group: expected labels from 0 to {}, one per sample", kMostClasses - 1);
  require(groups.empty() || groups.size() == labels.size(),
          "split_by_group: expected one group per sample ({}), got {}", labels.size(),
          groups.size());
  require(fraction >= 0 && fraction < 1, "split_by_group: fraction must lie in [0, 1), got {}",
          fraction);
  std::map<std::int64_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < labels.size(); ++i)
    members[groups.empty() ? static_cast<std::int64_t>(i) : groups[i]].push_back(i);

  const auto n_classes = static_cast<std::size_t>(*std::ranges::max_element(labels)) + 1;
  std::vector<std::size_t> n_left(n_classes), n_wanted(n_classes);
  for (const auto label : labels) ++n_left[static_cast<std::size_t>(label)];
  for (std::size_t k = 0; k < n_classes; ++k)
    n_wanted[k] = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(n_left[k])));

  std::vector<const std::vector<std::size_t>*> order;
  for (const auto& [group, indices] : members) order.push_back(&indices);
  RandomStream random = image::random_stream(seed, image::RandomUse::split);
  shuffle(std::span(order), random);

  GroupSplit split;
  for (const auto* indices : order) {
    std::vector<std::size_t> counts(n_classes);
    for (const std::size_t i : *indices) ++counts[static_cast<std::size_t>(labels[i])];
    bool wanted = false, spared = true;
    for (std::size_t k = 0; k < n_classes; ++k) {
      wanted |= counts[k] > 0 && counts[k] <= n_wanted[k];
      spared &= counts[k] == 0 || counts[k] < n_left[k];
    }
    auto& side = wanted && spared ? split.validation : split.training;
    side.insert(side.end(), indices->begin(), indices->end());
    if (!(wanted && spared)) continue;
    for (std::size_t k = 0; k < n_classes; ++k) {
      n_left[k] -= counts[k];
      n_wanted[k] -= std::min(counts[k], n_wanted[k]);
    }
  }
  std::ranges::sort(split.training);
  std::ranges::sort(split.validation);
  return split;
}

}  // namespace secondlook
