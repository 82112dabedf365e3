#include "secondlook/detect/detector.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/validation.hpp"
#include "secondlook/core/matrix.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

constexpr const char* kFeatureNames = "feature_names";

// Series of a detector that scores samples independently: it only keeps the last sample.
class IndependentSamples final : public SampleSeries {
 public:
  explicit IndependentSamples(const Detector& detector)
      : detector_(detector), last_(1, static_cast<Index>(detector.n_features())) {}

  double push(SampleView sample) override {
    require(sample.rows() == 1 && sample.cols() == last_.cols(),
            "SampleSeries::push: expected one sample of {} features, got shape ({}, {})",
            last_.cols(), sample.rows(), sample.cols());
    double score = 0;
    detector_.score_samples(sample, std::span(&score, 1));
    sample.visit([&](const auto& x) { std::ranges::copy(x.row(0), last_.row(0).begin()); });
    return score;
  }

  [[nodiscard]] std::vector<double> contributions() const override {
    std::vector<double> parts(static_cast<std::size_t>(last_.cols()));
    detector_.feature_contributions(last_, parts);
    return parts;
  }

  [[nodiscard]] std::vector<double> snapshot() const override { return {}; }
  void restore(std::span<const double> snapshot) override {
    require(snapshot.empty(), "SampleSeries::restore: expected no values, got {}", snapshot.size());
  }

 private:
  const Detector& detector_;
  Matrix<double> last_;
};

}  // namespace

Detector::~Detector() = default;
DetectorSource::~DetectorSource() = default;
SampleSeries::~SampleSeries() = default;

std::vector<double> Detector::score_samples(SampleView x) const {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  score_samples(x, scores);
  return scores;
}

std::unique_ptr<SampleSeries> Detector::series() const {
  require<NotFitted>(fitted(), "Detector::series: expected a fitted detector");
  return std::make_unique<IndependentSamples>(*this);
}

std::vector<Decision> Detector::decide(SampleView x,
                                       std::span<const std::uint8_t> out_of_distribution) const {
  require(rule_.has_value(),
          "Detector::decide: expected a decision rule, got none; set_decision_rule sets one that "
          "was fitted on this detector's scores");
  require(out_of_distribution.empty() || std::ssize(out_of_distribution) == x.rows(),
          "Detector::decide: expected one value of out_of_distribution per row ({}), got {}",
          x.rows(), out_of_distribution.size());
  const auto scores = score_samples(x);
  std::vector<double> known;  // higher is more abnormal
  std::vector<std::uint8_t> known_out_of_distribution;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) continue;
    known.push_back(-scores[i]);
    if (!out_of_distribution.empty()) known_out_of_distribution.push_back(out_of_distribution[i]);
  }
  std::vector<Decision> decisions(scores.size(), Decision::unknown);
  if (known.empty()) return decisions;
  const auto decided = rule_->decide(known, known_out_of_distribution);
  auto next = decided.begin();
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!std::isnan(scores[i])) decisions[i] = *next++;
  return decisions;
}

bool Detector::decision_rule_is_stale() const {
  if (!rule_) return false;
  DecisionRule rule = *rule_;
  rule.compare_with(write());
  return rule.is_stale();
}

void Detector::set_feature_names(std::vector<std::string> names) {
  require(names.empty() || n_features() == 0 || names.size() == n_features(),
          "Detector::set_feature_names: expected one name per feature ({}), got {}", n_features(),
          names.size());
  names_ = std::move(names);
}

ModelFile Detector::to_file() const {
  ModelFile file = write();
  const bool named = names_.size() == n_features() && !names_.empty();
  file.set_section(kFeatureNames, (named ? StrictJson(names_) : StrictJson()).dump());
  if (rule_) {
    DecisionRule rule = *rule_;
    rule.write_to(file);
  }
  return file;
}

void Detector::read_names_and_rule(const ModelFile& file) {
  if (file.has_section(kFeatureNames)) {
    const StrictJson names = read_section(file, kFeatureNames);
    if (!names.is_null()) set_feature_names(names.get<std::vector<std::string>>());
  }
  rule_ = DecisionRule::read_from(file);
}

}  // namespace secondlook
