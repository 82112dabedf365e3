// Trains a detector on a CSV file and saves it; with more files, continues training on each under
// guard.
//
//   trainer forest|autoencoder|ensemble data.csv model.safetensors [more.csv ...]
//
// The first column holds the times, the others the features. Rows with a missing value are left
// out. A file from which learning would make the model worse is rejected, and the reason printed.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <secondlook/secondlook.hpp>
#include <string_view>
#include <vector>

namespace {

using Rows = secondlook::Matrix<double>;

struct Data {
  Rows rows;
  std::vector<std::string> names;
};

Data read(const char* path) {
  const secondlook::TimeTable table = secondlook::read_csv(path).table;
  const auto complete = [&](secondlook::Index i) {
    return std::ranges::none_of(table.values.row(i), [](double v) { return std::isnan(v); });
  };
  std::vector<secondlook::Index> chosen;
  for (secondlook::Index i = 0; i < table.values.rows(); ++i)
    if (complete(i)) chosen.push_back(i);
  Rows rows(static_cast<secondlook::Index>(chosen.size()), table.values.cols());
  for (std::size_t i = 0; i < chosen.size(); ++i)
    std::ranges::copy(table.values.row(chosen[i]),
                      rows.row(static_cast<secondlook::Index>(i)).begin());
  return {std::move(rows), table.columns};
}

std::unique_ptr<secondlook::Detector> make(std::string_view kind) {
  if (kind == "forest")
    return std::make_unique<secondlook::IsolationForest>(
        secondlook::IsolationForestParameters{.contamination = 0.01, .seed = 0});
  if (kind == "autoencoder") return std::make_unique<secondlook::Autoencoder>();
  if (kind == "ensemble") return std::make_unique<secondlook::DetectorEnsemble>();
  throw secondlook::InvalidArgument("expected forest, autoencoder or ensemble, got " +
                                    std::string(kind));
}

void run(int argc, char** argv) {
  std::unique_ptr<secondlook::Detector> detector = make(argv[1]);
  const Data data = read(argv[2]);
  detector->fit(data.rows);
  detector->set_feature_names(data.names);
  std::cout << "trained on " << data.rows.rows() << " rows of " << data.names.size()
            << " features; threshold " << detector->offset() << '\n';
  if (argc == 4) {
    detector->save(argv[3]);
    return;
  }

  secondlook::IncrementalLearner learner(std::move(detector), data.rows, {.suspicion_rate = 0.05},
                                         std::nullopt, data.names);
  for (int i = 4; i < argc; ++i) {
    const Data more = read(argv[i]);
    if (more.names != data.names)
      throw secondlook::InvalidArgument(std::string(argv[i]) + ": expected the columns of " +
                                        argv[2]);
    const secondlook::UpdateReport report = learner.update(more.rows);
    std::cout << argv[i] << ": " << secondlook::name_of(report.outcome) << ": " << report.reason
              << '\n';
  }
  learner.model_file().write(argv[3]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr
        << "usage: trainer forest|autoencoder|ensemble data.csv model.safetensors [more.csv ...]\n";
    return 2;
  }
  try {
    run(argc, argv);
  } catch (const secondlook::Error& error) {
    std::cerr << "trainer: " << error.what() << '\n';
    return 2;
  }
}
