#include "text/keys.hpp"

#include <doctest/doctest.h>

using namespace understudy::text;
using namespace std::chrono_literals;

namespace {

enum class Color : unsigned char { red, green };

struct Settings {
  bool on = true;
  std::chrono::nanoseconds wait = 3s;
  std::optional<std::chrono::nanoseconds> limit;
  unsigned retries = 2;
  std::optional<unsigned> threads;
  double ratio = 0.2;
  std::size_t body = 2048;
  std::string file;
  std::optional<Color> color = Color::green;
  std::string special = "s";
  struct {
    unsigned depth = 1;
  } inner;
};

using SettingsKey = Key<Settings>;

const KeyTable<Settings>& keys() {
  static const KeyTable<Settings> table(
      SectionRow("all", "Everything."),
      {
          SettingsKey("on", Flag(), &Settings::on, "Whether."),
          SettingsKey("wait", Duration(), &Settings::wait, "How long.").alias("delay"),
          SettingsKey("limit", Duration(), &Settings::limit, "At most.")
              .default_note("none")
              .example("\"10s\""),
          SettingsKey("retries", Whole(0, 20), &Settings::retries, "How often."),
          SettingsKey("threads", Whole(1, 8), &Settings::threads, "How many.").example("4"),
          SettingsKey("ratio", Share(), &Settings::ratio, "A part."),
          SettingsKey("body", Size(1, 4096), &Settings::body, "How much."),
          SettingsKey("file", String(), &Settings::file, "Where.").example("\"f\"").required(),
          SettingsKey("color", Choice<Color>({{"red", Color::red}, {"green", Color::green}}),
                      &Settings::color, "Which."),
          SettingsKey(
              "depth", Whole(0, 3),
              [](Settings& settings) -> auto& { return settings.inner.depth; }, "How deep."),
          SettingsKey("special",
                      {"anything",
                       [](const Section& section, Settings& settings) {
                         settings.special = section.has("special") ? "read" : "absent";
                       },
                       [](const Settings& settings) { return in_quotes(settings.special); }},
                      "A function."),
      });
  return table;
}

const KeyRow& row(const Schema& schema, std::string_view key) { return schema.key("all", key); }

std::vector<SourceError> read(const std::string& text, Settings& settings) {
  const Schema schema({keys().section()});
  const auto document = parse_toml("[all]\n" + text);
  Findings findings;
  const Section file(findings, schema, "", std::get<TomlNode>(document));
  auto section = file.table("all", "all");
  keys().read(*section, settings);
  section->finish();
  return findings.take();
}

}  // namespace

TEST_CASE("each key is read into its member") {
  Settings settings;
  const auto errors = read(
      "on = false\nwait = \"1s\"\nlimit = \"2s\"\nretries = 0\nthreads = 8\nratio = 1\n"
      "body = \"1KiB\"\nfile = \"x\"\ncolor = \"red\"\ndepth = 3\nspecial = 1\n",
      settings);
  CHECK(errors.empty());
  CHECK_FALSE(settings.on);
  CHECK(settings.wait == 1s);
  CHECK(settings.limit == 2s);
  CHECK(settings.retries == 0);
  CHECK(settings.threads == 8U);
  CHECK(settings.ratio == 1.0);
  CHECK(settings.body == 1024);
  CHECK(settings.file == "x");
  CHECK(settings.color == Color::red);
  CHECK(settings.inner.depth == 3);
  CHECK(settings.special == "read");
}

TEST_CASE("absent keys leave their members alone; functions are called all the same") {
  Settings settings;
  settings.retries = 7;
  CHECK(read("file = \"x\"\n", settings).empty());
  CHECK(settings.retries == 7);
  CHECK_FALSE(settings.limit);
  CHECK(settings.special == "absent");
}

TEST_CASE("wrong values and absent required keys are noted") {
  Settings settings;
  const auto errors = read("retries = 21\ndelay = 1\n", settings);
  REQUIRE(errors.size() == 3);
  CHECK(errors[0].what == "no `file` in [all]");
  CHECK(errors[1].what == "`retries` must be from 0 to 20");
  CHECK(errors[1].suggestion == "write retries = 2");
  CHECK(errors[2].suggestion == "did you mean `wait`?");
  CHECK(settings.retries == 2);
}

TEST_CASE("defaults, types, bounds and examples come from the kind and the value") {
  const Schema schema({keys().section()});
  CHECK(row(schema, "on").default_value == "true");
  CHECK(row(schema, "on").type == "true or false");
  CHECK(row(schema, "wait").default_value == "\"3s\"");
  CHECK(row(schema, "wait").example == "\"3s\"");
  CHECK(row(schema, "limit").default_value == "");
  CHECK(row(schema, "limit").default_note == "none");
  CHECK(row(schema, "limit").example == "\"10s\"");
  CHECK(row(schema, "retries").default_value == "2");
  CHECK(row(schema, "retries").bounds == "from 0 to 20");
  CHECK(row(schema, "threads").default_value == "");
  CHECK(row(schema, "ratio").default_value == "0.2");
  CHECK(row(schema, "body").default_value == "\"2KiB\"");
  CHECK(row(schema, "body").bounds == "from 1B to 4KiB");
  CHECK(row(schema, "file").default_value == "");
  CHECK(row(schema, "file").in_force);
  CHECK(row(schema, "color").default_value == "\"green\"");
  CHECK(row(schema, "color").type == R"(`"red"` or `"green"`)");
  CHECK(row(schema, "depth").default_value == "1");
  CHECK(row(schema, "special").default_value == "\"s\"");
}
