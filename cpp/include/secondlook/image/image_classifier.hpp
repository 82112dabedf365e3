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

enum class Optimizer { adamw, sgd };  ///< SGD with Nesterov momentum 0.9
template <>
inline constexpr std::array<std::string_view, 2> names_of<Optimizer>{"adamw", "sgd"};

enum class LearningRateSchedule { one_cycle, cosine, constant };  ///< one_cycle: Smith & Topin 2018
template <>
inline constexpr std::array<std::string_view, 3> names_of<LearningRateSchedule>{
    "one_cycle", "cosine", "constant"};

enum class ClassWeighting { none, balanced };
template <>
inline constexpr std::array<std::string_view, 2> names_of<ClassWeighting>{"none", "balanced"};

/// automatic: bfloat16 if the processor supports it.
enum class Precision { automatic, float32, bfloat16 };
template <>
inline constexpr std::array<std::string_view, 3> names_of<Precision>{"auto", "float32", "bfloat16"};

enum class Device { automatic, cpu, cuda };  ///< automatic: CUDA if LibTorch supports it
template <>
inline constexpr std::array<std::string_view, 3> names_of<Device>{"auto", "cpu", "cuda"};

enum class EdgePaddingRule {
  automatic,
  symmetric,
  tensorflow
};  ///< automatic: as stated by the weights' file, otherwise tensorflow for the EfficientNets only
template <>
inline constexpr std::array<std::string_view, 3> names_of<EdgePaddingRule>{"auto", "symmetric",
                                                                           "tensorflow"};

