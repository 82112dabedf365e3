#include "secondlook/detect/surprise_stream.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>
#include <utility>

#include "core/throttled_progress.hpp"
#include "core/validation.hpp"
#include "detect/peers/sliding_window.hpp"
#include "detect/surprise/nearest_window.hpp"
#include "detect/surprise/trend.hpp"

namespace secondlook {

namespace {

using detect::NearestWindow;
using detect::SlidingWindow;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLargestSample = 1e150;  // its square is still finite
constexpr std::size_t kMaxScales = 32;
constexpr std::int64_t kLongestScale = 1'000'000;  // a sum of this many squares is still finite
constexpr std::int64_t kMaxStored = 100'000'000;   // samples: 1.6 GB of ranges
constexpr std::int64_t kMinSpreadScale = 16;  // the standard deviation of fewer samples is noise
constexpr std::int64_t kMinShapeScale = 4;    // fewer samples have no shape
constexpr std::int64_t kShapeWarmUp = 4;      // multiple of the scale
constexpr double kLongestSpan = 4.0 / 3;      // multiple of the scale
constexpr std::int64_t kTolerance = 96;       // per season: a quarter of an hour in a day
constexpr double kMinSpread = 1e-3;           // fraction of the range, for a constant series

bool is_sample(double value) { return std::isnan(value) || std::abs(value) <= kLargestSample; }

void require_sample(double sample) {
  require(is_sample(sample),
          "SurpriseStream::push: expected a sample of at most 1e150, or NaN, got {}", sample);
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double standard_deviation_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

std::vector<std::size_t> scales_from(const SurpriseStreamParameters& parameters,
                                     std::int64_t least) {
  std::vector<std::size_t> scales;
  for (const std::int64_t scale : parameters.scales)
    if (scale >= least) scales.push_back(static_cast<std::size_t>(scale));
  return scales;
}

// Ranges of the samples at each time of a season, in the last seasons.
class SeasonalRanges {
 public:
  explicit SeasonalRanges(const SurpriseStreamParameters& parameters)
      : season_(static_cast<std::size_t>(parameters.season)),
        seasons_(static_cast<std::size_t>(parameters.seasons)),
        recent_(season_ > 0 ? 2 * tolerance() + 1 : 0, kNaN),
        lows_(season_ * seasons_, kInfinity),
        highs_(season_ * seasons_, -kInfinity) {}

  // Distance of a sample above or below (negative) the range of this time and its neighbourhood.
  [[nodiscard]] double outside(std::int64_t time, double sample) const {
    const auto begin = static_cast<std::ptrdiff_t>(index_of(static_cast<std::size_t>(time), 0));
    const auto end = begin + static_cast<std::ptrdiff_t>(seasons_);
    const double low = *std::min_element(lows_.begin() + begin, lows_.begin() + end);
    const double high = *std::max_element(highs_.begin() + begin, highs_.begin() + end);
    if (low > high) return 0;  // no samples at this time yet
    return std::max(sample - high, 0.0) + std::min(sample - low, 0.0);
  }

  // The range of a time is complete once the tolerance after it has passed; a season is longer than
  // that.
  void push(std::int64_t time, double sample) {
    if (season_ == 0) return;
    const auto now = static_cast<std::size_t>(time);
    recent_[now % recent_.size()] = sample;
    if (now < tolerance()) return;
    double low = kInfinity;
    double high = -kInfinity;
    for (const double value : recent_) {
      low = value < low ? value : low;  // false for a missing one
      high = value > high ? value : high;
    }
    const std::size_t centre = now - tolerance();
    lows_[index_of(centre, centre / season_)] = low;
    highs_[index_of(centre, centre / season_)] = high;
  }

  void copy_to(SurpriseStream::State& state) const {
    state.recent = recent_;
    state.lows = lows_;
    state.highs = highs_;
  }

  void restore(const SurpriseStream::State& state) {
    const auto is_range = [](double low, double high) {
      return low <= high ? std::isfinite(low) && std::isfinite(high)
                         : low == kInfinity && high == -kInfinity;
    };
    require(state.recent.size() == recent_.size() && state.lows.size() == lows_.size() &&
                state.highs.size() == highs_.size() &&
                std::ranges::none_of(state.recent, [](double v) { return std::isinf(v); }) &&
                std::ranges::equal(state.lows, state.highs, is_range),
            "SurpriseStream: invalid state: expected ranges of {} seasons of {} samples", seasons_,
            season_);
    recent_ = state.recent;
    lows_ = state.lows;
    highs_ = state.highs;
  }

 private:
  [[nodiscard]] std::size_t tolerance() const { return (season_ + kTolerance - 1) / kTolerance; }
  // The seasons of one time are adjacent, as they are read together.
  [[nodiscard]] std::size_t index_of(std::size_t time, std::size_t season) const {
    return time % season_ * seasons_ + season % seasons_;
  }

  std::size_t season_;
  std::size_t seasons_;
  std::vector<double> recent_;
  std::vector<double> lows_;
  std::vector<double> highs_;
};

// The views of a component: a value at each scale, and its surprise.
class Views {
 public:
  Views(const std::vector<std::size_t>& scales, bool two_sided) : scales_(scales) {
    tails_.assign(scales.size(), TailSurprise({.two_sided = two_sided}));
  }

  // Mean surprise of the values that `value_at` returns for the views. A view whose value is NaN
  // abstains.
  template <class ValueAt>
  double push(const ValueAt& value_at) {
    double sum = 0;
    for (std::size_t i = 0; i < scales_.size(); ++i) {
      const double value = value_at(i, scales_[i]);
      if (!std::isnan(value)) sum += tails_[i].push(value);
    }
    return sum / static_cast<double>(scales_.size());
  }

  [[nodiscard]] bool empty() const { return scales_.empty(); }
  [[nodiscard]] std::vector<TailSurprise>& tails() { return tails_; }
  [[nodiscard]] const std::vector<TailSurprise>& tails() const { return tails_; }

 private:
  std::vector<std::size_t> scales_;
  std::vector<TailSurprise> tails_;
};

}  // namespace

struct SurpriseStream::Components {
  explicit Components(const SurpriseStreamParameters& parameters)
      : p(parameters),
        last(longest()),
        steady(longest()),
        times(longest()),
        window(longest()),
        outside(longest()),
        ranges(parameters),
        level(scales_from(p, 1), true),
        steady_level(scales_from(p, 1), true),
        spread(scales_from(p, kMinSpreadScale), true),
        seasonal(p.season > 0 ? scales_from(p, 1) : std::vector<std::size_t>(), true),
        shape(scales_from(p, kMinShapeScale), false) {
    for (const std::size_t scale : scales_from(p, kMinShapeScale))
      past.emplace_back(scale, static_cast<std::size_t>(p.memory));
  }

