#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "secondlook/core/fields.hpp"

namespace secondlook {

/// Outcome of an update.
enum class UpdateOutcome {
  accepted,     ///< the candidate is in use
  rolled_back,  ///< the candidate was judged worse than the model in use
  refused       ///< nothing was trained, because too few rows could be trusted
};
template <>
inline constexpr std::array<std::string_view, 3> names_of<UpdateOutcome>{"accepted", "rolled_back",
                                                                         "refused"};

/// Result of an update of an `IncrementalLearner`, and the reason for it. Mean scores are NaN if
/// nothing was trained; scores below the suspicion limit count as the limit.
struct UpdateReport {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  UpdateOutcome outcome = UpdateOutcome::refused;
  std::string reason;            ///< explanation in words
  std::uint64_t version = 0;     ///< version in use after the update
  std::int64_t time_ns = 0;      ///< time of the update, since 1970
  double seconds = 0;            ///< duration of the update
  std::size_t n_rows = 0;        ///< rows passed to the update
  std::size_t n_suspected = 0;   ///< rows excluded as suspected anomalies
  std::size_t n_learned = 0;     ///< rows trained on
  std::size_t n_held_out = 0;    ///< rows only used to judge the candidate
  std::size_t n_replayed = 0;    ///< older rows trained on
  std::size_t n_passes = 0;      ///< passes over the training rows
  double fresh_before = kNone;   ///< mean score of the fresh held-out rows: model in use
  double fresh_after = kNone;    ///< the same: candidate
  double replay_before = kNone;  ///< mean original score of the older rows that lost most
  double replay_after = kNone;   ///< their mean score: candidate
  double allowed_loss = kNone;   ///< largest drop of either mean that is accepted
  bool drift = false;            ///< whether the rows' scores have left the calibrated range
  bool mean_changed = false;     ///< whether ADWIN reported the drift
  double ks_statistic = 0;       ///< two-sample test: distance from the calibration scores
  double p_value = 1;            ///< two-sample test: p-value
};

template <FieldsOf<UpdateReport> T>
void for_each_field(T& u, auto&& use) {
  use("outcome", u.outcome);
  use("reason", u.reason);
  use("version", u.version);
  use("time_ns", u.time_ns);
  use("seconds", u.seconds);
  use("n_rows", u.n_rows);
  use("n_suspected", u.n_suspected);
  use("n_learned", u.n_learned);
  use("n_held_out", u.n_held_out);
  use("n_replayed", u.n_replayed);
  use("n_passes", u.n_passes);
  use("fresh_before", u.fresh_before);
  use("fresh_after", u.fresh_after);
  use("replay_before", u.replay_before);
  use("replay_after", u.replay_after);
  use("allowed_loss", u.allowed_loss);
  use("drift", u.drift);
  use("mean_changed", u.mean_changed);
  use("ks_statistic", u.ks_statistic);
  use("p_value", u.p_value);
}
template <>
inline constexpr std::array<EarlierName, 1> earlier_names_of<UpdateReport>{
    {{"n_held_back", "n_held_out"}}};

}  // namespace secondlook