struct ImageClassifierParameters {
  Architecture architecture = Architecture::mobilenet_v2;
  /// safetensors file of initial weights, written by this library or with torchvision's names,
  /// which may have a prefix such as `module.`; F16, BF16, F32 or F64. Empty: random weights.
  std::string weights;
  std::size_t height = 224;
  std::size_t width = 224;
  std::size_t channels = 0;  ///< 1 grey, 3 colour; 0: by the network and the images
  ContrastNormalisation contrast = ContrastNormalisation::none;
  double clipped_fraction = 0.01;
  std::array<double, 2> value_range{0.0, 65535.0};
  /// Mean and standard deviation of the channels in [0, 1], one value or three. Empty: 0.5 and 0.5
  /// for mobilenet_v2, ImageNet's for vgg16, 127/255 and 128/255 for the EfficientNets, those of
  /// the training images for the others.
  std::vector<float> mean = {};
  std::vector<float> standard_deviation = {};
  EdgePaddingRule padding = EdgePaddingRule::automatic;
  Augmentation augmentation = {};
  int trained_blocks = -1;  ///< blocks trained besides the last layer, counted from it; −1: all
  Optimizer optimizer = Optimizer::adamw;
  LearningRateSchedule schedule = LearningRateSchedule::one_cycle;
  double learning_rate = 1e-3;  ///< largest value of the schedule
  double weight_decay = 1e-2;   ///< not for biases and normalisations
  double label_smoothing = 0;   ///< in [0, 1)
  /// In [0, 1]: images and their labels are blended pairwise, by fractions from Beta(mixup, mixup).
  /// 0: they are not. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
  double mixup = 0;
  ClassWeighting class_weighting = ClassWeighting::none;
  std::vector<double> class_weights = {};  ///< one per class; empty: see `class_weighting`
  double weight_averaging = 0;  ///< decay per step of the average that is validated; 0: none
  std::size_t batch_size = 32;
  std::size_t max_epochs = 30;
  std::size_t patience = 8;  ///< epochs without a lower validation loss before training ends
  double validation_fraction = 0.1;
  /// Class of `validation_recall`; −1: class 1 of two, otherwise the mean over the classes.
  int positive_class = -1;
  Precision precision = Precision::automatic;          ///< in training
  Precision inference_precision = Precision::float32;  ///< in predictions
  Device device = Device::automatic;
  std::size_t replay_size = 128;  ///< prepared training images kept for `partial_fit`
  std::uint64_t seed = 0;
  int n_jobs = 0;  ///< threads, see `resolve_threads`
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

/// Figures of one training epoch.
struct ImageTrainingEpoch {
  double loss = 0;  ///< of the training batches, with augmentation and label smoothing
  double validation_loss = 0;
  double validation_accuracy = 0;
  /// See `positive_class`. NaN if no image of that class is held out; a mean is over the classes
  /// with images held out.
  double validation_recall = 0;
  double learning_rate = 0;  ///< in the last step
  double seconds = 0;
  double wait_fraction = 0;  ///< fraction of the time spent waiting for images
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

/// Progress of training.
struct ImageTrainingStatus {
  std::size_t done = 0;   ///< steps completed
  std::size_t total = 0;  ///< steps of all epochs; training may end earlier
  std::size_t epoch = 0;  ///< epochs completed
  double loss = 0;        ///< mean over the current epoch so far
  const ImageTrainingEpoch* last_epoch = nullptr;  ///< null in the first epoch
};

/// Called after every step on the thread that trains; returning false ends training with
/// `Cancelled`.
using ImageTrainingProgress = std::function<bool(const ImageTrainingStatus&)>;

/// Called after every epoch on the thread that trains; returning true ends training with the best
/// weights so far, as `patience` does.
using ImageEpochCallback = std::function<bool(const ImageTrainingStatus&)>;

/// An image file, or the pixels themselves.
using ImageInput = std::variant<std::filesystem::path, Image>;

struct ImageFitOptions {
  /// One number per image, such as its patient: no group is both trained on and held out. Empty:
  /// every image is its own group.
  std::span<const std::int64_t> groups = {};
  /// Weight of each image in the loss, multiplied by that of its class; at least 0. Only their
  /// ratios matter. Images held out are weighted in the validation loss as well. Empty: all are 1.
  std::span<const double> sample_weights = {};
  /// Images to validate with, and their labels; all other images are then trained on. Empty: a
  /// fraction of the images is held out, see `ImageClassifierParameters::validation_fraction`.
  std::span<const ImageInput> validation_images = {};
  std::span<const std::int64_t> validation_labels = {};
  bool skip_broken = false;  ///< leave out images that cannot be read, and list them
  /// Checkpoint, written after each epoch and removed when training has ended. If the file exists,
  /// training continues from it. Empty: none.
  std::filesystem::path checkpoint = {};
  ImageTrainingProgress progress = {};
  ImageEpochCallback after_epoch = {};
  /// Initial weights, already read, instead of the file that `ImageClassifierParameters::weights`
  /// names. Null: that file is read.
  const TensorFile* weights = nullptr;
};

/// An image that could not be read or prepared.
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

/// Observations of `fit` about the images.
struct ImageFitReport {
  std::vector<BrokenImage> skipped;
  std::vector<BrokenImage> skipped_validation;  ///< of `validation_images`
  /// Images that look alike, by index; searched only if no groups are given. With
  /// `validation_images`, an image trained on and one of those, whether there are groups or not.
  std::vector<NearDuplicates> near_duplicates;
  /// No image could be held out although some should have been, so validation used the training
  /// images.
  bool none_held_out = false;
  /// Classes without images held out: the validation figures say nothing about them.
  std::vector<std::size_t> classes_not_held_out;
};

template <FieldsOf<ImageFitReport> T>
void for_each_field(T& r, auto&& use) {
  use("skipped", r.skipped);
  use("skipped_validation", r.skipped_validation);
  use("near_duplicates", r.near_duplicates);
  use("none_held_out", r.none_held_out);
  use("classes_not_held_out", r.classes_not_held_out);
}

/// Variations of an image whose probabilities are averaged.
struct TestTimeAugmentation {
  bool flip = false;           ///< the mirror image
  bool vertical_flip = false;  ///< the image upside down; with `flip` also both at once
  bool shift = false;          ///< four shifts by 1/32 of the size

  bool operator==(const TestTimeAugmentation&) const = default;
};

template <FieldsOf<TestTimeAugmentation> T>
void for_each_field(T& t, auto&& use) {
  use("flip", t.flip);
  use("vertical_flip", t.vertical_flip);
  use("shift", t.shift);
}

/// Importance of each pixel of an image, in [0, 1].
struct Heatmap {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> values;
};

/// Image classifier: a convolutional network, trained by LibTorch.
///
/// Training keeps the weights with the lowest validation loss. At a fixed number of threads the
/// same seed gives the same bits, also when training continues from a checkpoint. Augmented images
/// are made on the library's own thread pool while the network trains. Predictions are thread-safe;
/// `fit` and `partial_fit` are not. If several images are broken, the error names the first.
class SECONDLOOK_EXPORT ImageClassifier final : public Model, public DetectorSource {
 public:
  /// @throws InvalidArgument when a parameter is out of range
  explicit ImageClassifier(ImageClassifierParameters parameters = {});
  ~ImageClassifier() override;
  /// Copies are independent; they share the weights until one of them is trained.
  ImageClassifier(const ImageClassifier& other);
  ImageClassifier& operator=(const ImageClassifier& other);
  ImageClassifier(ImageClassifier&&) noexcept;
  ImageClassifier& operator=(ImageClassifier&&) noexcept;

