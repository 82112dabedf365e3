#include <nlohmann/json.hpp>

#include "image/classifier/fit_checkpoint.hpp"
#include "image/classifier/image_classifier_state.hpp"
#include "image/network/trainer.hpp"
#include "store/fields_json.hpp"
#include "store/read_model.hpp"

namespace secondlook {

namespace {

using json = StrictJson;

const ReaderRegistration registration("image_classifier", [](const ModelFile& file) {
  return std::unique_ptr<Model>(
      std::make_unique<ImageClassifier>(ImageClassifier::from_file(file)));
});

template <class Value>
void add_replay(ModelFile& file, const std::vector<Image>& replay, const Preprocessing& p) {
  std::vector<Value> values;
  for (const Image& image : replay)
    std::visit(
        [&](const auto& pixels) {
          // All images are written alike: 8 bits among 16 as 16, grey among colour as colour.
          const unsigned factor = sizeof(Value) > sizeof(pixels[0]) ? 257 : 1;
          const std::size_t repeats = p.channels / image.channels;
          for (const auto pixel : pixels)
            values.insert(values.end(), repeats, static_cast<Value>(pixel * factor));
        },
        image.pixels);
  file.add<Value>("replay.pixels",
                  {static_cast<std::int64_t>(replay.size()), static_cast<std::int64_t>(p.height),
                   static_cast<std::int64_t>(p.width), static_cast<std::int64_t>(p.channels)},
                  values);
}

template <class Value>
std::vector<Image> read_replay(const ModelFile& file, const Preprocessing& p) {
  const auto values = file.get<Value>(
      "replay.pixels", {-1, static_cast<std::int64_t>(p.height), static_cast<std::int64_t>(p.width),
                        static_cast<std::int64_t>(p.channels)});
  const std::size_t n = p.height * p.width * p.channels;
  std::vector<Image> replay;
  for (std::size_t first = 0; first < values.size(); first += n)
    replay.push_back({p.height, p.width, p.channels,
                      std::vector<Value>(values.begin() + static_cast<std::ptrdiff_t>(first),
                                         values.begin() + static_cast<std::ptrdiff_t>(first + n))});
  return replay;
}

}  // namespace

ModelFile ImageClassifier::to_file() const {
  require_fitted("ImageClassifier::save");
  const State& s = *state_;
  ModelFile file{std::string(kind())};
  file.set_section("parameters", fields_to_json(parameters_).dump());
  file.set_section("preprocessing", fields_to_json(s.preprocessing).dump());
  file.set_section(
      "state", json{{"n_classes", s.n_classes},
                    {"tensorflow_padding", s.network->plan().padding == image::Padding::tensorflow},
                    {"n_seen", s.replay.n_seen},
                    {"n_updates", s.n_updates}}
                   .dump());
  s.network->write(file, "network.");
  image::write_history(file, s.history);
  const bool wide =
      std::ranges::any_of(s.replay.images, [](auto& image) { return image.bits() == 16; });
  if (wide) {
    add_replay<std::uint16_t>(file, s.replay.images, s.preprocessing);
  } else {
    add_replay<std::uint8_t>(file, s.replay.images, s.preprocessing);
  }
  file.add<std::int64_t>("replay.labels", {static_cast<std::int64_t>(s.replay.images.size())},
                         s.replay.labels);
  return file;
}

ImageClassifier ImageClassifier::from_file(const ModelFile& file) {
  return read_model("ImageClassifier", "image_classifier", file, [&] {
    ImageClassifier model(fields_from_json<ImageClassifierParameters>(
        "ImageClassifier", read_section(file, "parameters")));
    State& s = *model.state_;
    s.preprocessing =
        fields_from_json<Preprocessing>("ImageClassifier", read_section(file, "preprocessing"));
    check("ImageClassifier", s.preprocessing);
    const json state = read_section(file, "state");
    s.n_classes = state.at("n_classes");
    s.replay.n_seen = state.at("n_seen");
    s.n_updates = state.at("n_updates");
    require(s.n_classes >= 2, "ImageClassifier: expected at least 2 classes, got {}", s.n_classes);
    require(model.parameters_.positive_class < static_cast<int>(s.n_classes),
            "ImageClassifier: positive_class: expected at most {}, got {}", s.n_classes - 1,
            model.parameters_.positive_class);
    const bool tensorflow = state.at("tensorflow_padding");
    const auto plan =
        image::plan_network(model.parameters_.architecture, s.preprocessing, s.n_classes,
                            tensorflow ? image::Padding::tensorflow : image::Padding::symmetric);
    // Check the file for all tensors before allocating the network, whose size a damaged file could
    // make huge.
    for (const auto& [name, shape] : image::tensors_of(plan))
      static_cast<void>(file.get<float>("network." + name, shape));
    image::Network network(plan);
    network.read(file.tensors(), "network.", "ImageClassifier");
    s.history = image::read_history(file);
    const auto found = file.tensors().find("replay.pixels");
    const bool wide = found != file.tensors().end() && found->second.type == DataType::u16;
    s.replay.images = wide ? read_replay<std::uint16_t>(file, s.preprocessing)
                           : read_replay<std::uint8_t>(file, s.preprocessing);
    const auto labels = file.get<std::int64_t>("replay.labels",
                                               {static_cast<std::int64_t>(s.replay.images.size())});
    for (const auto label : labels)
      require(label >= 0 && static_cast<std::size_t>(label) < s.n_classes,
              "ImageClassifier: replay.labels: expected labels from 0 to {}, got {}",
              s.n_classes - 1, label);
    s.replay.labels.assign(labels.begin(), labels.end());
    // `use` chooses the device, so a file from a machine with CUDA can be read on one without.
    s.use(std::move(network), model.parameters_);
    return model;
  });
}

}  // namespace secondlook
