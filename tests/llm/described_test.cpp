#include "understudy/llm/described.hpp"

#include <doctest/doctest.h>

#include <boost/describe.hpp>
#include <cstdint>
#include <stdexcept>

using namespace understudy::llm;

namespace described_test {

enum class Unit { percent, liters };
BOOST_DESCRIBE_ENUM(Unit, percent, liters)

struct Gauge {
  std::string name;
  bool sealed = false;
};
BOOST_DESCRIBE_STRUCT(Gauge, (), (name, sealed))

struct Tank {
  std::string name;
  int percent = 0;
  std::optional<Unit> unit;
  std::vector<Gauge> gauges;
  std::map<std::string, double> history;
};
BOOST_DESCRIBE_STRUCT(Tank, (), (name, percent, unit, gauges, history))

struct Small {
  std::uint8_t byte = 0;
  float ratio = 0;
};
BOOST_DESCRIBE_STRUCT(Small, (), (byte, ratio))

TEST_CASE("the schema of a type, with descriptions of its members") {
  CHECK(
      schema_of<Tank>({{"name", "north or south"}}) ==
      R"({"type":"object","properties":{"name":{"description":"north or south","type":"string"},)"
      R"("percent":{"type":"integer"},"unit":{"type":"string","enum":["percent","liters"]},)"
      R"("gauges":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},)"
      R"("sealed":{"type":"boolean"}},"required":["name","sealed"],"additionalProperties":false}},)"
      R"("history":{"type":"object","additionalProperties":{"type":"number"}}},)"
      R"("required":["name","percent","gauges","history"],"additionalProperties":false})");
  CHECK_THROWS_AS(schema_of<Tank>({{"nane", "a slip"}}), std::invalid_argument);
}

TEST_CASE("a value that was written is read again") {
  Tank tank;
  tank.name = "n\"\n\xC3\xBC";
  tank.percent = -7;
  tank.unit = Unit::liters;
  tank.gauges = {Gauge{"g", true}, Gauge{"", false}};
  tank.history = {{"monday", 0.1}, {"", 1e300}};
  const auto text = to_json(tank);
  const auto again = from_json<Tank>(text);
  REQUIRE(again.has_value());
  CHECK(to_json(*again) == text);
  CHECK(again->unit == Unit::liters);
  CHECK(again->gauges.at(0).sealed);
}

TEST_CASE("what models write for a value is accepted, where it is clear") {
  const auto tank =
      from_json<Tank>(R"({"history":{},"gauges":[],"unit":null,"percent":12.0,"name":"north"})");
  REQUIRE(tank.has_value());
  CHECK(tank->percent == 12);
  CHECK_FALSE(tank->unit);
  CHECK(from_json<Small>(R"({"byte":255,"ratio":1e999})")->ratio > 1e38F);
}

TEST_CASE("a mismatch says where, and what is expected") {
  struct Row {
    const char* text;
    const char* words;
  };
  const Row rows[] = {
      {"[]", "the text is not a JSON object"},
      {R"({"percent":1,"gauges":[],"history":{}})", "`name` is missing"},
      {R"({"name":1,"percent":1,"gauges":[],"history":{}})",
       "name: a string is expected, and a number was found"},
      {R"({"name":"n","percent":"12","gauges":[],"history":{}})",
       "percent: a number is expected, and a string was found"},
      {R"({"name":"n","percent":1.5,"gauges":[],"history":{}})",
       "percent: a whole number from -2147483648 to 2147483647 is expected, and 1.5 was found"},
      {R"({"name":"n","percent":1,"unit":"gallons","gauges":[],"history":{}})",
       "unit: one of percent, liters is expected"},
      {R"({"name":"n","percent":1,"gauges":[{"name":"g","sealed":true},{"name":"h","sealed":1}],"history":{}})",
       "gauges[1].sealed: a boolean is expected, and a number was found"},
      {R"({"name":"n","percent":1,"gauges":[],"history":{"a":"b"}})",
       "history.a: a number is expected, and a string was found"},
      {R"({"name":"n","percent":1,"gauges":{},"history":{}})",
       "gauges: an array is expected, and an object was found"},
      {R"({"name":"n","percent":1,"gauges":[],"history":{},"level":3})",
       "there is no `level`; its members are name, percent, unit, gauges, history"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto tank = from_json<Tank>(row.text);
    REQUIRE(tank.has_error());
    CHECK(to_string(tank.error()) == row.words);
  }
  CHECK(to_string(from_json<Small>(R"({"byte":256,"ratio":0})").error()) ==
        "byte: a whole number from 0 to 255 is expected, and 256 was found");
  CHECK_THROWS_WITH_AS(from_json<Small>("{}").value(), "`byte` is missing", std::invalid_argument);
}

}  // namespace described_test
