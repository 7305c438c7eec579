#include "understudy/client/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>

#include "client/config/sections.hpp"

using namespace understudy;
using namespace understudy::llm;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path data = std::filesystem::path(UNDERSTUDY_TEST_DATA) / "config";
const std::filesystem::path example =
    std::filesystem::path(UNDERSTUDY_TEST_DATA) / "../../examples/understudy.toml";

const char* nothing(const char* /*name*/) { return nullptr; }

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

ConfigResult parse(std::string_view text) { return parse_config(text, "test.toml", nothing); }

/// The configuration, which must be right.
Config good(const std::string& text) {
  auto config = parse(text);
  REQUIRE_MESSAGE(config.has_value(), text, "\n", to_string(config.error()));
  return std::move(*config);
}

/// As the files under tests/data/config say it.
std::string line_of(const ConfigError& error) {
  std::ostringstream line;
  line << "# error " << error.place.line << ':' << error.place.column << ' ' << error.what << " | "
       << error.suggestion;
  return line.str();
}

std::vector<std::string> lines_of(const ConfigErrors& errors) {
  std::vector<std::string> lines(errors.errors.size());
  std::transform(errors.errors.begin(), errors.errors.end(), lines.begin(), line_of);
  return lines;
}

/// The errors of a configuration, as lines.
std::vector<std::string> bad(const std::string& text) {
  const auto config = parse(text);
  REQUIRE_MESSAGE(config.has_error(), text);
  return lines_of(config.error());
}

const std::string model = "[model]\ndefault = \"m\"\nprovider = \"anthropic\"\n";
const std::string fallback =
    "[[fallback_providers]]\nprovider = \"openai-codex\"\nmodel = \"gpt-5.5\"\n";

/// The provider of that name, from what stands in its section.
ProviderConfig provider(const std::string& name, const std::string& keys) {
  return good(model + "[providers." + name + "]\n" + keys).providers.at(name);
}

std::string env_of(const ProviderConfig& p) {
  const auto* const env = p.credentials.empty()
                              ? nullptr
                              : std::get_if<CredentialSource::Env>(&p.credentials.at(0).from);
  return env == nullptr ? "" : env->name;
}

}  // namespace

TEST_CASE("the report's file, key for key") {
  const auto config = good(R"([model]
default = "claude-opus-4-7"
provider = "anthropic"

[[fallback_providers]]
provider = "openai-codex"
model = "gpt-5.5"

[fallback]
eager_on_timeout = true
)");
  const auto& chain = config.main.chain;
  REQUIRE(chain.size() == 2);
  CHECK(chain[0].provider == "anthropic");
  CHECK(chain[0].model == "claude-opus-4-7");
  CHECK(chain[0].place == ConfigPlace(1, 1));
  CHECK(chain[1].provider == "openai-codex");
  CHECK(chain[1].model == "gpt-5.5");
  CHECK(chain[1].place == ConfigPlace(5, 1));
  CHECK(config.main.policy.eager_on_timeout);
  CHECK(config.main.model.empty());
  CHECK(config.file == "test.toml");
  REQUIRE(config.providers.size() == 2);
  CHECK(config.providers.at("anthropic").protocol == Protocol::anthropic_messages);
  CHECK(config.providers.at("openai-codex").protocol == Protocol::openai_responses);
  CHECK(&config.route("anything") == &config.main);
  CHECK_FALSE(good("[model]\ndefault = \"m\"\nprovider = \"groq\"\n[fallback]\n"
                   "eager_on_timeout = false\n")
                  .main.policy.eager_on_timeout);
}

TEST_CASE("every broken configuration: each error with its line, column, text and suggestion") {
  std::size_t files = 0;
  std::size_t with_five = 0;
  for (const auto& file : std::filesystem::directory_iterator(data)) {
    CAPTURE(file.path().filename().string());
    const auto text = contents(file.path());
    std::vector<std::string> wanted;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && line.starts_with("# error ");) {
      wanted.push_back(line);
    }
    REQUIRE_FALSE(wanted.empty());
    CHECK(bad(text) == wanted);
    const auto loaded = load_config(file.path().string(), nothing);
    REQUIRE(loaded.has_error());
    CHECK(loaded.error().file == file.path().string());
    CHECK(lines_of(loaded.error()) == wanted);
    const auto told = to_string(loaded.error());
    CHECK(told.find("do-not-print-me") == std::string::npos);
    for (const auto& error : loaded.error().errors) {
      CHECK_FALSE(error.suggestion.empty());
    }
    ++files;
    with_five += wanted.size() == 5 ? 1 : 0;
  }
  CHECK(files >= 60);
  CHECK(with_five >= 3);
}

