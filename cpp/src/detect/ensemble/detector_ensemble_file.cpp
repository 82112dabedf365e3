#include <cmath>
#include <nlohmann/json.hpp>

#include "core/validation.hpp"
#include "detect/ensemble/detector_ensemble_state.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

using json = StrictJson;

const ReaderRegistration registration("detector_ensemble", [](const ModelFile& file) {
  return std::unique_ptr<Model>(
      std::make_unique<DetectorEnsemble>(DetectorEnsemble::from_file(file)));
});

std::string prefix_of(std::size_t member) { return "members." + std::to_string(member) + "."; }

// Adds a member's file to the ensemble's file: its sections as one object, its tensors under its
// prefix.
json pack(const EnsembleMember& member, std::size_t i, ModelFile& file) {
  const ModelFile member_file = member.detector->to_file();
  json sections = json::object();
  for (const auto& [name, text] : member_file.sections()) sections[name] = json::parse(text);
  for (const auto& [name, tensor] : member_file.tensors()) file.add(prefix_of(i) + name, tensor);
  return {{"name", member.name}, {"kind", member_file.kind()}, {"sections", std::move(sections)}};
}

EnsembleMember unpack(const json& object, std::size_t i, const ModelFile& file) {
  const std::string kind = object.at("kind");
  require(kind != file.kind(), "DetectorEnsemble: expected detectors as members, got an ensemble");
  ModelFile member_file{kind};
  for (const auto& [name, value] : object.at("sections").items())
    member_file.set_section(name, value.dump());
  const std::string prefix = prefix_of(i);
  for (const auto& [name, tensor] : file.tensors())
    if (name.starts_with(prefix)) member_file.add(name.substr(prefix.size()), tensor);
  std::shared_ptr<Model> model = load(member_file);
  auto detector = std::dynamic_pointer_cast<const Detector>(model);
  require(detector != nullptr, "DetectorEnsemble: expected a detector, got a model of kind {}",
          kind);
  return {object.at("name"), std::move(detector)};
}

}  // namespace

ModelFile DetectorEnsemble::write() const {
  require_fitted("DetectorEnsemble::save");
  const State& s = *state_;
  ModelFile file{std::string(kind())};
  json parameters = fields_to_json(parameters_);
  parameters.erase("feature_names");  // stored in a separate section, as in every model's file
  file.set_section("parameters", parameters.dump());
  json members = json::array();
  for (const auto& member : this->members()) members.push_back(pack(member, members.size(), file));
  file.set_section("members", members.dump());
  file.set_section("state", json{{"n_rows", s.n_rows}}.dump());
  file.set_section("decision", json{{"offset", offset()}, {"stale", s.stale}}.dump());
  const auto n = static_cast<std::int64_t>(n_features());
  file.add<double>("scaler.mean", {n}, s.scaler.mean());
  file.add<double>("scaler.scale", {n}, s.scaler.scale());
  std::vector<double> limits;
  for (const auto& l : s.limits) limits.insert(limits.end(), {l.median, l.limit, l.recent});
  file.add<double>("limits", {static_cast<std::int64_t>(s.limits.size()), 3}, limits);
  return file;
}

DetectorEnsemble DetectorEnsemble::from_file(const ModelFile& file) {
  return read_model("DetectorEnsemble", "detector_ensemble", file, [&] {
    json object = read_section(file, "parameters");
    for (json& rule : object.at("rules"))  // earlier files store an absent limit as null
      for (const char* limit : {"lower", "upper"})
        if (rule.contains(limit) && rule[limit].is_null()) rule.erase(limit);
    auto parameters = fields_from_json<DetectorEnsembleParameters>("DetectorEnsemble", object);
    std::vector<EnsembleMember> members;
    for (const json& member : read_section(file, "members"))
      members.push_back(unpack(member, members.size(), file));
    DetectorEnsemble ensemble(std::move(members), std::move(parameters));

    State& s = *ensemble.state_;
    const auto mean = file.get<double>("scaler.mean", {-1});
    const auto scale = file.get<double>("scaler.scale", {static_cast<std::int64_t>(mean.size())});
    require(!mean.empty(), "DetectorEnsemble: expected at least 1 feature, got 0");
    s.scaler = Scaler({mean.begin(), mean.end()}, {scale.begin(), scale.end()});
    s.n_rows = read_section(file, "state").at("n_rows");
    require(s.n_rows >= 1, "DetectorEnsemble: expected at least 1 row, got {}", s.n_rows);
    s.stale = read_section(file, "decision").at("stale");
    ensemble.read_names_and_rule(file);
    for (const DomainRule& rule : ensemble.parameters_.rules) check_rule(rule, mean.size());
    const auto limits =
        file.get<double>("limits", {static_cast<std::int64_t>(ensemble.members_.size()) + 1, 3});
    for (std::size_t i = 0; i < limits.size(); i += 3) {
      const State::Limits member_limits{limits[i], limits[i + 1], limits[i + 2]};
      require(std::isfinite(member_limits.median) && std::isfinite(member_limits.limit) &&
                  std::isfinite(member_limits.recent),
              "DetectorEnsemble: expected finite limits, got {}, {} and {}", member_limits.median,
              member_limits.limit, member_limits.recent);
      s.limits.push_back(member_limits);
    }
    for (const auto& member : ensemble.members_) {
      require(member.detector->n_features() == mean.size(),
              "DetectorEnsemble: expected members of {} features, got {} of {}", mean.size(),
              member.name, member.detector->n_features());
      s.members.push_back(member.detector);
    }
    return ensemble;
  });
}

}  // namespace secondlook
