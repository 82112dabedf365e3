#include "secondlook/learn/incremental_learner.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/detect/autoencoder.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/lstm_forecaster.hpp"
#include "secondlook/eigen.hpp"
#include "secondlook/learn/version_folder.hpp"
#include "temporary_folder.hpp"

using secondlook::Autoencoder;
using secondlook::Detector;
using secondlook::EigenMatrix;
using secondlook::IncrementalLearner;
using secondlook::IncrementalLearnerParameters;
using secondlook::Index;
using secondlook::InvalidArgument;
using secondlook::IsolationForest;
using secondlook::MatrixView;
using secondlook::ModelFile;
using secondlook::ModelFileError;
using secondlook::Progress;
using secondlook::RandomStream;
using secondlook::SampleView;
using secondlook::UpdateOutcome;
using secondlook::VersionFolder;

namespace fs = std::filesystem;

namespace {

// Scores by the distance from the mean, and forgets all rows except those of the last training.
class NearestToMean final : public Detector {
 public:
  explicit NearestToMean(double mean, bool diverges = false) : mean_(mean), diverges_(diverges) {}
  [[nodiscard]] std::size_t n_features() const noexcept override { return 1; }
  [[nodiscard]] bool fitted() const noexcept override { return true; }
  using Detector::score_samples;
  void score_samples(SampleView x, std::span<double> scores) const override {
    x.visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i)
        scores[static_cast<std::size_t>(i)] = -std::abs(static_cast<double>(rows(i, 0)) - mean_);
    });
  }
  void feature_contributions(SampleView x, std::span<double> parts) const override {
    score_samples(x, parts);
  }
  void fit(SampleView x, const Progress& progress) override { partial_fit(x, progress); }
  void partial_fit(SampleView x, const Progress& progress) override {
    if (progress && !progress(0, 1)) throw secondlook::Cancelled("stopped");
    if (diverges_) throw InvalidArgument("NearestToMean: the loss diverged");
    x.visit([&](auto rows) { mean_ = static_cast<double>(as_eigen(rows).mean()); });
    if (std::abs(mean_) > 1000) mean_ = std::numeric_limits<double>::quiet_NaN();
  }
  [[nodiscard]] double offset() const override { return -1; }
  [[nodiscard]] bool offset_is_stale() const noexcept override { return false; }
  void fit_offset(SampleView) override {}
  [[nodiscard]] std::string_view kind() const noexcept override { return "nearest_to_mean"; }
  [[nodiscard]] std::unique_ptr<Detector> clone() const override {
    return std::make_unique<NearestToMean>(*this);
  }

 protected:
  [[nodiscard]] ModelFile write() const override {
    throw InvalidArgument("NearestToMean: has no file");
  }

 private:
  double mean_;
  bool diverges_;
};

EigenMatrix<double> line(std::size_t n, double centre, std::uint64_t seed) {
  RandomStream random(seed);
  EigenMatrix<double> x(static_cast<Index>(n), 1);
  for (Index i = 0; i < x.rows(); ++i) x(i, 0) = centre + random.uniform() + random.uniform() - 1;
  return x;
}

// Five features that depend on two hidden variables; `slope` selects the regime.
EigenMatrix<double> plant(std::size_t n, double slope, std::uint64_t seed) {
  RandomStream random(seed);
  const auto noise = [&] { return random.uniform() + random.uniform() - 1; };
  EigenMatrix<double> x(static_cast<Index>(n), 5);
  for (Index i = 0; i < x.rows(); ++i) {
    const double a = noise();
    const double b = noise();
    x.row(i) << a, b, a + b, slope * a - b, 20 + slope * b;
    for (Index j = 0; j < 5; ++j) x(i, j) += 0.05 * noise();
  }
  return x;
}

std::unique_ptr<Autoencoder> small_autoencoder(const EigenMatrix<double>& x) {
  auto model =
      std::make_unique<Autoencoder>(secondlook::AutoencoderParameters{.hidden = {24, 5},
                                                                      .dropout = 0.2,
                                                                      .learning_rate = 1e-3,
                                                                      .max_epochs = 40,
                                                                      .seed = 1,
                                                                      .n_jobs = 1});
  model->fit(x);
  return model;
}