TEST_CASE("errors as text, and as an exception") {
  const auto config = parse("[modle]\n[log]\nlevel = 1\n");
  REQUIRE(config.has_error());
  CHECK(to_string(config.error()) ==
        "test.toml:1:2: unknown section `modle`: did you mean `model`?\n"
        "test.toml:3:9: `level` must be a string: write level = \"info\"");
  CHECK_THROWS_WITH_AS(config.value(), to_string(config.error()).c_str(), std::runtime_error);
  const auto empty = parse("");
  REQUIRE(empty.has_error());
  CHECK(
      to_string(empty.error()) ==
      "test.toml: neither [model] nor [[routes]]: there is no provider to ask: write [model] with "
      "`default` and `provider`");
}

TEST_CASE("defaults") {
  const auto config = good(model);
  const Policy policy;
  const auto& main = config.main;
  CHECK(main.policy.eager_on_timeout == policy.eager_on_timeout);
  CHECK(main.policy.on_content_policy == OnContentPolicy::stop);
  CHECK(main.policy.max_retries == 2);
  CHECK(main.policy.patience == 3s);
  CHECK_FALSE(main.policy.deadline);
  CHECK(main.policy.min_attempt == 1s);
  CHECK_FALSE(main.policy.hedge_after);
  CHECK(main.policy.probe_grace == 2s);
  CHECK(main.policy.backoff.base == 500ms);
  CHECK(main.policy.backoff.cap == 30s);
  CHECK(main.policy.recover == policy.recover);
  CHECK_FALSE(main.policy.stall.connect);
  CHECK_FALSE(main.policy.stall.stale);
  CHECK(main.delivery.commit == Commit::at_first_progress());
  CHECK_FALSE(main.delivery.on_partial);
  CHECK(main.delivery.max_resumes == 2);
  CHECK(config.budget.ratio == 0.2);
  CHECK(config.budget.floor == 10);
  CHECK(config.strategy == Strategy::fill_first);
  CHECK(config.server.host == "127.0.0.1");
  CHECK(config.server.port == 8080);
  CHECK(config.server.keys.empty());
  CHECK_FALSE(config.server.tls);
  CHECK_FALSE(config.server.threads);
  CHECK(config.log.level == LogConfig::Level::info);
  CHECK(config.routes.empty());
}

TEST_CASE("[fallback]") {
  const auto config = good(model + fallback + R"([fallback]
on_content_policy = "fail_over"
on_partial = "restart"
commit = "750ms"
max_resumes = 0
max_retries = 20
patience = "1.5s"
deadline = "2m"
min_attempt = "250ms"
hedge_after = "20s"
probe_grace = "1s"
)");
  const auto& policy = config.main.policy;
  CHECK(policy.on_content_policy == OnContentPolicy::fail_over);
  CHECK(config.main.delivery.on_partial == OnPartial::restart);
  CHECK(config.main.delivery.commit == Commit::after(750ms));
  CHECK(config.main.delivery.max_resumes == 0);
  CHECK(policy.max_retries == 20);
  CHECK(policy.patience == 1500ms);
  CHECK(policy.deadline == 2min);
  CHECK(policy.min_attempt == 250ms);
  CHECK(policy.hedge_after == 20s);
  CHECK(policy.probe_grace == 1s);
  CHECK(good(model + "[fallback]\ncommit = \"whole\"\n").main.delivery.commit == Commit::whole());
  CHECK(good(model + "[fallback]\ncommit = \"first_progress\"\n").main.delivery.commit ==
        Commit::at_first_progress());
  CHECK(good(model + "[fallback]\non_partial = \"fail\"\n").main.delivery.on_partial ==
        OnPartial::fail);
  CHECK(to_string(OnPartial::restart) == "restart");
  // Shorter than what an attempt needs otherwise: the first one is made all the same.
  CHECK(good(model + "[fallback]\ndeadline = \"300ms\"\n").main.policy.deadline == 300ms);
}

TEST_CASE("[stall], [retry], [credentials]") {
  const auto config = good(model + R"([stall]
connect = "1s"
write = "2s"
first_progress = "3s"
stale = "4s"
silence = "5s"
whole_answer = "1h"
last_member = "7m"
[retry]
budget_ratio = 1
budget_floor = 0
backoff_base = "1s"
backoff_cap = "1s"
[credentials]
strategy = "least_used"
recover = ["timeout", "billing"]
)");
  const auto& stall = config.main.policy.stall;
  CHECK(stall.connect == 1s);
  CHECK(stall.write == 2s);
  CHECK(stall.first_progress == 3s);
  CHECK(stall.stale == 4s);
  CHECK(stall.silence == 5s);
  CHECK(stall.whole_answer == 1h);
  CHECK(stall.last_member == 7min);
  CHECK(config.budget.ratio == 1.0);
  CHECK(config.budget.floor == 0);
  CHECK(config.main.policy.backoff.base == 1s);
  CHECK(config.main.policy.backoff.cap == 1s);
  CHECK(config.strategy == Strategy::least_used);
  CHECK(config.main.policy.recover == ReasonSet{FailoverReason::timeout, FailoverReason::billing});
  CHECK(good(model + "[credentials]\nrecover = []\n").main.policy.recover == ReasonSet{});
  const auto automatic =
      good(model + "[stall]\nstale = \"auto\"\nfirst_progress = \"auto\"\nsilence = \"auto\"\n");
  CHECK_FALSE(automatic.main.policy.stall.stale);
  CHECK_FALSE(automatic.main.policy.stall.silence);
}

