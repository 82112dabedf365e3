#include "secondlook/decide/conformal_sets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::ConformalMethod;
using secondlook::ConformalSets;
using secondlook::ConformalSetsParameters;
using secondlook::CoverageGuarantee;
using secondlook::Index;
using secondlook::InvalidArgument;
using secondlook::Matrix;
using secondlook::RandomStream;
using secondlook::UnknownGroup;

namespace {

struct Cases {
  Matrix<double> probabilities;
  std::vector<std::int64_t> labels;
};

// Random probabilities, and labels that follow them.
Cases cases(Index n, Index n_classes, std::uint64_t seed) {
  RandomStream random(seed);
  Cases made{Matrix<double>(n, n_classes), std::vector<std::int64_t>(static_cast<std::size_t>(n))};
  for (Index i = 0; i < n; ++i) {
    const auto row = made.probabilities.row(i);
    for (double& p : row) p = std::pow(-std::log(1 - random.uniform()), 3);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& p : row) p /= sum;
    double left = random.uniform();
    std::int64_t label = 0;
    while (label + 1 < n_classes && left >= row[static_cast<std::size_t>(label)])
      left -= row[static_cast<std::size_t>(label++)];
    made.labels[static_cast<std::size_t>(i)] = label;
  }
  return made;
}

// The same number of cases of each of two classes, whose true class has the given probability.
Cases of_true_probabilities(const std::vector<double>& given) {
  Cases made{Matrix<double>(std::ssize(given), 2), {}};
  for (Index i = 0; i < std::ssize(given); ++i) {
    const Index label = i % 2;
    made.probabilities(i, label) = given[static_cast<std::size_t>(i)];
    made.probabilities(i, 1 - label) = 1 - given[static_cast<std::size_t>(i)];
    made.labels.push_back(label);
  }
  return made;
}

std::vector<std::uint8_t> values_of(const Matrix<std::uint8_t>& sets) {
  return {sets.values().begin(), sets.values().end()};
}

}  // namespace

TEST_CASE("fewest_for_coverage: the first n whose threshold is one of the scores") {
  CHECK(secondlook::fewest_for_coverage(0.5) == 1);
  CHECK(secondlook::fewest_for_coverage(0.3) == 3);
  CHECK(secondlook::fewest_for_coverage(0.1) == 9);
  CHECK(secondlook::fewest_for_coverage(0.05) == 19);
  CHECK(secondlook::fewest_for_coverage(0.01) == 99);
  CHECK(secondlook::fewest_for_coverage(1e-300) >= 999'999'999'999'999'999);
  CHECK_THROWS_AS(secondlook::fewest_for_coverage(0), InvalidArgument);
  CHECK_THROWS_AS(secondlook::fewest_for_coverage(1), InvalidArgument);
  for (int percent = 1; percent < 100; ++percent) {  // in whole numbers, without rounding
    const std::int64_t expected = (100 + percent - 1) / percent - 1;
    INFO("alpha = " << percent << " %");
    CHECK(secondlook::fewest_for_coverage(percent / 100.0) == expected);
  }
}

TEST_CASE("ConformalSets: the threshold is the order statistic with the finite-sample correction") {
  std::vector<double> given(19);  // scores 0.05, 0.1, …
  for (std::size_t i = 0; i < given.size(); ++i) given[i] = 1 - 0.05 * static_cast<double>(i + 1);
  const auto [probabilities, labels] = of_true_probabilities(given);
  const auto threshold = [&](double alpha) {
    return ConformalSets(probabilities, labels, {.alpha = alpha}).state().thresholds(0, 0);
  };
  CHECK(threshold(0.05) == Approx(0.95));  // ⌈20 · 0.95⌉ = 19th of 19
  CHECK(threshold(0.1) == Approx(0.9));
  CHECK(threshold(0.12) == Approx(0.9));  // ⌈20 · 0.88⌉ = 18
  CHECK(threshold(0.5) == Approx(0.5));
  CHECK_THROWS_WITH(threshold(0.04),
                    Catch::Matchers::Contains("at least 24 calibration cases for alpha=0.04"));
}

TEST_CASE("ConformalSets: the true class is in the set as often as promised") {
  // The expected coverage over calibration sets is in [1 − alpha, 1 − alpha + 1 / (n + 1)], without
  // ties and with sets that may be empty. 400 draws of 100 and 100 cases: the standard deviation of
  // the mean is below sqrt(2 · 0.16 / 100 / 400) = 0.0028; five of them.
  const auto method = GENERATE(ConformalMethod::lac, ConformalMethod::aps, ConformalMethod::raps);
  const auto guarantee =
      GENERATE(CoverageGuarantee::marginal, CoverageGuarantee::class_conditional);
  constexpr int kDraws = 400;
  double covered = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto calibration = cases(100, 3, static_cast<std::uint64_t>(2 * draw));
    const auto fresh = cases(100, 3, static_cast<std::uint64_t>(2 * draw + 1));
    const ConformalSets fitted(
        calibration.probabilities, calibration.labels,
        {.alpha = 0.2, .method = method, .guarantee = guarantee, .allow_empty = true});
    covered += fitted.report(fresh.probabilities, fresh.labels).all.coverage.value / kDraws;
  }
  CHECK(covered > 0.8 - 0.014);
  const double correction = guarantee == CoverageGuarantee::marginal ? 1.0 / 101 : 1.0 / 25;
  CHECK(covered < 0.8 + correction + 0.014);
}

