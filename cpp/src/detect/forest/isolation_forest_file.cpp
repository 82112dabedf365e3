#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/validation.hpp"
#include "detect/forest/isolation_forest_state.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

using detect::kGroupRows;
using json = StrictJson;

const ReaderRegistration registration("isolation_forest", [](const ModelFile& file) {
  return std::unique_ptr<Model>(
      std::make_unique<IsolationForest>(IsolationForest::from_file(file)));
});

}  // namespace

ModelFile IsolationForest::write() const {
  if (n_pending() == 0) require_fitted("IsolationForest::save");
  const State& s = *state_;
  ModelFile file{std::string(kind())};
  file.set_section("parameters", fields_to_json(parameters_).dump());
  file.set_section("state", json{{"n_features", s.n_features},
                                 {"subsample_size", s.subsample_size},
                                 {"n_grown", s.n_grown},
                                 {"oldest", s.oldest}}
                                .dump());
  file.set_section("decision", json{{"offset", s.offset}, {"stale", s.offset_is_stale}}.dump());

  std::vector<std::int32_t> features(s.trees->nodes.size(), -1);
  std::vector<float> thresholds(s.trees->nodes.size(), 0.0F);
  for (std::size_t i = 0; i < s.trees->nodes.size(); ++i) {
    if (s.trees->nodes[i].threshold == 0) continue;
    features[i] = static_cast<std::int32_t>(s.trees->nodes[i].column / kGroupRows);
    thresholds[i] = detect::value_of_key(s.trees->nodes[i].threshold);
  }
  const auto n_trees = static_cast<std::int64_t>(s.n_trees);
  const auto size = static_cast<std::int64_t>(s.tree_size());
  file.add<std::int32_t>("features", {n_trees, size}, features);
  file.add<float>("thresholds", {n_trees, size}, thresholds);
  file.add<float>("path_lengths", {n_trees, size}, s.trees->path_lengths);
  file.add<std::uint32_t>("covers", {n_trees, 2 * size}, s.trees->covers);
  const auto n_features = static_cast<std::int64_t>(s.n_features);
  file.add<float>("pending", {static_cast<std::int64_t>(n_pending()), n_features}, s.pending);
  return file;
}

IsolationForest IsolationForest::from_file(const ModelFile& file) {
  return read_model("IsolationForest", "isolation_forest", file, [&] {
    IsolationForest forest(fields_from_json<IsolationForestParameters>(
        "IsolationForest", read_section(file, "parameters")));
    State& s = *forest.state_;
    const json state = read_section(file, "state");
    s.n_features = state.at("n_features");
    s.subsample_size = state.at("subsample_size");
    s.n_grown = state.at("n_grown");
    s.oldest = state.at("oldest");
    const json decision = read_section(file, "decision");
    s.offset = decision.at("offset");
    s.offset_is_stale = decision.at("stale");
    require<ModelFileError>(s.subsample_size <= std::size_t{1} << 30,
                            "IsolationForest: expected a subsample of at most 2^30 rows, got {}",
                            s.subsample_size);
    require<ModelFileError>(s.n_features >= 1 && s.n_features < std::size_t{1} << 26,
                            "IsolationForest: expected 1 to 2^26 - 1 features, got {}",
                            s.n_features);

    const bool only_pending =
        s.subsample_size == 0;  // partial_fit has not collected enough rows yet
    s.depth = only_pending ? 0 : detect::tree_depth(s.subsample_size);
    const auto size = static_cast<std::int64_t>(s.tree_size());
    const auto features = file.get<std::int32_t>("features", {-1, size});
    s.n_trees = features.size() / s.tree_size();
    require<ModelFileError>(only_pending ? s.n_trees == 0 : s.oldest < s.n_trees,
                            "IsolationForest: expected the oldest tree among {}, got tree {}",
                            s.n_trees, s.oldest);
    const auto n_trees = static_cast<std::int64_t>(s.n_trees);
    const auto thresholds = file.get<float>("thresholds", {n_trees, size});
    const auto path_lengths = file.get<float>("path_lengths", {n_trees, size});
    const auto covers = file.get<std::uint32_t>("covers", {n_trees, 2 * size});
    const auto pending = file.get<float>("pending", {-1, static_cast<std::int64_t>(s.n_features)});
    s.trees->path_lengths.assign(path_lengths.begin(), path_lengths.end());
    s.trees->covers.assign(covers.begin(), covers.end());
    s.pending.assign(pending.begin(), pending.end());

    const auto n_columns =
        static_cast<std::int64_t>(s.n_features * (forest.parameters_.route_missing ? 2 : 1));
    s.trees->nodes.resize(features.size());
    for (std::size_t i = 0; i < features.size(); ++i) {
      if (features[i] == -1) continue;
      require<ModelFileError>(
          features[i] >= 0 && features[i] < n_columns && std::isfinite(thresholds[i]),
          "IsolationForest: node {}: expected a feature below {} and a finite threshold, got "
          "feature "
          "{} and {}",
          i, n_columns, features[i], thresholds[i]);
      s.trees->nodes[i] = {detect::ordered_key(thresholds[i] + 0.0F),
                           static_cast<std::uint32_t>(features[i]) * kGroupRows};
    }
    forest.read_names_and_rule(file);
    return forest;
  });
}

}  // namespace secondlook
