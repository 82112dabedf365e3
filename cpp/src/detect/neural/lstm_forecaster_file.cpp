#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/validation.hpp"
#include "detect/neural/lstm_forecaster_state.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

const ReaderRegistration registration("lstm_forecaster", [](const ModelFile& file) {
  return std::unique_ptr<Model>(std::make_unique<LstmForecaster>(LstmForecaster::from_file(file)));
});

// Calls use(name, shape, index_of) for every tensor of the network: index_of(i) is the index of its
// i-th value among the parameters.
template <class Network, class Use>
void for_each_tensor(const Network& network, const Use& use) {
  const auto& shape = network.shape();
  const std::size_t n_hidden = shape.n_hidden;
  const std::size_t width = 4 * network.n_cells();
  const auto dimension = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  for (std::size_t l = 0; l < shape.n_layers; ++l) {
    const auto& layer = network.layout()[l];
    const std::string prefix = "layers." + std::to_string(l) + ".";
    const std::size_t n_inputs = l == 0 ? shape.n_inputs : n_hidden;
    // Row `unit` of torch's weights is a column here: gate after gate, each padded.
    const auto column = [=, n_cells = network.n_cells()](std::size_t unit) {
      return unit / n_hidden * n_cells + unit % n_hidden;
    };
    const auto block = [=, &use](const char* name, std::size_t first_row, std::size_t n_rows) {
      use(prefix + name, std::vector{dimension(4 * n_hidden), dimension(n_rows)},
          [=](std::size_t i) {
            return layer.weights + (first_row + i % n_rows) * width + column(i / n_rows);
          });
    };
    block("weight_input", 0, n_inputs);
    block("weight_hidden", layer.n_inputs + 1, n_hidden);
    use(prefix + "bias", std::vector{dimension(4 * n_hidden)},
        [=](std::size_t i) { return layer.weights + layer.n_inputs * width + column(i); });
  }
  const std::size_t n_outputs = shape.n_outputs;
  use("head.weight", std::vector{dimension(n_outputs), dimension(n_hidden)}, [&](std::size_t i) {
    return network.head() + i % n_hidden * detect::padded(n_outputs) + i / n_hidden;
  });
  use("head.bias", std::vector{dimension(n_outputs)},
      [&](std::size_t i) { return network.head_bias() + i; });
}

std::size_t count(const std::vector<std::int64_t>& shape) {
  std::size_t n = 1;
  for (const auto length : shape) n *= static_cast<std::size_t>(length);
  return n;
}

}  // namespace

ModelFile LstmForecaster::write() const {
  require_fitted("LstmForecaster::save");
  const State& s = *state_;
  ModelFile file{std::string(kind())};
  file.set_section("parameters", fields_to_json(parameters_).dump());
  s.write(file);
  for_each_tensor(s.network, [&](const std::string& name, const std::vector<std::int64_t>& shape,
                                 const auto& index_of) {
    std::vector<float> values(count(shape));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = s.network.parameters()[index_of(i)];
    file.add<float>(name, shape, values);
  });
  const auto n_channels = static_cast<std::int64_t>(s.scaler.n_features());
  file.add<double>("covariance", {n_channels, n_channels}, s.covariance);
  return file;
}

LstmForecaster LstmForecaster::from_file(const ModelFile& file) {
  return read_model("LstmForecaster", "lstm_forecaster", file, [&] {
    LstmForecaster model(fields_from_json<LstmForecasterParameters>(
        "LstmForecaster", read_section(file, "parameters")));
    State& s = *model.state_;
    s.read_scaler(file);
    const auto n_channels = static_cast<std::int64_t>(s.scaler.n_features());
    require(n_channels > 0, "LstmForecaster: expected at least 1 channel, got 0");
    // The largest tensors must be in the file before memory is allocated for the shape that it
    // states.
    const auto n_hidden = static_cast<std::int64_t>(model.parameters_.hidden);
    for (std::size_t l = 0; l < model.parameters_.layers; ++l)
      static_cast<void>(file.get<float>("layers." + std::to_string(l) + ".weight_hidden",
                                        {4 * n_hidden, n_hidden}));
    s.network = detect::LstmNetwork<float>(State::shape(model.parameters_, s.scaler.n_features()));
    for_each_tensor(s.network, [&](const std::string& name, const std::vector<std::int64_t>& shape,
                                   const auto& index_of) {
      const auto values = file.get<float>(name, shape);
      for (std::size_t i = 0; i < values.size(); ++i) {
        require(std::isfinite(values[i]),
                "LstmForecaster: tensor '{}': expected finite values, got {}", name, values[i]);
        s.network.parameters()[index_of(i)] = values[i];
      }
    });
    const auto covariance = file.get<double>("covariance", {n_channels, n_channels});
    require(std::ranges::all_of(covariance, [](double value) { return std::isfinite(value); }),
            "LstmForecaster: tensor 'covariance': expected finite values");
    s.covariance.assign(covariance.begin(), covariance.end());
    s.read_training(file, s.network.parameters().size());
    s.prepare(model.parameters_);
    model.read_names_and_rule(file);
    return model;
  });
}

}  // namespace secondlook
