#include "secondlook/learn/incremental_learner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/shuffle.hpp"
#include "core/validation.hpp"
#include "learn/learner_memory.hpp"
#include "learn/published.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/decide/quantile_threshold.hpp"
#include "secondlook/learn/kolmogorov_smirnov.hpp"
#include "secondlook/learn/version_folder.hpp"
#include "secondlook/store/model.hpp"
#include "store/read_model.hpp"

namespace secondlook {

using learn::LearnerMemory;

namespace {

constexpr std::size_t kMinRows = 10;      // fewer are not enough to judge a candidate
constexpr std::size_t kMaxHistory = 100;  // reports

// Seed offset of the row order; the reservoirs use the offsets 0 and 1.
constexpr std::uint64_t kOrderSeed = 2;

/// The model that readers use; it is immutable once published.
struct InUse {
  std::unique_ptr<const Detector> detector;
  double offset;
  std::uint64_t version;
};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string new_lineage() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::vector<double> losses_of(const Detector& detector, SampleView x) {
  std::vector<double> losses = detector.score_samples(x);
  for (double& loss : losses) loss = -loss;
  return losses;
}

std::vector<std::size_t> indices_of(const ReplayReservoir& reservoir) {
  std::vector<std::size_t> indices(reservoir.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

// Works in blocks, so that only one block of rows is converted at a time.
std::vector<double> losses_of(const Detector& detector, const ReplayReservoir& reservoir) {
  constexpr std::size_t kBlock = 256;
  const auto indices = indices_of(reservoir);
  std::vector<double> losses;
  for (std::size_t first = 0; first < indices.size(); first += kBlock) {
    const auto block = std::span(indices).subspan(first, std::min(kBlock, indices.size() - first));
    const auto block_losses =
        reservoir.with_rows(block, [&](SampleView rows) { return losses_of(detector, rows); });
    losses.insert(losses.end(), block_losses.begin(), block_losses.end());
  }
  return losses;
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

double mean_up_to(double cap, std::span<const double> losses) {
  double sum = 0;
  for (const double loss : losses) sum += std::min(loss, cap);
  return sum / static_cast<double>(losses.size());
}

double deviation_up_to(double cap, std::span<const double> losses) {
  const double mean = mean_up_to(cap, losses);
  double sum = 0;
  for (const double loss : losses) sum += std::pow(std::min(loss, cap) - mean, 2);
  return std::sqrt(sum / static_cast<double>(losses.size()));
}

template <class Scalar>
Matrix<Scalar> gather(MatrixView<Scalar> x, std::span<const std::size_t> rows) {
  Matrix<Scalar> gathered(static_cast<Index>(rows.size()), x.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(x.row(static_cast<Index>(rows[i])),
                      gathered.row(static_cast<Index>(i)).begin());
  return gathered;
}

template <class Scalar>
void add_rows(MatrixView<Scalar> x, std::span<const std::size_t> rows, ReplayReservoir& reservoir) {
  for (const std::size_t row : rows) reservoir.add(x.row(static_cast<Index>(row)));
}

template <class Scalar>
void add_held_out(MatrixView<Scalar> x, std::span<const double> losses, LearnerMemory& memory) {
  for (Index i = 0; i < x.rows(); ++i) {
    const auto index = memory.held_out.add(x.row(i));
    if (!index) continue;
    memory.notes.resize(memory.held_out.size());
    memory.notes[*index] = {losses[static_cast<std::size_t>(i)],
                            static_cast<double>(memory.n_updates)};
  }
}

// Sets the limit from the model's scores of the held-out rows.
void calibrate(const Detector& detector, LearnerMemory& memory) {
  memory.calibration = losses_of(detector, memory.held_out);
  require(all_finite(memory.calibration),
          "IncrementalLearner: expected finite scores of the held-out rows; check the model and "
          "the calibration rows");
  std::ranges::sort(memory.calibration);
  memory.limit = quantile_threshold(memory.calibration, memory.parameters.suspicion_rate);
}

// Rank of a loss among the calibration losses, in [0, 1]; the middle rank for ties.
double rank_within(std::span<const double> calibration, double loss) {
  const auto [first, last] = std::ranges::equal_range(calibration, loss);
  const auto twice = (first - calibration.begin()) + (last - calibration.begin());
  return static_cast<double>(twice) / (2 * static_cast<double>(calibration.size()));
}

void watch_for_drift(std::span<const double> losses, LearnerMemory& memory, UpdateReport& report) {
  for (const double loss : losses)
    if (memory.adwin.push(rank_within(memory.calibration, loss))) report.mean_changed = true;
  const auto test = kolmogorov_smirnov(losses, memory.calibration);
  report.ks_statistic = test.statistic;
  report.p_value = test.p_value;
  report.drift = report.mean_changed || test.p_value < memory.parameters.significance;
}

/// Indices of an update's rows by their use.
struct Partition {
  std::vector<std::size_t> learned;
  std::vector<std::size_t> held_out;
  std::size_t n_suspected = 0;
};

Partition partition_rows(std::span<const double> losses, bool trusted, const LearnerMemory& memory,
                         RandomStream& random) {
  const auto& p = memory.parameters;
  const auto indices = shuffled_indices(losses.size(), random);
  std::vector<std::size_t> normal;
  std::vector<std::size_t> suspected;
  for (const std::size_t i : indices)
    (trusted || losses[i] < memory.limit ? normal : suspected).push_back(i);

  Partition partition;
  partition.n_suspected = suspected.size();
  if (normal.size() < kMinRows) return partition;
  const auto n_held_out = std::clamp<std::size_t>(
      static_cast<std::size_t>(
          std::lround(p.held_out_fraction * static_cast<double>(normal.size()))),
      1, normal.size() - 2);
  const auto middle = normal.begin() + static_cast<std::ptrdiff_t>(n_held_out);
  partition.held_out.assign(normal.begin(), middle);
  partition.learned.assign(middle, normal.end());

  // Holds out the least anomalous suspected rows, as many as are expected beyond the limit among
  // normal rows. The number is rounded at random, as small updates would otherwise never have one.
  const double expected =
      p.held_out_fraction * p.suspicion_rate * static_cast<double>(losses.size());
  const auto n_tolerated =
      std::min(suspected.size(), static_cast<std::size_t>(std::floor(expected + random.uniform())));
  const auto tolerated_end = suspected.begin() + static_cast<std::ptrdiff_t>(n_tolerated);
  std::ranges::partial_sort(suspected, tolerated_end, {}, [&](std::size_t i) { return losses[i]; });
  partition.held_out.insert(partition.held_out.end(), suspected.begin(), tolerated_end);
  return partition;
}

// Fresh and older rows in random order; `Scalar` can represent both.
template <class Scalar, class Fresh>
Matrix<Scalar> training_rows(MatrixView<Fresh> x, const Partition& partition,
                             const LearnerMemory& memory, RandomStream& random,
                             UpdateReport& report) {
  const double wanted =
      memory.parameters.replay_ratio * static_cast<double>(partition.learned.size());
  report.n_replayed = static_cast<std::size_t>(
      std::lround(std::min(wanted, static_cast<double>(memory.replay.size()))));
  auto indices = shuffled_indices(memory.replay.size(), random);
  indices.resize(report.n_replayed);
  const auto replay = memory.replay.gather<Scalar>(indices);
  const std::size_t n_fresh = partition.learned.size();
  std::vector<std::size_t> order(n_fresh + indices.size());  // fresh rows first
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(std::span(order), random);
  Matrix<Scalar> training(std::ssize(order), x.cols());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto row = training.row(static_cast<Index>(i));
    if (order[i] < n_fresh)
      std::ranges::copy(x.row(static_cast<Index>(partition.learned[order[i]])), row.begin());
    else
      std::ranges::copy(replay.row(static_cast<Index>(order[i] - n_fresh)), row.begin());
  }
  return training;
}

// Groups the held-out rows by age and returns the mean losses, original and current, of the group
// whose loss increased most. A gain on recent rows cannot hide a deterioration on old ones.
std::pair<double, double> largest_loss_by_age(const LearnerMemory& memory,
                                              std::span<const double> losses_now) {
  constexpr std::size_t kGroups = 4;
  std::vector<std::size_t> indices(losses_now.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  std::ranges::stable_sort(indices, {}, [&](std::size_t i) { return memory.notes[i].update; });
  std::pair<double, double> worst{0, -std::numeric_limits<double>::infinity()};
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::vector<double> before;
    std::vector<double> after;
    for (std::size_t i = group * indices.size() / kGroups;
         i < (group + 1) * indices.size() / kGroups; ++i) {
      before.push_back(memory.notes[indices[i]].loss);
      after.push_back(losses_now[indices[i]]);
    }
    if (before.empty()) continue;
    const std::pair means{mean_up_to(memory.limit, before), mean_up_to(memory.limit, after)};
    if (means.second - means.first > worst.second - worst.first) worst = means;
  }
  return worst;
}

// Compares the mean scores of fresh and older rows before and after the update, and sets the
// outcome and the reason.
void judge(std::span<const double> fresh_before, std::span<const double> fresh_after,
           std::span<const double> replay_after, const LearnerMemory& memory,
           UpdateReport& report) {
  report.fresh_before = -mean_up_to(memory.limit, fresh_before);
  report.fresh_after = -mean_up_to(memory.limit, fresh_after);
  const auto [older_before, older_after] = largest_loss_by_age(memory, replay_after);
  report.replay_before = -older_before;
  report.replay_after = -older_after;
  report.allowed_loss = memory.parameters.tolerance * memory.scale;
  const double fresh_gain = report.fresh_after - report.fresh_before;
  const double replay_gain = report.replay_after - report.replay_before;
  const bool holds = fresh_gain >= -report.allowed_loss && replay_gain >= -report.allowed_loss;
  report.outcome = holds ? UpdateOutcome::accepted : UpdateOutcome::rolled_back;
  report.reason =
      fmt::format("mean score of fresh rows {:+.3g}, of older rows {:+.3g}; it may fall by {:.3g}",
                  fresh_gain, replay_gain, report.allowed_loss);
}

ModelFile file_of(const Detector& detector, const std::vector<std::string>& feature_names,
                  const ModelExtras& extras) {
  ModelFile file = detector.to_file();
  learn::set_feature_names(feature_names, file);
  extras.add_to(file);
  return file;
}

}  // namespace

ModelExtras ModelExtras::of(const ModelFile& file) {
  ModelExtras extras{.sections = file.sections(), .tensors = {}};
  for (const auto& [name, tensor] : file.tensors())
    if (name.starts_with(ModelFile::kDecisionPrefix)) extras.tensors.emplace(name, tensor);
  return extras;
}

void ModelExtras::add_to(ModelFile& file) const {
  for (const auto& [name, text] : sections) {
    if (!file.has_section(name)) {
      file.set_section(name, text);
    } else if (name == "decision") {  // the detector's has an offset, but no rule
      StrictJson decision = StrictJson::parse(text);
      decision.update(read_section(file, name));
      file.set_section(name, decision.dump());
    }
  }
  for (const auto& [name, tensor] : tensors)
    if (!file.has_tensor(name)) file.add(name, tensor);
}

std::unique_ptr<Detector> as_detector(std::unique_ptr<Model> model) {
  if (const auto* source = dynamic_cast<const DetectorSource*>(model.get()))
    return source->as_detector();
  require(dynamic_cast<Detector*>(model.get()) != nullptr,
          "IncrementalLearner: expected a detector, got a model of kind {}", model->kind());
  Model* owned = model.release();
  return std::unique_ptr<Detector>(dynamic_cast<Detector*>(owned));
}

struct IncrementalLearner::State {
  const IncrementalLearnerParameters parameters;
  const std::vector<std::string> feature_names;
  const ModelExtras extras;
  const std::size_t n_features;
  const std::optional<VersionFolder> folder;
  learn::Published<InUse> in_use;

  mutable std::mutex updating;  // guards the members below
  LearnerMemory memory;
  std::uint64_t newest_known = 0;  // highest version number in the folder

  State(LearnerMemory remembered, std::unique_ptr<const Detector> detector,
        std::optional<VersionFolder> versions, std::uint64_t newest)
      : parameters(remembered.parameters),
        feature_names(remembered.feature_names),
        extras(remembered.extras),
        n_features(remembered.n_features()),
        folder(std::move(versions)),
        in_use(to_use(std::move(detector), remembered)),
        memory(std::move(remembered)),
        newest_known(newest) {}

  static std::unique_ptr<const InUse> to_use(std::unique_ptr<const Detector> detector,
                                             const LearnerMemory& memory) {
    // The lowest score whose loss is below the limit, so that offset and limit agree on every row.
    const double offset = std::nextafter(-memory.limit, std::numeric_limits<double>::infinity());
    return std::make_unique<const InUse>(InUse{std::move(detector), offset, memory.version.number});
  }

  [[nodiscard]] std::uint64_t next_number() const {
    return (folder ? newest_known : memory.version.number) + 1;
  }

  // Writes to disk before the model is used, so that a model in use can always be opened again.
  void write(const Detector& detector, const LearnerMemory& next) {
    if (!folder) return;
    ModelFile file = file_of(detector, feature_names, extras);
    learn::add_memory(next, file);
    folder->write(next.version.number, file, newest_known);
    newest_known = std::max(newest_known, next.version.number);
    folder->prune(parameters.keep_versions);
  }

  void remember(LearnerMemory next) { memory = std::move(next); }

  void switch_to(std::unique_ptr<const Detector> detector, LearnerMemory next) {
    const Detector& written = *detector;
    auto usable = to_use(std::move(detector), next);
    write(written, next);
    remember(std::move(next));
    in_use.replace(std::move(usable));
  }

  UpdateReport update(SampleView x, bool trusted, const Progress& progress);
  template <class Scalar>
  std::unique_ptr<Detector> try_candidate(MatrixView<Scalar> x, std::span<const double> losses,
                                          bool trusted, const Detector& current,
                                          LearnerMemory& next, UpdateReport& report,
                                          const Progress& progress);
};

IncrementalLearner::IncrementalLearner(std::unique_ptr<Detector> detector, SampleView calibration,
                                       const IncrementalLearnerParameters& parameters,
                                       const std::optional<std::filesystem::path>& folder,
                                       std::vector<std::string> feature_names, ModelExtras extras) {
  const auto& p = parameters;
  learn::require_parameters(p);
  require(detector != nullptr, "IncrementalLearner: expected a detector, got none");
  require(!detector->ordered(),
          "IncrementalLearner: expected a detector of independent rows, got one of ordered series");
  const std::size_t n_features = detector->n_features();
  require<NotFitted>(n_features > 0,
                     "IncrementalLearner: the detector is not fitted yet, call its fit first");
  calibration.visit(
      [&](const auto& x) { require_sample_shape("IncrementalLearner", x, n_features); });
  require(feature_names.empty() || feature_names.size() == n_features,
          "IncrementalLearner: expected one feature name per feature ({}), got {}", n_features,
          feature_names.size());

  const auto n_rows = static_cast<std::size_t>(calibration.rows());
  const std::size_t min_scores = fewest_scores(p.suspicion_rate);
  require(p.held_out_size >= min_scores,
          "IncrementalLearner: held_out_size must be at least {} for a suspicion_rate of {}, "
          "got {}",
          min_scores, p.suspicion_rate, p.held_out_size);
  const auto n_held_out =
      static_cast<std::size_t>(std::lround(p.held_out_fraction * static_cast<double>(n_rows)));
  require(n_held_out >= min_scores && n_held_out < n_rows,
          "IncrementalLearner: expected at least {} calibration rows for a suspicion_rate of {}, "
          "got {}",
          static_cast<std::size_t>(
              std::ceil(static_cast<double>(min_scores + 1) / p.held_out_fraction)),
          p.suspicion_rate, n_rows);

  LearnerMemory memory(p, n_features);
  memory.feature_names = std::move(feature_names);
  memory.extras = std::move(extras);
  memory.lineage = new_lineage();
  RandomStream random(p.seed + kOrderSeed, 0);
  const auto indices = shuffled_indices(n_rows, random);
  calibration.visit([&]<class Scalar>(const MatrixView<Scalar>& x) {
    const auto rows = gather(x, std::span(indices).first(n_held_out));
    add_held_out<Scalar>(rows, losses_of(*detector, rows), memory);
    add_rows(x, std::span(indices).subspan(n_held_out), memory.replay);
  });
  calibrate(*detector, memory);
  memory.scale = deviation_up_to(memory.limit, memory.calibration);
  memory.n_updates = 1;
  memory.version = {1, fmt::format("calibrated on {} rows", n_rows), now_ns(), true};

  std::optional<VersionFolder> versions;
  std::uint64_t newest = 0;
  if (folder) {
    const ModelFile file = file_of(*detector, memory.feature_names, memory.extras);
    versions.emplace(*folder);
    const auto numbers = versions->numbers();
    if (!numbers.empty()) newest = numbers.back();
    if (const auto before = versions->newest_whole())
      memory.lineage = learn::lineage_to_continue(before->second, n_features, file);
    memory.version.number = newest + 1;
  }
  state_ =
      std::make_unique<State>(std::move(memory), std::move(detector), std::move(versions), newest);
  state_->write(*state_->in_use.read()->detector, state_->memory);
}

IncrementalLearner::IncrementalLearner(std::unique_ptr<State> state) : state_(std::move(state)) {}
IncrementalLearner::~IncrementalLearner() = default;
IncrementalLearner::IncrementalLearner(IncrementalLearner&&) noexcept = default;
IncrementalLearner& IncrementalLearner::operator=(IncrementalLearner&&) noexcept = default;

IncrementalLearner IncrementalLearner::open(const std::filesystem::path& folder) {
  require<FileError>(std::filesystem::is_directory(folder),
                     "IncrementalLearner::open: '{}' is not a folder", folder.string());
  VersionFolder versions(folder);
  const auto numbers = versions.numbers();
  const auto newest = versions.newest_whole();
  require<ModelFileError>(newest.has_value(),
                          "IncrementalLearner::open: expected an intact version in '{}', got none",
                          folder.string());
  const auto& [number, file] = *newest;
  LearnerMemory memory = learn::read_memory(file);
  for (const std::uint64_t other : numbers) {
    if (other >= number) break;
    std::string reason;
    try {
      reason = learn::mismatch(versions.read(other), file);
    } catch (const ModelFileError&) {
      continue;  // damaged, not a version
    }
    require<ModelFileError>(
        reason.empty(),
        "IncrementalLearner::open: '{}' holds versions of several models: {} "
        "and {} differ in {}; move the file of the other model to another folder",
        folder.string(), versions.file_of(other).filename().string(),
        versions.file_of(number).filename().string(), reason);
  }
  auto detector = as_detector(load(file));
  require<ModelFileError>(
      detector->n_features() == memory.n_features(),
      "IncrementalLearner::open: the model has {} features, but the stored rows have {}",
      detector->n_features(), memory.n_features());
  memory.version.number = number;
  return IncrementalLearner(std::make_unique<State>(std::move(memory), std::move(detector),
                                                    std::move(versions), numbers.back()));
}

void IncrementalLearner::score_samples(SampleView x, std::span<double> scores) const {
  state_->in_use.read()->detector->score_samples(x, scores);
}

void IncrementalLearner::decision_function(SampleView x, std::span<double> values) const {
  const auto model = state_->in_use.read();
  model->detector->score_samples(x, values);
  for (double& value : values) value -= model->offset;
}

UpdateReport IncrementalLearner::update(SampleView x, bool trusted, const Progress& progress) {
  return state_->update(x, trusted, progress);
}

void IncrementalLearner::rollback(std::uint64_t version, const std::string& reason) {
  State& s = *state_;
  const std::lock_guard lock(s.updating);
  require(s.folder.has_value(),
          "IncrementalLearner::rollback: expected a learner with a folder of versions, got one "
          "without");
  const auto numbers = s.folder->numbers();
  require(std::ranges::binary_search(numbers, version),
          "IncrementalLearner::rollback: expected one of the versions {} to {}, got {}",
          numbers.empty() ? 0 : numbers.front(), numbers.empty() ? 0 : numbers.back(), version);
  const ModelFile file = s.folder->read(version);
  LearnerMemory next = learn::read_memory(file);
  require<ModelFileError>(next.lineage == s.memory.lineage,
                          "IncrementalLearner::rollback: version {} belongs to another model",
                          version);
  auto detector = as_detector(load(file));
  // Parameters and history are kept; the training since that version is discarded.
  next.parameters = s.parameters;
  next.n_updates = s.memory.n_updates;
  next.history = s.memory.history;
  next.version = {
      s.next_number(),
      fmt::format("back to version {}{}{}", version, reason.empty() ? "" : ": ", reason), now_ns(),
      true};
  s.switch_to(std::move(detector), std::move(next));
}

std::vector<LearnedVersion> IncrementalLearner::versions() const {
  const State& s = *state_;
  const std::lock_guard lock(s.updating);
  if (!s.folder) return {s.memory.version};
  std::vector<LearnedVersion> found;
  for (const std::uint64_t number : s.folder->numbers()) {
    try {
      found.push_back(learn::read_memory(s.folder->read(number)).version);
    } catch (const ModelFileError&) {
      continue;  // damaged, or not a learner's version: `open` reports it
    }
    found.back().in_use = number == s.memory.version.number;
  }
  return found;
}

std::vector<UpdateReport> IncrementalLearner::history() const {
  const std::lock_guard lock(state_->updating);
  return state_->memory.history;
}

double IncrementalLearner::offset() const { return state_->in_use.read()->offset; }
std::uint64_t IncrementalLearner::version() const { return state_->in_use.read()->version; }
std::size_t IncrementalLearner::n_features() const { return state_->n_features; }
const IncrementalLearnerParameters& IncrementalLearner::parameters() const noexcept {
  return state_->parameters;
}
const std::vector<std::string>& IncrementalLearner::feature_names() const noexcept {
  return state_->feature_names;
}

ModelFile IncrementalLearner::model_file() const {
  const auto model = state_->in_use.read();
  return file_of(*model->detector, state_->feature_names, state_->extras);
}

UpdateReport IncrementalLearner::State::update(SampleView x, bool trusted,
                                               const Progress& progress) {
  constexpr const char* kWho = "IncrementalLearner::update";
  const auto begin = std::chrono::steady_clock::now();
  x.visit([&](const auto& rows) { require_sample_shape(kWho, rows, n_features); });
  require(static_cast<std::size_t>(x.rows()) >= kMinRows,
          "{}: expected at least {} samples, got {}", kWho, kMinRows, x.rows());
  const std::lock_guard lock(updating);
  const auto current = in_use.read();
  const auto losses = losses_of(*current->detector, x);
  require(all_finite(losses),
          "{}: expected rows with finite scores; check them for missing and infinite values", kWho);

  UpdateReport report;
  report.time_ns = now_ns();
  report.n_rows = losses.size();
  LearnerMemory next = memory;
  ++next.n_updates;
  watch_for_drift(losses, next, report);
  auto candidate = x.visit([&](const auto& rows) {
    return try_candidate(rows, losses, trusted, *current->detector, next, report, progress);
  });
  if (candidate) next.version = {next_number(), report.reason, report.time_ns, true};

  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  report.version = next.version.number;
  report.seconds = elapsed();
  if (next.history.size() == kMaxHistory) next.history.erase(next.history.begin());
  next.history.push_back(report);
  if (candidate) {
    switch_to(std::move(candidate), std::move(next));
  } else {
    write(*current->detector, next);
    remember(std::move(next));
  }
  report.seconds = elapsed();
  memory.history.back().seconds = report.seconds;
  return report;
}

// Returns the candidate if it is accepted; `next` then includes its rows.
template <class Scalar>
std::unique_ptr<Detector> IncrementalLearner::State::try_candidate(
    MatrixView<Scalar> x, std::span<const double> losses, bool trusted, const Detector& current,
    LearnerMemory& next, UpdateReport& report, const Progress& progress) {
  RandomStream random(parameters.seed + kOrderSeed, memory.n_updates);
  const Partition partition = partition_rows(losses, trusted, memory, random);
  report.n_suspected = partition.n_suspected;
  const double suspected_fraction =
      static_cast<double>(partition.n_suspected) / static_cast<double>(losses.size());
  if (partition.learned.empty() || suspected_fraction > parameters.max_suspected_fraction) {
    report.reason = fmt::format("{} of {} rows are suspected anomalies: nothing was learned",
                                partition.n_suspected, losses.size());
    return nullptr;
  }
  report.n_learned = partition.learned.size();
  report.n_held_out = partition.held_out.size();

  // In float32 if fresh and older rows are: images would take twice the memory in float64.
  std::variant<Matrix<float>, Matrix<double>> training;
  if (std::is_same_v<Scalar, double> || memory.replay.is_wide())
    training = training_rows<double>(x, partition, memory, random, report);
  else
    training = training_rows<float>(x, partition, memory, random, report);
  const auto fresh = gather(x, partition.held_out);
  std::vector<double> fresh_before;
  fresh_before.reserve(partition.held_out.size());
  for (const std::size_t i : partition.held_out) fresh_before.push_back(losses[i]);
  std::vector<double> fresh_after;
  auto candidate = current.clone();
  // One pass of a network may have moved away from a good solution; the next can return to it.
  while (report.outcome != UpdateOutcome::accepted && report.n_passes < parameters.max_passes) {
    ++report.n_passes;
    report.outcome = UpdateOutcome::rolled_back;
    try {
      std::visit([&](const auto& rows) { candidate->partial_fit(rows, progress); }, training);
    } catch (const InvalidArgument& error) {  // e.g. the loss diverged; the rows are valid
      report.reason = error.what();
      return nullptr;
    }
    fresh_after = losses_of(*candidate, fresh);
    const auto replay_after = losses_of(*candidate, memory.held_out);
    if (!all_finite(fresh_after) || !all_finite(replay_after)) {
      report.reason = "the candidate's scores are not finite";
      return nullptr;
    }
    judge(fresh_before, fresh_after, replay_after, memory, report);
  }
  if (report.outcome != UpdateOutcome::accepted) return nullptr;

  add_rows(x, partition.learned, next.replay);
  add_held_out<Scalar>(fresh, fresh_after, next);
  calibrate(*candidate, next);
  // A calibration is a sample: relative to the next one, the ranks of unchanged scores shift a
  // little, which a long window would report as drift.
  next.adwin = Adwin(parameters.adwin_delta);
  next.held_out.with_rows(indices_of(next.held_out),
                          [&](SampleView rows) { candidate->refresh_offset(rows); });
  return candidate;
}

}  // namespace secondlook