TEST_CASE("presets") {
  struct Row {
    std::string name;
    Protocol protocol;
    std::string base_url;
    Authorization authorization;
    std::string env;
  };
  const std::vector<Row> rows{
      {"anthropic", Protocol::anthropic_messages, "https://api.anthropic.com",
       Authorization::x_api_key, "ANTHROPIC_API_KEY"},
      {"openai", Protocol::openai_chat, "https://api.openai.com/v1", Authorization::bearer,
       "OPENAI_API_KEY"},
      {"openai-codex", Protocol::openai_responses, "https://api.openai.com/v1",
       Authorization::bearer, "OPENAI_API_KEY"},
      {"codex", Protocol::openai_responses, "https://chatgpt.com/backend-api/codex",
       Authorization::bearer, ""},
      {"openrouter", Protocol::openai_chat, "https://openrouter.ai/api/v1", Authorization::bearer,
       "OPENROUTER_API_KEY"},
      {"deepseek", Protocol::openai_chat, "https://api.deepseek.com", Authorization::bearer,
       "DEEPSEEK_API_KEY"},
      {"groq", Protocol::openai_chat, "https://api.groq.com/openai/v1", Authorization::bearer,
       "GROQ_API_KEY"},
      {"mistral", Protocol::openai_chat, "https://api.mistral.ai/v1", Authorization::bearer,
       "MISTRAL_API_KEY"},
      {"xai", Protocol::openai_chat, "https://api.x.ai/v1", Authorization::bearer, "XAI_API_KEY"},
      {"zai", Protocol::openai_chat, "https://api.z.ai/api/paas/v4", Authorization::bearer,
       "ZAI_API_KEY"},
      {"kimi", Protocol::openai_chat, "https://api.moonshot.ai/v1", Authorization::bearer,
       "MOONSHOT_API_KEY"},
      {"minimax", Protocol::openai_chat, "https://api.minimax.io/v1", Authorization::bearer,
       "MINIMAX_API_KEY"},
      {"gemini", Protocol::openai_chat, "https://generativelanguage.googleapis.com/v1beta/openai",
       Authorization::bearer, "GEMINI_API_KEY"},
      {"ollama", Protocol::openai_chat, "http://localhost:11434/v1", Authorization::bearer, ""},
      {"vllm", Protocol::openai_chat, "http://localhost:8000/v1", Authorization::bearer, ""},
      {"llama-cpp", Protocol::openai_chat, "http://localhost:8080/v1", Authorization::bearer, ""},
      {"lmstudio", Protocol::openai_chat, "http://localhost:1234/v1", Authorization::bearer, ""},
      {"azure", Protocol::openai_chat, "https://r.openai.azure.com/openai/v1",
       Authorization::api_key, "AZURE_OPENAI_API_KEY"},
      {"bedrock-mantle", Protocol::anthropic_messages,
       "https://bedrock-mantle.us-east-1.api.aws/anthropic", Authorization::bearer,
       "AWS_BEARER_TOKEN_BEDROCK"},
      {"vertex", Protocol::anthropic_messages,
       "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/"
       "anthropic/models",
       Authorization::bearer, ""},
  };
  std::vector<std::string_view> names;
  for (const auto& row : rows) {
    CAPTURE(row.name);
    names.emplace_back(row.name);
    const bool own_address =
        row.name == "azure" || row.name == "bedrock-mantle" || row.name == "vertex";
    auto text = "[model]\ndefault = \"m\"\nprovider = \"" + row.name + "\"\n";
    if (own_address) {
      text += "[providers." + row.name + "]\nbase_url = \"" + row.base_url + "\"\n";
    }
    const auto config = good(text);
    REQUIRE(config.providers.size() == 1);
    const auto& found = config.providers.at(row.name);
    CHECK(found.name == row.name);
    CHECK(found.protocol == row.protocol);
    CHECK(found.base_url_text == row.base_url);
    CHECK(host_and_port(found.base_url.endpoint) ==
          host_and_port(parse_url(row.base_url).value().endpoint));
    CHECK(found.base_url.path == parse_url(row.base_url).value().path);
    CHECK(found.authorization == row.authorization);
    CHECK(env_of(found) == row.env);
    CHECK(found.stream);
  }
  CHECK(preset_names() == names);
}

