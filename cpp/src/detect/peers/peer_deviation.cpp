#include "secondlook/detect/peer_deviation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "core/validation.hpp"
#include "detect/peers/peer_kernel.hpp"
#include "secondlook/core/thread_pool.hpp"

namespace secondlook {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMinPeers = 3;
constexpr double kSigmaPerMad = 1.4826;  // for a normal distribution

// Statistics of the present readings of one instant.
struct Instant {
  double n = 0;
  PeerBand band{kNaN, kNaN};
  double squares = 0;  // sum of squared distances from the centre
  double sigma = 0;    // robust only

  [[nodiscard]] bool judged() const { return !std::isnan(band.centre); }
};

template <class Scalar>
[[noreturn]] void refuse_infinity(const char* who, const Scalar* readings, std::size_t n,
                                  std::size_t instant) {
  for (std::size_t i = 0; i < n; ++i)
    require(!std::isinf(readings[i]),
            "{}: expected finite readings or NaN, got infinity at instant {}, sensor {}", who,
            instant, i);
  throw InvalidArgument(std::string(who) + ": the sum of the readings at instant " +
                        std::to_string(instant) + " overflows");
}

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

template <class Scalar>
Instant summarise_robustly(const PeerDeviationParameters& p, const Scalar* readings, std::size_t n,
                           std::vector<double>& buffer) {
  Instant instant;
  buffer.clear();
  for (std::size_t i = 0; i < n; ++i)
    if (!std::isnan(readings[i])) buffer.push_back(static_cast<double>(readings[i]));
  instant.n = static_cast<double>(buffer.size());
  if (buffer.size() < kMinPeers) return instant;
  const double centre = median_of(buffer);
  for (double& value : buffer) value = std::abs(value - centre);
  instant.sigma = kSigmaPerMad * median_of(buffer);
  instant.band = {centre, p.bound.value_or(std::max(p.n_sigma * instant.sigma, p.floor))};
  return instant;
}

// Buffers for the statistics of an instant.
struct Workspace {
  explicit Workspace(std::size_t n_sensors) : extremes(n_sensors), next_extremes(n_sensors) {}

  detect::PeerExtremes extremes;  // of the current instant
  detect::PeerExtremes next_extremes;
  std::optional<detect::Moments> next_moments;  // of the next instant, if known
  std::vector<double> sorted;
};

// Returns the first present reading, or NaN if there is none. Relative to a reading of the row, the
// sums stay small, so that one pass can compute both of them.
template <class Scalar>
double origin_of(std::span<const Scalar> row) {
  const auto present = std::ranges::find_if(row, [](Scalar r) { return !std::isnan(r); });
  return present == row.end() ? kNaN : static_cast<double>(*present);
}

template <class Scalar>
Instant summarise(const PeerDeviationParameters& p, const Scalar* readings, std::size_t n_sensors,
                  std::size_t index, Workspace& workspace) {
  const std::span row(readings, n_sensors);
  double origin = origin_of(row);
  detect::Moments moments;
  if (workspace.next_moments) {
    moments = *std::exchange(workspace.next_moments, std::nullopt);
    std::swap(workspace.extremes, workspace.next_extremes);
  } else {
    moments = detect::moments_of_all(row, origin, workspace.extremes);
  }
  if (std::isnan(origin)) return {};
  if (!std::isfinite(moments.squares))
    moments = detect::moments_of_present(row, origin, workspace.extremes);
  if (!std::isfinite(moments.squares)) refuse_infinity("PeerDeviation", readings, n_sensors, index);
  if (p.robust) return summarise_robustly(p, readings, n_sensors, workspace.sorted);
  if (moments.count < kMinPeers) return {};

  Instant instant;
  instant.n = static_cast<double>(moments.count);
  const double n = instant.n;
  instant.squares = moments.squares - moments.sum * moments.sum / n;
  if (instant.squares < 1e-4 * moments.squares) {
    // The origin was far from the mean, and the difference has lost digits: repeat around the mean.
    origin += moments.sum / n;
    moments = detect::moments_of_present(row, origin, workspace.extremes);
    instant.squares = moments.squares - moments.sum * moments.sum / n;
  }
  instant.squares = std::max(instant.squares, 0.0);
  const double centre = origin + moments.sum / n;
  // With y = reading − centre, the distance d to the mean of the others is n / (n − 1) · y, and
  // their sum of squares is squares − n / (n − 1) · y². So d² > n_sigma² · variance of the others
  // becomes y² > limit².
  const double others = n / (n - 1);
  if (p.bound) {
    instant.band = {centre, *p.bound / others};
  } else {
    const double k2 = p.n_sigma * p.n_sigma;
    const double limit2 = k2 * instant.squares / (others * others * (n - 2) + k2 * others);
    instant.band = {centre, std::max(std::sqrt(limit2), p.floor / others)};
  }
  return instant;
}

// Accumulates the verdict on each sensor over instants.
class SensorAccumulator {
  // Ratios computed by the kernel differ from exact ones in their last digits.
  static constexpr double kJustWithin = 1 - 4 * std::numeric_limits<double>::epsilon();