  [[nodiscard]] std::size_t longest() const { return static_cast<std::size_t>(p.scales.back()); }

  // Number of samples in which the longest shapes are searched.
  [[nodiscard]] std::size_t n_memory() const {
    return past.empty() ? 0 : longest() + static_cast<std::size_t>(p.memory);
  }

  SurpriseRecord push(double sample) {
    SurpriseRecord record;
    const double detrended = trend.remove(sample);
    if (!std::isnan(sample)) {
      judge(record, sample, detrended);
      const bool in_cooldown = time < cooldown_until;
      record.alarm = !in_cooldown && record.surprise >= p.threshold;
      record.score = in_cooldown ? 0 : record.surprise / (record.surprise + p.threshold);
      if (record.alarm) cooldown_until = time + 1 + p.cooldown;
    } else {
      record = {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, false};
      if (count > 0) {
        window.push(sample);
        add_to_memory(last.last(1).front());
      } else {
        ++start;
      }
    }
    ranges.push(time, sample);
    ++time;
    return record;
  }

  void judge(SurpriseRecord& record, double sample, double detrended) {
    if (!trended && detrended != sample) {
      trended = true;
      steady = last;
      steady_level = level;
    }
    ++count;
    last.push(sample);
    if (trended) steady.push(detrended);
    times.push(static_cast<double>(time));
    window.push(sample);
    add_to_memory(sample);
    const auto mean_level = [&](Views& views, const SlidingWindow& samples) {
      return views.push([&](std::size_t, std::size_t scale) {
        return is_gapless(scale) ? mean_of(samples.last(scale)) : kNaN;
      });
    };
    record.level = mean_level(level, last);
    if (trended) record.level = std::min(record.level, mean_level(steady_level, steady));
    double sum = record.level;
    double n = 1;
    const auto add = [&](double surprise) {
      sum += surprise;
      ++n;
      return surprise;
    };
    if (!spread.empty()) record.spread = add(spread_surprise());
    if (!seasonal.empty()) record.seasonal = add(seasonal_surprise(sample));
    if (!shape.empty()) record.shape = add(shape_surprise());
    record.surprise = sum / n;
  }

  [[nodiscard]] const SlidingWindow& steady_samples() const { return trended ? steady : last; }

  void add_to_memory(double sample) {
    for (NearestWindow& shapes : past) shapes.push(sample);
  }

  // Samples before and after a gap belong to different times of the season.
  [[nodiscard]] bool is_gapless(std::size_t scale) const {
    const double span = static_cast<double>(time) - times.last(scale).front() + 1;
    return span <= kLongestSpan * static_cast<double>(scale);
  }

