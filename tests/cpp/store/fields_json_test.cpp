#include "store/fields_json.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "secondlook/core/error.hpp"

namespace fields_test {

enum class Colour { red, green };
struct Pair {
  double low = 0;
  double high = 0;
};
struct Options {
  std::size_t count = 3;
  double rate = 0.5;
  std::optional<double> bound = std::nullopt;
  Colour colour = Colour::red;
  Pair range = {};
  std::vector<std::string> names = {};
  bool fast = false;
};

template <secondlook::FieldsOf<Pair> T>
void for_each_field(T& p, auto&& use) {
  use("low", p.low);
  use("high", p.high);
}
template <secondlook::FieldsOf<Options> T>
void for_each_field(T& o, auto&& use) {
  use("count", o.count);
  use("rate", o.rate);
  use("bound", o.bound);
  use("colour", o.colour);
  use("range", o.range);
  use("names", o.names);
  use("fast", o.fast);
}

}  // namespace fields_test

template <>
inline constexpr std::array<std::string_view, 2> secondlook::names_of<fields_test::Colour>{"red",
                                                                                           "green"};
template <>
inline constexpr std::array<secondlook::EarlierName, 1>
    secondlook::earlier_names_of<fields_test::Colour>{{{"verdant", "green"}}};
template <>
inline constexpr std::array<secondlook::EarlierName, 1>
    secondlook::earlier_names_of<fields_test::Options>{{{"number", "count"}}};
template <>
inline constexpr bool secondlook::is_written_as_list<fields_test::Pair> = true;

using Catch::Matchers::Contains;
using fields_test::Colour;
using fields_test::Options;
using secondlook::fields_from_json;
using secondlook::fields_to_json;
using secondlook::StrictJson;

TEST_CASE("fields_to_json: what is written is read back") {
  const double infinity = std::numeric_limits<double>::infinity();
  Options options;
  options.count = 7;
  options.bound = GENERATE(std::optional<double>(), std::optional<double>(-2.5));
  options.colour = Colour::green;
  options.range = {-infinity, 3};
  options.names = {"a", "b"};
  options.fast = true;
  const StrictJson json = StrictJson::parse(fields_to_json(options).dump());
  REQUIRE(json.at("colour") == "green");
  REQUIRE(json.at("range") == StrictJson::array({"-inf", 3.0}));
  const auto again = fields_from_json<Options>("Options", json);
  REQUIRE(again.count == 7);
  REQUIRE(again.bound == options.bound);
  REQUIRE(again.colour == Colour::green);
  REQUIRE(again.range.low == -infinity);
  REQUIRE(again.names == options.names);
  REQUIRE(again.fast);
}

TEST_CASE("fields_from_json: absent fields keep their defaults, renamed ones are found") {
  const auto options = fields_from_json<Options>(
      "Options", StrictJson::parse(R"({"number": 9, "colour": "verdant"})"));
  REQUIRE(options.count == 9);
  REQUIRE(options.colour == Colour::green);
  REQUIRE(options.rate == 0.5);
}

TEST_CASE("fields_from_json: errors say which field, what was expected and what came") {
  const auto refused = [](const char* text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_WITH(fields_from_json<Options>("Options", StrictJson::parse(text)),
                      Contains(message));
    CHECK_THROWS_AS(fields_from_json<Options>("Options", StrictJson::parse(text)),
                    secondlook::InvalidArgument);
  };
  refused("[1]", "Options: expected an object, got array");
  refused(R"({"size": 1})", "Options: unknown parameter 'size'");
  refused(R"({"count": -1})", "Options: count: expected an integer from 0 to");
  refused(R"({"count": 1.5})", "Options: count: expected an integer from 0 to");
  refused(R"({"rate": "high"})", "Options: rate: expected a number, got \"high\"");
  refused(R"({"rate": true})", "Options: rate: expected a number, got true");
  refused(R"({"colour": "blue"})", "colour: expected one of 'red', 'green', got \"blue\"");
  refused(R"({"colour": 1})", "colour: expected one of 'red', 'green', got 1");
  refused(R"({"range": [1]})", "range: expected a list of 2 numbers, got [1]");
  refused(R"({"names": "a"})", "names: expected a valid list, got \"a\"");
  refused(R"({"fast": 1})", "fast: expected true or false, got 1");
}