TEST_CASE("ConformalSets: sets grow as alpha falls") {
  const auto method = GENERATE(ConformalMethod::lac, ConformalMethod::aps, ConformalMethod::raps);
  const bool allow_empty = GENERATE(true, false);
  const auto calibration = cases(300, 5, 1);
  const auto fresh = cases(200, 5, 2);
  std::vector<std::uint8_t> smaller(1000, 0);
  for (const double alpha : {0.9, 0.5, 0.2, 0.1, 0.01}) {
    const ConformalSets fitted(calibration.probabilities, calibration.labels,
                               {.alpha = alpha, .method = method, .allow_empty = allow_empty});
    const auto larger = values_of(fitted.sets(fresh.probabilities));
    bool nested = true;
    for (std::size_t i = 0; i < larger.size(); ++i) nested = nested && smaller[i] <= larger[i];
    CHECK(nested);
    smaller = larger;
  }
}

TEST_CASE("ConformalSets: a set does not depend on the other cases") {
  const auto calibration = cases(100, 4, 1);
  const auto fresh = cases(50, 4, 2);
  const ConformalSets fitted(calibration.probabilities, calibration.labels,
                             {.method = ConformalMethod::aps});
  const auto together = fitted.sets(fresh.probabilities);
  const secondlook::MatrixView<double> rows(fresh.probabilities);
  for (Index i = 0; i < 50; ++i) {
    const auto alone = fitted.sets(rows.middle_rows(i, 1));
    CHECK(std::ranges::equal(alone.row(0), together.row(i)));
  }
}

TEST_CASE("ConformalSets: the same sets as in Python") {
  // The same cases and expected sets as in tests/python/decide/test_conformal_sets.py.
  const auto rows = [](Index first) {
    Matrix<double> probabilities(12, 3);
    for (Index i = 0; i < 12; ++i) {
      const auto row = probabilities.row(i);
      for (Index j = 0; j < 3; ++j) {
        const Index number = first + i;
        probabilities(i, j) = static_cast<double>(1 + (7 * number + 5 * j + number * j) % 11);
      }
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      for (double& p : row) p /= sum;
    }
    return probabilities;
  };
  std::vector<std::int64_t> labels(12);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
  const auto as_text = [&](ConformalMethod method) {
    const ConformalSetsParameters parameters{
        .alpha = 0.3, .method = method, .penalty = 0.05, .n_unpenalised = 1, .seed = 7};
    std::string text;
    for (const auto one : values_of(ConformalSets(rows(0), labels, parameters).sets(rows(12))))
      text += one != 0 ? '1' : '0';
    return text;
  };
  CHECK(as_text(ConformalMethod::lac) == "101111111111111111111111101110011101");
  CHECK(as_text(ConformalMethod::aps) == "101011110110111111011111101110011101");
  CHECK(as_text(ConformalMethod::raps) == "101011110110111111011111101110011101");
}