 public:
  SensorAccumulator(const PeerDeviationParameters& parameters, std::size_t n_sensors)
      : parameters_(parameters),
        verdicts_(n_sensors),
        trigger_(detect::peer_groups(n_sensors) * detect::kPeerGroup, 1.0),
        least_trigger_(detect::peer_groups(n_sensors) * detect::kPeerClasses, 1.0),
        events_(n_sensors),
        n_missing_(n_sensors, 0),
        workspace_(n_sensors) {
    for (std::size_t i = 0; i < n_sensors; ++i)
      trigger_[i] = least_trigger_[detect::peer_class(i)] = 0;
  }

  /// @param deviating receives the sensors that deviate at this instant, ascending; may be nullptr
  template <class Scalar>
  PeerBand add(const Scalar* readings, std::size_t index, bool active, const Scalar* next = nullptr,
               std::vector<std::size_t>* deviating = nullptr) {
    const Instant instant = summarise(parameters_, readings, verdicts_.size(), index, workspace_);
    if (active && instant.judged())
      judge(readings, static_cast<std::int64_t>(index), instant, next, deviating);
    return instant.band;
  }

  // Merges the results of an accumulator of other instants.
  void merge(const SensorAccumulator& other) {
    n_judged_ += other.n_judged_;
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      PeerVerdict& mine = verdicts_[i];
      const PeerVerdict& theirs = other.verdicts_[i];
      n_missing_[i] += other.n_missing_[i];
      mine.n_beyond += theirs.n_beyond;
      if (mine.first < 0 || (theirs.first >= 0 && theirs.first < mine.first))
        mine.first = theirs.first;
      mine.last = std::max(mine.last, theirs.last);
      if (theirs.worst_ratio > mine.worst_ratio ||
          (theirs.worst_ratio == mine.worst_ratio && theirs.worst < mine.worst)) {
        mine.worst = theirs.worst;
        mine.worst_ratio = theirs.worst_ratio;
        mine.worst_deviation = theirs.worst_deviation;
        mine.worst_sigma = theirs.worst_sigma;
      }
    }
  }

  const std::vector<PeerVerdict>& verdicts() {
    for (std::size_t i = 0; i < verdicts_.size(); ++i)
      verdicts_[i].n_judged = n_judged_ - n_missing_[i];
    return verdicts_;
  }

 private:
  // Most readings are neither beyond the limit nor the worst of their sensor. A vector pass finds
  // those that are, so that a sensor's record is only touched when it changes.
  template <class Scalar>
  void judge(const Scalar* readings, std::int64_t index, const Instant& instant, const Scalar* next,
             std::vector<std::size_t>* deviating) {
    ++n_judged_;
    const double width = instant.band.half_width;
    // If the width is 0, everything except the centre is beyond it. An infinite factor would turn
    // the centre into NaN.
    double factor = width > 0 ? 1 / width : std::numeric_limits<double>::max();
    if (parameters_.side == Side::low) factor = -factor;
    const bool magnitude = parameters_.side == Side::both;
    const std::size_t n = verdicts_.size();
    detect::PeerAhead<Scalar> ahead{
        next, next != nullptr ? origin_of(std::span(next, n)) : kNaN, workspace_.next_extremes, {}};
    const std::size_t n_events = detect::row_events(
        std::span(readings, n), {instant.band.centre, factor, magnitude}, workspace_.extremes,
        trigger_.data(), least_trigger_.data(), events_.data(), next != nullptr ? &ahead : nullptr);
    if (next != nullptr) workspace_.next_moments = ahead.moments;
    for (std::size_t event = 0; event < n_events; ++event) {
      const std::size_t sensor = events_[event];
      const auto reading = static_cast<double>(readings[sensor]);
      if (std::isnan(reading)) {
        ++n_missing_[sensor];
        continue;
      }
      const double distance = reading - instant.band.centre;
      const double excess = magnitude                       ? std::abs(distance)
                            : parameters_.side == Side::low ? -distance
                                                            : distance;
      // The rounded quotient is above 1 exactly if `excess` is above `width`.
      const double ratio = excess == 0 ? 0 : excess / width;
      if (ratio > 1 && deviating != nullptr) deviating->push_back(sensor);
      record(sensor, index, ratio, distance, instant);
    }
  }

