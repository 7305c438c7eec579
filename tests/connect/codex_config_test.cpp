#include "../../tools/understudy/connect/codex_config.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace codex_config_test {

using namespace understudy;
using namespace understudy::tool;

namespace {

using EnvKey = CodexProvider::EnvKey;

CodexProvider provider(EnvKey env_key = EnvKey::absent,
                       std::optional<std::uint64_t> limit = std::nullopt) {
  CodexProvider made;
  made.base_url = "http://a/v1";
  made.env_key = env_key;
  made.compact_limit = limit;
  return made;
}

const std::string table =
    "[model_providers.understudy]\nname = \"understudy\"\nbase_url = \"http://a/v1\"\n"
    "wire_api = \"responses\"\n";
const std::string root = "model_provider = \"understudy\"\n";

struct Row {
  const char* name;
  std::string before;
  CodexProvider provider;
  std::string after;
};

}  // namespace

TEST_CASE("the provider is added, and the user's lines are kept") {
  const std::vector<Row> rows{
      {"no file", "", provider(), root + "\n" + table},
      {"with a key and a limit", "", provider(EnvKey::present, 180'000),
       root + "model_auto_compact_token_limit = 180000\n\n" + table +
           "env_key = \"UNDERSTUDY_KEY\"\n"},
      {"without a line's end", "model = \"m\" # mine", provider(),
       root + "model = \"m\" # mine\n\n" + table},
      {"other tables", "# top\n[a]\nx = [1,\n  2]\n[[b]]\nd = 2020-01-01\n", provider(),
       root + "# top\n[a]\nx = [1,\n  2]\n[[b]]\nd = 2020-01-01\n\n" + table},
      {"another provider",
       "model_provider  =  'openai'  # was\n[model_providers.openai]\nname='o'\n", provider(),
       "model_provider  =  \"understudy\"  # was\n[model_providers.openai]\nname='o'\n\n" + table},
      {"an old address",
       root + "[model_providers.understudy]\nname = \"U\"\nbase_url = \"http://b/v1\" # é\n"
              "wire_api = \"chat\"\nrequest_max_retries = 9\n[z]\n",
       provider(),
       root + "[model_providers.understudy]\nname = \"U\"\nbase_url = \"http://a/v1\" # é\n"
              "wire_api = \"responses\"\nrequest_max_retries = 9\n[z]\n"},
      {"a part of the table", root + "[model_providers.understudy]\n  # c\n  name = \"U\"\n",
       provider(EnvKey::present),
       root + "[model_providers.understudy]\n  # c\nenv_key = \"UNDERSTUDY_KEY\"\n"
              "wire_api = \"responses\"\nbase_url = \"http://a/v1\"\n  name = \"U\"\n"},
      {"no key any more", root + table + "env_key = \"X\" # old\n[z]\n", provider(),
       root + table + "[z]\n"},
      {"a variable of the user's", root + table + "env_key = \"X\"\n", provider(EnvKey::present),
       root + table + "env_key = \"X\"\n"},
      {"nothing known of keys", root + table + "env_key = \"X\"\n", provider(EnvKey::kept),
       root + table + "env_key = \"X\"\n"},
      {"a smaller limit", root + "model_auto_compact_token_limit = 100000\n" + table,
       provider(EnvKey::absent, 180'000),
       root + "model_auto_compact_token_limit = 100000\n" + table},
      {"a larger limit", root + "model_auto_compact_token_limit = 900_000\n" + table,
       provider(EnvKey::absent, 180'000),
       root + "model_auto_compact_token_limit = 180000\n" + table},
      {"lines of Windows", "model = \"m\"\r\n[a]\r\n", provider(),
       root + "model = \"m\"\r\n[a]\r\n\n" + table},
      {"a text over lines", "i = \"\"\"\n[model_providers.understudy]\n\"\"\"\n", provider(),
       root + "i = \"\"\"\n[model_providers.understudy]\n\"\"\"\n\n" + table},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto edited = with_codex_provider("f", row.before, row.provider);
    REQUIRE(edited.has_value());
    CHECK(*edited == row.after);
    CHECK(with_codex_provider("f", *edited, row.provider).value() == *edited);
  }
}

TEST_CASE("a file that does not parse, or is written in another form, is not edited") {
  struct Refused {
    std::string text;
    const char* error;
  };
  const std::vector<Refused> rows{
      {"model = \"m\"\nmodel_provider = \n", "f:2:"},
      {"model = \"a\"\nmodel = \"b\"\n", "f:2:9: defined twice"},
      {"model_providers = {understudy = {name = \"u\"}}\n", "f: has the provider"},
      {"model_providers = {openai = {name = \"u\"}}\n", "f: has the provider"},
      {"model_providers = {understudy = {name = \"u\", base_url = \"http://a/v1\", "
       "wire_api = \"responses\", env_key = \"X\"}}\n",
       "f: has the provider"},
      {"model_providers.understudy.name = \"u\"\n", "f: has the provider"},
      {"[model_providers.understudy]\n", "f: has the provider"},
      {"[model_providers]\nunderstudy = 1\n", "f: has the provider"},
      {"model_provider = \"\"\"\nopenai\"\"\"\n", "f: has the provider"},
      {"[[model_providers]]\n", "f: has the provider"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto edited = with_codex_provider("f", row.text, provider());
    REQUIRE(edited.has_error());
    const auto error = to_string(edited.error());
    CAPTURE(error);
    CHECK(error.starts_with(row.error));
  }
}

}  // namespace codex_config_test
