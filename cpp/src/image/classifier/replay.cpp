#include "image/classifier/replay.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/shuffle.hpp"
#include "image/random_streams.hpp"

namespace secondlook::image {

Replay choose_for_replay(std::span<const Image> images, std::span<const std::int64_t> labels,
                         std::span<const std::size_t> training, std::size_t capacity,
                         std::uint64_t seed) {
  std::vector<std::size_t> order(training.begin(), training.end());
  RandomStream random = random_stream(seed, RandomUse::replay);
  shuffle(std::span(order), random);
  // The first of each class, then the second of each, and so on.
  std::map<std::int64_t, std::size_t> n_of_class;
  std::vector<std::pair<std::size_t, std::size_t>> ranked;
  for (const std::size_t index : order) ranked.emplace_back(n_of_class[labels[index]]++, index);
  std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::size_t>::first);
  ranked.resize(std::min(ranked.size(), capacity));
  Replay replay;
  for (const auto& [rank, index] : ranked) {
    replay.images.push_back(images[index]);
    replay.labels.push_back(labels[index]);
  }
  replay.n_seen = training.size();
  return replay;
}

void offer_for_replay(Replay& replay, std::span<const Image> images,
                      std::span<const std::int64_t> labels, std::size_t capacity,
                      RandomStream random) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::uint64_t index = random.below(++replay.n_seen);
    if (replay.images.size() < capacity) {
      replay.images.push_back(images[i]);
      replay.labels.push_back(labels[i]);
    } else if (index < replay.images.size()) {
      replay.images[index] = images[i];
      replay.labels[index] = labels[i];
    }
  }
}

}  // namespace secondlook::image
