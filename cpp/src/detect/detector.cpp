#include "secondlook/detect/detector.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/validation.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {
constexpr const char* kFeatureNames = "feature_names";
}

Detector::~Detector() = default;
DetectorSource::~DetectorSource() = default;

std::vector<double> Detector::score_samples(SampleView x) const {
  std::vector<double> scores(static_cast<std::size_t>(x.rows()));
  score_samples(x, scores);
  return scores;
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
