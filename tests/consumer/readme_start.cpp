#include <algorithm>
#include <iostream>
#include <random>
#include <secondlook/secondlook.hpp>

int main() {
  std::mt19937 random(0);
  std::normal_distribution<float> normal;
  secondlook::Matrix<float> rows(1000, 4);
  std::ranges::generate(rows.values(), [&] { return normal(random); });
  std::ranges::fill(rows.row(17), 5.0F);  // not like the others
  secondlook::IsolationForest forest({.contamination = 0.001, .seed = 1});
  forest.fit(rows);
  std::vector<double> scores(1000);
  forest.score_samples(rows, scores);
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] < forest.offset()) std::cout << "row " << i << " scores " << scores[i] << '\n';
  forest.save("forest.safetensors");  // secondlook.load in Python reads the same file
}