TEST_CASE("a preset that speaks two protocols has an address for each") {
  const auto kimi = provider("kimi", "protocol = \"anthropic_messages\"\n");
  CHECK(kimi.base_url_text == "https://api.moonshot.ai/anthropic");
  CHECK(kimi.authorization == Authorization::bearer);
  CHECK(env_of(kimi) == "MOONSHOT_API_KEY");
  CHECK(provider("kimi", "protocol = \"anthropic_messages\"\nbase_url = \"http://h\"\n")
            .base_url_text == "http://h");
  CHECK(provider("openai", "protocol = \"openai_responses\"\n").base_url_text ==
        "https://api.openai.com/v1");
}

TEST_CASE("[providers.NAME] and presets: what is written wins, all else is the preset's") {
  const auto named = provider("anthropic", "base_url = \"http://127.0.0.1:9/x\"\n");
  CHECK(named.protocol == Protocol::anthropic_messages);
  CHECK(named.base_url.endpoint.port == 9);
  CHECK(named.base_url_text == "http://127.0.0.1:9/x");
  CHECK(env_of(named) == "ANTHROPIC_API_KEY");
  CHECK(named.place == ConfigPlace(4, 1));

  const auto other = provider("work", "preset = \"openai\"\ncredentials = [{env = \"WORK\"}]\n");
  CHECK(other.name == "work");
  CHECK(other.base_url_text == "https://api.openai.com/v1");
  CHECK(env_of(other) == "WORK");

  const auto spoken = provider("openai", "protocol = \"openai_responses\"\n");
  CHECK(spoken.protocol == Protocol::openai_responses);
  CHECK(spoken.authorization == Authorization::bearer);
  CHECK(provider("ollama", "protocol = \"anthropic_messages\"\n").authorization ==
        Authorization::x_api_key);
  CHECK(provider("azure", "protocol = \"openai_responses\"\nbase_url = \"https://r.example/v1\"\n")
            .authorization == Authorization::api_key);

  const auto own =
      provider("local", "protocol = \"anthropic_messages\"\nbase_url = \"http://h\"\n");
  CHECK(own.authorization == Authorization::x_api_key);
  CHECK(own.credentials.empty());
  CHECK(provider("anthropic", "credentials = []\n").credentials.empty());
}

TEST_CASE("[providers.NAME]: how the key is sent is as written, else as the protocol has it") {
  const std::string place = "base_url = \"http://h\"\n";
  const auto messages = "protocol = \"anthropic_messages\"\n" + place;
  CHECK(provider("a", messages).authorization == Authorization::x_api_key);
  CHECK(provider("a", messages + "authorization = \"bearer\"\n").authorization ==
        Authorization::bearer);
  CHECK(provider("anthropic", "authorization = \"bearer\"\n").authorization ==
        Authorization::bearer);
  const auto chat = "protocol = \"openai_chat\"\n" + place;
  CHECK(provider("a", chat + "authorization = \"x-api-key\"\n").authorization ==
        Authorization::x_api_key);
  CHECK(provider("a", chat + "authorization = \"api-key\"\n").authorization ==
        Authorization::api_key);
}

TEST_CASE("[providers.NAME]: all other keys") {
  const auto config = good(model + R"([retry]
backoff_cap = "20s"
budget_floor = 3
[providers.local]
protocol = "openai_chat"
base_url = "http://127.0.0.1:8000/v1?api-version=1&keys=2"
headers = {x-team = "blue", User-Agent = "mine"}
ca_file = "ca.pem"
proxy = "proxy.example.com:3128"
stream = false
stall = {connect = "1s", stale = "auto"}
retry = {backoff_base = "2s"}
credentials = [
  {env = "A_1"},
  {file = "/run/a"},
  {value = "secret"},
  {oauth = {token_file = "t.json", token_url = "https://a.example/token", client_id = "me"}},
  {oauth = {token_file = "u.json", token_url = "http://[::1]:7/token", client_id = "me"}},
]
[providers.local.models."qwen3:8b"]
family = "gpt-5.4"
context_window = 32768
accepts_prefill = true
reasoning_floor = "300s"
stall = {first_progress = "60s"}
[providers.local.models.plain]
[providers.local.models."gpt-5.5".stall]
stale = "90s"
)");
  const auto& p = config.providers.at("local");
  CHECK(p.base_url.path == "/v1?api-version=1&keys=2");
  CHECK(p.headers.find("x-team") == "blue");
  CHECK(p.headers.find("user-agent") == "mine");
  CHECK(p.ca_file == "ca.pem");
  CHECK(p.proxy == "proxy.example.com:3128");
  CHECK_FALSE(p.stream);
  CHECK(p.stall.connect == 1s);
  CHECK_FALSE(p.stall.stale);
  REQUIRE(p.backoff);
  CHECK(p.backoff->base == 2s);
  CHECK(p.backoff->cap == 20s);
  CHECK_FALSE(p.budget);
  REQUIRE(p.credentials.size() == 5);
  CHECK(std::get<CredentialSource::Env>(p.credentials[0].from).name == "A_1");
  CHECK(std::get<CredentialSource::File>(p.credentials[1].from).path == "/run/a");
  CHECK(std::get<CredentialSource::Value>(p.credentials[2].from).secret == Secret("secret"));
  const auto& oauth = std::get<CredentialSource::OAuth>(p.credentials[3].from);
  CHECK(oauth.token_file == "t.json");
  CHECK(oauth.token_url.endpoint.host == "a.example");
  CHECK(oauth.client_id == "me");
  CHECK(p.credentials[3].place == ConfigPlace(20, 3));
  REQUIRE(p.models.size() == 3);
  const auto& qwen = p.models.at("qwen3:8b");
  CHECK(qwen.context_window == 32768U);
  CHECK(qwen.family == "gpt-5.4");
  CHECK(qwen.accepts_prefill == true);
  CHECK(qwen.reasoning_floor == 300s);
  CHECK(qwen.stall.first_progress == 60s);
  CHECK_FALSE(p.models.at("plain").accepts_prefill);
  CHECK(p.models.at("gpt-5.5").stall.stale == 90s);

  const auto budget = provider("groq", "retry = {budget_ratio = 0.5}\n");
  CHECK_FALSE(budget.backoff);
  REQUIRE(budget.budget);
  CHECK(budget.budget->ratio == 0.5);
  CHECK(budget.budget->floor == 10);
}

