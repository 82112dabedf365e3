#include "secondlook/store/model.hpp"

#include <unistd.h>

#include <filesystem>
#include <memory>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

using secondlook::Model;
using secondlook::ModelFile;

namespace {

class Constant : public Model {
 public:
  explicit Constant(double value) : value_(value) {}
  [[nodiscard]] std::string_view kind() const noexcept override { return "test_constant"; }
  [[nodiscard]] ModelFile to_file() const override {
    ModelFile file{std::string(kind())};
    file.add("value", {1}, std::span<const double>(&value_, 1));
    return file;
  }
  static std::unique_ptr<Model> from_file(const ModelFile& file) {
    return std::make_unique<Constant>(file.get<double>("value", {1})[0]);
  }
  [[nodiscard]] double value() const { return value_; }

 private:
  double value_;
};

const secondlook::ReaderRegistration registration{"test_constant", &Constant::from_file};

}  // namespace

TEST_CASE("Model: a saved model is loaded by its kind") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("secondlook-model-test-" + std::to_string(::getpid()));
  Constant(4.5).save(path);
  const std::unique_ptr<Model> loaded = secondlook::load(path);
  REQUIRE(dynamic_cast<const Constant&>(*loaded).value() == 4.5);
  ModelFile("test_constant").write(path);
  REQUIRE_THROWS_WITH(
      secondlook::load(path),
      "'" + path.string() + "': a model of kind 'test_constant' lacks the tensor 'value'");
  std::filesystem::remove(path);
}

TEST_CASE("Model: the error for an unknown kind lists the known ones") {
  REQUIRE_THROWS_AS(secondlook::load(ModelFile("test_unknown")), secondlook::ModelFileError);
  REQUIRE_THROWS_WITH(secondlook::load(ModelFile("test_unknown")),
                      Catch::Matchers::Contains("test_constant") &&
                          Catch::Matchers::Contains("got 'test_unknown'"));
}

TEST_CASE("Model: a kind has one reader") {
  REQUIRE_THROWS_AS(secondlook::register_reader("test_constant", &Constant::from_file),
                    secondlook::InvalidArgument);
}
