#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/matrix_view.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/image/architecture.hpp"
#include "secondlook/image/augmentation.hpp"
#include "secondlook/image/image.hpp"
#include "secondlook/image/near_duplicates.hpp"
#include "secondlook/image/preprocessing.hpp"
#include "secondlook/store/model.hpp"

namespace secondlook {

enum class Optimizer { adamw, sgd };  ///< SGD is Nesterov's, of momentum 0.9
template <>
inline constexpr std::array<std::string_view, 2> names_of<Optimizer>{"adamw", "sgd"};

enum class LearningRateSchedule { one_cycle, cosine, constant };  ///< one_cycle: Smith & Topin 2018
template <>
inline constexpr std::array<std::string_view, 3> names_of<LearningRateSchedule>{
    "one_cycle", "cosine", "constant"};

enum class ClassWeighting { none, balanced };
template <>
inline constexpr std::array<std::string_view, 2> names_of<ClassWeighting>{"none", "balanced"};

/// automatic: bfloat16 where the processor multiplies it.
enum class Precision { automatic, float32, bfloat16 };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Precision>{"auto", "float32", "bfloat16"};

enum class Device { automatic, cpu, cuda };  ///< automatic: CUDA where LibTorch has it
template <>
inline constexpr std::array<std::string_view, 3> names_of<Device>{"auto", "cpu", "cuda"};

enum class EdgePaddingRule { automatic, symmetric, tensorflow };  ///< automatic: as the weights say
template <>
inline constexpr std::array<std::string_view, 3> names_of<EdgePaddingRule>{"auto", "symmetric",
                                                                           "tensorflow"};

struct ImageClassifierParameters {
  Architecture architecture = Architecture::mobilenet_v2;
  /// safetensors file to begin with, of this library or with torchvision's names, which may have a
  /// prefix such as `module.`; F16, BF16, F32 or F64. Empty: random weights.
  std::string weights;
  std::size_t height = 224;
  std::size_t width = 224;
  std::size_t channels = 0;  ///< 1 grey, 3 colour; 0: as the network and the images want it
  ContrastNormalisation contrast = ContrastNormalisation::none;
  double clipped_fraction = 0.01;
  std::array<double, 2> value_range{0.0, 65535.0};
  /// Of the channels in [0, 1], one value or three; empty: ½ and ½ for mobilenet_v2, ImageNet's for
  /// vgg16, the training images' own for the others.
  std::vector<float> mean = {};
  std::vector<float> standard_deviation = {};
  EdgePaddingRule padding = EdgePaddingRule::automatic;
  Augmentation augmentation = {};
  int trained_blocks = -1;  ///< blocks before the last layer that are trained; 0: it alone; −1: all
  Optimizer optimizer = Optimizer::adamw;
  LearningRateSchedule schedule = LearningRateSchedule::one_cycle;
  double learning_rate = 1e-3;  ///< the largest of the schedule
  double weight_decay = 1e-2;   ///< of weights, not of biases and normalisations
  double label_smoothing = 0;   ///< in [0, 1)
  /// Images are blended pairwise, and their labels: fractions from Beta(mixup, mixup), in [0, 1];
  /// 0: not. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
  double mixup = 0;
  ClassWeighting class_weighting = ClassWeighting::none;
  std::vector<double> class_weights = {};  ///< one a class; empty: as `class_weighting` says
  double weight_averaging = 0;  ///< decay a step of the average that is judged and kept; 0: none
  std::size_t batch_size = 32;
  std::size_t max_epochs = 30;
  std::size_t patience = 8;  ///< epochs without a better validation loss before training ends
  double validation_fraction = 0.1;
  /// Class whose recall `validation_recall` is; −1: class 1 of two, else the mean over the classes.
  int positive_class = -1;
  Precision precision = Precision::automatic;          ///< of training
  Precision inference_precision = Precision::float32;  ///< of predictions
  Device device = Device::automatic;
  std::size_t replay_size = 128;  ///< training images kept for `partial_fit`, prepared
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< threads, as `resolve_threads` reads it
};

template <FieldsOf<ImageClassifierParameters> T>
void for_each_field(T& p, auto&& use) {
  use("architecture", p.architecture);
  use("weights", p.weights);
  use("height", p.height);
  use("width", p.width);
  use("channels", p.channels);
  use("contrast", p.contrast);
  use("clipped_fraction", p.clipped_fraction);
  use("value_range", p.value_range);
  use("mean", p.mean);
  use("standard_deviation", p.standard_deviation);
  use("padding", p.padding);
  use("augmentation", p.augmentation);
  use("trained_blocks", p.trained_blocks);
  use("optimizer", p.optimizer);
  use("schedule", p.schedule);
  use("learning_rate", p.learning_rate);
  use("weight_decay", p.weight_decay);
  use("label_smoothing", p.label_smoothing);
  use("mixup", p.mixup);
  use("class_weighting", p.class_weighting);
  use("class_weights", p.class_weights);
  use("weight_averaging", p.weight_averaging);
  use("batch_size", p.batch_size);
  use("max_epochs", p.max_epochs);
  use("patience", p.patience);
  use("validation_fraction", p.validation_fraction);
  use("positive_class", p.positive_class);
  use("precision", p.precision);
  use("inference_precision", p.inference_precision);
  use("device", p.device);
  use("replay_size", p.replay_size);
  use("seed", p.seed);
  use("n_jobs", p.n_jobs);
}
template <>
inline constexpr std::array<EarlierName, 1> earlier_names_of<ImageClassifierParameters>{
    {{"clipped_share", "clipped_fraction"}}};

/// What an epoch of training came to.
struct ImageTrainingEpoch {
  double loss = 0;  ///< of the training batches, with augmentation and smoothing
  double validation_loss = 0;
  double validation_accuracy = 0;
  /// As `positive_class` says, NaN where no image of the class is held out; a mean is over the
  /// classes of which images are.
  double validation_recall = 0;
  double learning_rate = 0;  ///< of its last step
  double seconds = 0;
  double wait_fraction = 0;  ///< of the time, spent waiting for images
};

template <FieldsOf<ImageTrainingEpoch> T>
void for_each_field(T& e, auto&& use) {
  use("loss", e.loss);
  use("validation_loss", e.validation_loss);
  use("validation_accuracy", e.validation_accuracy);
  use("validation_recall", e.validation_recall);
  use("learning_rate", e.learning_rate);
  use("seconds", e.seconds);
  use("wait_fraction", e.wait_fraction);
}

/// How far training has come.
struct ImageTrainingStatus {
  std::size_t done = 0;                            ///< steps
  std::size_t total = 0;                           ///< steps of all epochs; training may end before
  std::size_t epoch = 0;                           ///< completed ones
  double loss = 0;                                 ///< mean of the epoch so far
  const ImageTrainingEpoch* last_epoch = nullptr;  ///< none in the first
};

/// Called after every step on the thread that trains; false ends the training with `Cancelled`.
using ImageTrainingProgress = std::function<bool(const ImageTrainingStatus&)>;

/// A file or the pixels themselves.
using ImageInput = std::variant<std::filesystem::path, Image>;

struct ImageFitOptions {
  /// One number an image, such as its patient: no group is both trained on and validated by.
  /// Empty: every image by itself.
  std::span<const std::int64_t> groups = {};
  bool skip_broken = false;  ///< leave out what cannot be read, and list it
  /// File for what was learned so far, written after each epoch, continued from where it is there,
  /// removed when training has ended. Empty: none.
  std::filesystem::path checkpoint = {};
  ImageTrainingProgress progress = {};
  /// What a file of another layout holds, read already in place of the one that
  /// `ImageClassifierParameters::weights` names. Null: that one is read.
  const TensorFile* weights = nullptr;
};

/// A file that could not be read.
struct BrokenImage {
  std::size_t index = 0;
  std::string message;
};

template <FieldsOf<BrokenImage> T>
void for_each_field(T& b, auto&& use) {
  use("index", b.index);
  use("message", b.message);
}
template <>
inline constexpr bool is_written_as_list<BrokenImage> = true;

/// What `fit` noticed about the images.
struct ImageFitReport {
  std::vector<BrokenImage> skipped;
  /// Images that look alike, by index; only looked for where there are no groups.
  std::vector<NearDuplicates> near_duplicates;
  /// Images should have been held out and none could be: the training images judged instead.
  bool none_held_out = false;
  /// Classes of which images should have been held out and none could be: what validation says
  /// says nothing about them.
  std::vector<std::size_t> classes_not_held_out;
};

template <FieldsOf<ImageFitReport> T>
void for_each_field(T& r, auto&& use) {
  use("skipped", r.skipped);
  use("near_duplicates", r.near_duplicates);
  use("none_held_out", r.none_held_out);
  use("classes_not_held_out", r.classes_not_held_out);
}

/// Variations of an image whose probabilities are averaged.
struct TestTimeAugmentation {
  bool flip = false;           ///< the mirror image
  bool vertical_flip = false;  ///< the image upside down; with `flip` both ways, too
  bool shift = false;          ///< four images shifted by a thirty-second part of the size