TEST_CASE("[[routes]]: what a route does not say is as in [fallback] and [stall]") {
  const auto config = good(model + fallback + R"([fallback]
patience = "1s"
max_retries = 1
commit = "whole"
[stall]
stale = "60s"
write = "5s"
[[routes]]
model = "fast"
chain = [{provider = "groq", model = "a"}, {provider = "mistral", model = "b"}]
patience = "2s"
hedge_after = "500ms"
on_partial = "restart"
stall = {stale = "auto", connect = "1s"}
[[routes]]
model = "same"
chain = [{provider = "anthropic", model = "m"}]
)");
  REQUIRE(config.routes.size() == 2);
  const auto& fast = config.route("fast");
  CHECK(&fast == &config.routes[0]);
  CHECK(fast.model == "fast");
  REQUIRE(fast.chain.size() == 2);
  CHECK(fast.chain[1].provider == "mistral");
  CHECK(fast.chain[1].model == "b");
  CHECK(fast.policy.patience == 2s);
  CHECK(fast.policy.max_retries == 1);
  CHECK(fast.policy.hedge_after == 500ms);
  CHECK(fast.delivery.commit == Commit::whole());
  CHECK(fast.delivery.on_partial == OnPartial::restart);
  CHECK_FALSE(fast.policy.stall.stale);
  CHECK(fast.policy.stall.write == 5s);
  CHECK(fast.policy.stall.connect == 1s);
  const auto& same = config.route("same");
  CHECK(same.policy.stall.stale == 60s);
  CHECK_FALSE(same.policy.hedge_after);
  CHECK(&config.route("other") == &config.main);
  CHECK(config.providers.contains("groq"));

  // Routes alone will do; then nobody serves what they do not name.
  const auto routes = good(
      "[[routes]]\nmodel = \"a\"\n"
      "chain = [{provider = \"groq\", model = \"b\"}]\n");
  CHECK(routes.main.chain.empty());
  CHECK(routes.route("a").chain.size() == 1);
  // One member twice, but in different chains; and one model at two accounts.
  good(model + "[[routes]]\nmodel = \"a\"\nchain = [{provider = \"anthropic\", model = \"m\"}]\n");
  good(model +
       "[[fallback_providers]]\nprovider = \"work\"\nmodel = \"m\"\n"
       "[providers.work]\npreset = \"anthropic\"\ncredentials = [{env = \"WORK\"}]\n");
}

