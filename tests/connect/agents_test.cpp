#include "../../tools/understudy/connect/agents.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "text/json_valid.hpp"

namespace agents_test {

using namespace understudy;
using namespace understudy::tool;

namespace {

const std::string providers = R"(
[providers.small]
base_url = "http://127.0.0.1:1/v1"
protocol = "openai_chat"
[providers.wide]
base_url = "http://127.0.0.1:2/v1"
protocol = "anthropic_messages"
)";

Config config_of(const std::string& text) {
  return parse_config(text + providers, "u.toml").value();
}

/// Windows of the models of these tests; "mystery" has none.
llm::ModelProfiles profiles() {
  llm::ModelProfiles known;
  known.entry("", "lead").context_window = 400'000;
  known.entry("", "second").context_window = 200'000;
  known.entry("", "tiny").context_window = 32'000;
  return known;
}

GatewayFacts facts_of(const std::string& text, std::string_view url = "") {
  return gateway_facts(config_of(text), profiles(), url).value();
}

const std::string two = R"(
[model]
provider = "wide"
default = "lead"
[[fallback_providers]]
provider = "small"
model = "second"
)";

std::string printed(const char* agent, const GatewayFacts& facts) {
  return find_agent(agent)->plan(facts).value().printable();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string notes_of(const char* agent, const GatewayFacts& facts) {
  std::string all;
  for (const auto& note : find_agent(agent)->plan(facts).value().notes) {
    all += note + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("the address is one that a client on this machine can open") {
  struct Row {
    const char* server;
    const char* url;
    const char* expected;
  };
  const Row rows[] = {
      {"", "", "http://127.0.0.1:8080"},
      {"[server]\nlisten = \"0.0.0.0:81\"\nkeys = [\"k\"]\n", "", "http://127.0.0.1:81"},
      {"[server]\nlisten = \"[::]:81\"\nkeys = [\"k\"]\n", "", "http://127.0.0.1:81"},
      {"[server]\nlisten = \"[::1]:81\"\n", "", "http://[::1]:81"},
      {"[server]\nlisten = \"10.0.0.7:81\"\nkeys = [\"k\"]\n", "", "http://10.0.0.7:81"},
      {"[server]\ntls = {cert = \"c\", key = \"k\"}\n", "", "https://127.0.0.1:8080"},
      {"", "https://gw.lan/", "https://gw.lan"},
      {"", "http://gw.lan:8/v1", "http://gw.lan:8"},
      {"", "http://gw.lan:8/team/v1/", "http://gw.lan:8/team"},
      {"[server]\nlisten = \"127.0.0.1:0\"\n", "http://gw.lan", "http://gw.lan"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.server);
    CAPTURE(row.url);
    CHECK(facts_of(two + row.server, row.url).url == row.expected);
  }
  const auto free_port =
      gateway_facts(config_of(two + "[server]\nlisten = \"127.0.0.1:0\"\n"), profiles(), "");
  REQUIRE(free_port.has_error());
  CHECK(has(to_string(free_port.error()), "pass --url"));
  for (const char* const bad : {"gw.lan", "ftp://gw.lan", "http://", "http://u:p@gw.lan",
                                "http://gw.lan?x=1", "http://gw.lan/\"x", "http://a b"}) {
    CAPTURE(bad);
    CHECK(gateway_facts(bad).has_error());
  }
}

TEST_CASE("a window is that of the smallest member that may answer, if all are known") {
  const std::string routes = R"(
[[routes]]
model = "claude-x"
chain = [{provider = "wide", model = "lead"}, {provider = "small", model = "tiny"}]
[[routes]]
model = "other"
chain = [{provider = "small", model = "mystery"}]
)";
  CHECK(facts_of(two).window_of_models("claude").tokens == 200'000U);
  const auto facts = facts_of(two + routes);
  CHECK(facts.window_of_models("claude").tokens == 32'000U);
  CHECK(facts.window_of_models("gpt").tokens == 200'000U);
  const auto unknown = facts.window_of_models("other");
  CHECK(!unknown.tokens);
  CHECK(unknown.unknown == std::vector<std::string>{"small/mystery"});
  CHECK(!gateway_facts("http://a").value().window_of_models("claude").tokens);
}

TEST_CASE("Claude Code gets the address, a token, and what keeps its session whole") {
  CHECK(printed("claude", facts_of(two)) == R"({
  "env": {
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080",
    "ANTHROPIC_AUTH_TOKEN": "understudy",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    "CLAUDE_CODE_AUTO_COMPACT_WINDOW": "200000"
  }
}
)");
  const std::string tiny = "[model]\nprovider = \"small\"\ndefault = \"tiny\"\n";
  const std::string mystery = "[model]\nprovider = \"small\"\ndefault = \"mystery\"\n";
  for (const auto& chain : {tiny, mystery}) {
    CHECK(!has(printed("claude", facts_of(chain)), "COMPACT_WINDOW"));
    CHECK(has(notes_of("claude", facts_of(chain)), "COMPACT_WINDOW is left away"));
  }
  CHECK(has(notes_of("claude", facts_of(tiny)), "32000"));
  CHECK(has(notes_of("claude", facts_of(mystery)), "small/mystery"));
}

TEST_CASE("no agent is shown a key, and only Claude Code's settings get it") {
  const auto facts = facts_of(two + "[server]\nkeys = [\"sesame\", \"other\"]\n");
  for (const auto& agent : agents()) {
    CAPTURE(agent.name);
    const auto plan = agent.plan(facts).value();
    CHECK(!has(plan.printable(), "sesame"));
    CHECK(!has(notes_of(std::string(agent.name).c_str(), facts), "sesame"));
    const bool claude = agent.name == "claude";
    CHECK(plan.has_secret() == claude);
    CHECK(has(plan.edited("f", "").value(), "sesame") == claude);
    CHECK((claude || agent.file.empty() || !plan.notes.empty()));  // which variable to set
  }
}

TEST_CASE("every plan names the gateway, is well formed, and changes nothing when it is repeated") {
  const auto facts = facts_of(two);
  for (const auto& agent : agents()) {
    CAPTURE(agent.name);
    const auto plan = agent.plan(facts).value();
    CHECK(has(plan.printable(), "http://127.0.0.1:8080"));
    const bool slash = agent.name != "claude" && agent.name != "pi";
    CHECK(has(plan.printable(), "http://127.0.0.1:8080/v1") == slash);
    if (std::holds_alternative<std::vector<Setting>>(plan.edits)) {
      CHECK(json::is_valid(plan.printable()));
    }
    const auto once = plan.edited("f", "").value();
    CHECK(plan.edited("f", once).value() == once);
  }
}

TEST_CASE("agents that are told the models need a configuration") {
  const auto facts = gateway_facts("http://127.0.0.1:8080").value();
  for (const auto& agent : agents()) {
    CAPTURE(agent.name);
    const bool lists = agent.name == "opencode" || agent.name == "qwen" || agent.name == "pi";
    CHECK(agent.plan(facts).has_error() == lists);
  }
  // A token that is there may be the gateway's key, of which nothing is known.
  const auto plan = find_agent("claude")->plan(facts).value();
  const auto kept = plan.edited("f", R"({"env":{"ANTHROPIC_AUTH_TOKEN":"mine"}})").value();
  CHECK(has(kept, "\"mine\""));
}

TEST_CASE("agents of many protocols speak the first member's") {
  CHECK(has(printed("opencode", facts_of(two)), "@ai-sdk/anthropic"));
  CHECK(has(printed("pi", facts_of(two)), "anthropic-messages"));
  const auto chat = facts_of("[model]\nprovider = \"small\"\ndefault = \"second\"\n");
  CHECK(has(printed("opencode", chat), "@ai-sdk/openai-compatible"));
  CHECK(has(printed("pi", chat), "openai-completions"));
  CHECK(has(printed("pi", chat), "http://127.0.0.1:8080/v1"));
}

TEST_CASE("an unknown agent is answered with the nearest one, or with all") {
  CHECK(find_agent("claude-code") == nullptr);
  CHECK(agent_suggestion("claud") == "did you mean `claude`?");
  CHECK(agent_suggestion("open-code") == "did you mean `opencode`?");
  CHECK(has(agent_suggestion("emacs"), "`qwen`"));
}

}  // namespace agents_test
