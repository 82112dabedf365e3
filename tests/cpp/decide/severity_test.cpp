#include "secondlook/decide/severity.hpp"

#include "catch.hpp"

using secondlook::grade;
using secondlook::Severity;

TEST_CASE("Severity: one step up for a vote more than needed, one for a clear margin") {
  REQUIRE(grade(1, 2, 5.0) == Severity::normal);
  REQUIRE(grade(2, 2, 1.5) == Severity::medium);
  REQUIRE(grade(3, 2, 1.5) == Severity::high);
  REQUIRE(grade(2, 2, secondlook::kClearMargin) == Severity::high);
  REQUIRE(grade(4, 2, 2.5) == Severity::critical);
}

TEST_CASE("Severity: names") {
  REQUIRE(name_of(Severity::normal) == "normal");
  REQUIRE(name_of(Severity::critical) == "critical");
}
