#include <algorithm>
#include <cmath>

#include "core/validation.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/classifier/image_set.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

constexpr float kPerByte = 257;  // 16-bit steps per 8-bit step

/// The image of a row: 8 bits if all its pixels are whole numbers, otherwise 16 bits.
template <class Scalar>
Image to_image(const Scalar* row, const Preprocessing& p) {
  const std::size_t n = p.height * p.width * p.channels;
  const auto scaled = [&]<class Pixel>(Pixel, double factor) {
    std::vector<Pixel> pixels(n);
    std::transform(row, row + n, pixels.begin(), [&](Scalar value) {
      return static_cast<Pixel>(std::lround(static_cast<double>(value) * factor));
    });
    return Image{p.height, p.width, p.channels, std::move(pixels)};
  };
  const bool whole =
      std::all_of(row, row + n, [](Scalar value) { return value == std::floor(value); });
  return whole ? scaled(std::uint8_t{}, 1) : scaled(std::uint16_t{}, kPerByte);
}

}  // namespace

/// An image classifier as a detector whose rows are prepared images followed by their label.
class LabelledImageDetector final : public Detector {
 public:
  explicit LabelledImageDetector(const ImageClassifier& classifier) : classifier_(classifier) {}

  [[nodiscard]] std::size_t n_features() const noexcept override {
    if (!classifier_.fitted()) return 0;
    const Preprocessing& p = classifier_.state_->preprocessing;
    return p.height * p.width * p.channels + 1;
  }

  [[nodiscard]] bool fitted() const noexcept override { return classifier_.fitted(); }

  void fit(SampleView, const Progress&) override {
    throw InvalidArgument("ImageClassifier as a detector: fit is not supported; use partial_fit");
  }
  void feature_contributions(SampleView, std::span<double>) const override {
    throw InvalidArgument(
        "ImageClassifier as a detector: feature_contributions is not supported; use "
        "ImageClassifier::heatmap");
  }

  using Detector::score_samples;
  void score_samples(SampleView samples, std::span<double> scores) const override {
    samples.visit([&](auto x) { score(x, scores); });
  }
  void partial_fit(SampleView samples, const Progress& progress) override {
    samples.visit([&](auto x) { train(x, progress); });
  }

  // A classifier has no threshold of its own: no score is below minus infinity.
  [[nodiscard]] double offset() const override { return -std::numeric_limits<double>::infinity(); }
  [[nodiscard]] bool offset_is_stale() const noexcept override { return false; }
  void fit_offset(SampleView) override {}

  [[nodiscard]] std::unique_ptr<Detector> clone() const override {
    return std::make_unique<LabelledImageDetector>(classifier_);
  }

  [[nodiscard]] std::string_view kind() const noexcept override { return classifier_.kind(); }

 protected:
  [[nodiscard]] ModelFile write() const override { return classifier_.to_file(); }

 private:
  template <class Scalar>
  std::vector<std::int64_t> labels_of(const char* who, MatrixView<Scalar> x) const {
    require_samples(who, x, n_features());
    std::vector<std::int64_t> labels;
    const auto last = static_cast<Index>(n_features()) - 1;
    for (Index i = 0; i < x.rows(); ++i) {
      const auto pixels = x.row(i).first(static_cast<std::size_t>(last));
      const auto [least, most] = std::ranges::minmax(pixels);
      require(least >= 0 && most <= 255, "{}: expected pixels in [0, 255], got {} in row {}", who,
              least < 0 ? least : most, i);
      const Scalar label = x(i, last);
      require(label == std::floor(label),
              "{}: expected a whole number as the label, got {} in row {}", who, label, i);
      labels.push_back(static_cast<std::int64_t>(label));
    }
    classifier_.require_known(who, labels);
    return labels;
  }

  template <class Scalar>
  void score(MatrixView<Scalar> x, std::span<double> scores) const {
    constexpr const char* who = "ImageClassifier::score_samples";
    const auto labels = labels_of(who, x);
    require(scores.size() == labels.size(), "{}: expected a buffer of {} scores, got {}", who,
            labels.size(), scores.size());
    const auto& state = *classifier_.state_;
    std::vector<double> probabilities(labels.size() * state.n_classes);
    state.predict(who, labels.size(),
                  [&](std::size_t i) {
                    return to_image(x.row(static_cast<Index>(i)).data(), state.preprocessing);
                  },
                  {.probabilities = probabilities}, {}, classifier_.parameters_, {});
    for (std::size_t i = 0; i < labels.size(); ++i)
      scores[i] = std::log(std::max(
          probabilities[i * state.n_classes + static_cast<std::size_t>(labels[i])], 1e-300));
  }

  template <class Scalar>
  void train(MatrixView<Scalar> x, const Progress& progress) {
    constexpr const char* who = "ImageClassifier::partial_fit";
    const auto labels = labels_of(who, x);
    auto& state = *classifier_.state_;
    std::vector<Image> images;
    images.reserve(labels.size());
    for (Index i = 0; i < x.rows(); ++i)
      images.push_back(to_image(x.row(i).data(), state.preprocessing));
    ImageTrainingProgress report;
    if (progress)
      report = [&](const ImageTrainingStatus& status) {
        return progress(status.done, status.total);
      };
    state.continue_training(who, images, labels, classifier_.parameters_, report);
  }

  ImageClassifier classifier_;
};

std::unique_ptr<Detector> ImageClassifier::as_detector() const {
  return std::make_unique<LabelledImageDetector>(*this);
}

Matrix<float> ImageClassifier::labelled_rows(std::span<const ImageInput> images,
                                             std::span<const std::int64_t> labels,
                                             const Progress& progress) const {
  constexpr const char* who = "ImageClassifier::labelled_rows";
  require_fitted(who);
  image::require_labels(who, images.size(), labels);
  require_known(who, labels);
  const Preprocessing& p = state_->preprocessing;
  const auto set =
      image::load_images(who, images, p, false, resolve_threads(parameters_.n_jobs), progress);
  const std::size_t n = p.height * p.width * p.channels;
  Matrix<float> rows(static_cast<Index>(images.size()), static_cast<Index>(n + 1));
  for (std::size_t i = 0; i < images.size(); ++i) {
    float* row = rows.row(static_cast<Index>(i)).data();
    const Image& image = set.images[i];
    const float scale = image.bits() == 8 ? 1 : kPerByte;
    const std::size_t repeats = p.channels / image.channels;  // of a grey image among colour ones
    std::visit(
        [&](const auto& pixels) {
          for (std::size_t k = 0; k < n; ++k)
            row[k] = static_cast<float>(pixels[k / repeats]) / scale;
        },
        image.pixels);
    row[n] = static_cast<float>(labels[i]);
  }
  return rows;
}

}  // namespace secondlook
