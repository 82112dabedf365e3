#include "secondlook/image/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "core/validation.hpp"
#include "image/codec/pixels.hpp"
#include "image/prepare/contrast.hpp"
#include "secondlook/core/random.hpp"

namespace secondlook {

namespace {

/// Random numbers of one image. All are drawn in a fixed order, used or not, so that a change of
/// one range does not change the numbers of the others.
struct Draws {
  RandomStream random;

  bool happens(double probability) { return random.uniform() < probability; }
  double either_way(double largest) { return (2 * random.uniform() - 1) * largest; }
  double up_to(double largest) { return random.uniform() * largest; }
};

/// Maps positions in the result to positions in the image (cv::WARP_INVERSE_MAP), about the centre.
cv::Matx23d geometry(const Augmentation& a, cv::Size size, Draws& draws) {
  constexpr double radian = std::numbers::pi / 180;
  const double flip_x = draws.happens(a.horizontal_flip) ? -1 : 1;
  const double flip_y = draws.happens(a.vertical_flip) ? -1 : 1;
  const double angle = draws.either_way(a.rotation) * radian;
  const double shear = std::tan(draws.either_way(a.shear) * radian);
  const double zoom = 1 + draws.either_way(a.zoom);
  const double half_aspect = std::exp(draws.either_way(a.aspect) / 2);
  const double shift_x = draws.either_way(a.shift) * size.width;
  const double shift_y = draws.either_way(a.shift) * size.height;
  const cv::Matx22d rotation(std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle));
  const cv::Matx22d sheared(1, shear, 0, 1);
  const cv::Matx22d scale(flip_x / (zoom * half_aspect), 0, 0, flip_y * half_aspect / zoom);
  const cv::Matx22d m = rotation * sheared * scale;
  const double centre_x = (size.width - 1) / 2.0, centre_y = (size.height - 1) / 2.0;
  const auto offset = [&](int row, double centre) {
    return centre - m(row, 0) * (centre_x + shift_x) - m(row, 1) * (centre_y + shift_y);
  };
  return {m(0, 0), m(0, 1), offset(0, centre_x), m(1, 0), m(1, 1), offset(1, centre_y)};
}

bool is_identity(const cv::Matx23d& m) { return m == cv::Matx23d(1, 0, 0, 0, 1, 0); }

// Changes brightness, contrast and gamma by a table: one look-up per value instead of arithmetic.
template <class Value>
void look_up(cv::Mat& pixels, double factor, double offset, double exponent) {
  constexpr std::size_t n = std::size_t{1} << (8 * sizeof(Value));
  constexpr double largest = n - 1;
  std::vector<Value> table(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double linear = std::clamp(static_cast<double>(i) / largest * factor + offset, 0.0, 1.0);
    const double bent = exponent == 1 ? linear : std::pow(linear, exponent);
    table[i] = static_cast<Value>(std::lround(bent * largest));
  }
  for (int row = 0; row < pixels.rows; ++row) {
    auto* values = pixels.ptr<Value>(row);
    for (int i = 0; i < pixels.cols * pixels.channels(); ++i) values[i] = table[values[i]];
  }
}

void change_tones(cv::Mat& pixels, const Augmentation& a, Draws& draws) {
  const double brightness = draws.either_way(a.brightness);
  const double contrast = 1 + draws.either_way(a.contrast);
  const double exponent = std::exp(draws.either_way(a.gamma));
  if (brightness == 0 && contrast == 1 && exponent == 1) return;
  const cv::Scalar means = cv::mean(pixels);
  const double sum = means[0] + means[1] + means[2];
  const double mean = sum / pixels.channels() / image::largest_value(pixels);
  const double offset = mean * (1 - contrast) + brightness;
  if (pixels.depth() == CV_8U) look_up<std::uint8_t>(pixels, contrast, offset, exponent);
  if (pixels.depth() == CV_16U) look_up<std::uint16_t>(pixels, contrast, offset, exponent);
}

// The sum of four uniform 16-bit numbers is nearly normal, and costs a single draw.
double nearly_gaussian(RandomStream& random) {
  const std::uint64_t bits = random();
  const auto sum = static_cast<double>((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) +
                                       (bits >> 32 & 0xFFFF) + (bits >> 48));
  constexpr double deviation = 37837.2;  // 65536 · √(4/12)
  return (sum - 2 * 65535.0) / deviation;
}

template <class Value>
void add_noise(cv::Mat& pixels, double deviation, RandomStream& random) {
  const double largest = image::largest_value(pixels);
  for (int row = 0; row < pixels.rows; ++row) {
    auto* values = pixels.ptr<Value>(row);
    for (int i = 0; i < pixels.cols * pixels.channels(); ++i) {
      const double noisy = values[i] + deviation * largest * nearly_gaussian(random);
      values[i] = static_cast<Value>(std::clamp(noisy, 0.0, largest) + 0.5);
    }
  }
}

void erase(cv::Mat& pixels, Draws& draws) {
  const double area = (0.02 + draws.up_to(0.18)) * static_cast<double>(pixels.total());
  const double aspect = std::exp(draws.either_way(std::log(3.0)));
  const double x = draws.up_to(1), y = draws.up_to(1);
  const auto side = [](double length, int limit) {
    return std::clamp(static_cast<int>(std::lround(length)), 1, limit);
  };
  const int height = side(std::sqrt(area * aspect), pixels.rows);
  const int width = side(std::sqrt(area / aspect), pixels.cols);
  const cv::Rect area_erased(static_cast<int>(x * (pixels.cols - width + 1)),
                             static_cast<int>(y * (pixels.rows - height + 1)), width, height);
  pixels(area_erased).setTo(cv::mean(pixels));
}

}  // namespace