TEST_CASE("ConformalSets: only a set with one class is a decision") {
  const auto [probabilities, labels] =
      of_true_probabilities({0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55});
  const Matrix<double> fresh{{0.9, 0.1}, {0.5, 0.5}, {0.3, 0.7}};
  const ConformalSets one(probabilities, labels, {.alpha = 0.1});  // scores up to 0.45
  CHECK(one.decide(fresh) == std::vector<std::int64_t>{0, ConformalSets::refer, 1});
  const ConformalSets wide(of_true_probabilities(std::vector<double>(9, 0.4)).probabilities, labels,
                           {.alpha = 0.1});  // scores of 0.6
  CHECK(wide.decide(fresh) == std::vector<std::int64_t>{0, ConformalSets::refer, 1});
  CHECK(values_of(wide.sets(fresh)) == std::vector<std::uint8_t>{1, 0, 1, 1, 0, 1});
  const std::vector<std::uint8_t> out_of_distribution{1, 0, 0};
  CHECK(one.decide(fresh, {}, out_of_distribution).front() == ConformalSets::refer);

  // A threshold of 0.2: no class of the second and third case is that probable.
  const ConformalSets empty(probabilities, labels, {.alpha = 0.6, .allow_empty = true});
  CHECK(values_of(empty.sets(fresh)) == std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0});
  CHECK(empty.decide(fresh) ==
        std::vector<std::int64_t>{0, ConformalSets::refer, ConformalSets::refer});
  const ConformalSets filled(probabilities, labels, {.alpha = 0.6});
  CHECK(values_of(filled.sets(fresh)) == std::vector<std::uint8_t>{1, 0, 1, 1, 0, 1});
}

TEST_CASE("ConformalSets: each group has its own threshold") {
  auto [probabilities, labels] = of_true_probabilities(std::vector<double>(20, 0.9));
  std::vector<std::int64_t> groups(20, 0);
  for (Index i = 10; i < 20; ++i) {
    groups[static_cast<std::size_t>(i)] = 1;
    std::swap(probabilities(i, 0), probabilities(i, 1));
  }
  const ConformalSets fitted(probabilities, labels, {.unknown_group = UnknownGroup::refer}, groups);
  CHECK(fitted.n_groups() == 2);
  const Matrix<double> same{{0.9, 0.1}, {0.9, 0.1}, {0.9, 0.1}};
  const std::vector<std::int64_t> whose{0, 1, 7};
  CHECK(values_of(fitted.sets(same, whose)) == std::vector<std::uint8_t>{1, 0, 1, 1, 1, 1});
  CHECK(fitted.decide(same, whose) ==
        std::vector<std::int64_t>{0, ConformalSets::refer, ConformalSets::refer});
  const auto report = fitted.report(same, std::vector<std::int64_t>{0, 0, 1}, whose);
  CHECK(report.all.n_cases == 3);
  CHECK(report.by_group.size() == 2);
  CHECK(report.by_group[0].n_cases == 1);
  CHECK(report.by_class[0].mean_set_size == 1.5);
  CHECK(report.all.referral_rate.value == Approx(2.0 / 3));
  CHECK(report.by_group[0].accuracy.value == 1);
  CHECK(std::isnan(report.by_group[1].accuracy.value));

  const ConformalSets strict(probabilities, labels, {}, groups);
  CHECK_THROWS_WITH(strict.sets(same, whose),
                    Catch::Matchers::Contains("expected groups from 0 to 1, got 7 at index 2"));
  CHECK_THROWS_AS(strict.sets(same), InvalidArgument);
}

