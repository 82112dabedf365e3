#include <cmath>

#include "catch.hpp"
#include "image/sample_classifier.hpp"
#include "secondlook/core/error.hpp"
#include "secondlook/eigen.hpp"
#include "secondlook/learn/incremental_learner.hpp"
#include "secondlook/learn/version_folder.hpp"
#include "temporary_folder.hpp"

using namespace secondlook;
using Catch::Matchers::Contains;

namespace {

ImageClassifier trained() {
  const Data data = squares(96);
  ImageClassifierParameters parameters = small();
  parameters.max_epochs = 4;
  ImageClassifier classifier(parameters);
  static_cast<void>(classifier.fit(data.images, data.labels));
  return classifier;
}

std::vector<double> scores_of(const Detector& detector, MatrixView<float> rows) {
  std::vector<double> scores(static_cast<std::size_t>(rows.rows()));
  detector.score_samples(rows, scores);
  return scores;
}

}  // namespace

TEST_CASE("LabelledImages: a row's score is the log-probability of its label") {
  const ImageClassifier classifier = trained();
  Data data = squares(20, 4);
  // Another size, colour, 16 bits: all become rows of the same form.
  data.images[3] = make_image(40, 24, 3, [](auto row, auto, auto) { return row * 6; });
  data.images[4] = make_image<std::uint16_t>(
      16, 16, 1, [](auto row, auto column, auto) { return row * 3000 + column * 7; });
  const auto probabilities = predict(classifier, data);
  const auto rows = classifier.labelled_rows(data.images, data.labels);
  const auto detector = classifier.as_detector();
  REQUIRE(static_cast<std::size_t>(rows.cols()) == detector->n_features());
  const auto scores = scores_of(*detector, rows);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto label = static_cast<std::size_t>(data.labels[i]);
    CHECK(scores[i] == Approx(std::log(probabilities[2 * i + label])));
  }
  const Matrix<double> wide = to_matrix(as_eigen(rows).cast<double>());
  std::vector<double> again(20);
  detector->score_samples(wide, again);
  CHECK(again == scores);
}

TEST_CASE("LabelledImages: training a copy leaves the original alone, and can be saved") {
  const ImageClassifier classifier = trained();
  const Data data = squares(32, 5);
  const auto rows = classifier.labelled_rows(data.images, data.labels);
  const auto detector = classifier.as_detector();
  const auto before = scores_of(*detector, rows);
  const auto copy = detector->clone();
  copy->partial_fit(rows);
  CHECK(scores_of(*copy, rows) != before);
  CHECK(scores_of(*detector, rows) == before);
  const auto read = as_detector(load(copy->to_file()));
  CHECK(scores_of(*read, rows) == scores_of(*copy, rows));
  CHECK_THROWS_AS(copy->fit(rows), InvalidArgument);
}

TEST_CASE("LabelledImages: invalid rows are refused") {
  const ImageClassifier classifier = trained();
  const Data data = squares(4, 5);
  const auto detector = classifier.as_detector();
  auto rows = classifier.labelled_rows(data.images, data.labels);
  const auto refused = [&](secondlook::Index column, float value, const char* message) {
    Matrix<float> changed = rows;
    changed(1, column) = value;
    CHECK_THROWS_WITH(scores_of(*detector, changed), Contains(message));
    CHECK_THROWS_WITH(detector->partial_fit(changed), Contains(message));
  };
  refused(7, 256, "expected pixels in [0, 255], got 256 in row 1");
  refused(7, -1, "expected pixels in [0, 255], got -1 in row 1");
  refused(7, NAN, "row 1, column 7");
  refused(rows.cols() - 1, 0.5, "expected a whole number as the label, got 0.5 in row 1");
  refused(rows.cols() - 1, 2, "expected labels from 0 to 1, got 2");
  CHECK_THROWS_WITH(classifier.labelled_rows(data.images, std::vector<std::int64_t>(3)),
                    Contains("expected one label per image (4), got 3"));
  CHECK(ImageClassifier(small()).as_detector()->n_features() == 0);
}

TEST_CASE("LabelledImages: guarded by IncrementalLearner") {
  const ImageClassifier classifier = trained();
  const TemporaryFolder folder;
  IncrementalLearnerParameters parameters;
  parameters.suspicion_rate = 0.1;
  parameters.replay_size = parameters.held_out_size = 60;
  const Data known = squares(120, 6);
  const ModelFile file = classifier.to_file();
  IncrementalLearner learner(
      classifier.as_detector(), classifier.labelled_rows(known.images, known.labels), parameters,
      folder.path(), {}, {.sections = {{"classes", R"(["noise","square"])"}}, .tensors = {}});
  const Data fresh = squares(60, 7);
  CHECK(learner.update(classifier.labelled_rows(fresh.images, fresh.labels)).outcome ==
        UpdateOutcome::accepted);

  // Swapped labels are refused, and rolled back if they are vouched for.
  Data wrong = squares(60, 8);
  for (auto& label : wrong.labels) label = 1 - label;
  const auto rows = classifier.labelled_rows(wrong.images, wrong.labels);
  CHECK(learner.update(rows).outcome == UpdateOutcome::refused);
  CHECK(learner.update(rows, true).outcome == UpdateOutcome::rolled_back);
  CHECK(learner.version() == 2);

  const auto opened = IncrementalLearner::open(folder.path());
  CHECK(opened.model_file().section("classes") == R"(["noise","square"])");
  std::vector<double> ours(60), theirs(60);
  learner.score_samples(rows, ours);
  opened.score_samples(rows, theirs);
  CHECK(ours == theirs);
  // A version is a file of the classifier, with its rows as bytes.
  const auto version = ModelFile::read(VersionFolder(folder.path()).file_of(2));
  CHECK(version.kind() == "image_classifier");
  for (const char* name : {"learner.replay", "learner.held_out"})
    CHECK(version.tensors().at(name).type == DataType::u8);
  CHECK(predict(ImageClassifier::from_file(version), fresh) != predict(classifier, fresh));
}