TEST_CASE("[server] and [log]") {
  const auto config = good(model + R"([server]
listen = "[::1]:0"
keys = ["one", "two"]
hosts = ["gateway.lan", "*.example.net", "fd00::1"]
origins = ["https://chat.example:8443", "app://*"]
tls = {cert = "a.pem", key = "a.key"}
keep_alive = "5s"
drain = "1m"
max_connections = 7
max_body = "1.5KiB"
idle = "90s"
report = true
threads = 2
[log]
level = "off"
format = "json"
prompts = true
)");
  const auto& server = config.server;
  CHECK(server.host == "::1");
  CHECK(server.port == 0);
  REQUIRE(server.keys.size() == 2);
  CHECK(server.keys[1] == Secret("two"));
  CHECK(server.hosts == std::vector<std::string>{"gateway.lan", "*.example.net", "fd00::1"});
  CHECK(server.origins == std::vector<std::string>{"https://chat.example:8443", "app://*"});
  REQUIRE(server.tls);
  CHECK(server.tls->certificate_file == "a.pem");
  CHECK(server.tls->key_file == "a.key");
  CHECK(server.keep_alive == 5s);
  CHECK(server.drain == 1min);
  CHECK(server.max_connections == 7);
  CHECK(server.max_body == 1536);
  CHECK(server.idle == 90s);
  CHECK(server.report);
  CHECK(server.threads == 2U);
  CHECK(config.log.level == LogConfig::Level::off);
  CHECK(config.log.format == LogConfig::Format::json);
  CHECK(config.log.prompts);
  for (const auto* listen : {"localhost:80", "0.0.0.0:65535", "[::]:8080"}) {
    good(model + "[server]\nlisten = \"" + listen + "\"\n");
  }
  for (const auto* listen : {"a:1:2", "http://a:80", "a b:80", ":80", "a:", "a:-1", "a:8x",
                             "me@a:80", "a/b:80", "[::1:80", "a#b:80", "[]:80"}) {
    CAPTURE(listen);
    CHECK(bad(model + "[server]\nlisten = \"" + listen + "\"\n").size() == 1);
  }
  const std::vector<std::pair<std::string, LogConfig::Level>> levels{
      {"debug", LogConfig::Level::debug},
      {"info", LogConfig::Level::info},
      {"warn", LogConfig::Level::warn},
      {"error", LogConfig::Level::error}};
  for (const auto& [name, level] : levels) {
    CHECK(good(model + "[log]\nlevel = \"" + name + "\"\n").log.level == level);
  }
}