  bool operator==(const TestTimeAugmentation&) const = default;
};

template <FieldsOf<TestTimeAugmentation> T>
void for_each_field(T& t, auto&& use) {
  use("flip", t.flip);
  use("vertical_flip", t.vertical_flip);
  use("shift", t.shift);
}

/// Where a network looks: a value in [0, 1] for each pixel of the image.
struct Heatmap {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> values;
};

/// Tells images apart by a convolutional network, trained by LibTorch.
///
/// Training keeps the weights of the least validation loss. At a fixed number of threads the same
/// seed gives the same bits, also when it is continued from a checkpoint; augmented images come
/// from the library's own pool of threads while the network trains. Predictions may be made by
/// several threads at once; `fit`, `partial_fit` and the like may not.
class SECONDLOOK_EXPORT ImageClassifier final : public Model, public DetectorSource {
 public:
  /// @throws InvalidArgument when a parameter is out of range
  explicit ImageClassifier(ImageClassifierParameters parameters = {});
  ~ImageClassifier() override;
  /// Copies share the weights until one of them learns.
  ImageClassifier(const ImageClassifier& other);
  ImageClassifier& operator=(const ImageClassifier& other);
  ImageClassifier(ImageClassifier&&) noexcept;
  ImageClassifier& operator=(ImageClassifier&&) noexcept;

