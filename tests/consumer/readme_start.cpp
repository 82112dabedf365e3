#include <iostream>
#include <secondlook/secondlook.hpp>

int main() {
  secondlook::Matrix<float> rows = secondlook::Matrix<float>::Random(1000, 4);
  rows.row(17).setConstant(3);  // not like the others
  secondlook::IsolationForest forest({.contamination = 0.001, .seed = 1});
  forest.fit(rows);
  std::vector<double> scores(1000);
  forest.score_samples(rows, scores);
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (scores[i] < forest.offset()) std::cout << "row " << i << " scores " << scores[i] << '\n';
  forest.save("forest.safetensors");  // secondlook.load in Python reads the same file
}