  /// Trains a new network. All prepared images are held in memory: height · width · channels bytes
  /// each, twice as many with 16 bits.
  ///
  /// If it is cancelled after the first epoch, the best weights so far are kept before `Cancelled`
  /// is thrown.
  /// @param labels per image, 0, 1, …; every class up to the largest must occur
  /// @throws InvalidArgument when there is a single class, the number of labels, groups or sample
  ///   weights is not that of the images, or images or weights do not fit; FileError or
  ///   InvalidArgument, naming the file, when an image cannot be read
  ImageFitReport fit(std::span<const ImageInput> images, std::span<const std::int64_t> labels,
                     const ImageFitOptions& options = {});

  /// Continues training: one pass over the new images together with those kept for replay, at a
  /// tenth of the learning rate. Normalisations keep their statistics. On an exception nothing has
  /// changed.
  /// @param labels per image, of the classes of `fit`
  void partial_fit(std::span<const ImageInput> images, std::span<const std::int64_t> labels,
                   const ImageTrainingProgress& progress = {});

  /// Encodes images and labels as rows for `as_detector`: the prepared pixels, from 0 to 255, then
  /// the label; shape (n, height · width · channels + 1).
  /// @param labels per image, of the classes of `fit`
  [[nodiscard]] Matrix<float> labelled_rows(std::span<const ImageInput> images,
                                            std::span<const std::int64_t> labels,
                                            const Progress& progress = {}) const;

  /// An independent copy for `IncrementalLearner`, whose samples are the rows of `labelled_rows`.
  /// The score of a row is the log-probability of its label; `partial_fit` trains on the rows
  /// alone, without replay.
  [[nodiscard]] std::unique_ptr<Detector> as_detector() const override;

  /// Probability of each class, row-major, shape (n, n_classes).
  void predict_proba(std::span<const ImageInput> images, std::span<double> probabilities,
                     const TestTimeAugmentation& test_time_augmentation = {},
                     const Progress& progress = {}) const;

  /// Input of the last layer for each image, row-major, shape (n, n_features). The features of
  /// out-of-distribution images are far from those of the training images.
  void features(std::span<const ImageInput> images, std::span<double> features,
                const Progress& progress = {}) const;

  /// `predict_proba` and `features` in one pass, for a `DecisionRule` with a feature distance.
  void predict_with_features(std::span<const ImageInput> images, std::span<double> probabilities,
                             std::span<double> features,
                             const TestTimeAugmentation& test_time_augmentation = {},
                             const Progress& progress = {}) const;

  /// Which parts of the image support a class, by Grad-CAM (Selvaraju et al., "Grad-CAM: Visual
  /// Explanations from Deep Networks via Gradient-based Localization", ICCV 2017). The heat map has
  /// the size of the image; its largest value is 1, unless nothing supports the class.
  /// @throws InvalidArgument for a network without feature maps (mlp)
  [[nodiscard]] Heatmap heatmap(const ImageInput& image, std::size_t class_index) const;

  /// The image in 8-bit colour, overlaid with the heat map.
  /// @param strength opacity of the heat map, in [0, 1]
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
  /// Tensors: those of the network, prefixed by `network.`; `history` (epochs, 7); `replay.pixels`
  /// (n, rows, columns, channels), uint8 or uint16, and `replay.labels` (n).
  [[nodiscard]] ModelFile to_file() const override;
  /// @throws ModelFileError when the file does not contain an image classifier
  [[nodiscard]] static ImageClassifier from_file(const ModelFile& file);

 private:
  struct State;
  friend class LabelledImageDetector;

  void require_fitted(const char* who) const;
  void predict(const char* who, std::span<const ImageInput> images, std::span<double> probabilities,
               std::span<double> features, const TestTimeAugmentation& test_time_augmentation,
               const Progress& progress) const;
  void require_known(const char* who, std::span<const std::int64_t> labels) const;

  ImageClassifierParameters parameters_;
  std::unique_ptr<State> state_;
};

}  // namespace secondlook
