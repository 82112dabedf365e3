#include "image/classifier/image_set.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/shuffle.hpp"
#include "core/validation.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/core/thread_pool.hpp"
#include "secondlook/image/decode.hpp"

namespace secondlook::image {

namespace {

constexpr std::uint64_t kSplitStream = 1;
constexpr std::uint64_t kReplayStream = 2;

}  // namespace

Image prepare_input(const char* who, const ImageInput& input, std::size_t index,
                    const Preprocessing& preprocessing) {
  const Image image = take(input);  // whose errors name the file
  try {
    return prepare(image, preprocessing);
  } catch (const InvalidArgument& error) {
    const auto* file = std::get_if<std::filesystem::path>(&input);
    std::string_view reason = error.what();
    if (constexpr std::string_view begin = "prepare: "; reason.starts_with(begin))
      reason.remove_prefix(begin.size());
    require(false, "{}: {}: {}", who,
            file != nullptr ? file->string() : "image " + std::to_string(index), reason);
    throw;
  }
}

Image take(const ImageInput& input) {
  if (const auto* image = std::get_if<Image>(&input)) return *image;
  return read_image(std::get<std::filesystem::path>(input));
}

ImageSet load_images(const char* who, std::span<const ImageInput> inputs,
                     const Preprocessing& preprocessing, bool skip_broken, std::size_t n_threads,
                     const Progress& progress) {
  std::vector<std::optional<Image>> images(inputs.size());
  std::vector<BrokenImage> broken;
  std::mutex mutex;
  const auto load = [&](std::size_t i) {
    try {
      images[i] = prepare_input(who, inputs[i], i, preprocessing);
    } catch (const Error& error) {
      if (!skip_broken) throw;
      const std::lock_guard lock(mutex);
      broken.push_back({i, error.what()});
    }
  };
  parallel_for(
      inputs.size(), 1, n_threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) load(i);
      },
      progress);
  std::ranges::sort(broken, {}, &BrokenImage::index);
  ImageSet set;
  set.broken = std::move(broken);
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!images[i]) continue;
    set.images.push_back(std::move(*images[i]));
    set.places.push_back(i);
  }
  return set;
}

void fill(Batch& batch, std::size_t size, const Preprocessing& p, std::size_t n_threads,
          const std::function<Image(std::size_t)>& image) {
  const std::size_t n_values = p.channels * p.height * p.width;
  batch.size = size;
  batch.values.resize(size * n_values);
  parallel_for(size, 1, n_threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      to_tensor(image(i), p, std::span(batch.values).subspan(i * n_values, n_values));
  });
}

Split split_by_group(std::span<const std::int64_t> labels, std::span<const std::int64_t> groups,
                     double validation_fraction, std::uint64_t seed) {
  std::map<std::int64_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < labels.size(); ++i)
    members[groups.empty() ? static_cast<std::int64_t>(i) : groups[i]].push_back(i);

  const auto n_classes = static_cast<std::size_t>(*std::ranges::max_element(labels)) + 1;
  std::vector<std::size_t> n_left(n_classes), n_wanted(n_classes);
  for (const auto label : labels) ++n_left[static_cast<std::size_t>(label)];
  for (std::size_t k = 0; k < n_classes; ++k)
    n_wanted[k] =
        static_cast<std::size_t>(std::lround(validation_fraction * static_cast<double>(n_left[k])));

  std::vector<const std::vector<std::size_t>*> order;
  for (const auto& [group, places] : members) order.push_back(&places);
  RandomStream random(seed, kSplitStream);
  shuffle(std::span(order), random);

  Split split;
  for (const auto* places : order) {
    std::vector<std::size_t> counts(n_classes);
    for (const std::size_t i : *places) ++counts[static_cast<std::size_t>(labels[i])];
    bool wanted = false, spared = true;
    for (std::size_t k = 0; k < n_classes; ++k) {
      wanted |= counts[k] > 0 && counts[k] <= n_wanted[k];
      spared &= counts[k] == 0 || counts[k] < n_left[k];
    }
    auto& side = wanted && spared ? split.validation : split.training;
    side.insert(side.end(), places->begin(), places->end());
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

void keep_for_replay(std::span<const Image> images, std::span<const std::int64_t> labels,
                     std::span<const std::size_t> training, std::size_t n_kept, std::uint64_t seed,
                     std::vector<Image>& replay, std::vector<std::int64_t>& replay_labels) {
  std::vector<std::size_t> order(training.begin(), training.end());
  RandomStream random(seed, kReplayStream);
  shuffle(std::span(order), random);
  // The first of each class, then the second of each, and so on.
  std::map<std::int64_t, std::size_t> n_of_class;
  std::vector<std::pair<std::size_t, std::size_t>> ranked;
  for (const std::size_t place : order) ranked.emplace_back(n_of_class[labels[place]]++, place);
  std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::size_t>::first);
  ranked.resize(std::min(ranked.size(), n_kept));
  replay.clear();
  replay_labels.clear();
  for (const auto& [rank, place] : ranked) {
    replay.push_back(images[place]);
    replay_labels.push_back(labels[place]);
  }
}

ChannelStatistics channel_statistics(std::span<const Image> images,
                                     std::span<const std::size_t> places) {
  std::array<double, 3> sum{}, squares{};
  double n_pixels = 0;
  for (const std::size_t place : places) {
    const Image& image = images[place];
    const double scale = image.bits() == 8 ? 1.0 / 255 : 1.0 / 65535;
    std::visit(
        [&](const auto& values) {
          for (std::size_t channel = 0; channel < 3; ++channel) {
            double image_sum = 0, image_squares = 0;
            // A grey image is seen by all channels.
            const std::size_t first = image.channels == 1 ? 0 : channel;
            for (std::size_t i = first; i < values.size(); i += image.channels) {
              const double value = scale * values[i];
              image_sum += value;
              image_squares += value * value;
            }
            sum[channel] += image_sum;
            squares[channel] += image_squares;
          }
        },
        image.pixels);
    n_pixels += static_cast<double>(image.height * image.width);
  }
  ChannelStatistics statistics{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const double mean = sum[channel] / n_pixels;
    const double variance = std::max(squares[channel] / n_pixels - mean * mean, 0.0);
    statistics.mean[channel] = static_cast<float>(mean);
    // Images of one value are no reason to divide by nearly nothing.
    statistics.standard_deviation[channel] =
        static_cast<float>(std::max(std::sqrt(variance), 1e-3));
  }
  return statistics;
}

}  // namespace secondlook::image
