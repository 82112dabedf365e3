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
  std::int64_t season = 0;  ///< samples a season, at least 2; 0: there is none
  std::vector<std::int64_t> scales = {1, 4, 16, 64};  ///< samples a view averages, ascending
  std::int64_t memory = 3000;   ///< samples in which shapes are looked up, at least the last scale
  std::int64_t seasons = 7;     ///< seasons whose habits are kept, at least 1
  double threshold = 1;         ///< surprise from which on to alarm, above 0
  std::int64_t cooldown = 150;  ///< samples after an alarm without another

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

/// What a sample showed. Surprises are −log10 of a tail probability: 2 is one in a hundred.
struct SurpriseRecord {
  double surprise = 0;  ///< mean of the witnesses' that look at all
  double score = 0;     ///< surprise / (surprise + threshold), in [0, 1); 0 while resting
  double level = 0;     ///< witness: the mean is unusually high or low
  double spread = 0;    ///< witness: it scatters unusually much or little
  double habit = 0;     ///< witness: outside what it was at this time in the last seasons
  double shape = 0;     ///< witness: the course is like none that was
  bool alarm = false;

  bool operator==(const SurpriseRecord&) const = default;
};

template <FieldsOf<SurpriseRecord> T>
void for_each_field(T& s, auto&& use) {
  use("surprise", s.surprise);
  use("score", s.score);
  use("level", s.level);
  use("spread", s.spread);
  use("habit", s.habit);
  use("shape", s.shape);
  use("alarm", s.alarm);
}

/// Anomalies of one series as it comes: nothing to train, nothing to choose but the season.
///
/// Four witnesses look at the last samples at several scales w:
///   level   their mean;
///   spread  the logarithm of their standard deviation, from w = 16 on;
///   habit   the mean of how far they lie outside the range of the same time of the last seasons,
///           give or take 1/96 of a season;
///   shape   the distance of their course to the nearest in memory, from w = 4 on: the discord of
///           Keogh et al. 2005, found as the stream goes.
/// Each view's value is turned into its surprise on its own past (`TailSurprise`), a witness is the
/// mean of its views, the surprise that of the witnesses: several weak signs count, one alone must
/// be strong. Scored first, learned then.
///
/// NaN is a missing sample. Its surprise is 0 and no view learns; time and cooldown go on. Later,
/// level and spread are of the last samples that are there, and silent where these span a third
/// more than they should; shapes are compared without it, and in memory the sample before stands in
/// for it.
///
/// Not thread-safe; copies are independent.
class SECONDLOOK_EXPORT SurpriseStream {
 public:
  /// All there is to it but the parameters: what is kept to continue elsewhere.
  struct State {
    std::int64_t time = 0;            ///< samples so far
    std::int64_t cooldown_until = 0;  ///< time before which there is no alarm
    std::int64_t count = 0;           ///< samples so far that were not missing
    std::int64_t start = 0;           ///< samples before the first that was not missing
    std::vector<double> samples;      ///< last that were not missing, oldest first
    std::vector<double> times;        ///< of each of these
    std::vector<double> window;   ///< last samples since the start, NaN where missing, oldest first
    std::vector<double> memory;   ///< the same, many more, with what stands in for the missing ones
    std::vector<double> outside;  ///< what the habit witness averages, oldest first
    std::vector<double> recent;   ///< last samples, missing ones too, in a ring
    std::vector<double> lows, highs;         ///< habits: at each time of a season, of each season
    std::vector<TailSurprise::State> tails;  ///< of the views: level, spread, habit, shape

    bool operator==(const State&) const = default;
  };

  /// @throws InvalidArgument when a parameter is out of range
  explicit SurpriseStream(const SurpriseStreamParameters& parameters = {});

  /// Continues from a state.
  /// @throws InvalidArgument for one that no samples lead to
  SurpriseStream(const SurpriseStreamParameters& parameters, const State& state);

  ~SurpriseStream();
  SurpriseStream(const SurpriseStream& other);
  SurpriseStream& operator=(const SurpriseStream& other);
  SurpriseStream(SurpriseStream&&) noexcept;
  SurpriseStream& operator=(SurpriseStream&&) noexcept;

  /// Judges the next sample and learns it. No allocation. O(`memory` + `season` / 48).
  /// @throws InvalidArgument if it is infinite, or above 1e150 in magnitude; it is then not counted
  SurpriseRecord push(double sample);

  /// The same for many samples, one after another.
  /// @throws InvalidArgument as above, before the first is counted
  /// @throws Cancelled when `progress` asks to stop; the samples judged so far are learned
  std::vector<SurpriseRecord> push(std::span<const double> samples, const Progress& progress = {});

  [[nodiscard]] const SurpriseStreamParameters& parameters() const noexcept;
  /// Samples so far.
  [[nodiscard]] std::int64_t time() const noexcept;
  [[nodiscard]] State state() const;

 private:
  struct Witnesses;
  std::unique_ptr<Witnesses> witnesses_;
};

template <FieldsOf<SurpriseStream::State> T>
void for_each_field(T& s, auto&& use) {
  use("time", s.time);
  use("cooldown_until", s.cooldown_until);
  use("count", s.count);
  use("start", s.start);
  use("samples", s.samples);
  use("times", s.times);
  use("window", s.window);
  use("memory", s.memory);
  use("outside", s.outside);
  use("recent", s.recent);
  use("lows", s.lows);
  use("highs", s.highs);
  use("tails", s.tails);
}

}  // namespace secondlook
