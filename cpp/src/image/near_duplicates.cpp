#include "secondlook/image/near_duplicates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <opencv2/imgproc.hpp>
#include <tuple>

#include "core/validation.hpp"
#include "image/pixels.hpp"

namespace secondlook {

std::uint64_t difference_hash(const Image& image) {
  image::require_image("difference_hash", image);
  cv::Mat pixels = image::as_mat(image);
  if (pixels.channels() == 3) {
    cv::Mat grey;
    cv::cvtColor(pixels, grey, cv::COLOR_RGB2GRAY);
    pixels = grey;
  }
  cv::Mat small, grid;
  cv::resize(pixels, small, cv::Size(9, 8), 0, 0, cv::INTER_AREA);
  small.convertTo(grid, CV_32F);
  std::uint64_t hash = 0;
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column)
      hash = hash << 1 | (grid.at<float>(row, column) < grid.at<float>(row, column + 1) ? 1U : 0U);
  return hash;
}

std::vector<NearDuplicates> near_duplicates(std::span<const std::uint64_t> hashes,
                                            int max_distance) {
  require(max_distance >= 0 && max_distance <= 7,
          "near_duplicates: max_distance must lie in [0, 7], got {}", max_distance);
  std::vector<NearDuplicates> pairs;
  for (int byte = 0; byte <= max_distance; ++byte) {
    // Hashes that differ in at most d bits agree in one of any d + 1 parts.
    std::array<std::vector<std::size_t>, 256> alike;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      alike[hashes[i] >> (8 * byte) & 0xFF].push_back(i);
    for (const auto& places : alike)
      for (std::size_t a = 0; a < places.size(); ++a)
        for (std::size_t b = a + 1; b < places.size(); ++b) {
          const int distance = std::popcount(hashes[places[a]] ^ hashes[places[b]]);
          if (distance <= max_distance) pairs.push_back({places[a], places[b], distance});
        }
  }
  const auto key = [](const NearDuplicates& pair) { return std::tuple(pair.first, pair.second); };
  std::ranges::sort(pairs, {}, key);
  const auto repeated = std::ranges::unique(pairs, {}, key);
  pairs.erase(repeated.begin(), repeated.end());
  return pairs;
}

}  // namespace secondlook