  double spread_surprise() {
    const Views& levels = trended ? steady_level : level;
    const double least = kMinSpread * levels.tails().front().range() +
                         1e-12 * std::abs(last.last(1).front()) +
                         std::numeric_limits<double>::min();
    return spread.push([&](std::size_t, std::size_t scale) {
      return is_gapless(scale)
                 ? std::log(standard_deviation_of(steady_samples().last(scale)) + least)
                 : kNaN;
    });
  }

  double seasonal_surprise(double sample) {
    outside.push(ranges.outside(time, sample));
    if (time < p.season) return 0;
    return seasonal.push(
        [&](std::size_t, std::size_t scale) { return mean_of(outside.last(scale)); });
  }

  double shape_surprise() {
    return shape.push([&](std::size_t i, std::size_t scale) {
      if (time - start < kShapeWarmUp * static_cast<std::int64_t>(scale)) return kNaN;
      return past[i].distance(window.last(scale));
    });
  }

  template <class Visit>
  void for_each_tail(const Visit& visit) {
    for (Views* views : {&level, &steady_level, &spread, &seasonal, &shape})
      for (TailSurprise& tail : views->tails()) visit(tail);
  }
  template <class Visit>
  void for_each_tail(const Visit& visit) const {
    for (const Views* views :
         {&level, trended ? &steady_level : &level, &spread, &seasonal, &shape})
      for (const TailSurprise& tail : views->tails()) visit(tail);
  }

