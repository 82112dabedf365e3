#include <hwy/targets.h>

#include <vector>

#include "catch.hpp"
#include "secondlook/core/random.hpp"
#include "secondlook/detect/isolation_forest.hpp"
#include "secondlook/detect/peer_deviation.hpp"
#include "secondlook/detect/surprise_stream.hpp"
#include "secondlook/eigen.hpp"

using secondlook::EigenMatrix;
using secondlook::Index;
using secondlook::IsolationForest;
using secondlook::MatrixView;
using secondlook::PeerDeviation;
using secondlook::SurpriseStream;

namespace {

// Restricts the kernels to one instruction set during its lifetime.
class OnlyTarget {
 public:
  explicit OnlyTarget(std::int64_t target) { use(target); }
  ~OnlyTarget() { use(0); }
  OnlyTarget(const OnlyTarget&) = delete;
  OnlyTarget& operator=(const OnlyTarget&) = delete;

 private:
  static void use(std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

}  // namespace

TEST_CASE("kernels: every instruction set of this processor gives the same results") {
  secondlook::RandomStream random(1);
  EigenMatrix<double> x(1000, 14);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = random.uniform();
  const MatrixView<double> rows = x;
  IsolationForest forest({.seed = 1});
  forest.fit(rows);
  const PeerDeviation peers({.n_sigma = 1.5});

  std::vector<double> expected(1000);
  forest.score_samples(rows, expected);
  const auto verdicts = peers.judge(rows);
  const std::span<const double> series(x.data(), 3000);
  const auto records = SurpriseStream({.season = 24}).push(series);
  int n_targets = 0;
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    const std::int64_t target = targets & -targets;
    CAPTURE(hwy::TargetName(target));
    const OnlyTarget only(target);
    ++n_targets;
    std::vector<double> scores(1000);
    forest.score_samples(rows, scores);
    REQUIRE(scores == expected);
    const auto looks = SurpriseStream({.season = 24}).push(series);
    for (std::size_t i = 0; i < looks.size(); ++i)
      REQUIRE(looks[i].surprise == Approx(records[i].surprise).margin(1e-5));
    const auto found = peers.judge(rows);
    for (std::size_t i = 0; i < found.size(); ++i) {
      REQUIRE(found[i].n_beyond == verdicts[i].n_beyond);
      REQUIRE(found[i].worst == verdicts[i].worst);
      REQUIRE(found[i].worst_ratio == Approx(verdicts[i].worst_ratio).epsilon(1e-9));
    }
  }
  REQUIRE(n_targets >= 1);
}
