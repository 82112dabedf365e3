#include "secondlook/detect/domain_rule.hpp"

#include <limits>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::check_rule;
using secondlook::describe_breach;
using secondlook::DomainRule;
using secondlook::InvalidArgument;

TEST_CASE("DomainRule: excess is the distance beyond the nearer limit") {
  const DomainRule band{.feature = 0, .lower = -10, .upper = 60};
  REQUIRE(excess(band, 61) == Approx(1));
  REQUIRE(excess(band, -12) == Approx(2));
  REQUIRE(excess(band, 60) == Approx(0));
  REQUIRE(excess(band, 50) < 0);
  const DomainRule limit{.feature = 0, .upper = 2};
  REQUIRE(excess(limit, -1e300) < 0);
}

TEST_CASE("DomainRule: describes a breach") {
  const DomainRule rule{.feature = 2, .upper = 60, .reason = "derating"};
  REQUIRE(describe_breach(rule, 61.25, "temperature") == "temperature 61.25 above 60 (derating)");
  REQUIRE(describe_breach({.feature = 0, .lower = 2.5}, 2, "voltage") == "voltage 2 below 2.5");
}

TEST_CASE("DomainRule: rejects invalid rules") {
  REQUIRE_THROWS_AS(check_rule({.feature = 3, .upper = 1}, 3), InvalidArgument);
  REQUIRE_THROWS_AS(check_rule({.feature = 0}, 3), InvalidArgument);
  REQUIRE_THROWS_AS(check_rule({.feature = 0, .lower = 2, .upper = 1}, 3), InvalidArgument);
  REQUIRE_THROWS_AS(
      check_rule({.feature = 0, .upper = std::numeric_limits<double>::quiet_NaN()}, 3),
      InvalidArgument);
}
