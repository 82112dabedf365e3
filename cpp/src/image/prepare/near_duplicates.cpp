#include "secondlook/image/near_duplicates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <tuple>

#include "core/validation.hpp"
#include "image/codec/pixels.hpp"

namespace secondlook {

namespace {

constexpr int kCandidateBits = 3;
constexpr int kGridSide = 32;
constexpr double kLeastCorrelation = 0.95;

/// Mean grey value of each cell of a grid.
cv::Mat grid_of(const Image& image, cv::Size size) {
  cv::Mat pixels = image::as_mat(image);
  if (pixels.channels() == 3) {
    cv::Mat grey;
    cv::cvtColor(pixels, grey, cv::COLOR_RGB2GRAY);
    pixels = grey;
  }
  cv::Mat small, grid;
  cv::resize(pixels, small, size, 0, 0, cv::INTER_AREA);
  small.convertTo(grid, CV_32F);
  return grid;
}

/// Changes of brightness to the right and downwards, scaled to length 1; empty for a uniform image.
std::vector<float> changes_of(const Image& image) {
  const cv::Mat grid = grid_of(image, cv::Size(kGridSide, kGridSide));
  std::vector<float> changes;
  for (int row = 0; row + 1 < kGridSide; ++row)
    for (int column = 0; column + 1 < kGridSide; ++column) {
      const float here = grid.at<float>(row, column);
      changes.push_back(grid.at<float>(row, column + 1) - here);
      changes.push_back(grid.at<float>(row + 1, column) - here);
    }
  const float length =
      std::sqrt(std::inner_product(changes.begin(), changes.end(), changes.begin(), 0.0F));
  if (length == 0) return {};
  for (float& change : changes) change /= length;
  return changes;
}

}  // namespace

std::uint64_t difference_hash(const Image& image) {
  image::require_image("difference_hash", image);
  const cv::Mat grid = grid_of(image, cv::Size(9, 8));
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
    // Of any d + 1 parts, hashes that differ in at most d bits agree in at least one.
    std::array<std::vector<std::size_t>, 256> alike;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      alike[hashes[i] >> (8 * byte) & 0xFF].push_back(i);
    for (const auto& indices : alike)
      for (std::size_t a = 0; a < indices.size(); ++a)
        for (std::size_t b = a + 1; b < indices.size(); ++b) {
          const int distance = std::popcount(hashes[indices[a]] ^ hashes[indices[b]]);
          if (distance <= max_distance) pairs.push_back({indices[a], indices[b], distance});
        }
  }
  const auto key = [](const NearDuplicates& pair) { return std::tuple(pair.first, pair.second); };
  std::ranges::sort(pairs, {}, key);
  const auto repeated = std::ranges::unique(pairs, {}, key);
  pairs.erase(repeated.begin(), repeated.end());
  return pairs;
}

std::vector<NearDuplicates> find_near_duplicates(std::span<const Image> images) {
  std::vector<std::uint64_t> hashes;
  for (const Image& image : images) hashes.push_back(difference_hash(image));
  auto pairs = near_duplicates(hashes, kCandidateBits);
  std::vector<std::optional<std::vector<float>>> changes(images.size());
  const auto changes_at = [&](std::size_t index) -> const std::vector<float>& {
    if (!changes[index]) changes[index] = changes_of(images[index]);
    return *changes[index];
  };
  std::erase_if(pairs, [&](const NearDuplicates& pair) {
    const auto& a = changes_at(pair.first);
    const auto& b = changes_at(pair.second);
    if (a.empty() || b.empty()) return true;
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F) < kLeastCorrelation;
  });
  return pairs;
}

}  // namespace secondlook
