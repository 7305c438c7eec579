#include "understudy/llm/catalog/catalog.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <chrono>

namespace catalog_test {

using namespace understudy;
using namespace understudy::llm;

TEST_CASE("model names in their normal form") {
  const std::pair<const char*, const char*> names[] = {
      {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"},
      {"anthropic/claude-opus-5.5", "claude-opus-5-5"},
      {"claude-opus-4-1@20250805", "claude-opus-4-1"},
      {"claude-4-5-sonnet-20250929", "claude-sonnet-4-5"},
      {"claude-3-7-sonnet-latest", "claude-3-7-sonnet"},
      {"claude-opus-5-5[1m]", "claude-opus-5-5"},
      {"openai/gpt-5.6-sol", "gpt-5-6-sol"},
      {"ft:gpt-4.1-2025-04-14:org::id", "gpt-4-1"},
      {"gpt-4o-2024-08-06", "gpt-4o"},
      {"models/gemini-3.7-flash-preview", "gemini-3-7-flash"},
      {"moonshotai/kimi-k2-0905", "kimi-k2"},
      {"us.something", "us.something"},
      {"", ""},
      {"-v1:0", ""},
  };
  for (const auto& [given, normal] : names) {
    CAPTURE(given);
    CHECK(normal_model_name(given) == normal);
  }
  CHECK(normal_model_name(std::string(1 << 20, 'a')).size() == 256);
}

TEST_CASE("families match whole words, so that a newer model is not taken for an older one") {
  CHECK(matches_family("claude-opus-5", "claude-opus-5"));
  CHECK(matches_family("claude-opus-5-fast", "claude-opus-5"));
  CHECK_FALSE(matches_family("claude-opus-5-7", "claude-opus-5"));
  CHECK_FALSE(matches_family("claude-opus-55", "claude-opus-5"));
  CHECK(matches_family("gpt-5-mini", "gpt-5-mini$"));
  CHECK_FALSE(matches_family("gpt-5-mini-x", "gpt-5-mini$"));
  CHECK(matches_family("glm-6-air", "glm-*"));
  CHECK_FALSE(matches_family("anything", ""));
}

TEST_CASE("the built-in catalog") {
  const auto began = std::chrono::steady_clock::now();
  const auto& catalog = Catalog::built_in();
  const auto took = std::chrono::steady_clock::now() - began;
  MESSAGE("parsed in " << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
                       << " us");
  CHECK(catalog.families().size() == 52);
  CHECK(catalog.back_ends().size() == 29);

  const auto* const codex = catalog.back_end("codex", Protocol::openai_responses);
  REQUIRE(codex != nullptr);
  REQUIRE(codex->rule(Check::top_allow) != nullptr);
  CHECK(codex->rule(Check::top_allow)->id == "cx.top");
  CHECK(catalog.back_end("codex", Protocol::openai_chat) == nullptr);
  const auto* const anthropic = catalog.back_end("anthropic", Protocol::anthropic_messages);
  REQUIRE(anthropic != nullptr);
  CHECK(anthropic->owner);
  CHECK(anthropic->rule(Check::top_allow) == nullptr);  // everything passes to the maker itself
  for (const auto protocol : protocols) {
    CHECK(catalog.unknown(protocol).id == "unknown");
  }

  CHECK(catalog.model("claude-opus-5.5").max_output == 128'000U);
  CHECK(catalog.model("us.anthropic.claude-sonnet-4-5-20250929-v1:0").max_output == 64'000U);
  CHECK(catalog.model("gpt-5-chat-latest").context_window == 128'000U);
  CHECK(catalog.model("gpt-5.2-chat").sampling == SamplingSupport::any);
  CHECK(catalog.model("gpt-5.6-sol").tools_on_chat == ToolsOnChat::needs_effort_none);
  CHECK_FALSE(catalog.model("claude-opus-5-7").known());
  CHECK_FALSE(catalog.model("qwen3:8b").known());
  for (const auto& family : catalog.families()) {
    CHECK_FALSE(family.source.empty());
  }
  for (const auto& back_end : catalog.back_ends()) {
    for (const auto* rule : back_end.rules) {
      CAPTURE(rule->id);
      CHECK_FALSE(rule->source.empty());
      CHECK_FALSE(rule->remedy.empty());
    }
  }
}

TEST_CASE("parameters by family") {
  const auto& catalog = Catalog::built_in();
  CHECK(catalog.model("claude-3-haiku-20240307").sampling == SamplingSupport::any);
  CHECK(catalog.model("claude-sonnet-4.5").sampling == SamplingSupport::one_of_two);
  CHECK(catalog.model("claude-opus-4.7").sampling == SamplingSupport::refused);
  CHECK(catalog.model("claude-opus-4.5").thinking ==
        std::vector<std::string>{"enabled", "disabled"});
  CHECK(catalog.model("claude-opus-5").thinking->front() == "adaptive");
  CHECK(catalog.model("gpt-4o").efforts(Protocol::openai_chat)->empty());
  CHECK(catalog.model("gpt-4o").refuses_encrypted);
  CHECK_FALSE(catalog.model("gpt-5.4").refuses_encrypted);
  CHECK(catalog.model("gpt-5.6-sol").efforts(Protocol::openai_responses)->back() == "max");
  CHECK(catalog.model("gpt-5.6-sol").efforts(Protocol::openai_chat)->back() == "xhigh");
  for (const auto* model :
       {"gpt-5-mini", "openai/gpt-5.4", "gpt-6", "gpt-7-next", "o1", "o3-pro", "o4", "o4-mini"}) {
    CAPTURE(model);
    CHECK(catalog.model(model).refuses_max_tokens);
  }
  for (const auto* model : {"gpt-3.5-turbo", "gpt-4-turbo", "gpt-4o", "gpt-4.1",
                            "openai/gpt-oss-120b", "deepseek-chat", "my-own-model"}) {
    CAPTURE(model);
    CHECK_FALSE(catalog.model(model).refuses_max_tokens);
  }
  CHECK(catalog.model("o3").refuses_stop);
  CHECK(catalog.model("gpt-5.4").context_window == 1'050'000U);
}

TEST_CASE("a user's catalog with mistakes: where, what, and what to write instead") {
  const auto errors = [](std::string_view toml) {
    auto read = Catalog::read(toml);
    REQUIRE(std::holds_alternative<std::vector<text::SourceError>>(read));
    return to_string(text::SourceErrors{"my.toml", std::get<std::vector<text::SourceError>>(read)});
  };
  CHECK(errors("[[families]]\nmatch = [\"x\"]\nconfidence = \"sure\"\n").find("my.toml:3:") !=
        std::string::npos);
  const auto lossy = errors(
      "[[rules]]\nid = \"r\"\ncheck = \"top_allow\"\neffect = \"lossy\"\nconfidence = "
      "\"single\"\n");
  CHECK(lossy.find("a lossy rule must be confirmed") != std::string::npos);
  const auto refuse = errors(
      "[[rules]]\nid = \"r\"\ncheck = \"top_allow\"\neffect = \"refuse\"\nconfidence = \"live\"\n");
  CHECK(refuse.find("only a context window") != std::string::npos);
  CHECK(errors("[[back_ends]]\nid = \"b\"\nprotocol = \"openai_chat\"\nrules = [\"none\"]\n")
            .find("there is no rule `none`") != std::string::npos);
  CHECK(errors("[[families]\n").find("my.toml:1:") != std::string::npos);
}

TEST_CASE("a file's facts come first, and name the file") {
  auto catalog = Catalog::built_in();
  const auto errors = catalog.add(R"(
[[families]]
match = ["tank-model", "gpt-5.4"]
like = "gpt-5.6-sol"
context_window = 32768
confidence = "live"
)",
                                  "my.toml");
  REQUIRE(errors.empty());
  const auto& facts = catalog.model("tank-model");
  CHECK(facts.context_window == 32'768U);
  CHECK(facts.max_output == Catalog::built_in().model("gpt-5.6-sol").max_output);
  CHECK(facts.origin == "my.toml");
  CHECK(facts.source.empty());
  CHECK(catalog.model("gpt-5.4").context_window == 32'768U);
  CHECK(catalog.model("gpt-4o").origin.empty());
  CHECK_FALSE(Catalog::built_in().model("tank-model").known());
  // A later file comes before an earlier one.
  REQUIRE(catalog
              .add("[[families]]\nmatch = [\"tank-model\"]\ncontext_window = 7\n"
                   "confidence = \"doc\"\n",
                   "later.toml")
              .empty());
  CHECK(catalog.model("tank-model").context_window == 7U);
  CHECK(catalog.model("gpt-5.4").context_window == 32'768U);
}

TEST_CASE("a file's rule replaces the one with its id at every back end; copies are independent") {
  const auto& built_in = Catalog::built_in();
  auto catalog = built_in;
  REQUIRE(catalog
              .add(R"(
[[rules]]
id = "cx.top"
check = "top_allow"
effect = "none"
confidence = "live"
source = ["our own test"]
)",
                   "my.toml")
              .empty());
  const auto find = [](const Catalog& from) {
    const auto& rules = from.back_end("codex", Protocol::openai_responses)->rules;
    const auto found = std::find_if(rules.begin(), rules.end(),
                                    [](const auto* rule) { return rule->id == "cx.top"; });
    return found == rules.end() ? nullptr : *found;
  };
  REQUIRE(find(catalog) != nullptr);
  CHECK_FALSE(find(catalog)->acts());
  CHECK(find(catalog)->origin == "my.toml");
  CHECK(find(built_in)->acts());
  CHECK(catalog.back_end("codex", Protocol::openai_responses)->rules.size() ==
        built_in.back_end("codex", Protocol::openai_responses)->rules.size());
}

TEST_CASE("a file's back end extends the one with its id and protocol, or is a new one") {
  const auto& built_in = Catalog::built_in();
  auto catalog = built_in;
  REQUIRE(catalog
              .add(R"(
[[rules]]
id = "my.user"
check = "top_refuse"
effect = "lossy"
confidence = "live"
names = ["user"]

[[back_ends]]
id = "groq"
protocol = "openai_chat"
rules = ["my.user"]

[[back_ends]]
id = "my-server"
protocol = "openai_chat"
rules = ["my.user", "cx.top"]
)",
                   "my.toml")
              .empty());
  const auto* const groq = catalog.back_end("groq", Protocol::openai_chat);
  const auto* const before = built_in.back_end("groq", Protocol::openai_chat);
  CHECK(groq->rules.size() == before->rules.size() + 1);
  CHECK(groq->base_url == before->base_url);
  CHECK(groq->presets == before->presets);
  CHECK(groq->rules.back()->id == "my.user");
  REQUIRE(catalog.back_end("my-server", Protocol::openai_chat) != nullptr);
  CHECK(catalog.back_end("my-server", Protocol::openai_chat)->rules.size() == 2);
  CHECK(built_in.back_end("my-server", Protocol::openai_chat) == nullptr);
}

TEST_CASE("a file with a mistake adds nothing") {
  auto catalog = Catalog::built_in();
  const auto errors = catalog.add(R"(
[[families]]
match = ["tank-model"]
confidence = "live"
like = "no-such-model"
)",
                                  "my.toml");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].place.line == 5);
  CHECK(errors[0].what == "nothing is known about `no-such-model`");
  CHECK_FALSE(catalog.model("tank-model").known());
}

}  // namespace catalog_test
