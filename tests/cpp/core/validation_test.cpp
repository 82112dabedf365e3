#include "core/validation.hpp"

#include <limits>

#include "catch.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::MatrixView;
using secondlook::Missing;
using secondlook::require_samples;

TEST_CASE("require: throws the formatted message") {
  REQUIRE_NOTHROW(secondlook::require(true, "never shown {}", 1));
  REQUIRE_THROWS_WITH(secondlook::require(false, "f: expected {} features, got {}", 14, 12),
                      "f: expected 14 features, got 12");
  REQUIRE_THROWS_AS(secondlook::require<secondlook::NotFitted>(false, "f: not fitted"),
                    secondlook::NotFitted);
}

TEMPLATE_TEST_CASE("require_samples: reports the first value that is not finite", "", float,
                   double) {
  const Index row = GENERATE(0, 3, 9);
  const Index column = GENERATE(0, 8, 16);
  EigenMatrix<TestType> x = EigenMatrix<TestType>::Constant(10, 17, TestType(1));
  REQUIRE_NOTHROW(require_samples<TestType>("f", x));

  x(row, column) = std::numeric_limits<TestType>::quiet_NaN();
  const std::string place = "row " + std::to_string(row) + ", column " + std::to_string(column);
  REQUIRE_THROWS_WITH(require_samples<TestType>("f", x),
                      "f: expected finite values, got NaN in " + place);
  REQUIRE_NOTHROW(require_samples<TestType>("f", x, Missing::allow_nan));

  x(row, column) = std::numeric_limits<TestType>::infinity();
  REQUIRE_THROWS_WITH(require_samples<TestType>("f", x, Missing::allow_nan),
                      "f: expected finite values, got infinity in " + place);
}

TEST_CASE("require_samples: accepts the largest finite values") {
  const EigenMatrix<float> x =
      EigenMatrix<float>::Constant(100, 3, std::numeric_limits<float>::max());
  REQUIRE_NOTHROW(require_samples<float>("f", x));
}

TEST_CASE("require_samples: rejects wrong shapes") {
  REQUIRE_THROWS_WITH(require_samples<float>("f", EigenMatrix<float>(0, 3)),
                      "f: expected at least 1 sample, got 0");
  REQUIRE_THROWS_WITH(require_samples<float>("f", EigenMatrix<float>(3, 0)),
                      "f: expected at least 1 feature, got 0");
  REQUIRE_THROWS_WITH(require_samples<float>(
                          "f", EigenMatrix<float>(EigenMatrix<float>::Zero(3, 2)), std::size_t{4}),
                      "f: expected 4 features, got 2");
}