TEST_CASE("ConformalSets: are restored from their state") {
  const auto calibration = cases(100, 3, 1);
  const auto fresh = cases(50, 3, 2);
  const ConformalSets fitted(calibration.probabilities, calibration.labels,
                             {.method = ConformalMethod::raps});
  const ConformalSets again(fitted.parameters(), fitted.state());
  CHECK(values_of(again.sets(fresh.probabilities)) == values_of(fitted.sets(fresh.probabilities)));
  auto state = fitted.state();
  state.thresholds(0, 0) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(ConformalSets({}, state), InvalidArgument);
  state = fitted.state();
  state.n_calibration.resize(1, 2);
  CHECK_THROWS_AS(ConformalSets({}, state), InvalidArgument);
}

TEST_CASE("ConformalSets: bad input") {
  const auto [probabilities, labels] = of_true_probabilities(std::vector<double>(20, 0.9));
  const auto refuses = [](const Matrix<double>& p, const std::vector<std::int64_t>& y,
                          const ConformalSetsParameters& parameters,
                          const std::vector<std::int64_t>& groups, const std::string& message) {
    INFO(message);
    CHECK_THROWS_WITH(ConformalSets(p, y, parameters, groups), Catch::Matchers::Contains(message));
  };
  for (const double alpha : {0.0, 1.0, -0.1, std::numeric_limits<double>::quiet_NaN()})
    refuses(probabilities, labels, {.alpha = alpha}, {}, "alpha must lie in (0, 1)");
  refuses(probabilities, labels, {.penalty = -1}, {}, "penalty must be at least 0, got -1");
  refuses(probabilities, labels, {.n_unpenalised = -1}, {}, "n_unpenalised must be at least 0");
  refuses(Matrix<double>(0, 2), {}, {}, {}, "expected at least 1 case");
  refuses(Matrix<double>{{1.0}}, {0}, {}, {}, "at least 2 classes, got 1");
  refuses(Matrix<double>{{0.5, 0.4}}, {0}, {}, {}, "the sum 1 in each row, got 0.9 in row 0");
  refuses(Matrix<double>{{1.5, -0.5}}, {0}, {}, {}, "got 1.5 in row 0, column 0");
  refuses(Matrix<double>{{0.5, std::numeric_limits<double>::quiet_NaN()}}, {0}, {}, {},
          "got nan in row 0, column 1");
  refuses(probabilities, {0, 1}, {}, {}, "expected one label per case (20), got 2");
  refuses(Matrix<double>{{0.5, 0.5}}, {2}, {}, {}, "expected labels from 0 to 1, got 2 at index 0");
  refuses(probabilities, labels, {}, {0}, "expected one group per case (20), got 1");
  refuses(probabilities, labels, {}, std::vector<std::int64_t>(20, -1), "groups from 0");
  refuses(probabilities, labels, {}, std::vector<std::int64_t>(20, 1),
          "at least 9 calibration cases of group 0 for alpha=0.1, got 0");
  refuses(probabilities, std::vector<std::int64_t>(20, 0),
          {.guarantee = CoverageGuarantee::class_conditional}, {},
          "at least 9 calibration cases of class 1 for alpha=0.1, got 0");
  const ConformalSets fitted(probabilities, labels, {});
  CHECK_THROWS_AS(fitted.sets(Matrix<double>{{0.2, 0.3, 0.5}}), InvalidArgument);
  CHECK_THROWS_AS(fitted.sets(probabilities, std::vector<std::int64_t>(20, 0)), InvalidArgument);
  CHECK_THROWS_AS(fitted.decide(probabilities, {}, std::vector<std::uint8_t>(3)), InvalidArgument);
  CHECK_THROWS_AS(fitted.report(probabilities, labels, {}, 1.0), InvalidArgument);
}
