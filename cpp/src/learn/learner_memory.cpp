#include "learn/learner_memory.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <variant>

#include "core/validation.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook::learn {

namespace {

using json = StrictJson;

constexpr const char* kSection = "learner";
constexpr const char* kFeatureNames = "feature_names";
constexpr const char* kReplay = "replay";
constexpr const char* kHeldOut = "held_out";
constexpr const char* kEarlierHeldOut = "held_back";  // name in earlier files

// Earlier files store an outcome as its number.
UpdateReport report_from(json object) {
  if (json& outcome = object.at("outcome"); outcome.is_number()) {
    const std::size_t number = outcome;
    require(number < names_of<UpdateOutcome>.size(),
            "IncrementalLearner: invalid update outcome {}", number);
    outcome = static_cast<UpdateOutcome>(number);
  }
  return fields_from_json<UpdateReport>("IncrementalLearner", object);
}

json counts_of(const ReplayReservoir& reservoir) {
  const auto& s = reservoir.state();
  return {{"capacity", s.capacity}, {"seed", s.seed}, {"n_seen", s.n_seen}};
}

std::string tensor_of(const std::string& name) { return "learner." + name; }
std::string notes_of(const std::string& name) { return tensor_of(name) + ".notes"; }

void add_rows(const std::string& name, const ReplayReservoir& reservoir, ModelFile& file) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(reservoir.size()),
                                        static_cast<std::int64_t>(reservoir.n_features())};
  std::visit(
      [&](const auto& values) {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        file.add<Value>(tensor_of(name), shape, values);
      },
      reservoir.state().values);
}

void add_notes(const std::string& name, const std::vector<LearnerMemory::Note>& notes,
               ModelFile& file) {
  std::vector<double> values;
  for (const auto& note : notes) values.insert(values.end(), {note.loss, note.update});
  file.add<double>(notes_of(name), {static_cast<std::int64_t>(notes.size()), 2}, values);
}

template <class Value>
std::vector<Value> values_of(const std::string& name, std::size_t width, const ModelFile& file) {
  const auto values = file.get<Value>(name, {-1, static_cast<std::int64_t>(width)});
  return {values.begin(), values.end()};
}

ReplayReservoir::Values rows_from(const std::string& name, std::size_t n_features,
                                  const ModelFile& file) {
  const auto found = file.tensors().find(name);
  const DataType type = found == file.tensors().end() ? DataType::f64 : found->second.type;
  if (type == DataType::u8) return values_of<std::uint8_t>(name, n_features, file);
  if (type == DataType::f32) return values_of<float>(name, n_features, file);
  return values_of<double>(name, n_features, file);
}

ReplayReservoir::State counts_from(const json& counts, std::size_t n_features) {
  return {counts.at("capacity"), n_features, counts.at("seed"), counts.at("n_seen"), {}};
}

ReplayReservoir replay_from(const json& learner, std::size_t n_features, const ModelFile& file) {
  auto state = counts_from(learner.at(kReplay), n_features);
  state.values = rows_from(tensor_of(kReplay), n_features, file);
  return ReplayReservoir(std::move(state));
}

// Reads the held-out rows and their notes. Earlier files store the notes as two further columns of
// float64 rows.
void read_held_out(const json& learner, std::size_t n_features, const ModelFile& file,
                   LearnerMemory& memory) {
  const std::string name = learner.contains(kHeldOut) ? kHeldOut : kEarlierHeldOut;
  auto state = counts_from(learner.at(name), n_features);
  std::vector<double> notes;
  if (file.has_tensor(notes_of(name))) {
    state.values = rows_from(tensor_of(name), n_features, file);
    notes = values_of<double>(notes_of(name), 2, file);
  } else {
    const auto values = values_of<double>(tensor_of(name), n_features + 2, file);
    auto& rows = state.values.emplace<std::vector<double>>();
    for (auto row = values.begin(); row != values.end();) {
      const auto end = row + static_cast<std::ptrdiff_t>(n_features);
      rows.insert(rows.end(), row, end);
      notes.insert(notes.end(), end, end + 2);
      row = end + 2;
    }
  }
  memory.held_out = ReplayReservoir(std::move(state));
  require(notes.size() == 2 * memory.held_out.size(),
          "IncrementalLearner: expected notes for {} held-out rows, got {}", memory.held_out.size(),
          notes.size() / 2);
  for (std::size_t i = 0; i < notes.size(); i += 2)
    memory.notes.push_back({notes[i], notes[i + 1]});
}

std::string feature_names_text(const ModelFile& file) {
  return file.has_section(kFeatureNames) ? file.section(kFeatureNames) : "null";
}

void require_learner(const ModelFile& file) {
  require<ModelFileError>(file.has_section(kSection),
                          "IncrementalLearner: expected a version saved by a learner, got a plain "
                          "model of kind {}",
                          file.kind());
}

}  // namespace

LearnerMemory::LearnerMemory(const IncrementalLearnerParameters& chosen, std::size_t n_features)
    : parameters(chosen),
      replay(chosen.replay_size, n_features, chosen.seed),
      held_out(chosen.held_out_size, n_features, chosen.seed + 1),
      adwin(chosen.adwin_delta) {}

void set_feature_names(const std::vector<std::string>& names, ModelFile& file) {
  file.set_section(kFeatureNames, names.empty() ? "null" : json(names).dump());
}

