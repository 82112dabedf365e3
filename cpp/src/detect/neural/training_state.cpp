#include "detect/neural/training_state.hpp"

#include <nlohmann/json.hpp>

#include "store/read_model.hpp"

namespace secondlook::detect {

using json = StrictJson;

void TrainingState::write(ModelFile& file) const {
  file.set_section(
      "state",
      json{{"learning_rate", learning_rate}, {"n_passes", n_passes}, {"n_steps", adam.n_steps()}}
          .dump());
  file.set_section("decision", json{{"offset", offset}, {"stale", offset_is_stale}}.dump());

  const auto n_features = static_cast<std::int64_t>(scaler.n_features());
  file.add<double>("scaler.mean", {n_features}, scaler.mean());
  file.add<double>("scaler.scale", {n_features}, scaler.scale());
  const auto& moments = adam.moments();
  file.add<float>("adam.moments", {2, static_cast<std::int64_t>(moments.size() / 2)}, moments);
  std::vector<double> epochs;
  for (const auto& epoch : history)
    epochs.insert(epochs.end(), {epoch.loss, epoch.validation_loss, epoch.learning_rate});
  file.add<double>("history", {static_cast<std::int64_t>(history.size()), 3}, epochs);
}

void TrainingState::read_scaler(const ModelFile& file) {
  const auto mean = file.get<double>("scaler.mean", {-1});
  const auto scale = file.get<double>("scaler.scale", {static_cast<std::int64_t>(mean.size())});
  scaler = Scaler({mean.begin(), mean.end()}, {scale.begin(), scale.end()});
}

void TrainingState::read_training(const ModelFile& file, std::size_t n_parameters) {
  const json state = read_section(file, "state");
  learning_rate = state.at("learning_rate");
  n_passes = state.at("n_passes");
  const json decision = read_section(file, "decision");
  offset = decision.at("offset");
  offset_is_stale = decision.at("stale");

  const auto moments =
      file.get<float>("adam.moments", {2, static_cast<std::int64_t>(n_parameters)});
  adam.restore({moments.begin(), moments.end()}, state.at("n_steps"));
  const auto epochs = file.get<double>("history", {-1, 3});
  for (std::size_t i = 0; i < epochs.size(); i += 3)
    history.push_back({epochs[i], epochs[i + 1], epochs[i + 2]});
}

}  // namespace secondlook::detect