void check(const char* who, const Augmentation& a) {
  const auto within = [&](const char* name, double value, double largest) {
    require(value >= 0 && value <= largest, "{}: {} must lie in [0, {}], got {}", who, name,
            largest, value);
  };
  within("horizontal_flip", a.horizontal_flip, 1);
  within("vertical_flip", a.vertical_flip, 1);
  within("rotation", a.rotation, 180);
  within("shear", a.shear, 59);
  within("zoom", a.zoom, 0.9);
  within("aspect", a.aspect, 1);
  within("shift", a.shift, 1);
  within("brightness", a.brightness, 1);
  within("contrast", a.contrast, 1);
  within("gamma", a.gamma, 3);
  within("blur", a.blur, 50);
  within("noise", a.noise, 1);
  within("clahe", a.clahe, 1);
  within("erasing", a.erasing, 1);
}

Image augment(const Image& image, const Augmentation& a, std::uint64_t seed, std::uint64_t epoch,
              std::uint64_t index) {
  image::require_picture("augment", image);
  check("augment", a);
  if (a == Augmentation{}) return image;
  Draws draws{RandomStream(RandomStream(seed, epoch)(), index)};

  cv::Mat pixels = image::as_mat(image);
  const cv::Matx23d map = geometry(a, pixels.size(), draws);
  cv::Mat result;
  if (is_identity(map)) {
    result = pixels.clone();
  } else {
    cv::warpAffine(pixels, result, map, pixels.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_REPLICATE);
  }
  const bool equalised = draws.happens(a.clahe);
  const double clip_limit = 1 + draws.up_to(2);
  if (equalised) result = image::clahe(result, clip_limit);
  change_tones(result, a, draws);
  if (const double sigma = draws.up_to(a.blur); sigma > 0.1)
    cv::GaussianBlur(result, result, cv::Size(0, 0), sigma);
  if (const double deviation = draws.up_to(a.noise); deviation > 0) {
    if (result.depth() == CV_8U) add_noise<std::uint8_t>(result, deviation, draws.random);
    if (result.depth() == CV_16U) add_noise<std::uint16_t>(result, deviation, draws.random);
  }
  if (draws.happens(a.erasing)) erase(result, draws);
  return image::to_image(result);
}

}  // namespace secondlook
