#include "secondlook/learn/replay_reservoir.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::ReplayReservoir;

TEST_CASE("ReplayReservoir: keeps every row with the same probability") {
  constexpr std::size_t kRows = 60, kCapacity = 12, kRuns = 20'000;
  std::vector<double> kept(kRows, 0.0);
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    ReplayReservoir reservoir(kCapacity, 1, seed);
    for (std::size_t row = 0; row < kRows; ++row) {
      const auto value = static_cast<double>(row);
      reservoir.add(std::span<const double>(&value, 1));
    }
    for (const double value : std::get<std::vector<double>>(reservoir.state().values))
      ++kept[static_cast<std::size_t>(value)];
  }
  const double expected = static_cast<double>(kCapacity * kRuns) / kRows;
  double chi_square = 0;
  for (const double count : kept) chi_square += (count - expected) * (count - expected) / expected;
  // Drawn without replacement, counts vary less, by the factor (1 − 12/60) · 60/59. χ² with 59
  // degrees of freedom is above 98.3 once in a thousand times, and below 31.7 as often.
  const double scaled = chi_square / ((1 - 12.0 / 60) * 60 / 59);
  CAPTURE(scaled);
  REQUIRE(scaled < 98.3);
  REQUIRE(scaled > 31.7);
}

TEST_CASE("ReplayReservoir: is bounded, stores whole rows, and is reproducible with a seed") {
  ReplayReservoir reservoir(5, 2, 7);
  ReplayReservoir same(5, 2, 7);
  for (int i = 0; i < 100; ++i) {
    const std::vector<double> row{1.0 * i, -1.0 * i};
    reservoir.add(row);
    same.add(row);
    REQUIRE(reservoir.size() == std::min<std::size_t>(static_cast<std::size_t>(i) + 1, 5));
  }
  REQUIRE(reservoir.state() == same.state());
  const std::vector<std::size_t> all{0, 1, 2, 3, 4};
  const auto rows = reservoir.gather<double>(all);
  for (secondlook::Index i = 0; i < rows.rows(); ++i) REQUIRE(rows(i, 0) == -rows(i, 1));
}

TEST_CASE("ReplayReservoir: continues from its state") {
  ReplayReservoir reservoir(5, 1, 3);
  for (double i = 0; i < 20; ++i) reservoir.add(std::span<const double>(&i, 1));
  ReplayReservoir copy(reservoir.state());
  for (double i = 20; i < 40; ++i) {
    const std::span<const double> row(&i, 1);
    REQUIRE(reservoir.add(row) == copy.add(row));
  }
  REQUIRE(copy.state() == reservoir.state());
}

TEST_CASE("ReplayReservoir: stores rows in the smallest sufficient type") {
  using Row = std::vector<float>;
  const auto bytes_kept = [](const ReplayReservoir& reservoir) {
    return std::visit([](const auto& v) { return v.size() * sizeof(v[0]); },
                      reservoir.state().values);
  };
  const std::vector<std::size_t> both{0, 1};
  ReplayReservoir pixels(3, 2, 0);
  pixels.add(Row{0, 255});
  REQUIRE(pixels.add(Row{17, 3}) == 1);
  CHECK(bytes_kept(pixels) == 4);
  CHECK(pixels.gather<float>(both)(1, 0) == 17);

  const float odd = GENERATE(0.5F, -1.0F, 256.0F, -0.0F, std::numeric_limits<float>::quiet_NaN());
  CAPTURE(odd);
  pixels.add(Row{odd, 1});
  CHECK(bytes_kept(pixels) == 6 * sizeof(float));
  const auto rows = pixels.gather<float>(std::vector<std::size_t>{0, 1, 2});
  CHECK(rows(0, 1) == 255);
  CHECK(std::bit_cast<std::uint32_t>(rows(2, 0)) == std::bit_cast<std::uint32_t>(odd));

  ReplayReservoir mixed(3, 1, 0);
  mixed.add(Row{0.5F});
  CHECK_FALSE(mixed.is_wide());
  mixed.add(std::vector<double>{0.1});
  CHECK(mixed.is_wide());
  mixed.add(Row{7});
  CHECK(mixed.gather<double>(std::vector<std::size_t>{1})(0, 0) == 0.1);
  mixed.with_rows(both, [](secondlook::SampleView view) { CHECK(view.rows() == 2); });
}

TEST_CASE("ReplayReservoir: rejects invalid parameters and states") {
  REQUIRE_THROWS_AS(ReplayReservoir(0, 1, 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(ReplayReservoir(1, 0, 0), secondlook::InvalidArgument);
  REQUIRE_THROWS_AS(ReplayReservoir({4, 2, 0, 3, std::vector<double>{1, 2, 3}}),
                    secondlook::InvalidArgument);
  ReplayReservoir reservoir(2, 2, 0);
  REQUIRE_THROWS_WITH(reservoir.add(std::vector<double>{1}),
                      "ReplayReservoir::add: expected 2 features, got 1");
  REQUIRE(reservoir.size() == 0);
}
