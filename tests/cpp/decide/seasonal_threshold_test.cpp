#include "secondlook/decide/seasonal_threshold.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/decide/quantile_threshold.hpp"

using secondlook::hours_of_day;
using secondlook::quantile_threshold;
using secondlook::RandomStream;
using secondlook::SeasonalThreshold;

TEST_CASE("SeasonalThreshold: the quantile of each season with enough scores") {
  RandomStream random(1);
  std::vector<double> scores;
  std::vector<std::int64_t> seasons;
  std::vector<double> of_season[3];
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t season = i % 100 == 0 ? 2 : i % 2;
    scores.push_back(random.uniform() * static_cast<double>(season + 1));
    seasons.push_back(season);
    of_season[season].push_back(scores.back());
  }
  const SeasonalThreshold fitted(scores, seasons,
                                 {.false_alarm_rate = 0.05, .n_seasons = 4, .min_scores = 50});
  REQUIRE(fitted.common_threshold() == quantile_threshold(scores, 0.05));
  REQUIRE(fitted.threshold(0) == quantile_threshold(of_season[0], 0.05));
  REQUIRE(fitted.threshold(1) == quantile_threshold(of_season[1], 0.05));
  REQUIRE(fitted.threshold(2) == fitted.common_threshold());  // 10 scores
  REQUIRE(fitted.threshold(3) == fitted.common_threshold());  // none
  REQUIRE(fitted.counts() == std::vector<std::int64_t>{490, 500, 10, 0});
}

TEST_CASE("SeasonalThreshold: a season with too few scores uses the common threshold") {
  std::vector<double> scores(300, 1.0);
  std::vector<std::int64_t> seasons(300, 0);
  for (std::size_t i = 0; i < 98; ++i) seasons[i] = 1;
  for (std::size_t i = 0; i < 98; ++i) scores[i] = 0;
  const SeasonalThreshold fitted(scores, seasons, {.n_seasons = 2, .min_scores = 0});
  REQUIRE(fitted.threshold(1) == fitted.common_threshold());  // a rate of 0.01 needs 99
}

TEST_CASE("SeasonalThreshold: reports invalid arguments") {
  const std::vector<double> scores(200, 1.0);
  std::vector<std::int64_t> seasons(200, 0);
  REQUIRE_THROWS_WITH(SeasonalThreshold(scores, std::vector<std::int64_t>(199)),
                      "SeasonalThreshold: expected one season per score (200), got 199");
  REQUIRE_THROWS_AS(SeasonalThreshold(scores, seasons, {.n_seasons = 0}),
                    secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(SeasonalThreshold(scores, seasons).threshold(24), secondlook::InvalidArgument);
  seasons[5] = 24;
  REQUIRE_THROWS_WITH(SeasonalThreshold(scores, seasons),
                      "SeasonalThreshold: expected seasons from 0 to 23, got 24 at index 5");
}

TEST_CASE("hours_of_day: with an offset, before 1970 and at the limits of 64 bits") {
  constexpr std::int64_t kHour = 3'600'000'000'000;
  const std::vector<std::int64_t> times{0, kHour - 1, 23 * kHour, -1, 25 * kHour};
  REQUIRE(hours_of_day(times) == std::vector<std::int64_t>{0, 0, 23, 23, 1});
  REQUIRE(hours_of_day(times, 90) == std::vector<std::int64_t>{1, 2, 0, 1, 2});
  REQUIRE(hours_of_day(times, -60) == std::vector<std::int64_t>{23, 23, 22, 22, 0});
  for (const std::int64_t hour : hours_of_day(std::vector{std::numeric_limits<std::int64_t>::min(),
                                                          std::numeric_limits<std::int64_t>::max()},
                                              std::numeric_limits<int>::max())) {
    REQUIRE(hour >= 0);
    REQUIRE(hour < 24);
  }
}