  SurpriseStreamParameters p;
  std::int64_t time = 0;
  std::int64_t cooldown_until = 0;
  std::int64_t count = 0;
  std::int64_t start = 0;
  // Until the first trend, `steady` and `steady_level` equal `last` and `level`, and are not kept.
  bool trended = false;
  SlidingWindow last;    // samples that are not missing
  SlidingWindow steady;  // these without the trend, once there has been one
  SlidingWindow times;   // of these
  SlidingWindow window;  // all since the start
  SlidingWindow outside;
  SeasonalRanges ranges;
  std::vector<NearestWindow> past;
  detect::Trend trend;
  Views level, steady_level, spread, seasonal, shape;
};

namespace {

void require_parameters(const SurpriseStreamParameters& p) {
  constexpr std::string_view who = "SurpriseStream";
  require(p.season == 0 || p.season >= 2, "{}: season must be 0 (none) or at least 2, got {}", who,
          p.season);
  require(!p.scales.empty() && p.scales.size() <= kMaxScales, "{}: expected 1 to {} scales, got {}",
          who, kMaxScales, p.scales.size());
  require(p.scales.front() >= 1 && p.scales.back() <= kLongestScale &&
              std::ranges::adjacent_find(p.scales, std::greater_equal()) == p.scales.end(),
          "{}: scales must ascend within 1 to {}, got {} to {}", who, kLongestScale,
          p.scales.front(), p.scales.back());
  require(p.memory >= p.scales.back() && p.memory <= kMaxStored,
          "{}: memory must lie between the longest scale {} and {}, got {}", who, p.scales.back(),
          kMaxStored, p.memory);
  require(p.seasons >= 1, "{}: seasons must be at least 1, got {}", who, p.seasons);
  require(p.season <= kMaxStored / p.seasons,
          "{}: season times seasons must be at most {}, got {} times {}", who, kMaxStored, p.season,
          p.seasons);
  require(p.threshold > 0 && p.threshold <= TailSurprise::kMost,
          "{}: threshold must lie in (0, {}], got {}", who, TailSurprise::kMost, p.threshold);
  require(p.cooldown >= 0 && p.cooldown <= kMaxStored, "{}: cooldown must lie in 0 to {}, got {}",
          who, kMaxStored, p.cooldown);
}

std::vector<double> all_of(const SlidingWindow& window) {
  const auto values = window.last(std::numeric_limits<std::size_t>::max());
  return {values.begin(), values.end()};
}

bool all_at_most(const std::vector<double>& values, double most) {
  return std::ranges::all_of(values, [most](double v) { return std::abs(v) <= most; });
}

}  // namespace

SurpriseStream::SurpriseStream(const SurpriseStreamParameters& parameters) {
  require_parameters(parameters);
  components_ = std::make_unique<Components>(parameters);
}

SurpriseStream::SurpriseStream(const SurpriseStreamParameters& parameters, const State& state)
    : SurpriseStream(parameters) {
  Components& c = *components_;
  const auto first = [](std::int64_t count, std::size_t most) {
    return static_cast<std::size_t>(std::min(count, static_cast<std::int64_t>(most)));
  };
  const auto is_time = [&](double t) { return t >= 0 && t < static_cast<double>(state.time); };
  const std::int64_t since_start = state.time - state.start;
  require(
      0 <= state.count && state.count <= since_start && 0 <= state.start &&
          (state.count > 0 || since_start == 0) && 0 <= state.cooldown_until &&
          state.cooldown_until <= state.time + parameters.cooldown,
      "SurpriseStream: invalid state: {} samples of which {} are not missing, the first after {}, "
      "cooldown until {}",
      state.time, state.count, state.start, state.cooldown_until);
  require(state.samples.size() == first(state.count, c.longest()) &&
              state.times.size() == state.samples.size() &&
              state.steady.size() == state.samples.size() &&
              state.window.size() == first(since_start, c.longest()) &&
              state.memory.size() == first(since_start, c.n_memory()) &&
              all_at_most(state.samples, kLargestSample) &&
              all_at_most(state.steady, 2 * kLargestSample) &&
              all_at_most(state.memory, kLargestSample) &&
              std::ranges::all_of(state.window, is_sample) &&
              std::ranges::all_of(state.times, is_time),
          "SurpriseStream: invalid state: expected the last {} samples, got {}, {} and {}",
          c.longest(), state.samples.size(), state.window.size(), state.memory.size());
  const std::size_t n_outside = c.seasonal.empty() ? 0 : first(state.count, c.longest());
  require(state.outside.size() == n_outside && all_at_most(state.outside, 2 * kLargestSample),
          "SurpriseStream: invalid state: expected {} distances from ranges, got {}", n_outside,
          state.outside.size());
  std::size_t n_tails = 0;
  c.for_each_tail([&](const TailSurprise&) { ++n_tails; });
  require(state.tails.size() == n_tails,
          "SurpriseStream: invalid state: expected {} tails, one per view, got {}", n_tails,
          state.tails.size());

  require(state.trend.time == state.time,
          "SurpriseStream: invalid state: expected the trend of {} samples, got {}", state.time,
          state.trend.time);
  c.trend.restore(state.trend);
  c.ranges.restore(state);
  c.time = state.time;
  c.cooldown_until = state.cooldown_until;
  c.count = state.count;
  c.start = state.start;
  for (const double sample : state.samples) c.last.push(sample);
  for (const double detrended : state.steady) c.steady.push(detrended);
  for (const double time : state.times) c.times.push(time);
  for (const double sample : state.window) c.window.push(sample);
  for (const double sample : state.memory) c.add_to_memory(sample);
  for (const double value : state.outside) c.outside.push(value);
  auto next = state.tails.begin();
  c.for_each_tail([&](TailSurprise& tail) { tail = TailSurprise(tail.parameters(), *next++); });
  c.trended = state.steady != state.samples ||
              !std::ranges::equal(c.level.tails(), c.steady_level.tails(), {}, &TailSurprise::state,
                                  &TailSurprise::state);
}

SurpriseStream::~SurpriseStream() = default;
SurpriseStream::SurpriseStream(SurpriseStream&&) noexcept = default;
SurpriseStream& SurpriseStream::operator=(SurpriseStream&&) noexcept = default;
SurpriseStream::SurpriseStream(const SurpriseStream& other)
    : components_(std::make_unique<Components>(*other.components_)) {}
SurpriseStream& SurpriseStream::operator=(const SurpriseStream& other) {
  if (this != &other) components_ = std::make_unique<Components>(*other.components_);
  return *this;
}

SurpriseRecord SurpriseStream::push(double sample) {
  require_sample(sample);
  return components_->push(sample);
}

std::vector<SurpriseRecord> SurpriseStream::push(std::span<const double> samples,
                                                 const Progress& progress) {
  std::ranges::for_each(samples, require_sample);
  ThrottledProgress report(progress, "SurpriseStream::push");
  std::vector<SurpriseRecord> records;
  records.reserve(samples.size());
  for (const double sample : samples) {
    if (records.size() % 1024 == 0) report(records.size(), samples.size());
    records.push_back(components_->push(sample));
  }
  return records;
}

const SurpriseStreamParameters& SurpriseStream::parameters() const noexcept {
  return components_->p;
}
std::int64_t SurpriseStream::time() const noexcept { return components_->time; }

SurpriseStream::State SurpriseStream::state() const {
  const Components& c = *components_;
  State state;
  state.time = c.time;
  state.cooldown_until = c.cooldown_until;
  state.count = c.count;
  state.start = c.start;
  state.samples = all_of(c.last);
  state.times = all_of(c.times);
  state.steady = all_of(c.steady_samples());
  state.trend = c.trend.state();
  state.window = all_of(c.window);
  if (!c.past.empty()) state.memory = c.past.back().samples();
  state.outside = all_of(c.outside);
  c.ranges.copy_to(state);
  c.for_each_tail([&](const TailSurprise& tail) { state.tails.push_back(tail.state()); });
  return state;
}

}  // namespace secondlook
