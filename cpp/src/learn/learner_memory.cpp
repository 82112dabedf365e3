#include "learn/learner_memory.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

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
constexpr const char* kEarlierHeldOut = "held_back";  // as earlier files call it

// Earlier files write an outcome as its number.
UpdateReport report_from(json object) {
  if (json& outcome = object.at("outcome"); outcome.is_number()) {
    const std::size_t number = outcome;
    require(number < names_of<UpdateOutcome>.size(),
            "IncrementalLearner: expected the outcome of an update, got {}", number);
    outcome = static_cast<UpdateOutcome>(number);
  }
  return fields_from_json<UpdateReport>("IncrementalLearner", object);
}

json counts_of(const ReplayReservoir& reservoir) {
  const auto& s = reservoir.state();
  return {{"capacity", s.capacity}, {"seed", s.seed}, {"n_seen", s.n_seen}};
}

// Pixels are: an eighth of the memory.
bool are_bytes(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) {
    return value >= 0 && value <= 255 && value == std::floor(value) && !std::signbit(value);
  });
}

template <class Value>
void add_columns(const std::string& name, MatrixView<double> columns, ModelFile& file) {
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(columns.rows() * columns.cols()));
  for (Index i = 0; i < columns.rows(); ++i)
    std::ranges::transform(columns.row(i), std::back_inserter(values),
                           [](double value) { return static_cast<Value>(value); });
  file.add<Value>(name, {columns.rows(), columns.cols()}, values);
}

std::string tensor_of(const std::string& name) { return "learner." + name; }
std::string notes_of(const std::string& name) { return tensor_of(name) + ".notes"; }

/// Rows of bytes have their last `n_notes` columns in a tensor of its own.
void add_rows(const std::string& name, const ReplayReservoir& reservoir, std::size_t n_notes,
              ModelFile& file) {
  const auto rows = reservoir.rows();
  const auto width = rows.cols() - static_cast<Index>(n_notes);
  const auto columns = [&](Index first, Index count) {
    return MatrixView<double>(rows.data() + first, rows.rows(), count, rows.row_stride());
  };
  bool bytes = true;
  for (Index i = 0; i < rows.rows() && bytes; ++i)
    bytes = are_bytes(rows.row(i).first(static_cast<std::size_t>(width)));
  if (!bytes)
    return file.add<double>(tensor_of(name), {rows.rows(), rows.cols()}, reservoir.state().values);
  add_columns<std::uint8_t>(tensor_of(name), columns(0, width), file);
  if (n_notes > 0) add_columns<double>(notes_of(name), columns(width, rows.cols() - width), file);
}

ReplayReservoir reservoir_from(const std::string& name, const json& learner, std::size_t n_features,
                               std::size_t n_notes, const ModelFile& file) {
  const json& counts = learner.at(name);
  ReplayReservoir::State state{
      counts.at("capacity"), n_features, counts.at("seed"), counts.at("n_seen"), {}};
  const auto found = file.tensors().find(tensor_of(name));
  if (found == file.tensors().end() || found->second.type != DataType::u8) {
    const auto values =
        file.get<double>(tensor_of(name), {-1, static_cast<std::int64_t>(n_features)});
    state.values.assign(values.begin(), values.end());
    return ReplayReservoir(std::move(state));
  }
  const std::size_t width = n_features - n_notes;
  const auto bytes =
      file.get<std::uint8_t>(tensor_of(name), {-1, static_cast<std::int64_t>(width)});
  const std::size_t n_rows = bytes.size() / width;
  std::span<const double> notes;
  if (n_notes > 0)
    notes = file.get<double>(
        notes_of(name), {static_cast<std::int64_t>(n_rows), static_cast<std::int64_t>(n_notes)});
  state.values.reserve(n_rows * n_features);
  const auto append = [&](const auto& values, std::size_t row, std::size_t count) {
    const auto part = values.subspan(row * count, count);
    state.values.insert(state.values.end(), part.begin(), part.end());
  };
  for (std::size_t row = 0; row < n_rows; ++row) {
    append(bytes, row, width);
    append(notes, row, n_notes);
  }
  return ReplayReservoir(std::move(state));
}

std::string feature_names_text(const ModelFile& file) {
  return file.has_section(kFeatureNames) ? file.section(kFeatureNames) : "null";
}

void require_learner(const ModelFile& file) {
  require<ModelFileError>(file.has_section(kSection),
                          "IncrementalLearner: expected a version of a learner, got a mere model "
                          "of kind {}",
                          file.kind());
}

}  // namespace

LearnerMemory::LearnerMemory(const IncrementalLearnerParameters& chosen, std::size_t n_features)
    : parameters(chosen),
      replay(chosen.replay_size, n_features, chosen.seed),
      held_out(chosen.held_out_size, n_features + kNotes, chosen.seed + 1),
      adwin(chosen.adwin_delta) {}

MatrixView<double> LearnerMemory::judged_rows() const {
  const auto rows = held_out.rows();
  return {rows.data(), rows.rows(), static_cast<Index>(n_features()), rows.row_stride()};
}

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
  add_rows(kReplay, memory.replay, 0, file);
  add_rows(kHeldOut, memory.held_out, LearnerMemory::kNotes, file);
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
    memory.replay = reservoir_from(kReplay, learner, n_features, 0, file);
    memory.held_out =
        reservoir_from(learner.contains(kHeldOut) ? kHeldOut : kEarlierHeldOut, learner,
                       n_features + LearnerMemory::kNotes, LearnerMemory::kNotes, file);
    const auto calibration = file.get<double>("learner.calibration",
                                              {static_cast<std::int64_t>(memory.held_out.size())});
    memory.calibration.assign(calibration.begin(), calibration.end());
    const auto finite = [](double value) { return std::isfinite(value); };
    require(!calibration.empty() && std::ranges::all_of(calibration, finite) &&
                std::ranges::is_sorted(calibration) && finite(memory.limit),
            "IncrementalLearner: expected finite calibration scores in order");
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