void add_memory(const LearnerMemory& memory, ModelFile& file) {
  json history = json::array();
  for (const auto& report : memory.history) history.push_back(report);
  json version = memory.version;
  version.erase("in_use");
  file.set_section(kSection, json{{"lineage", memory.lineage},
                                  {"n_features", memory.n_features()},
                                  {"parameters", memory.parameters},
                                  {"version", std::move(version)},
                                  {"limit", memory.limit},
                                  {"scale", memory.scale},
                                  {"n_updates", memory.n_updates},
                                  {kReplay, counts_of(memory.replay)},
                                  {kHeldOut, counts_of(memory.held_out)},
                                  {"adwin", memory.adwin.state()},
                                  {"history", std::move(history)}}
                                 .dump());
  add_rows(kReplay, memory.replay, file);
  add_rows(kHeldOut, memory.held_out, file);
  add_notes(kHeldOut, memory.notes, file);
  file.add<double>("learner.calibration", {static_cast<std::int64_t>(memory.calibration.size())},
                   memory.calibration);
}

LearnerMemory read_memory(const ModelFile& file) {
  require_learner(file);
  return read_model("IncrementalLearner", file.kind(), file, [&] {
    const json learner = read_section(file, kSection);
    const auto parameters = fields_from_json<IncrementalLearnerParameters>(
        "IncrementalLearner", learner.at("parameters"));
    require_parameters(parameters);
    const std::size_t n_features = learner.at("n_features");
    require(n_features >= 1 && n_features < std::size_t{1} << 26,
            "IncrementalLearner: expected 1 to 2^26 - 1 features, got {}", n_features);
    LearnerMemory memory(parameters, n_features);
    memory.lineage = learner.at("lineage");
    const json names = json::parse(feature_names_text(file));
    if (!names.is_null()) memory.feature_names = names.get<std::vector<std::string>>();
    memory.extras = ModelExtras::of(file);
    memory.extras.sections.erase(kSection);
    memory.extras.sections.erase(kFeatureNames);
    learner.at("version").get_to(memory.version);
    memory.version.in_use = true;
    memory.scale = learner.at("scale");
    memory.limit = learner.at("limit");
    memory.n_updates = learner.at("n_updates");
    memory.adwin = Adwin(learner.at("adwin").get<Adwin::State>());
    for (const json& report : learner.at("history")) memory.history.push_back(report_from(report));
    memory.replay = replay_from(learner, n_features, file);
    read_held_out(learner, n_features, file, memory);
    const auto calibration = file.get<double>("learner.calibration",
                                              {static_cast<std::int64_t>(memory.held_out.size())});
    memory.calibration.assign(calibration.begin(), calibration.end());
    const auto finite = [](double value) { return std::isfinite(value); };
    require(!calibration.empty() && std::ranges::all_of(calibration, finite) &&
                std::ranges::is_sorted(calibration) && finite(memory.limit),
            "IncrementalLearner: expected finite, ascending calibration scores");
    return memory;
  });
}

std::string mismatch(const ModelFile& file, const ModelFile& expected) {
  if (file.kind() != expected.kind())
    return fmt::format("kind, {} and {}", file.kind(), expected.kind());
  require_learner(file);
  require_learner(expected);
  const json ours = read_section(file, kSection);
  const json theirs = read_section(expected, kSection);
  if (ours.value("n_features", json()) != theirs.value("n_features", json()))
    return "number of features";
  return ours.value("lineage", json()) == theirs.value("lineage", json()) ? "" : "origin";
}

std::string lineage_to_continue(const ModelFile& before, std::size_t n_features,
                                const ModelFile& model) {
  require(before.kind() == model.kind() && before.has_section(kSection),
          "IncrementalLearner: expected a folder with versions of kind {}, got one of kind {}",
          model.kind(), before.kind());
  const LearnerMemory memory = read_memory(before);
  require(memory.n_features() == n_features,
          "IncrementalLearner: expected a folder with versions of {} features, got one of {}",
          n_features, memory.n_features());
  require(feature_names_text(before) == feature_names_text(model),
          "IncrementalLearner: expected a folder with versions of the features {}, got one of {}",
          feature_names_text(model), feature_names_text(before));
  return memory.lineage;
}

void require_parameters(const IncrementalLearnerParameters& p) {
  const auto within = [](const char* name, double value, const char* range, bool holds) {
    require(holds, "IncrementalLearner: {} must lie in {}, got {}", name, range, value);
  };
  within("suspicion_rate", p.suspicion_rate, "(0, 0.5]",
         p.suspicion_rate > 0 && p.suspicion_rate <= 0.5);
  within("max_suspected_fraction", p.max_suspected_fraction, "(0, 1]",
         p.max_suspected_fraction > 0 && p.max_suspected_fraction <= 1);
  within("replay_ratio", p.replay_ratio, "[0, 1000]",
         p.replay_ratio >= 0 && p.replay_ratio <= 1000);
  within("held_out_fraction", p.held_out_fraction, "(0, 1)",
         p.held_out_fraction > 0 && p.held_out_fraction < 1);
  within("tolerance", p.tolerance, "[0, 1e6]", p.tolerance >= 0 && p.tolerance <= 1e6);
  within("significance", p.significance, "(0, 1)", p.significance > 0 && p.significance < 1);
  within("adwin_delta", p.adwin_delta, "(0, 1)", p.adwin_delta > 0 && p.adwin_delta < 1);
  require(p.max_passes >= 1, "IncrementalLearner: max_passes must be at least 1, got 0");
  require(p.replay_size >= 1, "IncrementalLearner: replay_size must be at least 1, got 0");
  require(p.held_out_size >= 1, "IncrementalLearner: held_out_size must be at least 1, got 0");
  require(p.keep_versions >= 1, "IncrementalLearner: keep_versions must be at least 1, got 0");
}

}  // namespace secondlook::learn
