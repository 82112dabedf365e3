// A gateway at the edge: reads samples as CSV lines from standard input, judges each by a saved
// ensemble, and writes the verdict at once.
//
//   gateway model.safetensors < samples.csv
//
// The first line names the columns. Those of the model's features are used, in any order; an empty
// field is a missing value. A column named "time" is copied to the output.

#include <charconv>
#include <iostream>
#include <limits>
#include <secondlook/secondlook.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kAbsent = std::numeric_limits<std::size_t>::max();

std::vector<std::string_view> fields_of(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::vector<std::string_view> fields;
  for (;;) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Position of each name among the fields, kAbsent where it is not there.
std::size_t position_of(std::string_view name, const std::vector<std::string_view>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i] == name) return i;
  return kAbsent;
}

double number_of(std::string_view field, std::size_t line) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size())
    throw secondlook::InvalidArgument("line " + std::to_string(line) +
                                      ": expected a number, got '" + std::string(field) + "'");
  return value;
}

// A field of the output: quoted, because reasons contain commas.
std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

void run(const char* path) {
  const std::shared_ptr<const secondlook::DetectorEnsemble> ensemble =
      secondlook::load_as<secondlook::DetectorEnsemble>(path);
  secondlook::EnsembleStream stream(ensemble);

  std::string line;
  if (!std::getline(std::cin, line)) throw secondlook::InvalidArgument("expected a header line");
  const std::string header = line;
  const auto columns = fields_of(header);
  const std::size_t time = position_of("time", columns);
  std::vector<std::size_t> positions;
  for (const std::string& name : ensemble->feature_names()) {
    positions.push_back(position_of(name, columns));
    if (positions.back() == kAbsent)
      throw secondlook::InvalidArgument("expected a column '" + name + "', got: " + header);
  }
  if (positions.empty()) throw secondlook::InvalidArgument("the model has no feature names");

  std::cout << "time,verdict,severity,score,reasons\n";
  std::vector<double> sample(positions.size());
  for (std::size_t number = 2; std::getline(std::cin, line); ++number) {
    const auto fields = fields_of(line);
    if (fields.size() != columns.size())
      throw secondlook::InvalidArgument("line " + std::to_string(number) + ": expected " +
                                        std::to_string(columns.size()) + " fields, got " +
                                        std::to_string(fields.size()));
    for (std::size_t i = 0; i < sample.size(); ++i)
      sample[i] = number_of(fields[positions[i]], number);
    const secondlook::EnsembleVerdict& verdict = stream.push(sample);
    const bool unknown = verdict.score != verdict.score;
    const bool normal = verdict.severity == secondlook::Severity::normal;
    std::cout << (time == kAbsent ? "" : fields[time]) << ','
              << (unknown  ? "unknown"
                  : normal ? "normal"
                           : "anomaly")
              << ',' << (unknown ? "" : secondlook::name_of(verdict.severity)) << ','
              << verdict.score << ',';
    std::string reasons;
    for (const std::string& reason : verdict.reasons)
      reasons += (reasons.empty() ? "" : "; ") + reason;
    std::cout << quoted(reasons) << std::endl;  // at once: someone is waiting for it
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: gateway model.safetensors < samples.csv\n";
    return 2;
  }
  try {
    run(argv[1]);
  } catch (const secondlook::Error& error) {
    std::cerr << "gateway: " << error.what() << '\n';
    return 2;
  }
}
