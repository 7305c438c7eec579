#include "text/schema.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace understudy::text;

namespace {

KeyRow row(std::string_view name, std::string example) {
  KeyRow key(name, "string", "What it is.");
  key.example = std::move(example);
  return key;
}

/// A catalog's, say: a section that is a list, one that includes it, one that the user names.
Schema example() {
  auto url = row("base_url", "\"https://...\"");
  url.aliases = {"url", "endpoint"};
  auto keys = row("keys", "[\"...\"]");
  keys.suggest_example = true;
  return Schema({
      SectionRow("backend", "A back end.", {url, keys}).as_list().with_alias("server"),
      SectionRow("rule", "A rule.", {row("match", "\"gpt-*\"")}).with_keys_of("backend"),
      SectionRow("rule.effect", "What it does.", {row("drop", "[\"n\"]")}),
      SectionRow("models.NAME", "A model.", {row("window", "4096")}),
  });
}

}  // namespace

TEST_CASE("the file's own keys are the sections at its top") {
  const auto schema = example();
  CHECK(schema.key_names("") == std::vector<std::string_view>{"backend", "rule", "models"});
  CHECK(schema.instruction("", "backend") ==
        "write [[backend]] on a line of its own, and its keys below it");
  CHECK(schema.instruction("", "models") ==
        "write [models.NAME] on a line of its own, and its keys below it");
  CHECK(schema.suggestion("", "server") == "did you mean `backend`?");
}

TEST_CASE("a section may have the keys of another one, which come first") {
  const auto schema = example();
  CHECK(schema.key_names("rule") == std::vector<std::string_view>{"base_url", "keys", "match"});
  CHECK(schema.key("rule", "keys").name == "keys");
  CHECK(schema.section("rule").keys.size() == 1);
}

TEST_CASE("what to write instead of an unknown key") {
  const auto schema = example();
  CHECK(schema.suggestion("backend", "base-url") == "did you mean `base_url`?");
  CHECK(schema.suggestion("backend", "endpoint") == "did you mean `base_url`?");
  CHECK(schema.suggestion("backend", "keyz") == "write keys = [\"...\"]");
  CHECK(schema.suggestion("backend", "window") == "it belongs in [models.NAME]");
  CHECK(schema.suggestion("models.NAME", "keys") == "it belongs in [[backend]]");
  CHECK(schema.suggestion("backend", "zebra") == "keys here are `base_url` or `keys`");
  CHECK(schema.meant("backend", "keys") == "keys");
  CHECK(schema.meant("backend", "zebra") == "");
  CHECK(schema.instruction("backend", "base_url") == "write base_url = \"https://...\"");
}

TEST_CASE("asking for what the schema does not have is a bug") {
  const auto schema = example();
  CHECK_THROWS_AS(schema.key("backend", "none"), std::logic_error);
  CHECK_THROWS_AS(schema.section("none"), std::logic_error);
}