TEST_CASE("the environment's stale timeout is a user's explicit limit") {
  using Variables = std::map<std::string, std::string>;
  const auto read = [](const Variables& variables, const std::string& text) {
    return parse_config(text, "test.toml", [&](const char* name) -> const char* {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  const auto stale = [&](const Variables& variables) {
    return read(variables, model + "[stall]\nstale = \"60s\"\n").value().main.policy.stall.stale;
  };
  CHECK(stale({}) == 60s);
  CHECK(stale({{"UNDERSTUDY_STREAM_STALE_TIMEOUT", ""}}) == 60s);
  CHECK(stale({{"UNDERSTUDY_STREAM_STALE_TIMEOUT", "45"}}) == 45s);
  CHECK(stale({{"HERMES_STREAM_STALE_TIMEOUT", "0.5"}}) == 500ms);
  CHECK(stale({{"UNDERSTUDY_STREAM_STALE_TIMEOUT", "2m"}, {"HERMES_STREAM_STALE_TIMEOUT", "1"}}) ==
        2min);
  // Routes begin with it; their own word stands above it.
  const auto routes =
      read({{"HERMES_STREAM_STALE_TIMEOUT", "9"}},
           "[[routes]]\nmodel = \"a\"\nchain = [{provider = \"groq\", model = \"b\"}]\n"
           "[[routes]]\nmodel = \"c\"\nchain = [{provider = \"groq\", model = \"b\"}]\n"
           "stall = {stale = \"8s\"}\n")
          .value();
  CHECK(routes.route("a").policy.stall.stale == 9s);
  CHECK(routes.route("c").policy.stall.stale == 8s);
  for (const auto* value : {"soon", "0", "-1", "1e3", "nan", "inf", "10 s", "99999999999"}) {
    CAPTURE(value);
    const auto wrong = read({{"HERMES_STREAM_STALE_TIMEOUT", value}}, model + "[log]\nlevel = 1\n");
    REQUIRE(wrong.has_error());
    CHECK(
        lines_of(wrong.error()) ==
        std::vector<std::string>{
            "# error 0:0 the environment variable HERMES_STREAM_STALE_TIMEOUT is not a duration | "
            "set it to seconds, such as 180, or to a number with a unit, such as 90s",
            "# error 5:9 `level` must be a string | write level = \"info\""});
  }
}

TEST_CASE("files that cannot be read, are no text or too long") {
  const auto told = [](const ConfigResult& config) {
    REQUIRE(config.has_error());
    return to_string(config.error());
  };
  CHECK(
      told(load_config("/no/such/file.toml", nothing)) ==
      "/no/such/file.toml: cannot be read: No such file or directory: specify a file that you may "
      "read");
  CHECK(told(load_config("/", nothing)) ==
        "/: cannot be read: Is a directory: specify a file that you may read");
  const auto line = std::string(1023, '#') + "\n";
  std::string text;
  while (text.size() + model.size() + line.size() <= 1024 * 1024) {
    text += line;
  }
  text += model;
  text.resize(1024 * 1024, '\n');
  good(text);
  CHECK(told(parse(text + "\n")) ==
        "test.toml: larger than 1 MiB: specify the name of a configuration file");
  CHECK(told(load_config("/dev/zero", nothing)).starts_with("/dev/zero: larger than 1 MiB"));
  CHECK(told(parse(model + "# caf\xe9\n")) == "test.toml:4:5: not UTF-8: save the file as UTF-8");
  CHECK(told(parse("\xff\xfe[\0m\0")).starts_with("test.toml:1:"));
  good("\xef\xbb\xbf" + model);
  good("[model]\r\ndefault = \"m\"\r\nprovider = \"groq\"\r\n");
}

TEST_CASE("columns count characters") {
  CHECK(bad(model + "[log]\n\"ä\" = 1\nlevel = \"info\" # ä\n") ==
        std::vector<std::string>{
            "# error 5:1 unknown key `ä` | keys here are `level`, `format` or `prompts`"});
  CHECK(bad(model + "[server]\ntls = {cert = \"ä\", key = 1}\n") ==
        std::vector<std::string>{
            "# error 5:26 `key` must be a string | write key = \"/etc/ssl/own.key\""});
}

TEST_CASE("names in quotes, wherever a name may stand") {
  const auto config =
      good(model +
           "[providers . \"gross\" . 'models' . \"ä.1\"]\n\"context_window\" = 32768\n"
           "[providers.\"gross\"]\n'preset' = \"groq\"\n"
           "[server]\ntls = {\"cert\" = \"ä\", 'key' = '''ö'''}\n"
           "keys = [ # \"\n  'k', \"l\",\n  \"m\"]\n[[\"routes\"]]\n\"model\" = 'é'\n"
           "chain = [{\"provider\" = \"groq\", 'model' = \"m\"}]\n");
  CHECK(config.providers.at("gross").models.contains("ä.1"));
  CHECK(config.server.keys.size() == 3);
  CHECK(config.routes.size() == 1);
}

TEST_CASE("a file full of mistakes, or of brackets, is told within bounds") {
  std::string text = model + "[log]\n";
  for (int i = 0; i < 1000; ++i) {
    text += "x" + std::to_string(i) + " = 1\n";
  }
  CHECK(bad(text + "y = 1\n") ==
        std::vector<std::string>{"# error 4:1 more than 1000 entries | write at most 1000"});
  const auto errors = bad(text);
  CHECK(errors.size() == 201);
  CHECK(errors.back() == "# error 0:0 and 800 more | correct those above first");
  std::string members = model;
  for (int i = 0; i < 1001; ++i) {
    members += "[[fallback_providers]]\n";
  }
  CHECK(bad(members) ==
        std::vector<std::string>{"# error 4:1 more than 1000 entries | write at most 1000"});
  CHECK(bad("a = " + std::string(500'000, '[')).size() == 1);
  std::string dots = "a";
  while (dots.size() < 1'000'000) {
    dots += ".a";
  }
  CHECK(bad(dots + " = 1").size() == 1);
  CHECK(bad("[" + dots + "]").size() == 1);
  CHECK(bad("'''\n\" ''' = 1\n" + dots + " = 1").size() == 1);
  // In comments and strings they mean nothing.
  const auto harmless = dots.substr(0, 1000) + std::string(100, '[');
  const auto config = good(model + "# " + harmless + "\n[server]\nkeys = [\"\\\"" + harmless +
                           "\", '" + harmless + "', \"\"\"\n" + harmless + "\"\"\"]\n");
  CHECK(config.server.keys.size() == 3);
}

namespace {

/// Calls `check` for each key of each section.
template <class Check>
void for_each_key(const Check& check) {
  for (const auto& section : config::schema().sections()) {
    CAPTURE(section.name);
    for (const auto& key : section.keys) {
      CAPTURE(key.name);
      check(std::string(section.name), key);
    }
  }
}

/// The example, with every `#key = value` in force.
std::string uncommented(const std::string& text) {
  return std::regex_replace(text, std::regex("\n#([a-z_]+ = )"), "\n$1");
}

/// The text of each section of the example, by the section's name: "stall", "routes".
std::map<std::string, std::string> sections_of(const std::string& text) {
  std::map<std::string, std::string> sections;
  std::string name;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch head;
    if (std::regex_match(line, head, std::regex(R"(\[+([^\]]+)\]+)"))) {
      name = std::regex_replace(head[1].str(), std::regex(R"(^providers\.\w+)"), "providers.NAME");
      name = std::regex_replace(name, std::regex(R"(\."[^"]+"$)"), ".MODEL");
    }
    sections[name] += line + "\n";
  }
  return sections;
}

}  // namespace

TEST_CASE("every key is read: a date, which no key takes, is an error at its place") {
  const std::map<std::string, std::string> places{
      {"", "KEY = 1979-05-27\n"},
      {"fallback_providers", "[[fallback_providers]]\nKEY = 1979-05-27\n"},
      {"providers.NAME", "[providers.x]\nKEY = 1979-05-27\n"},
      {"providers.NAME.credentials", "[[providers.x.credentials]]\nKEY = 1979-05-27\n"},
      {"providers.NAME.credentials.oauth",
       "[[providers.x.credentials]]\n[providers.x.credentials.oauth]\nKEY = 1979-05-27\n"},
      {"providers.NAME.models.MODEL", "[providers.x.models.m]\nKEY = 1979-05-27\n"},
      {"routes", "[[routes]]\nKEY = 1979-05-27\n"},
      {"routes.chain", "[[routes.chain]]\nKEY = 1979-05-27\n"},
  };
  for_each_key([&](const std::string& section, const text::KeyRow& key) {
    const auto place = places.find(section);
    auto document = place == places.end() ? "[" + section + "]\nKEY = 1979-05-27\n" : place->second;
    if (section == "routes.chain") {
      document = "[[routes]]\n" + document;
    }
    document.replace(document.find("KEY"), 3, key.name);
    const auto wrong = bad(document);
    CHECK(std::any_of(wrong.begin(), wrong.end(), [&](const auto& line) {
      return line.find("`" + std::string(key.name) + "` must be ") != std::string::npos;
    }));
  });
}

TEST_CASE(
    "the example documents every key, and nothing else; it is right as it stands and as a whole") {
  const auto text = contents(example);
  const auto as_it_is = good(text);
  good(uncommented(text));  // no key that the parser does not know
  CHECK(uncommented(text) != text);
  const auto sections = sections_of(text);
  for_each_key([&](const std::string& section, const text::KeyRow& key) {
    CHECK_FALSE(key.example.empty());
    if (section.empty()) {
      const auto& header = key.example;
      CHECK(text.find("\n" + header.substr(0, header.find("NAME"))) != std::string::npos);
      return;
    }
    // A table on one line is found in the section around it.
    auto around = section;
    while (!sections.contains(around)) {
      REQUIRE(around.find('.') != std::string::npos);
      around.resize(around.rfind('.'));
    }
    const bool inline_table = around != section;
    const auto place = (inline_table ? "[{,] ?" : "\n#?") + std::string(key.name) + " = ";
    const bool as_section = std::any_of(sections.begin(), sections.end(), [&](const auto& other) {
      return other.first.starts_with(around + "." + std::string(key.name));
    });
    CHECK((as_section || std::regex_search(sections.at(around), std::regex(place))));
  });
  // What is commented out is the default, where there is one.
  const auto all = good(uncommented(text));
  CHECK(all.main.policy.patience == as_it_is.main.policy.patience);
  CHECK(all.main.policy.max_retries == as_it_is.main.policy.max_retries);
  CHECK(all.main.policy.min_attempt == as_it_is.main.policy.min_attempt);
  CHECK(all.main.policy.probe_grace == as_it_is.main.policy.probe_grace);
  CHECK(all.main.policy.recover == as_it_is.main.policy.recover);
  CHECK(all.main.policy.backoff.base == as_it_is.main.policy.backoff.base);
  CHECK(all.main.policy.backoff.cap == as_it_is.main.policy.backoff.cap);
  CHECK(all.main.policy.eager_on_timeout == as_it_is.main.policy.eager_on_timeout);
  CHECK(all.main.policy.on_content_policy == as_it_is.main.policy.on_content_policy);
  CHECK(all.main.delivery.commit == as_it_is.main.delivery.commit);
  CHECK(all.main.delivery.max_resumes == as_it_is.main.delivery.max_resumes);
  CHECK(all.main.delivery.on_partial == OnPartial::fail);
  CHECK(all.budget.ratio == as_it_is.budget.ratio);
  CHECK(all.budget.floor == as_it_is.budget.floor);
  CHECK(all.strategy == as_it_is.strategy);
  CHECK(all.server.host == as_it_is.server.host);
  CHECK(all.server.port == as_it_is.server.port);
  CHECK(all.server.keep_alive == as_it_is.server.keep_alive);
  CHECK(all.server.drain == as_it_is.server.drain);
  CHECK(all.server.max_connections == as_it_is.server.max_connections);
  CHECK(all.server.max_body == as_it_is.server.max_body);
  CHECK(all.server.idle == as_it_is.server.idle);
  CHECK(all.server.report == as_it_is.server.report);
  CHECK(all.log.level == as_it_is.log.level);
  CHECK(all.log.format == as_it_is.log.format);
  CHECK(all.log.prompts == as_it_is.log.prompts);
  const auto codes = StallCodes(FailoverReason::connection, FailoverReason::timeout);
  const auto written = stall_limits(all.main.policy.stall, StallFacts(), codes);
  const auto standard = stall_limits(as_it_is.main.policy.stall, StallFacts(), codes);
  CHECK(written.connect.after == standard.connect.after);
  CHECK(written.write.after == standard.write.after);
  CHECK(written.first_progress.after == standard.first_progress.after);
  CHECK(written.stale.after == standard.stale.after);
  CHECK(written.silence.after == standard.silence.after);
  CHECK(written.whole_answer.after == standard.whole_answer.after);
  CHECK(written.last_member.after == standard.last_member.after);
}