  void record(std::size_t sensor, std::int64_t index, double ratio, double distance,
              const Instant& instant) {
    PeerVerdict& verdict = verdicts_[sensor];
    if (ratio > 1) {
      if (verdict.first < 0) verdict.first = index;
      verdict.last = index;
      ++verdict.n_beyond;
    }
    if (ratio > verdict.worst_ratio) {
      verdict.worst = index;
      verdict.worst_ratio = ratio;
      if (parameters_.robust) {
        verdict.worst_deviation = distance;
        verdict.worst_sigma = distance / instant.sigma;
      } else {
        const double others = instant.n / (instant.n - 1);
        const double squares = instant.squares - others * distance * distance;
        verdict.worst_deviation = others * distance;
        verdict.worst_sigma =
            verdict.worst_deviation / std::sqrt(std::max(squares, 0.0) / (instant.n - 2));
      }
      raise_trigger(sensor, std::min(ratio, kJustWithin));
    }
  }

  void raise_trigger(std::size_t sensor, double trigger) {
    const double before = trigger_[sensor];
    if (trigger == before) return;
    trigger_[sensor] = trigger;
    double& least = least_trigger_[detect::peer_class(sensor)];
    if (before > least) return;
    const std::size_t first =
        sensor / detect::kPeerGroup * detect::kPeerGroup + sensor % detect::kPeerClasses;
    least = trigger;
    for (std::size_t i = 0; i < detect::kPeerGroup; i += detect::kPeerClasses)
      least = std::min(least, trigger_[first + i]);
  }

  PeerDeviationParameters parameters_;
  std::vector<PeerVerdict> verdicts_;
  std::vector<double> trigger_;  // a ratio above it changes the sensor's record; padded to groups
  std::vector<double> least_trigger_;  // of each class
  std::vector<std::uint32_t> events_;
  std::vector<std::int64_t> n_missing_;
  Workspace workspace_;
  std::int64_t n_judged_ = 0;
};

// Pool of accumulators for several threads. Adding an instant is cheap once the worst readings are
// known, so accumulators are reused for further blocks of instants. Of equal ratios the earliest
// counts, so an accumulator is only reused for later instants.
class AccumulatorPool {
 public:
  AccumulatorPool(const PeerDeviationParameters& parameters, std::size_t n_sensors)
      : parameters_(parameters), n_sensors_(n_sensors) {}

  std::unique_ptr<SensorAccumulator> take(std::size_t begin) {
    {
      const std::lock_guard lock(mutex_);
      const auto before = std::ranges::find_if(
          idle_, [begin](const IdleAccumulator& idle) { return idle.end <= begin; });
      if (before != idle_.end()) {
        auto accumulator = std::move(before->accumulator);
        idle_.erase(before);
        return accumulator;
      }
    }
    return std::make_unique<SensorAccumulator>(parameters_, n_sensors_);
  }

  void give_back(std::unique_ptr<SensorAccumulator> accumulator, std::size_t end) {
    const std::lock_guard lock(mutex_);
    idle_.push_back({std::move(accumulator), end});
  }

  // Call after all accumulators have been given back.
  const std::vector<PeerVerdict>& verdicts() {
    for (std::size_t i = 1; i < idle_.size(); ++i)
      idle_[0].accumulator->merge(*idle_[i].accumulator);
    return idle_[0].accumulator->verdicts();
  }

 private:
  struct IdleAccumulator {
    std::unique_ptr<SensorAccumulator> accumulator;
    std::size_t end;  // one past the last instant added
  };

  PeerDeviationParameters parameters_;
  std::size_t n_sensors_;
  std::mutex mutex_;
  std::vector<IdleAccumulator> idle_;
};

void require_sensors(const char* who, Index n_sensors) {
  require(n_sensors >= static_cast<Index>(kMinPeers),
          "{}: expected at least {} sensors to compare, got {}", who, kMinPeers, n_sensors);
}

template <class Scalar>
std::vector<PeerVerdict> judge_any(const PeerDeviationParameters& parameters, MatrixView<Scalar> x,
                                   std::span<const std::uint8_t> active, const Progress& progress) {
  require(x.rows() > 0, "PeerDeviation::judge: expected at least 1 instant, got 0");
  require_sensors("PeerDeviation::judge", x.cols());
  const auto n_instants = static_cast<std::size_t>(x.rows());
  const auto n_sensors = static_cast<std::size_t>(x.cols());
  require(active.empty() || active.size() == n_instants,
          "PeerDeviation::judge: expected one value of active per instant ({}), got {}", n_instants,
          active.size());

  const std::size_t n_threads = resolve_threads(parameters.n_jobs);
  AccumulatorPool pool(parameters, n_sensors);
  parallel_for(
      n_instants, std::clamp<std::size_t>(n_instants / (4 * n_threads), 1, 512), n_threads,
      [&](std::size_t begin, std::size_t end) {
        auto accumulator = pool.take(begin);
        for (std::size_t i = begin; i < end; ++i)
          accumulator->add(x.row(static_cast<Index>(i)).data(), i, active.empty() || active[i] != 0,
                           i + 1 < end ? x.row(static_cast<Index>(i + 1)).data() : nullptr);
        pool.give_back(std::move(accumulator), end);
      },
      progress);
  return pool.verdicts();
}

