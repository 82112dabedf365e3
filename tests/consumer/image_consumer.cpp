#include <iostream>
#include <secondlook/image/decode.hpp>
#include <secondlook/image/image_classifier.hpp>
#include <secondlook/secondlook.hpp>

int main() {
  try {
    static_cast<void>(secondlook::read_image("no/such/file.png"));
    return 1;
  } catch (const secondlook::FileError& error) {
    std::cout << error.what() << '\n';
  }
  // Classifies bright and dark images.
  std::vector<secondlook::ImageInput> images;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 32; ++i) {
    const auto grey = static_cast<std::uint8_t>(i % 2 == 0 ? 40 + i : 160 + i);
    images.emplace_back(secondlook::Image{16, 16, 1, std::vector<std::uint8_t>(256, grey)});
    labels.push_back(i % 2);
  }
  secondlook::ImageClassifierParameters parameters;
  parameters.architecture = secondlook::Architecture::small_cnn;
  parameters.height = parameters.width = 16;
  parameters.max_epochs = 3;
  secondlook::ImageClassifier classifier(parameters);
  static_cast<void>(classifier.fit(images, labels));
  std::vector<double> probabilities(64);
  classifier.predict_proba(images, probabilities);
  std::cout << "loss " << classifier.history().back().loss << '\n';
  return probabilities[0] > probabilities[1] && probabilities[3] > probabilities[2] ? 0 : 1;
}