  /// Trains anew. All images, prepared, are in memory meanwhile: height · width · channels bytes
  /// each, twice that of 16 bits.
  ///
  /// When cancelled after an epoch, the best weights so far are kept before `Cancelled` is thrown.
  /// @param labels 0, 1, … of each image; every class up to the largest occurs
  /// @throws InvalidArgument for one class only, labels or groups of another number, images or
  ///   weights that do not fit; FileError and InvalidArgument naming the file that cannot be read
  ImageFitReport fit(std::span<const ImageInput> images, std::span<const std::int64_t> labels,
                     const ImageFitOptions& options = {});

  /// Learns on: one pass over the new images together with those kept for replay, at a tenth of the
  /// learning rate. Normalisations keep their statistics. On an exception nothing has changed.
  /// @param labels of classes that training knew
  void partial_fit(std::span<const ImageInput> images, std::span<const std::int64_t> labels,
                   const ImageTrainingProgress& progress = {});

  /// Images with their labels as rows, which `as_detector` learns from: the pixels as the network
  /// sees them, from 0 to 255, and the label; shape (n, height · width · channels + 1).
  /// @param labels of classes that training knew
  [[nodiscard]] Matrix<float> labelled_rows(std::span<const ImageInput> images,
                                            std::span<const std::int64_t> labels,
                                            const Progress& progress = {}) const;

  /// A copy for `IncrementalLearner`, of the rows that `labelled_rows` makes: their score is the
  /// log-probability of the label, and it learns on like `partial_fit` from them alone.
  [[nodiscard]] std::unique_ptr<Detector> as_detector() const override;

  /// Probability of each class, row-major, shape (n, n_classes).
  void predict_proba(std::span<const ImageInput> images, std::span<double> probabilities,
                     const TestTimeAugmentation& test_time_augmentation = {},
                     const Progress& progress = {}) const;

  /// What the last layer sees of each image, row-major, shape (n, n_features): images unlike those
  /// of training lie far from theirs.
  void features(std::span<const ImageInput> images, std::span<double> features,
                const Progress& progress = {}) const;

  /// `predict_proba` and `features` in one pass: what a `DecisionRule` with a feature distance
  /// takes.
  void predict_with_features(std::span<const ImageInput> images, std::span<double> probabilities,
                             std::span<double> features,
                             const TestTimeAugmentation& test_time_augmentation = {},
                             const Progress& progress = {}) const;

  /// Which parts of the image speak for a class, by Grad-CAM (Selvaraju et al., "Grad-CAM: Visual
  /// Explanations from Deep Networks via Gradient-based Localization", ICCV 2017): of the image's
  /// own size, its largest value 1 unless nothing speaks for the class.
  /// @throws InvalidArgument for a network without feature maps (mlp)
  [[nodiscard]] Heatmap heatmap(const ImageInput& image, std::size_t class_index) const;

  /// The image in 8-bit colour with the heat map laid over it.
  /// @param strength of the heat map, in [0, 1]
  [[nodiscard]] Image overlay(const ImageInput& image, std::size_t class_index,
                              double strength = 0.4) const;

  [[nodiscard]] bool fitted() const noexcept;
  [[nodiscard]] std::size_t n_classes() const noexcept;
  [[nodiscard]] std::size_t n_features() const;
  [[nodiscard]] std::size_t n_weights() const;
  [[nodiscard]] const Preprocessing& preprocessing() const;
  [[nodiscard]] const std::vector<ImageTrainingEpoch>& history() const noexcept;
  [[nodiscard]] const ImageClassifierParameters& parameters() const noexcept;

  [[nodiscard]] std::string_view kind() const noexcept override { return "image_classifier"; }
  /// Tensors: the network's, after `network.`; `history` (epochs, 7); `replay.pixels` (n, rows,
  /// columns, channels), uint8 or uint16, and `replay.labels` (n).
  [[nodiscard]] ModelFile to_file() const override;
  /// @throws ModelFileError when the file does not hold an image classifier
  [[nodiscard]] static ImageClassifier from_file(const ModelFile& file);

 private:
  struct State;
  friend class LabelledImageDetector;

  void require_fitted(const char* who) const;
  void predict(const char* who, std::span<const ImageInput> images, std::span<double> probabilities,
               std::span<double> features, const TestTimeAugmentation& test_time_augmentation,
               const Progress& progress) const;
  static void require_labels(const char* who, std::size_t n_images,
                             std::span<const std::int64_t> labels);
  void require_known(const char* who, std::span<const std::int64_t> labels) const;

  ImageClassifierParameters parameters_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
