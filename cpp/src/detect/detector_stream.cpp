#include "secondlook/detect/detector_stream.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/validation.hpp"

namespace secondlook {

namespace {

constexpr std::size_t kMaxReasons = 3;
constexpr double kMinFraction = 0.1;  // a reason has at least this fraction of the evidence

}  // namespace

DetectorStream::DetectorStream(std::shared_ptr<const Detector> detector,
                               const AnomalyLikelihoodParameters& parameters)
    : detector_(std::move(detector)), likelihood_(parameters), offset_(0) {
  require(detector_ != nullptr, "DetectorStream: expected a detector, got none");
  offset_ = detector_->offset();
  series_ = detector_->series();
}

DetectorStream::DetectorStream(std::shared_ptr<const Detector> detector,
                               const AnomalyLikelihoodParameters& parameters, const State& state)
    : DetectorStream(std::move(detector), parameters) {
  likelihood_ = AnomalyLikelihood(parameters, state.likelihood);
  series_->restore(state.series);
}

StreamRecord DetectorStream::push(SampleView sample) {
  StreamRecord record;
  record.score = series_->push(sample);
  if (!std::isnan(record.score)) {
    likelihood_.push(-record.score);
    const bool normal = record.score >= offset_;
    record.verdict = normal ? StreamVerdict::normal : StreamVerdict::anomaly;
    if (!normal) record.reasons = reasons();
  }
  record.tail_probability = likelihood_.tail_probability();
  return record;
}

StreamRecord DetectorStream::push(std::span<const double> sample) {
  return push(MatrixView<double>(sample.data(), 1, std::ssize(sample)));
}

DetectorStream::State DetectorStream::state() const {
  return {likelihood_.state(), series_->snapshot()};
}

std::vector<StreamReason> DetectorStream::reasons() const {
  const auto parts = series_->contributions();
  double total = 0;
  for (const double part : parts) total += std::max(part, 0.0);
  if (!(total > 0)) return {};
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t n = std::min(kMaxReasons, order.size());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(n);
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    return parts[a] != parts[b] ? parts[a] > parts[b] : a < b;
  });
  const auto& names = detector_->feature_names();
  std::vector<StreamReason> found;
  for (const std::size_t j : std::span(order).first(n))
    if (parts[j] >= kMinFraction * total)
      found.push_back(
          {j, j < names.size() ? names[j] : fmt::format("feature {}", j), parts[j] / total});
  return found;
}

}  // namespace secondlook
