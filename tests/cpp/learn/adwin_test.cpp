#include "secondlook/learn/adwin.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using secondlook::Adwin;
using secondlook::RandomStream;

TEST_CASE("Adwin: few false alarms in a million values") {
  int alarms = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    RandomStream random(seed);
    Adwin adwin;
    for (int i = 0; i < 50'000; ++i) alarms += adwin.push(random.uniform()) ? 1 : 0;
  }
  REQUIRE(alarms <= 2);
}

TEST_CASE("Adwin: detects a change of the mean soon and drops the older values") {
  const double shift = GENERATE(0.1, 0.2, 0.4);
  double delay = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(shift, seed);
    RandomStream random(seed);
    Adwin adwin;
    for (int i = 0; i < 10'000; ++i) adwin.push(0.6 * random.uniform());
    int waited = 0;
    while (!adwin.push(shift + 0.6 * random.uniform())) REQUIRE(++waited < 2'000);
    delay += waited / 20.0;
    for (int i = 0; i < 2'000; ++i) adwin.push(shift + 0.6 * random.uniform());
    REQUIRE(std::abs(adwin.mean() - shift - 0.3) < 0.02);
  }
  CAPTURE(shift, delay);
  // The bound shrinks with the square of the shift: sqrt(2 · 0.03 / n · 9.1) = shift.
  REQUIRE(delay < 64 + 1.5 * 2 * 0.03 * 9.1 / (shift * shift) + 12 / shift);
}

TEST_CASE("Adwin: reports a step once, and a later step again") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    RandomStream random(seed);
    Adwin adwin;
    for (int i = 0; i < 3'000; ++i) adwin.push(0.6 * random.uniform());
    for (const double shift : {0.3, 0.0, 0.2}) {
      int reports = 0;
      for (int i = 0; i < 3'000; ++i) reports += adwin.push(shift + 0.6 * random.uniform()) ? 1 : 0;
      CAPTURE(shift);
      REQUIRE(reports == 1);
    }
  }
}

TEST_CASE("Adwin: a million values take little memory") {
  RandomStream random(1);
  Adwin adwin;
  for (int i = 0; i < 1'000'000; ++i) adwin.push(random.uniform());
  std::size_t buckets = 0;
  for (const auto& level : adwin.state().levels) buckets += level.size();
  REQUIRE(buckets <= 5 * 21);
  REQUIRE(adwin.mean() == Approx(0.5).margin(0.01));
}

TEST_CASE("Adwin: continues from its state") {
  RandomStream random(2);
  Adwin adwin(0.01);
  for (int i = 0; i < 5'000; ++i) adwin.push(random.uniform());
  Adwin copy(adwin.state());
  REQUIRE(copy.size() == adwin.size());
  for (int i = 0; i < 5'000; ++i) {
    const double value = 0.3 + 0.7 * random.uniform();
    REQUIRE(copy.push(value) == adwin.push(value));
  }
}

TEST_CASE("Adwin: rejects invalid probabilities, values and states") {
  REQUIRE_THROWS_AS(Adwin(0.0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Adwin(1.0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Adwin({0.1, 1, 0, {{{0.5, 0.3}, {0.5, 0.3}}}}), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(Adwin({0.1, 9, 0, {{{2.0, 1.0}}}}), secondlook::InvalidArgument);
  Adwin adwin;
  for (const double value : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    REQUIRE_THROWS_AS(adwin.push(value), secondlook::InvalidArgument);
  REQUIRE(adwin.size() == 0);
  REQUIRE(std::isnan(adwin.mean()));
}
