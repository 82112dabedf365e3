#include "image/classifier/fit_checkpoint.hpp"

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/validation.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook::image {

namespace {

constexpr const char* kKind = "image_classifier_checkpoint";

// Number of figures per epoch.
std::size_t n_figures() {
  std::size_t n = 0;
  const ImageTrainingEpoch example;
  for_each_field(example, [&](std::string_view, double) { ++n; });
  return n;
}

}  // namespace

std::string fingerprint(const ImageClassifierParameters& parameters,
                        std::span<const std::uint64_t> hashes, const TrainingSet& data) {
  // FNV-1a: a checkpoint need not resist attacks by its own user.
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](const auto& values) {
    for (const std::byte byte : std::as_bytes(std::span(values)))
      hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3U;
  };
  add(hashes);
  add(data.labels);
  add(data.groups);
  add(data.sample_weights);
  add(data.split.validation);
  add(fields_to_json(parameters).dump());
  return fmt::format("{:016x}", hash);
}

FitProgress FitCheckpoint::read(Trainer& trainer, const Network& network) const {
  FitProgress progress;
  if (path_.empty() || !std::filesystem::exists(path_)) return progress;
  const ModelFile file = ModelFile::read(path_);
  const std::string name = path_.string();
  require(file.kind() == kKind,
          "ImageClassifier::fit: '{}': expected a checkpoint, got a model of kind '{}'", name,
          file.kind());
  const StrictJson state = read_section(file, "state");
  require(state.at("fingerprint").get<std::string>() == fingerprint_,
          "ImageClassifier::fit: '{}': expected a checkpoint of the same images, labels and "
          "parameters, got one of another training; remove it to start from the beginning",
          name);
  trainer.read(file, state.at("n_steps"));
  progress.history = read_history(file);
  progress.n_worse = state.at("n_worse");
  progress.best_loss = file.get<double>("best_loss", {1})[0];
  progress.best = network.clone();
  progress.best->read(file.tensors(), "best.", "ImageClassifier::fit");
  return progress;
}

void FitCheckpoint::write(const Trainer& trainer, const FitProgress& progress) const {
  if (path_.empty()) return;
  ModelFile file(kKind);
  file.set_section("state", StrictJson{{"fingerprint", fingerprint_},
                                       {"n_steps", trainer.n_steps_done()},
                                       {"n_worse", progress.n_worse}}
                                .dump());
  trainer.write(file);
  progress.best->write(file, "best.");
  write_history(file, progress.history);
  file.add<double>("best_loss", {1}, std::span(&progress.best_loss, 1));
  file.write(path_);
}

void FitCheckpoint::remove() const {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

void write_history(ModelFile& file, std::span<const ImageTrainingEpoch> history) {
  std::vector<double> values;
  for (const auto& epoch : history)
    for_each_field(epoch, [&](std::string_view, double figure) { values.push_back(figure); });
  file.add<double>(
      "history",
      {static_cast<std::int64_t>(history.size()), static_cast<std::int64_t>(n_figures())}, values);
}

std::vector<ImageTrainingEpoch> read_history(const ModelFile& file) {
  const std::size_t n = n_figures();
  const auto values = file.get<double>("history", {-1, static_cast<std::int64_t>(n)});
  std::vector<ImageTrainingEpoch> history(values.size() / n);
  auto next = values.begin();
  for (auto& epoch : history)
    for_each_field(epoch, [&](std::string_view, double& figure) { figure = *next++; });
  return history;
}

}  // namespace secondlook::image
