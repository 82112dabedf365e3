// Decides on images by a saved classifier with its decision rule.
//
//   image_decider model.safetensors image...
//
// Writes one CSV line per image: its file, the probability of class 1, and the decision.

#include <iostream>
#include <secondlook/image/image_classifier.hpp>
#include <secondlook/secondlook.hpp>
#include <vector>

namespace {

void run(int argc, char** argv) {
  const secondlook::ModelFile file = secondlook::ModelFile::read(argv[1]);
  const auto classifier = secondlook::load_as<secondlook::ImageClassifier>(argv[1]);
  const auto rule = secondlook::DecisionRule::read_from(file);
  if (!rule)
    throw secondlook::InvalidArgument(std::string(argv[1]) +
                                      ": expected a decision rule, got none");
  if (classifier->n_classes() != 2)
    throw secondlook::InvalidArgument("expected a classifier of two classes, got " +
                                      std::to_string(classifier->n_classes()));

  const std::vector<secondlook::ImageInput> images(argv + 2, argv + argc);
  std::vector<double> probabilities(2 * images.size());
  const auto n_features = static_cast<secondlook::Index>(classifier->n_features());
  secondlook::Matrix<double> features(static_cast<secondlook::Index>(images.size()), n_features);
  classifier->predict_with_features(images, probabilities, features.values());
  std::vector<double> scores;
  for (std::size_t i = 0; i < images.size(); ++i) scores.push_back(probabilities[2 * i + 1]);
  const auto decisions =
      rule->feature_distance() ? rule->decide(scores, features) : rule->decide(scores);

  std::cout << "file,probability,decision\n";
  for (std::size_t i = 0; i < images.size(); ++i)
    std::cout << argv[i + 2] << ',' << scores[i] << ',' << secondlook::name_of(decisions[i])
              << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: image_decider model.safetensors image...\n";
    return 2;
  }
  try {
    run(argc, argv);
  } catch (const secondlook::Error& error) {
    std::cerr << "image_decider: " << error.what() << '\n';
    return 2;
  }
}
