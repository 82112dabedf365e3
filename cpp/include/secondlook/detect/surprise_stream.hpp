#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "secondlook/core/export.hpp"
#include "secondlook/core/fields.hpp"
#include "secondlook/core/progress.hpp"
#include "secondlook/decide/tail_surprise.hpp"

namespace secondlook {

struct SurpriseStreamParameters {
  std::int64_t season = 0;  ///< samples per season, at least 2; 0: none
  std::vector<std::int64_t> scales = {1, 4, 16,
                                      64};  ///< samples that the components look at, ascending
  std::int64_t memory = 3000;   ///< samples in which shapes are searched, at least the last scale
  std::int64_t seasons = 7;     ///< number of seasons whose ranges are kept, at least 1
  double threshold = 1;         ///< surprise that raises an alarm, above 0
  std::int64_t cooldown = 150;  ///< samples after an alarm without another one

  bool operator==(const SurpriseStreamParameters&) const = default;
};

template <FieldsOf<SurpriseStreamParameters> T>
void for_each_field(T& p, auto&& use) {
  use("season", p.season);
  use("scales", p.scales);
  use("memory", p.memory);
  use("seasons", p.seasons);
  use("threshold", p.threshold);
  use("cooldown", p.cooldown);
}

/// Result for one sample. Surprises are −log10 of a tail probability: 2 is one in a hundred. For a
/// missing sample all figures are NaN, and there is no alarm.
struct SurpriseRecord {
  double surprise = 0;  ///< mean over the components that are active
  double score = 0;     ///< surprise / (surprise + threshold), in [0, 1); 0 during the cooldown
  double level = 0;     ///< component: unusually high or low mean
  double spread = 0;    ///< component: unusually high or low variation
  double seasonal = 0;  ///< component: outside the range of this time in the last seasons
  double shape = 0;     ///< component: unlike any earlier course of the series
  bool alarm = false;

  bool operator==(const SurpriseRecord&) const = default;
};

template <FieldsOf<SurpriseRecord> T>
void for_each_field(T& s, auto&& use) {
  use("surprise", s.surprise);
  use("score", s.score);
  use("level", s.level);
  use("spread", s.spread);
  use("seasonal", s.seasonal);
  use("shape", s.shape);
  use("alarm", s.alarm);
}

/// Detects anomalies of one series sample by sample: without training, and with the season as the
/// only thing to choose.
///
/// Four components look at the last w samples, at several scales w:
///   level     their mean; if the series rises or falls steadily, as a counter does, the trend is
///             removed where that makes the mean less surprising;
///   spread    the logarithm of their standard deviation, from w = 16 on;
///   seasonal  the mean of their distances from the range of the same time in the last seasons,
///             with a tolerance of 1/96 of a season;
///   shape     the distance to the most similar window in memory, from w = 4 on: the discord of
///             Keogh et al. 2005, found on line.
/// Each value is converted to its surprise given its own past (`TailSurprise`). A component is the
/// mean over its scales, the surprise the mean over the components: several weak signs add up, a
/// single one must be strong. A sample is judged before it is learned.
///
/// NaN is a missing sample. Its surprise is NaN and nothing is learned, but time and cooldown
/// continue. After it, level and spread use the last samples that are present, and abstain if these
/// span a third more than they should. Shapes are compared without it; in memory it is replaced by
/// the previous sample.
///
/// Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT SurpriseStream {
 public:
  /// State of the trend removal: block means, and the amount removed.
  struct Trend {
    std::int64_t time = 0;                   ///< samples so far, missing ones too
    std::int64_t count = 0;                  ///< samples of the block so far that are not missing
    double sum = 0;                          ///< their sum
    double offset = 0;                       ///< what the trend has added to the series
    std::vector<std::vector<double>> means;  ///< of the last blocks of 64, 128, 256, 512 samples
    std::vector<double> waiting;  ///< mean of each length's last block that has no partner yet

    bool operator==(const Trend&) const = default;
  };

  /// Complete state apart from the parameters, to save and restore a stream.
  struct State {
    std::int64_t time = 0;            ///< samples so far
    std::int64_t cooldown_until = 0;  ///< time before which there is no alarm
    std::int64_t count = 0;           ///< samples so far that were not missing
    std::int64_t start = 0;           ///< samples before the first that was not missing
    std::vector<double> samples;      ///< last that were not missing, oldest first
    std::vector<double> times;        ///< of each of these
    std::vector<double> steady;       ///< these without the trend
    Trend trend;
    std::vector<double> window;   ///< last samples since the start, NaN where missing, oldest first
    std::vector<double> memory;   ///< the same, many more, with what stands in for the missing ones
    std::vector<double> outside;  ///< what the seasonal component averages, oldest first
    std::vector<double> recent;   ///< last samples, missing ones too, in a ring
    std::vector<double> lows, highs;  ///< ranges: at each time of a season, of each season
    std::vector<TailSurprise::State>
        tails;  ///< of the views: level, steady level, spread, seasonal, shape

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument if a parameter is out of range
  explicit SurpriseStream(const SurpriseStreamParameters& parameters = {});

  /// Restores a stream from a state.
  /// @throws InvalidArgument if the state is inconsistent
  SurpriseStream(const SurpriseStreamParameters& parameters, const State& state);

  ~SurpriseStream();
  SurpriseStream(const SurpriseStream& other);
  SurpriseStream& operator=(const SurpriseStream& other);
  SurpriseStream(SurpriseStream&&) noexcept;
  SurpriseStream& operator=(SurpriseStream&&) noexcept;

  /// Judges the next sample and learns it. Does not allocate. O(`memory` + `season` / 48).
  /// @throws InvalidArgument if the sample is infinite or its magnitude exceeds 1e150; it is then
  ///   not counted
  SurpriseRecord push(double sample);

  /// Judges many samples, one after another.
  /// @throws InvalidArgument see above; no sample is then counted
  /// @throws Cancelled if `progress` asks to stop; the samples judged so far are learned
  std::vector<SurpriseRecord> push(std::span<const double> samples, const Progress& progress = {});

  [[nodiscard]] const SurpriseStreamParameters& parameters() const noexcept;
  /// Number of samples so far, including missing ones.
  [[nodiscard]] std::int64_t time() const noexcept;
  [[nodiscard]] State state() const;

 private:
  struct Components;
  std::unique_ptr<Components> components_;
};

template <FieldsOf<SurpriseStream::Trend> T>
void for_each_field(T& t, auto&& use) {
  use("time", t.time);
  use("count", t.count);
  use("sum", t.sum);
  use("offset", t.offset);
  use("means", t.means);
  use("waiting", t.waiting);
}

template <FieldsOf<SurpriseStream::State> T>
void for_each_field(T& s, auto&& use) {
  use("time", s.time);
  use("cooldown_until", s.cooldown_until);
  use("count", s.count);
  use("start", s.start);
  use("samples", s.samples);
  use("times", s.times);
  use("steady", s.steady);
  use("trend", s.trend);
  use("window", s.window);
  use("memory", s.memory);
  use("outside", s.outside);
  use("recent", s.recent);
  use("lows", s.lows);
  use("highs", s.highs);
  use("tails", s.tails);
}

}  // namespace secondlook
