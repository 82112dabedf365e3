#include <cmath>
#include <nlohmann/json.hpp>

#include "core/validation.hpp"
#include "detect/neural/autoencoder_state.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

const ReaderRegistration registration("autoencoder", [](const ModelFile& file) {
  return std::unique_ptr<Model>(std::make_unique<Autoencoder>(Autoencoder::from_file(file)));
});

// Calls use(name, n_rows, n_cols, first value, step between rows, step between columns) for every
// tensor of the network, whether it is in the parameters or in the statistics.
template <class Network, class Use>
void for_each_tensor(Network& network, const Use& use) {
  const auto parameters = network.parameters();
  const auto statistics = network.statistics();
  for (std::size_t l = 0; l < network.layout().size(); ++l) {
    const auto& layer = network.layout()[l];
    const std::size_t n_outputs = network.widths()[l + 1];
    const std::string prefix = "layers." + std::to_string(l) + ".";
    use(prefix + "weight", n_outputs, layer.n_inputs, &parameters[layer.weights], std::size_t{1},
        layer.n_outputs);
    const auto vector = [&](const char* name, auto* values) {
      use(prefix + name, n_outputs, std::size_t{0}, values, std::size_t{1}, std::size_t{0});
    };
    if (l == network.n_hidden()) {
      vector("bias", &parameters[layer.bias]);
      continue;
    }
    vector("gain", &parameters[layer.gain]);
    vector("shift", &parameters[layer.shift]);
    vector("mean", &statistics[layer.mean]);
    vector("variance", &statistics[layer.variance]);
  }
}

std::vector<std::int64_t> shape_of(std::size_t n_rows, std::size_t n_cols) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(n_rows)};
  if (n_cols > 0) shape.push_back(static_cast<std::int64_t>(n_cols));
  return shape;
}

}  // namespace

ModelFile Autoencoder::write() const {
  require_fitted("Autoencoder::save");
  const State& s = *state_;
  ModelFile file{std::string(kind())};
  file.set_section("parameters", fields_to_json(parameters_).dump());
  s.write(file);
  for_each_tensor(s.network, [&](const std::string& name, std::size_t n_rows, std::size_t n_cols,
                                 const float* first, std::size_t row_step, std::size_t col_step) {
    std::vector<float> values;
    for (std::size_t i = 0; i < n_rows; ++i)
      for (std::size_t j = 0; j < std::max<std::size_t>(n_cols, 1); ++j)
        values.push_back(first[i * row_step + j * col_step]);
    file.add<float>(name, shape_of(n_rows, n_cols), values);
  });
  return file;
}

Autoencoder Autoencoder::from_file(const ModelFile& file) {
  return read_model("Autoencoder", "autoencoder", file, [&] {
    Autoencoder model(
        fields_from_json<AutoencoderParameters>("Autoencoder", read_section(file, "parameters")));
    State& s = *model.state_;
    s.read_scaler(file);
    const std::size_t n_features = s.scaler.n_features();
    const auto& weights = model.parameters_.feature_weights;
    require(n_features > 0 && (weights.empty() || weights.size() == n_features),
            "Autoencoder: expected no feature weights or one per feature ({}), got {}", n_features,
            weights.size());
    // The weights must be in the file before memory is allocated for the widths that it states.
    const auto widths = State::widths(n_features, model.parameters_.hidden);
    for (std::size_t l = 0; l + 1 < widths.size(); ++l)
      static_cast<void>(file.get<float>("layers." + std::to_string(l) + ".weight",
                                        shape_of(widths[l + 1], widths[l])));
    s.network = detect::DenseNetwork<float>(widths);
    for_each_tensor(s.network, [&](const std::string& name, std::size_t n_rows, std::size_t n_cols,
                                   float* first, std::size_t row_step, std::size_t col_step) {
      const auto values = file.get<float>(name, shape_of(n_rows, n_cols));
      const bool is_variance = name.ends_with(".variance");
      const std::size_t columns = std::max<std::size_t>(n_cols, 1);
      for (std::size_t i = 0; i < values.size(); ++i) {
        require(std::isfinite(values[i]) && !(is_variance && values[i] < 0),
                "Autoencoder: tensor '{}': expected finite values, got {}", name, values[i]);
        first[i / columns * row_step + i % columns * col_step] = values[i];
      }
    });
    s.read_training(file, s.network.parameters().size());
    s.prepare(weights);
    model.read_names_and_rule(file);
    return model;
  });
}

}  // namespace secondlook
