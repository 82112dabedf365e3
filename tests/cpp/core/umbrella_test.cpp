#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "secondlook/secondlook.hpp"

TEST_CASE("secondlook.hpp: lists every public header except those of images and eigen.hpp") {
  std::ifstream stream(SECONDLOOK_UMBRELLA_HEADER);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  const std::filesystem::path include = SECONDLOOK_INCLUDE_DIR;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(include)) {
    const std::string header = std::filesystem::relative(entry.path(), include).generic_string();
    if (entry.path().extension() != ".hpp") continue;
    INFO(header);
    const bool listed = text.find('"' + header + '"') != std::string::npos;
    const bool opt_in = header.starts_with("secondlook/image/") || header == "secondlook/eigen.hpp";
    CHECK(listed == !opt_in);
  }
  CHECK_FALSE(secondlook::version().empty());
}
