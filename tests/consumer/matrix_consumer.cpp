// Calls every public function that takes or returns a matrix. run.sh builds this with several sets
// of flags against one installed library: each matrix must cross the library boundary unharmed in
// both directions.
#include <cmath>
#include <iostream>
#include <limits>
#include <secondlook/secondlook.hpp>
#include <utility>

#ifdef WITH_EIGEN
#include <secondlook/eigen.hpp>
#endif

using namespace secondlook;

namespace {

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "failed: " << what << '\n';
  ++failures;
}

Matrix<double> normal_rows(Index n, Index d) {
  RandomStream random(1, 0);
  Matrix<double> rows(n, d);
  for (double& value : rows.values())
    for (int i = 0; i < 12; ++i) value += random.uniform() - 0.5;
  return rows;
}

// Copies, moves and resizes matrices across the library boundary, which frees memory that the other
// side allocated.
void exercise_tables() {
  const char* text = "time,a,b\n2024-01-01 00:00:00,1,2\n2024-01-01 00:00:10,3,4\n";
  CsvContents contents = parse_csv(text);
  TimeTable table = contents.table;
  contents = parse_csv(text);
  const TimeGrid grid = grid_over(table.time_ns, 20'000'000'000);
  const TimeTable coarse = resample(table, grid);
  expect(coarse.values(0, 0) == 2 && coarse.values(0, 1) == 3, "resample of a table");
  Matrix<double> values = resample(table.time_ns, table.values, grid, Aggregate::last);
  expect(values(0, 0) == 3, "resample of values");
  values = table.values;
  values(1, 0) = std::numeric_limits<double>::quiet_NaN();
  const Matrix<Origin> origins = interpolate(table.time_ns, values, 1);
  expect(origins(1, 0) == Origin::missing && origins(0, 0) == Origin::measured, "interpolate");
  const TimeTable* tables[] = {&table, &coarse};
  const auto aligned = align(tables, 20'000'000'000);
  expect(aligned.size() == 2 && aligned[0].values(0, 0) == 2, "align");
  table.values.resize(100, 100);
  table.values = normal_rows(3, 3);
}

template <class Model>
void exercise_detector(Model model, const Matrix<double>& rows) {
  model.fit(rows);
  std::vector<double> scores(static_cast<std::size_t>(rows.rows()));
  model.score_samples(rows, scores);
  std::vector<double> contributions(static_cast<std::size_t>(rows.size()));
  model.feature_contributions(rows, contributions);
  model.partial_fit(rows);
  model.refresh_offset(rows);
  expect(std::isfinite(scores.back()) && std::isfinite(contributions.back()), "scores");
  const Model read = Model::from_file(model.to_file());
  expect(read.n_features() == model.n_features(), "a model from its file");
}

void exercise_detectors() {
  const Matrix<double> rows = normal_rows(400, 3);
  exercise_detector(IsolationForest({.n_estimators = 10}), rows);
  exercise_detector(Autoencoder({.hidden = {4, 2}, .max_epochs = 2}), rows);
  exercise_detector(LstmForecaster({.window = 8, .hidden = 4, .max_epochs = 1}), rows);
  exercise_detector(
      DetectorEnsemble({{"forest", std::make_shared<IsolationForest>()}}, {.votes = 1}), rows);
  const auto verdicts = PeerDeviation().judge(rows);
  expect(verdicts.size() == 3, "judge");
  IncrementalLearner learner(std::make_unique<IsolationForest>([&] {
                               IsolationForest forest({.n_estimators = 10});
                               forest.fit(rows);
                               return forest;
                             }()),
                             rows, {.suspicion_rate = 0.05});
  expect(learner.update(rows).n_rows == 400, "update");
}

void exercise_sparse_rows() {
  const std::vector<std::int64_t> starts{0, 2, 3, 3};
  const std::vector<std::int32_t> columns{0, 4, 2};
  const std::vector<double> values{1.5, -2.0, 8.0};
  const SparseView<double> rows{5, starts, columns, values};
  const Matrix<double> dense{{1.5, 0, 0, 0, -2}, {0, 0, 8, 0, 0}, {0, 0, 0, 0, 0}};
  IsolationForest forest({.n_estimators = 10});
  forest.fit(rows);
  std::vector<double> scores(3);
  std::vector<double> expected(3);
  forest.score_samples(rows, scores);
  forest.score_samples(dense, expected);
  expect(scores == expected, "scores of sparse rows");
}

void exercise_conformal_sets() {
  Matrix<double> probabilities(60, 2);
  std::vector<std::int64_t> labels(60);
  for (Index i = 0; i < 60; ++i) {
    labels[static_cast<std::size_t>(i)] = i % 2;
    probabilities(i, i % 2) = 0.5 + static_cast<double>(i) / 150;
    probabilities(i, 1 - i % 2) = 1 - probabilities(i, i % 2);
  }
  const ConformalSets fitted(probabilities, labels, {.alpha = 0.1});
  ConformalSets::State state = fitted.state();
  const ConformalSets restored(fitted.parameters(), std::move(state));
  const Matrix<std::uint8_t> sets = restored.sets(probabilities);
  expect(sets.rows() == 60 && sets(59, 1) == 1, "conformal sets");
}

void exercise_decisions() {
  const Matrix<double> rows = normal_rows(300, 2);
  FeatureDistance distance(rows, rows, 0.05);
  FeatureDistance::State state = distance.state();
  distance = FeatureDistance(std::move(state));
  expect(distance.distances(rows).size() == 300, "distances");
  const Matrix<double> logits{{2, 0}, {0, 1}, {1, 0}, {0, 3}};
  const std::int64_t labels[] = {0, 1, 1, 1};
  expect(fit_temperature(logits, labels) > 0, "fit_temperature");
}

#ifdef WITH_EIGEN
void exercise_eigen() {
  EigenMatrix<float> rows = EigenMatrix<float>::Random(300, 4);
  IsolationForest forest({.n_estimators = 10});
  forest.fit(rows);
  std::vector<double> scores(300);
  forest.score_samples(rows.middleRows(0, 300), scores);
  Matrix<double> ours = to_matrix(rows.cast<double>());
  as_eigen(ours) *= 2;
  expect(ours(0, 0) == 2 * static_cast<double>(rows(0, 0)), "as_eigen");
  const TimeTable table = parse_csv("time,a\n2024-01-01 00:00:00,1\n2024-01-01 00:00:10,3\n").table;
  expect(as_eigen(table.values).sum() == 4, "as_eigen of a table");
}
#endif

}  // namespace

int main() {
  exercise_tables();
  exercise_detectors();
  exercise_decisions();
  exercise_sparse_rows();
  exercise_conformal_sets();
#ifdef WITH_EIGEN
  exercise_eigen();
#endif
  return failures == 0 ? 0 : 1;
}