std::unique_ptr<IsolationForest> small_forest(const EigenMatrix<double>& x) {
  auto model = std::make_unique<IsolationForest>(secondlook::IsolationForestParameters{
      .n_estimators = 100, .max_samples = 64, .contamination = 0.01, .seed = 1, .n_jobs = 1});
  model->fit(x);
  return model;
}

std::vector<double> scores_of(const IncrementalLearner& learner, const EigenMatrix<double>& x) {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  learner.score_samples(x, scores);
  return scores;
}

double mean_score(const IncrementalLearner& learner, const EigenMatrix<double>& x) {
  const auto scores = scores_of(learner, x);
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum / static_cast<double>(scores.size());
}

double fraction_below_offset(const IncrementalLearner& learner, const EigenMatrix<double>& x) {
  std::vector<double> values(static_cast<std::size_t>(x.rows()));
  learner.decision_function(x, values);
  return static_cast<double>(std::ranges::count_if(values, [](double v) { return v < 0; })) /
         static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("IncrementalLearner: trains on rows like the earlier ones, and counts them") {
  IncrementalLearner learner(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  REQUIRE(learner.version() == 1);
  const auto report = learner.update(plant(500, 1, 3));
  CAPTURE(report.reason);
  REQUIRE(report.outcome == UpdateOutcome::accepted);
  REQUIRE(report.version == 2);
  REQUIRE(learner.version() == 2);
  REQUIRE(report.n_rows == 500);
  REQUIRE(report.n_suspected < 25);
  REQUIRE(report.n_learned + report.n_held_out <= 500);
  REQUIRE(report.n_learned + report.n_held_out + report.n_suspected >= 500);
  REQUIRE(report.n_replayed == report.n_learned);
  REQUIRE_FALSE(report.drift);
  REQUIRE(learner.history().size() == 1);
  REQUIRE(learner.versions().size() == 1);  // without a folder, only the version in use
}

TEST_CASE("IncrementalLearner: trains on float rows as on the same values in double") {
  const EigenMatrix<float> rows = plant(200, 1, 3).cast<float>();
  IncrementalLearner one(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  IncrementalLearner two(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  one.update(rows);
  two.update(EigenMatrix<double>(rows.cast<double>()));
  REQUIRE(scores_of(one, plant(50, 1, 4)) == scores_of(two, plant(50, 1, 4)));
}

TEST_CASE("IncrementalLearner: learns nothing from an update with only anomalies") {
  const auto probe = plant(100, 1, 9);
  IncrementalLearner learner(small_autoencoder(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  const auto before = scores_of(learner, probe);
  EigenMatrix<double> anomalies = plant(300, 1, 3);
  anomalies.col(2).array() += 5;
  const auto report = learner.update(anomalies);
  REQUIRE(report.outcome == UpdateOutcome::refused);
  REQUIRE(report.n_suspected == 300);
  REQUIRE(report.n_learned == 0);
  REQUIRE(report.reason == "300 of 300 rows are suspected anomalies: nothing was learned");
  REQUIRE(report.drift);
  REQUIRE(report.p_value < 1e-9);
  REQUIRE(std::isnan(report.fresh_after));
  REQUIRE(learner.version() == 1);
  REQUIRE(scores_of(learner, probe) == before);
}

TEST_CASE("IncrementalLearner: excludes a few anomalies from training") {
  IncrementalLearner learner(small_autoencoder(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  EigenMatrix<double> rows = plant(500, 1, 3);
  rows.topRows(50).col(2).array() += 5;
  const auto report = learner.update(rows);
  CAPTURE(report.reason);
  REQUIRE(report.outcome == UpdateOutcome::accepted);
  REQUIRE(report.n_suspected >= 50);
  REQUIRE(report.n_suspected < 70);
  REQUIRE(fraction_below_offset(learner, rows.topRows(50)) == 1);
}

TEST_CASE("IncrementalLearner: rejects rows of another model by name, without side effects") {
  const auto probe = plant(100, 1, 9);
  IncrementalLearner learner(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  const auto before = scores_of(learner, probe);
  REQUIRE_THROWS_WITH(learner.update(EigenMatrix<double>(plant(100, 1, 3).leftCols(4))),
                      "IncrementalLearner::update: expected 5 features, got 4");
  REQUIRE_THROWS_WITH(learner.update(plant(9, 1, 3)),
                      "IncrementalLearner::update: expected at least 10 samples, got 9");
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EigenMatrix<double> rows = plant(100, 1, 3);
    rows(50, 2) = bad;
    REQUIRE_THROWS_AS(learner.update(rows), InvalidArgument);
  }
  REQUIRE(learner.history().empty());
  REQUIRE(scores_of(learner, probe) == before);
}

TEST_CASE("IncrementalLearner: rolls back a candidate that has forgotten the old rows") {
  const IncrementalLearnerParameters without_replay{.replay_ratio = 0};
  IncrementalLearner learner(std::make_unique<NearestToMean>(0), line(1'000, 0, 1), without_replay);
  const auto report = learner.update(line(200, 3, 2), true);
  CAPTURE(report.reason);
  REQUIRE(report.outcome == UpdateOutcome::rolled_back);
  REQUIRE(report.fresh_after > report.fresh_before);
  REQUIRE(report.replay_after < report.replay_before - report.allowed_loss);
  REQUIRE(learner.version() == 1);
  REQUIRE(scores_of(learner, line(50, 0, 3)) ==
          scores_of(IncrementalLearner(std::make_unique<NearestToMean>(0), line(1'000, 0, 1)),
                    line(50, 0, 3)));
}

TEST_CASE("IncrementalLearner: many small losses do not add up") {
  // Each update shifts the mean a little; each alone is within the tolerance.
  const IncrementalLearnerParameters parameters{.replay_ratio = 0, .tolerance = 0.25};
  IncrementalLearner learner(std::make_unique<NearestToMean>(0), line(1'000, 0, 1), parameters);
  std::size_t n_accepted = 0;
  for (std::uint64_t i = 1; i <= 40; ++i)
    if (learner.update(line(100, 0.05 * static_cast<double>(i), i), true).outcome ==
        UpdateOutcome::accepted)
      ++n_accepted;
  CAPTURE(n_accepted);
  REQUIRE(n_accepted > 2);
  REQUIRE(n_accepted < 20);
  REQUIRE(mean_score(learner, line(1'000, 0, 99)) > -0.6);
}

TEST_CASE("IncrementalLearner: failed training leaves the model in use") {
  IncrementalLearner diverging(std::make_unique<NearestToMean>(0, true), line(1'000, 0, 1));
  const auto diverged = diverging.update(line(100, 0, 2));
  REQUIRE(diverged.outcome == UpdateOutcome::rolled_back);
  REQUIRE(diverged.reason == "NearestToMean: the loss diverged");

  IncrementalLearner not_finite(std::make_unique<NearestToMean>(0), line(1'000, 0, 1));
  const auto report = not_finite.update(line(4'000, 5'000, 2), true);
  REQUIRE(report.outcome == UpdateOutcome::rolled_back);
  REQUIRE(report.reason == "the candidate's scores are not finite");
  REQUIRE(not_finite.version() == 1);

  IncrementalLearner stopped(std::make_unique<NearestToMean>(0), line(1'000, 0, 1));
  const auto no = [](std::size_t, std::size_t) { return false; };
  REQUIRE_THROWS_AS(stopped.update(line(100, 0, 2), false, no), secondlook::Cancelled);
  REQUIRE(stopped.version() == 1);
  REQUIRE(stopped.history().empty());
  REQUIRE(stopped.update(line(100, 0, 2)).outcome == UpdateOutcome::accepted);
}

TEST_CASE("IncrementalLearner: with replay the old regime is not forgotten") {
  const auto train = plant(1'500, 1, 1);
  const auto fresh = plant(500, -1, 60);
  const auto old = plant(1'000, 1, 50);
  const auto run = [&](double replay_ratio) {
    IncrementalLearnerParameters parameters{.replay_ratio = replay_ratio};
    if (replay_ratio == 0) parameters.tolerance = 1e6;  // no update is rolled back
    IncrementalLearner learner(small_autoencoder(train), plant(3'000, 1, 2), parameters);
    std::vector<double> means{mean_score(learner, old), mean_score(learner, fresh)};
    for (std::uint64_t i = 0; i < 20; ++i) learner.update(plant(200, -1, 100 + i), true);
    means.push_back(mean_score(learner, old));
    means.push_back(mean_score(learner, fresh));
    return means;
  };
  const auto with = run(1.0);
  const auto without = run(0.0);
  CAPTURE(with, without);
  REQUIRE(with[2] > 1.5 * with[0]);   // the loss grows by at most half
  REQUIRE(without[2] < 5 * with[2]);  // clearly worse
  REQUIRE(with[3] > 0.9 * with[1]);   // and the new regime is still learned
}

TEST_CASE("IncrementalLearner: the limit does not decrease, and no false drift is reported") {
  IncrementalLearner learner(small_forest(plant(2'000, 1, 1)), plant(2'000, 1, 2));
  std::size_t n_drift = 0;
  std::size_t n_suspected = 0;
  std::size_t n_accepted = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto report = learner.update(plant(300, 1, 100 + i));
    n_drift += report.drift ? 1 : 0;
    n_suspected += report.n_suspected;
    n_accepted += report.outcome == UpdateOutcome::accepted ? 1 : 0;
  }
  CAPTURE(n_drift, n_suspected, n_accepted);
  REQUIRE(n_accepted >= 55);
  REQUIRE(n_drift <= 2);
  REQUIRE(n_suspected < 60 * 300 * 0.02);
  REQUIRE(fraction_below_offset(learner, plant(5'000, 1, 999)) < 0.02);
}

TEST_CASE("IncrementalLearner: resumes from its folder as if uninterrupted") {
  const TemporaryFolder temporary;
  const auto folder = temporary.path() / "site7";
  IncrementalLearner learner(small_autoencoder(plant(1'000, 1, 1)), plant(1'000, 1, 2), {}, folder,
                             {"a", "b", "c", "d", "e"});
  learner.update(plant(300, 1, 3));
  EigenMatrix<double> anomalies = plant(100, 1, 4);
  anomalies.col(0).array() += 9;
  learner.update(anomalies);

  auto again = IncrementalLearner::open(folder);
  REQUIRE(again.version() == learner.version());
  REQUIRE(again.offset() == learner.offset());
  REQUIRE(again.feature_names() == learner.feature_names());
  REQUIRE(again.history().size() == 2);
  REQUIRE(again.history()[1].outcome == UpdateOutcome::refused);
  const auto probe = plant(100, 1, 9);
  REQUIRE(scores_of(again, probe) == scores_of(learner, probe));

  const auto resumed = again.update(plant(300, 1, 5));
  const auto versions = again.versions();
  REQUIRE(versions.size() == 3);
  REQUIRE(versions[0].reason == "calibrated on 1000 rows");
  REQUIRE(versions[2].in_use);
  REQUIRE(versions[2].reason == resumed.reason);
  // The first learner does not know of this version: it trains on the same rows, and must not
  // overwrite it.
  REQUIRE_THROWS_AS(learner.update(plant(300, 1, 5)), secondlook::FileError);
  REQUIRE(learner.version() == 2);
  REQUIRE(scores_of(learner, probe) != scores_of(again, probe));
}

TEST_CASE("IncrementalLearner: a version is an ordinary model file with a fresh offset") {
  const TemporaryFolder temporary;
  IncrementalLearner learner(small_autoencoder(plant(1'000, 1, 1)), plant(1'000, 1, 2), {},
                             temporary.path());
  REQUIRE(learner.update(plant(300, 1, 3)).outcome == UpdateOutcome::accepted);
  const auto file = VersionFolder(temporary.path()).file_of(2);
  const auto model = secondlook::load(file);
  const auto& autoencoder = dynamic_cast<const Autoencoder&>(*model);
  REQUIRE_FALSE(autoencoder.offset_is_stale());
  const auto probe = plant(50, 1, 9);
  std::vector<double> scores(50);
  autoencoder.score_samples(probe, scores);
  REQUIRE(scores == scores_of(learner, probe));
}

TEST_CASE("IncrementalLearner: restores an older version as a new one") {
  const TemporaryFolder temporary;
  IncrementalLearner learner(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2),
                             {.keep_versions = 3}, temporary.path());
  const auto probe = plant(100, 1, 9);
  learner.update(plant(300, 1, 3));
  const auto second = scores_of(learner, probe);
  learner.update(plant(300, 1, 4));
  REQUIRE(scores_of(learner, probe) != second);
  learner.rollback(2, "a sensor was off");
  REQUIRE(scores_of(learner, probe) == second);
  REQUIRE(learner.version() == 4);
  const auto versions = learner.versions();
  REQUIRE(versions.size() == 3);  // versions 2, 3 and 4
  REQUIRE(versions.back().reason == "back to version 2: a sensor was off");
  REQUIRE(scores_of(IncrementalLearner::open(temporary.path()), probe) == second);
  REQUIRE_THROWS_AS(learner.rollback(1), InvalidArgument);
  REQUIRE_THROWS_AS(learner.rollback(77), InvalidArgument);
  IncrementalLearner homeless(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  REQUIRE_THROWS_AS(homeless.rollback(1), InvalidArgument);
}

TEST_CASE("IncrementalLearner: skips a damaged newest version and does not overwrite it") {
  const TemporaryFolder temporary;
  {
    IncrementalLearner learner(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2), {},
                               temporary.path());
    learner.update(plant(300, 1, 3));
  }
  fs::resize_file(VersionFolder(temporary.path()).file_of(2), 1'000);
  auto learner = IncrementalLearner::open(temporary.path());
  REQUIRE(learner.version() == 1);
  REQUIRE(learner.update(plant(300, 1, 3)).version == 3);
  REQUIRE(IncrementalLearner::open(temporary.path()).version() == 3);
  REQUIRE(learner.versions().size() == 2);
}

TEST_CASE("IncrementalLearner: rejects a folder of another model") {
  const TemporaryFolder temporary;
  const auto ours = temporary.path() / "ours";
  const auto theirs = temporary.path() / "theirs";
  {
    const IncrementalLearner a(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2), {}, ours);
    IncrementalLearner b(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2), {}, theirs);
    b.update(plant(300, 1, 3));
  }
  REQUIRE_THROWS_WITH(
      IncrementalLearner(small_autoencoder(plant(500, 1, 1)), plant(1'000, 1, 2), {}, ours),
      "IncrementalLearner: expected a folder with versions of kind autoencoder, "
      "got one of kind isolation_forest");
  const EigenMatrix<double> narrow = plant(1'000, 1, 1).leftCols(4);
  REQUIRE_THROWS_WITH(IncrementalLearner(small_forest(narrow), narrow, {}, ours),
                      "IncrementalLearner: expected a folder with versions of 4 features, got one "
                      "of 5");
  REQUIRE_THROWS_AS(IncrementalLearner(small_forest(plant(500, 1, 1)), plant(1'000, 1, 2), {}, ours,
                                       {"a", "b", "c", "d", "e"}),
                    InvalidArgument);
  // A model of the same kind and features continues there.
  REQUIRE(IncrementalLearner(small_forest(plant(1'000, 1, 5)), plant(1'000, 1, 6), {}, ours)
              .version() == 2);

  // A version of another site, copied to this folder.
  fs::copy_file(theirs / "version-000002.safetensors", ours / "version-000003.safetensors");
  REQUIRE_THROWS_WITH(IncrementalLearner::open(ours), Catch::Contains("differ in origin"));
  fs::remove(ours / "version-000003.safetensors");
  REQUIRE(IncrementalLearner::open(ours).version() == 2);
  // A model that was not written by a learner.
  small_forest(plant(500, 1, 1))->save(ours / "version-000003.safetensors");
  REQUIRE_THROWS_WITH(IncrementalLearner::open(ours), Catch::Contains("a plain model"));

  REQUIRE_THROWS_AS(IncrementalLearner::open(temporary.path()), ModelFileError);
  REQUIRE_THROWS_AS(IncrementalLearner::open(temporary.path() / "absent"), secondlook::FileError);
}

TEST_CASE("IncrementalLearner: rejects invalid parameters, rows and detectors") {
  const auto x = plant(1'000, 1, 2);
  const auto make = [&](const IncrementalLearnerParameters& p) {
    return IncrementalLearner(small_forest(plant(300, 1, 1)), x, p);
  };
  REQUIRE_THROWS_AS(make({.suspicion_rate = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.max_suspected_fraction = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.replay_ratio = -1}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.held_out_fraction = 1}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.tolerance = std::nan("")}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.max_passes = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.significance = 1}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.adwin_delta = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.replay_size = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.held_out_size = 98}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.keep_versions = 0}), InvalidArgument);
  REQUIRE_THROWS_AS(make({.suspicion_rate = 1e-3}), InvalidArgument);
  REQUIRE_THROWS_AS(IncrementalLearner(nullptr, x), InvalidArgument);
  REQUIRE_THROWS_WITH(IncrementalLearner(std::make_unique<secondlook::LstmForecaster>(), x),
                      Catch::Matchers::Contains("ordered series"));
  REQUIRE_THROWS_AS(IncrementalLearner(std::make_unique<IsolationForest>(), x),
                    secondlook::NotFitted);
  const TemporaryFolder temporary;
  REQUIRE_THROWS_AS(IncrementalLearner(std::make_unique<NearestToMean>(0), line(1'000, 0, 1), {},
                                       temporary.path()),
                    InvalidArgument);
}

TEST_CASE("IncrementalLearner: readers continue while updates switch models") {
  IncrementalLearner learner(small_forest(plant(1'000, 1, 1)), plant(1'000, 1, 2));
  const auto probe = plant(8, 1, 9);
  std::atomic<bool> done{false};
  std::vector<std::vector<std::vector<double>>> seen(3);
  std::vector<std::thread> readers;
  for (auto& scores : seen)
    readers.emplace_back([&] {
      while (!done) {
        auto now = scores_of(learner, probe);
        if (scores.empty() || now != scores.back()) scores.push_back(std::move(now));
        static_cast<void>(learner.version());
        static_cast<void>(learner.offset());
      }
    });
  std::vector<std::vector<double>> versions{scores_of(learner, probe)};
  for (std::uint64_t i = 0; i < 15; ++i) {
    learner.update(plant(100, 1, 100 + i));
    versions.push_back(scores_of(learner, probe));
  }
  done = true;
  for (auto& reader : readers) reader.join();
  // Every read sees one whole version, in the order of the versions.
  for (const auto& scores : seen) {
    REQUIRE_FALSE(scores.empty());
    auto from = versions.begin();
    for (const auto& now : scores) {
      from = std::find(from, versions.end(), now);
      REQUIRE(from != versions.end());
    }
  }
}

namespace {

// Continues training and writes the number of each reported version, until it is killed.
[[noreturn]] void learn_until_killed(const fs::path& folder, int pipe, std::uint64_t seed) {
  try {
    auto learner = IncrementalLearner::open(folder);
    for (;; ++seed) {
      const std::uint64_t version = learner.update(plant(60, 1, seed), true).version;
      if (::write(pipe, &version, sizeof version) != sizeof version) ::_exit(1);
    }
  } catch (...) {
    ::_exit(2);
  }
}

}  // namespace

TEST_CASE("IncrementalLearner: leaves the last good version when killed at any moment") {
  const TemporaryFolder temporary;
  const auto probe = plant(20, 1, 9);
  {
    IncrementalLearnerParameters few{.replay_size = 200, .held_out_size = 99, .keep_versions = 4};
    const IncrementalLearner first(small_autoencoder(plant(500, 1, 1)), plant(400, 1, 2), few,
                                   temporary.path());
  }
  std::uint64_t last_version = 1;
  std::size_t n_half_written = 0;
  RandomStream random(1);
  for (std::uint64_t kill = 0; kill < 100; ++kill) {
    CAPTURE(kill);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      learn_until_killed(temporary.path(), ends[1], 1'000 * (kill + 1));
    }
    ::close(ends[1]);
    // Start the timer once the child is running.
    std::uint64_t reported = 0;
    REQUIRE(::read(ends[0], &reported, sizeof reported) == sizeof reported);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(30'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::uint64_t version = 0;
    while (::read(ends[0], &version, sizeof version) == sizeof version) reported = version;
    ::close(ends[0]);

    for (const auto& entry : fs::directory_iterator(temporary.path()))
      if (entry.path().string().find(".tmp-") != std::string::npos) ++n_half_written;
    const VersionFolder folder(temporary.path());
    const auto resumed = folder.numbers();
    REQUIRE_FALSE(resumed.empty());
    for (const std::uint64_t number : resumed) REQUIRE_NOTHROW(folder.read(number));
    const auto learner = IncrementalLearner::open(temporary.path());
    REQUIRE(learner.version() == resumed.back());
    // The last reported version, or the one that was being written.
    REQUIRE(learner.version() >= reported);
    REQUIRE(learner.version() <= reported + 1);
    REQUIRE(learner.version() >= last_version);
    for (const double score : scores_of(learner, probe)) REQUIRE(std::isfinite(score));
    last_version = learner.version();
  }
  CAPTURE(n_half_written);
  REQUIRE(last_version > 100);
}
