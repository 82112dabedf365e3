#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "secondlook/core/error.hpp"
#include "secondlook/decide/decision_rule.hpp"
#include "secondlook/detect/detector.hpp"
#include "secondlook/learn/incremental_learner.hpp"
#include "secondlook/store/model.hpp"

// A model file with changed values, shapes or bytes and a valid checksum is rejected with
// ModelFileError, or gives a model that scores or rejects rows like any other. The file of a
// learner is also trained on, and a rule in a file decides.
//
// The input selects one of the fixtures and lists edits.
namespace {

using nlohmann::json;
using secondlook::MatrixView;
using secondlook::ModelFile;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return size_ == 0; }
  std::uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::uint64_t word() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8U | byte();
    return value;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

const std::vector<ModelFile>& fixtures() {
  static const std::vector<ModelFile> files = [] {
    std::vector<ModelFile> all;
    for (const auto* kind : {"autoencoder", "detector_ensemble", "isolation_forest",
                             "lstm_forecaster", "incremental_learner", "decision_rule"})
      all.push_back(ModelFile::read(std::filesystem::path(SECONDLOOK_FIXTURES) /
                                    (std::string(kind) + "_v1.safetensors")));
    return all;
  }();
  return files;
}

json any_value(Input& input) {
  switch (input.byte() % 8) {
    case 0:
      return nullptr;
    case 1:
      return input.byte();
    case 2:
      return input.word();
    case 3:
      return -static_cast<std::int64_t>(input.word() >> 1U);
    case 4:
      return static_cast<double>(input.byte()) / 64 - 1;
    case 5:
      return std::string(input.byte(), 'a');
    case 6:
      return json::array({input.byte(), input.byte()});
    default:
      return json::object();
  }
}

// Replaces or removes one value somewhere in a document.
void edit(json& document, Input& input) {
  json* place = &document;
  while (place->is_structured() && !place->empty() && input.byte() % 8 != 0)
    place = &*std::next(place->begin(), input.byte() % place->size());
  *place = any_value(input);
}

void edit(secondlook::Tensor& tensor, Input& input) {
  const std::uint8_t what = input.byte();
  if (what % 4 == 0 && !tensor.shape.empty()) {
    // Another shape, with a buffer of matching size.
    auto& length = tensor.shape[input.byte() % tensor.shape.size()];
    length = input.byte() % 8;
    std::size_t n = size_of(tensor.type);
    for (const auto dimension : tensor.shape) n *= static_cast<std::size_t>(dimension);
    tensor.bytes.resize(n);
  } else if (!tensor.bytes.empty()) {
    const std::size_t at = input.word() % tensor.bytes.size();
    const std::uint64_t value = input.word();
    std::memcpy(&tensor.bytes[at], &value, std::min<std::size_t>(8, tensor.bytes.size() - at));
  }
}

ModelFile edited(const ModelFile& original, Input& input) {
  auto sections = original.sections();
  auto tensors = original.tensors();
  while (!input.empty()) {
    const std::uint8_t which = input.byte();
    if (which % 2 == 0) {
      auto& text = std::next(sections.begin(), which / 2 % sections.size())->second;
      json document = json::parse(text);
      edit(document, input);
      text = document.dump();
    } else {
      edit(std::next(tensors.begin(), which / 2 % tensors.size())->second, input);
    }
  }
  ModelFile file{original.kind()};
  for (const auto& [name, text] : sections) file.set_section(name, text);
  for (const auto& [name, tensor] : tensors) file.add(name, tensor);
  return file;
}

// A temporary folder, in memory if the system supports it; removed when the fuzzer ends.
class Folder {
 public:
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    const auto place = is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = place / "secondlook-fuzz-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() { remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void continue_training(const std::string& bytes) {
  static const Folder folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) remove(entry.path());
  std::ofstream(folder.path() / "version-000002.safetensors", std::ios::binary) << bytes;
  auto learner = secondlook::IncrementalLearner::open(folder.path());
  const std::size_t n_features = learner.n_features();
  const std::vector<double> rows(12 * n_features, 0.5);
  // Edited parameters may lead to endless training.
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  learner.update(MatrixView<double>(rows.data(), 12, static_cast<secondlook::Index>(n_features)),
                 false, [&](auto, auto) { return std::chrono::steady_clock::now() < end; });
}

void decide(const ModelFile& file) {
  const auto rule = secondlook::DecisionRule::read_from(file);
  if (!rule) return;
  const std::array<double, 1> score{0.5};
  if (!rule->feature_distance()) {
    rule->decide(score);
    return;
  }
  const std::vector<double> features(rule->feature_distance()->n_features(), 0.5);
  rule->decide(score, MatrixView<double>(features.data(), 1,
                                         static_cast<secondlook::Index>(features.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, std::min<std::size_t>(size, 256));
  const auto& original = fixtures()[input.byte() % fixtures().size()];
  try {
    const ModelFile file = edited(original, input);
    const std::unique_ptr<secondlook::Model> model = secondlook::load(file);
    const auto* detector = dynamic_cast<const secondlook::Detector*>(model.get());
    if (detector == nullptr) std::abort();
    const std::size_t n_features = detector->n_features();
    const std::vector<double> row(n_features, 0.5);
    std::array<double, 1> score{};
    detector->score_samples(
        MatrixView<double>(row.data(), 1, static_cast<secondlook::Index>(n_features)), score);
    const std::string bytes = model->to_file().serialize();
    decide(file);
    if (original.sections().contains("learner")) continue_training(file.serialize());
  } catch (const secondlook::ModelFileError&) {
  } catch (const secondlook::InvalidArgument&) {
  } catch (const secondlook::Cancelled&) {
  }
  return 0;
}