template <class Scalar>
std::vector<PeerBand> bands_any(const PeerDeviationParameters& parameters, MatrixView<Scalar> x) {
  require_sensors("PeerDeviation::bands", x.cols());
  std::vector<PeerBand> bands(static_cast<std::size_t>(x.rows()));
  parallel_for(bands.size(), 256, resolve_threads(parameters.n_jobs),
               [&](std::size_t begin, std::size_t end) {
                 Workspace workspace(static_cast<std::size_t>(x.cols()));
                 for (std::size_t i = begin; i < end; ++i)
                   bands[i] = summarise(parameters, x.row(static_cast<Index>(i)).data(),
                                        static_cast<std::size_t>(x.cols()), i, workspace)
                                  .band;
               });
  return bands;
}

}  // namespace

PeerDeviation::PeerDeviation(PeerDeviationParameters parameters) : parameters_(parameters) {
  const auto& p = parameters_;
  require(p.n_sigma > 0 && std::isfinite(p.n_sigma),
          "PeerDeviation: n_sigma must be above 0, got {}", p.n_sigma);
  require(p.floor >= 0 && std::isfinite(p.floor), "PeerDeviation: floor must be at least 0, got {}",
          p.floor);
  require(!p.bound || (*p.bound > 0 && std::isfinite(*p.bound)),
          "PeerDeviation: bound must be above 0, got {}", p.bound.value_or(0));
}

std::vector<PeerVerdict> PeerDeviation::judge(MatrixView<float> x,
                                              std::span<const std::uint8_t> active,
                                              const Progress& progress) const {
  return judge_any(parameters_, x, active, progress);
}
std::vector<PeerVerdict> PeerDeviation::judge(MatrixView<double> x,
                                              std::span<const std::uint8_t> active,
                                              const Progress& progress) const {
  return judge_any(parameters_, x, active, progress);
}

std::vector<PeerBand> PeerDeviation::bands(MatrixView<float> x) const {
  return bands_any(parameters_, x);
}
std::vector<PeerBand> PeerDeviation::bands(MatrixView<double> x) const {
  return bands_any(parameters_, x);
}

struct PeerDeviationStream::State {
  State(const PeerDeviationParameters& parameters, std::size_t n)
      : accumulator(parameters, n), n_sensors(n) {}

  SensorAccumulator accumulator;
  std::size_t n_sensors;
  std::int64_t n_samples = 0;
  std::vector<std::size_t> deviating;
};

PeerDeviationStream::PeerDeviationStream(const PeerDeviation& detector, std::size_t n_sensors) {
  require_sensors("PeerDeviationStream", static_cast<Index>(n_sensors));
  state_ = std::make_unique<State>(detector.parameters(), n_sensors);
}
PeerDeviationStream::~PeerDeviationStream() = default;
PeerDeviationStream::PeerDeviationStream(PeerDeviationStream&&) noexcept = default;
PeerDeviationStream& PeerDeviationStream::operator=(PeerDeviationStream&&) noexcept = default;

PeerBand PeerDeviationStream::push(std::span<const double> readings, bool active) {
  require(readings.size() == state_->n_sensors,
          "PeerDeviationStream::push: expected {} readings, got {}", state_->n_sensors,
          readings.size());
  State& s = *state_;
  s.deviating.clear();
  const PeerBand band = s.accumulator.add<double>(
      readings.data(), static_cast<std::size_t>(s.n_samples), active, nullptr, &s.deviating);
  ++s.n_samples;
  return band;
}

std::span<const std::size_t> PeerDeviationStream::deviating() const noexcept {
  return state_->deviating;
}
const std::vector<PeerVerdict>& PeerDeviationStream::verdicts() const noexcept {
  return state_->accumulator.verdicts();
}
std::int64_t PeerDeviationStream::n_samples() const noexcept { return state_->n_samples; }

std::vector<PlantState> plant_states(std::span<const double> current, double threshold) {
  require(threshold >= 0, "plant_states: threshold must be at least 0, got {}", threshold);
  std::vector<PlantState> states(current.size());
  std::ranges::transform(current, states.begin(), [threshold](double value) {
    if (value > threshold) return PlantState::discharging;
    if (value < -threshold) return PlantState::charging;
    return PlantState::idle;
  });
  return states;
}

}  // namespace secondlook
