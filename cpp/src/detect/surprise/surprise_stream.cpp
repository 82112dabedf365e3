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
constexpr double kLargestSample = 1e150;  // whose square is still finite
constexpr std::size_t kMostScales = 32;
constexpr std::int64_t kLongestScale = 1'000'000;  // a sum of so many squares is finite too
constexpr std::int64_t kMostKept = 100'000'000;    // samples: 1.6 GB of ranges
constexpr std::int64_t kLeastSpreadScale = 16;     // a standard deviation of fewer is noise
constexpr std::int64_t kLeastShapeScale = 4;       // fewer are no shape
constexpr std::int64_t kShapeWarmUp = 4;           // times the scale
constexpr double kLongestSpan = 4.0 / 3;           // times the scale
constexpr std::int64_t kTolerance = 96;            // of a season: a quarter of an hour in a day
constexpr double kLeastSpread = 1e-3;              // of the range: of a constant series

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

// What the samples were at each time of a season, in the last seasons.
class SeasonalRanges {
 public:
  explicit SeasonalRanges(const SurpriseStreamParameters& parameters)
      : season_(static_cast<std::size_t>(parameters.season)),
        seasons_(static_cast<std::size_t>(parameters.seasons)),
        recent_(season_ > 0 ? 2 * tolerance() + 1 : 0, kNaN),
        lows_(season_ * seasons_, kInfinity),
        highs_(season_ * seasons_, -kInfinity) {}

  // How far a sample lies above or below (negative) all that was at this time, or near it.
  [[nodiscard]] double outside(std::int64_t time, double sample) const {
    const auto begin = static_cast<std::ptrdiff_t>(place(static_cast<std::size_t>(time), 0));
    const auto end = begin + static_cast<std::ptrdiff_t>(seasons_);
    const double low = *std::min_element(lows_.begin() + begin, lows_.begin() + end);
    const double high = *std::max_element(highs_.begin() + begin, highs_.begin() + end);
    if (low > high) return 0;  // nothing was there
    return std::max(sample - high, 0.0) + std::min(sample - low, 0.0);
  }

  // A time's range is known once the tolerance after it is over; a season is longer than that.
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
    lows_[place(centre, centre / season_)] = low;
    highs_[place(centre, centre / season_)] = high;
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
            "SurpriseStream: expected valid ranges of {} seasons of {} samples", seasons_, season_);
    recent_ = state.recent;
    lows_ = state.lows;
    highs_ = state.highs;
  }

 private:
  [[nodiscard]] std::size_t tolerance() const { return (season_ + kTolerance - 1) / kTolerance; }
  // Seasons lie next to one another, for they are read together.
  [[nodiscard]] std::size_t place(std::size_t time, std::size_t season) const {
    return time % season_ * seasons_ + season % seasons_;
  }

  std::size_t season_;
  std::size_t seasons_;
  std::vector<double> recent_;
  std::vector<double> lows_;
  std::vector<double> highs_;
};

// A component' views: at each scale a value, and how surprising it is.
class Views {
 public:
  Views(const std::vector<std::size_t>& scales, bool two_sided) : scales_(scales) {
    tails_.assign(scales.size(), TailSurprise({.two_sided = two_sided}));
  }

  // Mean surprise of what `value_at` says of each view; NaN is no verdict.
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
        spread(scales_from(p, kLeastSpreadScale), true),
        seasonal(p.season > 0 ? scales_from(p, 1) : std::vector<std::size_t>(), true),
        shape(scales_from(p, kLeastShapeScale), false) {
    for (const std::size_t scale : scales_from(p, kLeastShapeScale))
      past.emplace_back(scale, static_cast<std::size_t>(p.memory));
  }

  [[nodiscard]] std::size_t longest() const { return static_cast<std::size_t>(p.scales.back()); }

  // What the longest shapes are looked up in.
  [[nodiscard]] std::size_t n_memory() const {
    return past.empty() ? 0 : longest() + static_cast<std::size_t>(p.memory);
  }

