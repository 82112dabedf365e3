#include "secondlook/image/group_split.hpp"

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/core/random.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

TEST_CASE("split_by_group: no group on both sides, every class on both") {
  RandomStream random(1);
  std::vector<std::int64_t> labels, groups;
  for (std::int64_t group = 0; group < 120; ++group) {
    const auto label = static_cast<std::int64_t>(group % 3);
    for (std::uint64_t i = 0; i <= random.below(4); ++i) {
      labels.push_back(label);
      groups.push_back(1000 - group);
    }
  }
  const auto split = split_by_group(labels, groups, 0.2, 5);
  CHECK(split.training.size() + split.validation.size() == labels.size());
  std::set<std::int64_t> left, right;
  std::map<std::int64_t, double> held_out, all;
  for (const auto i : split.training) left.insert(groups[i]);
  for (const auto i : split.validation) {
    right.insert(groups[i]);
    CHECK_FALSE(left.contains(groups[i]));
    ++held_out[labels[i]];
  }
  for (const auto label : labels) ++all[label];
  for (std::int64_t k = 0; k < 3; ++k) CHECK(std::abs(held_out[k] / all[k] - 0.2) < 0.04);
  CHECK(split_by_group(labels, groups, 0, 5).validation.empty());
  // A class with a single group stays in training.
  const auto few = split_by_group(std::vector<std::int64_t>{0, 0, 0, 1, 1},
                                  std::vector<std::int64_t>{1, 2, 3, 4, 4}, 0.5, 0);
  for (const auto i : few.validation) CHECK(i < 3);
}

TEST_CASE("split_by_group: every image on exactly one side, for random labels and groups") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    RandomStream random(seed);
    const std::size_t n = 1 + random.below(60);
    std::vector<std::int64_t> labels(n), groups(n);
    for (auto& label : labels) label = static_cast<std::int64_t>(random.below(3));
    for (auto& group : groups) group = static_cast<std::int64_t>(random.below(20));
    const double fraction = random.uniform() / 2;
    const auto split = split_by_group(labels, groups, fraction, seed);
    std::vector<int> n_sides(n);
    std::set<std::int64_t> trained_groups, trained_labels;
    for (const auto i : split.training) {
      ++n_sides[i];
      trained_groups.insert(groups[i]);
      trained_labels.insert(labels[i]);
    }
    std::map<std::int64_t, double> n_held_out, n_all;
    for (const auto i : split.validation) {
      ++n_sides[i];
      ++n_held_out[labels[i]];
      REQUIRE_FALSE(trained_groups.contains(groups[i]));
    }
    REQUIRE(n_sides == std::vector<int>(n, 1));
    for (const auto label : labels) ++n_all[label];
    // A group is taken for one class that still wants it; its other classes may get more than they
    // want, but none loses all its images.
    for (const auto& [label, count] : n_all) REQUIRE(trained_labels.contains(label));
    const auto again = split_by_group(labels, groups, fraction, seed);
    REQUIRE(again.training == split.training);
  }
}

TEST_CASE("split_by_group: one image, and one class of ties, are trained on") {
  const std::vector<std::int64_t> one = {0};
  CHECK(split_by_group(one, {}, 0.5, 0).training == std::vector<std::size_t>{0});
  // Without groups a class of two can spare one image at a fraction of a half.
  const std::vector<std::int64_t> two = {0, 0};
  CHECK(split_by_group(two, {}, 0.5, 0).validation.size() == 1);
}

TEST_CASE("split_by_group: arguments that do not fit are refused") {
  const std::vector<std::int64_t> labels = {0, 1, 1}, negative = {0, -1, 1}, two = {1, 2};
  CHECK_THROWS_WITH(split_by_group(labels, two, 0.5, 0),
                    Contains("split_by_group: expected one group per sample (3), got 2"));
  CHECK_THROWS_WITH(split_by_group(labels, {}, 1, 0),
                    Contains("fraction must lie in [0, 1), got 1"));
  CHECK_THROWS_WITH(split_by_group(negative, {}, 0.5, 0),
                    Contains("expected labels from 0 to 999999"));
  CHECK_THROWS_WITH(split_by_group({}, {}, 0.5, 0), Contains("expected labels from 0 to 999999"));
}
