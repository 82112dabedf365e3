#include "secondlook/series/resample.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::Aggregate;
using secondlook::grid_over;
using secondlook::Matrix;
using secondlook::RandomStream;
using secondlook::resample;
using secondlook::TimeGrid;
using secondlook::TimeTable;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TimeTable random_table(std::uint64_t seed, std::int64_t start, int n_rows, int n_columns) {
  RandomStream random(seed);
  TimeTable table;
  table.values.resize(n_rows, n_columns);
  std::int64_t time = start;
  for (int i = 0; i < n_rows; ++i) {
    table.time_ns.push_back(time += 1 + static_cast<std::int64_t>(random.below(20)));
    for (int c = 0; c < n_columns; ++c)
      table.values(i, c) = random.uniform() < 0.3 ? kNan : random.uniform();
  }
  table.columns.resize(static_cast<std::size_t>(n_columns), "x");
  return table;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

double expected_value(const TimeTable& table, const TimeGrid& grid, std::size_t step,
                      secondlook::Index column, Aggregate aggregate) {
  double sum = 0;
  double count = 0;
  double last = kNan;
  for (std::size_t i = 0; i < table.time_ns.size(); ++i) {
    const std::int64_t begin = grid.start_ns + static_cast<std::int64_t>(step) * grid.step_ns;
    const double value = table.values(static_cast<secondlook::Index>(i), column);
    if (table.time_ns[i] < begin || table.time_ns[i] >= begin + grid.step_ns || std::isnan(value))
      continue;
    sum += value;
    count += 1;
    last = value;
  }
  return aggregate == Aggregate::last ? last : count > 0 ? sum / count : kNan;
}

}  // namespace

TEST_CASE("resample: each step holds the mean or the last of its readings") {
  const auto seed = GENERATE(range(0, 10));
  const auto aggregate = GENERATE(Aggregate::mean, Aggregate::last);
  const int n_jobs = GENERATE(1, 3);
  const TimeTable table = random_table(static_cast<std::uint64_t>(seed), -500, 300, 3);
  const TimeGrid grid = seed % 2 == 0 ? grid_over(table.time_ns, 7) : TimeGrid{-123, 9, 150};
  const TimeTable result = resample(table, grid, aggregate, n_jobs);
  CAPTURE(seed);
  bool equal = true;
  for (std::size_t i = 0; i < grid.n_steps; ++i)
    for (secondlook::Index c = 0; c < 3; ++c)
      equal = equal && same(result.values(static_cast<secondlook::Index>(i), c),
                            expected_value(table, grid, i, c, aggregate));
  REQUIRE(equal);
  REQUIRE(result.time_ns.front() == grid.start_ns);
  REQUIRE(result.time_ns.size() == grid.n_steps);
}

TEST_CASE("grid_over: begins at a multiple of the step, holds every time") {
  REQUIRE(grid_over(std::vector<std::int64_t>{-1, 29}, 10) == TimeGrid{-10, 10, 4});
  REQUIRE(grid_over(std::vector<std::int64_t>{20}, 10) == TimeGrid{20, 10, 1});
}

TEST_CASE("align: rows of all tables are the same step") {
  const TimeTable a = random_table(1, 0, 50, 2);
  const TimeTable b = random_table(2, 100, 50, 1);
  const TimeTable* tables[] = {&a, &b};
  const auto common = secondlook::align(tables, 10);
  REQUIRE(common[0].time_ns == common[1].time_ns);
  REQUIRE(common[0].time_ns.front() == b.time_ns.front() / 10 * 10);
  const auto whole = secondlook::align(tables, 10, secondlook::Span::whole);
  REQUIRE(whole[1].time_ns.front() == a.time_ns.front() / 10 * 10);
  REQUIRE(std::isnan(whole[1].values(0, 0)));

  const TimeTable far = random_table(3, 1'000'000, 5, 1);
  const TimeTable* apart[] = {&a, &far};
  REQUIRE_THROWS_AS(secondlook::align(apart, 10), secondlook::InvalidArgument);
  TimeTable utc = b;
  utc.is_utc = true;
  const TimeTable* zones[] = {&a, &utc};
  REQUIRE_THROWS_AS(secondlook::align(zones, 10), secondlook::InvalidArgument);
}

TEST_CASE("resample: reports invalid grids and times") {
  TimeTable table = random_table(4, 0, 10, 1);
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  REQUIRE_THROWS_AS(resample(table, TimeGrid{0, 0, 1}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(resample(table, TimeGrid{kMax - 5, 1, 10}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(resample(table, TimeGrid{0, kMax, 2}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(grid_over(table.time_ns, -1), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(grid_over({}, 1), secondlook::InvalidArgument);
  std::swap(table.time_ns[3], table.time_ns[4]);
  REQUIRE_THROWS_WITH(resample(table, TimeGrid{0, 1, 1}),
                      Catch::Matchers::Contains("resample: expected strictly increasing times") &&
                          Catch::Matchers::Contains("in row 4"));
}