  SurpriseRecord push(double sample) {
    SurpriseRecord record;
    const double rest = trend.remove(sample);
    if (!std::isnan(sample)) {
      look(record, sample, rest);
      const bool resting = time < cooldown_until;
      record.alarm = !resting && record.surprise >= p.threshold;
      record.score = resting ? 0 : record.surprise / (record.surprise + p.threshold);
      if (record.alarm) cooldown_until = time + 1 + p.cooldown;
    } else {
      record = {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, false};
      if (count > 0) {
        window.push(sample);
        remember(last.last(1).front());
      } else {
        ++start;
      }
    }
    ranges.push(time, sample);
    ++time;
    return record;
  }

  void look(SurpriseRecord& record, double sample, double rest) {
    ++count;
    last.push(sample);
    steady.push(rest);
    times.push(static_cast<double>(time));
    window.push(sample);
    remember(sample);
    const auto mean_level = [&](Views& views, const SlidingWindow& samples) {
      return views.push([&](std::size_t, std::size_t scale) {
        return is_gapless(scale) ? mean_of(samples.last(scale)) : kNaN;
      });
    };
    const double raw = mean_level(level, last);
    record.level = std::min(raw, mean_level(steady_level, steady));
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

  void remember(double sample) {
    for (NearestWindow& shapes : past) shapes.push(sample);
  }

  // Samples before and after a gap are of different times of the season.
  [[nodiscard]] bool is_gapless(std::size_t scale) const {
    const double span = static_cast<double>(time) - times.last(scale).front() + 1;
    return span <= kLongestSpan * static_cast<double>(scale);
  }

  double spread_surprise() {
    const double least = kLeastSpread * steady_level.tails().front().range() +
                         1e-12 * std::abs(last.last(1).front()) +
                         std::numeric_limits<double>::min();
    return spread.push([&](std::size_t, std::size_t scale) {
      return is_gapless(scale) ? std::log(standard_deviation_of(steady.last(scale)) + least) : kNaN;
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
    for (const Views* views : {&level, &steady_level, &spread, &seasonal, &shape})
      for (const TailSurprise& tail : views->tails()) visit(tail);
  }

  SurpriseStreamParameters p;
  std::int64_t time = 0;
  std::int64_t cooldown_until = 0;
  std::int64_t count = 0;
  std::int64_t start = 0;
  SlidingWindow last;    // samples that are there
  SlidingWindow steady;  // these without the trend
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
  require(!p.scales.empty() && p.scales.size() <= kMostScales,
          "{}: expected 1 to {} scales, got {}", who, kMostScales, p.scales.size());
  require(p.scales.front() >= 1 && p.scales.back() <= kLongestScale &&
              std::ranges::adjacent_find(p.scales, std::greater_equal()) == p.scales.end(),
          "{}: scales must ascend within 1 to {}, got {} to {}", who, kLongestScale,
          p.scales.front(), p.scales.back());
  require(p.memory >= p.scales.back() && p.memory <= kMostKept,
          "{}: memory must lie between the longest scale {} and {}, got {}", who, p.scales.back(),
          kMostKept, p.memory);
  require(p.seasons >= 1, "{}: seasons must be at least 1, got {}", who, p.seasons);
  require(p.season <= kMostKept / p.seasons,
          "{}: season times seasons must be at most {}, got {} times {}", who, kMostKept, p.season,
          p.seasons);
  require(p.threshold > 0 && p.threshold <= TailSurprise::kMost,
          "{}: threshold must lie in (0, {}], got {}", who, TailSurprise::kMost, p.threshold);
  require(p.cooldown >= 0 && p.cooldown <= kMostKept, "{}: cooldown must lie in 0 to {}, got {}",
          who, kMostKept, p.cooldown);
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
  Components& w = *components_;
  const auto first = [](std::int64_t count, std::size_t most) {
    return static_cast<std::size_t>(std::min(count, static_cast<std::int64_t>(most)));
  };
  const auto is_time = [&](double t) { return t >= 0 && t < static_cast<double>(state.time); };
  const std::int64_t since_start = state.time - state.start;
  require(0 <= state.count && state.count <= since_start && 0 <= state.start &&
              (state.count > 0 || since_start == 0) && 0 <= state.cooldown_until &&
              state.cooldown_until <= state.time + parameters.cooldown,
          "SurpriseStream: expected the state of a stream, got {} samples of which {} are not "
          "missing, the first after {}, resting until {}",
          state.time, state.count, state.start, state.cooldown_until);
  require(state.samples.size() == first(state.count, w.longest()) &&
              state.times.size() == state.samples.size() &&
              state.steady.size() == state.samples.size() &&
              state.window.size() == first(since_start, w.longest()) &&
              state.memory.size() == first(since_start, w.n_memory()) &&
              all_at_most(state.samples, kLargestSample) &&
              all_at_most(state.steady, 2 * kLargestSample) &&
              all_at_most(state.memory, kLargestSample) &&
              std::ranges::all_of(state.window, is_sample) &&
              std::ranges::all_of(state.times, is_time),
          "SurpriseStream: expected the state's last {} samples, got {}, {} and {}", w.longest(),
          state.samples.size(), state.window.size(), state.memory.size());
  const std::size_t n_outside = w.seasonal.empty() ? 0 : first(state.count, w.longest());
  require(state.outside.size() == n_outside && all_at_most(state.outside, 2 * kLargestSample),
          "SurpriseStream: expected {} distances from ranges, got {}", n_outside,
          state.outside.size());
  std::size_t n_tails = 0;
  w.for_each_tail([&](const TailSurprise&) { ++n_tails; });
  require(state.tails.size() == n_tails, "SurpriseStream: expected the tails of {} views, got {}",
          n_tails, state.tails.size());

  require(state.trend.time == state.time,
          "SurpriseStream: expected the trend of {} samples, got {}", state.time, state.trend.time);
  w.trend.restore(state.trend);
  w.ranges.restore(state);
  w.time = state.time;
  w.cooldown_until = state.cooldown_until;
  w.count = state.count;
  w.start = state.start;
  for (const double sample : state.samples) w.last.push(sample);
  for (const double rest : state.steady) w.steady.push(rest);
  for (const double time : state.times) w.times.push(time);
  for (const double sample : state.window) w.window.push(sample);
  for (const double sample : state.memory) w.remember(sample);
  for (const double value : state.outside) w.outside.push(value);
  auto next = state.tails.begin();
  w.for_each_tail([&](TailSurprise& tail) { tail = TailSurprise(tail.parameters(), *next++); });
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
  ThrottledProgress tell(progress, "SurpriseStream::push");
  std::vector<SurpriseRecord> records;
  records.reserve(samples.size());
  for (const double sample : samples) {
    if (records.size() % 1024 == 0) tell(records.size(), samples.size());
    records.push_back(components_->push(sample));
  }
  return records;
}

const SurpriseStreamParameters& SurpriseStream::parameters() const noexcept {
  return components_->p;
}
std::int64_t SurpriseStream::time() const noexcept { return components_->time; }

SurpriseStream::State SurpriseStream::state() const {
  const Components& w = *components_;
  State state;
  state.time = w.time;
  state.cooldown_until = w.cooldown_until;
  state.count = w.count;
  state.start = w.start;
  state.samples = all_of(w.last);
  state.times = all_of(w.times);
  state.steady = all_of(w.steady);
  state.trend = w.trend.state();
  state.window = all_of(w.window);
  if (!w.past.empty()) state.memory = w.past.back().samples();
  state.outside = all_of(w.outside);
  w.ranges.copy_to(state);
  w.for_each_tail([&](const TailSurprise& tail) { state.tails.push_back(tail.state()); });
  return state;
}

}  // namespace secondlook
