#include "understudy/client/client_state.hpp"

#include <filesystem>
#include <fstream>

#include "client_world.hpp"

using namespace client_test;

namespace {

/// A file for as long as a test.
class KeyFile {
 public:
  explicit KeyFile(const std::string& text) {
    std::string name = std::filesystem::temp_directory_path() / "understudy-key-XXXXXX";
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path = name;
    std::ofstream(path) << text;
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  ~KeyFile() { std::filesystem::remove(path); }

  std::string path;
};

std::string with_credentials(const std::string& credentials) {
  return R"(
[model]
provider = "mine"
default = "m"

[providers.mine]
protocol = "openai_chat"
base_url = "http://localhost:8001/v1"
credentials = )" +
         credentials + "\n";
}

std::string errors(const ClientWorld& world, const std::string& text) {
  const auto made = ClientState::make(world.config(text), world.state_options());
  return made.has_error() ? to_string(made.error()) : "no error";
}

/// Refused for good, under the name that a call has for it.
void refuse(ClientState& state, const std::string& provider, std::size_t credential) {
  HealthKeys keys;
  keys[Concern::credential] = HealthKeys::credential(state.credentials(provider)->key(credential));
  Health::Probe none;
  const auto now = Clock::now();
  state.state().health().failed(keys, R::auth_permanent, std::nullopt, CallId(1), now, now, none);
}

std::size_t marks(ClientState& state) { return state.state().health().marks(Clock::now()).size(); }

std::string secret(ClientState& state, const std::string& provider) {
  return std::string(state.credentials(provider)->use(0).secret.reveal());
}

}  // namespace

TEST_CASE("credentials come from the environment, from files and from the configuration itself") {
  ClientWorld world;
  world.variables["MINE"] = " from the environment\n";
  const KeyFile file("from a file\n");
  const auto read = [&](const std::string& credentials) {
    const auto state =
        ClientState::make(world.config(with_credentials(credentials)), world.state_options());
    REQUIRE(state.has_value());
    return secret(**state, "mine");
  };
  CHECK(read(R"([{ env = "MINE" }])") == "from the environment");
  CHECK(read("[{ file = \"" + file.path + "\" }]") == "from a file");
  CHECK(read(R"([{ value = "written here" }])") == "written here");
}

TEST_CASE(
    "what cannot be read is said with its place and what to do, all at once, and without a "
    "secret") {
  ClientWorld world;
  world.variables["EMPTY"] = "  ";
  const KeyFile two_lines("a secret\nand another\n");
  const auto said = errors(world, with_credentials("[{ env = \"UNSET\" }, { env = \"EMPTY\" },\n"
                                                   "{ file = \"/no/such/file\" },\n"
                                                   "{ file = \"" +
                                                   two_lines.path + "\" }]"));
  CHECK(said.find("test.toml:9:") == 0);
  CHECK(said.find("the environment variable UNSET is not set") != std::string::npos);
  CHECK(said.find("the environment variable EMPTY is empty") != std::string::npos);
  CHECK(said.find("test.toml:10:") != std::string::npos);
  CHECK(said.find("the file /no/such/file cannot be read") != std::string::npos);
  CHECK(said.find("test.toml:11:") != std::string::npos);
  CHECK(said.find(two_lines.path + " does not contain a key") != std::string::npos);
  CHECK(said.find("secret") == std::string::npos);
}

TEST_CASE("a preset's variable that is not set is named, at the place of the one who needs it") {
  ClientWorld world;
  world.variables.clear();
  const auto said = errors(world, report_file);
  CHECK(said.find("ANTHROPIC_API_KEY is not set") != std::string::npos);
  CHECK(said.find("OPENAI_API_KEY is not set") != std::string::npos);
}

TEST_CASE(
    "reload: the same credentials keep their pool, others get a new one, an error changes "
    "nothing") {
  ClientWorld world;
  const auto config = world.config(report_file);
  const auto state = ClientState::make(config, world.state_options()).value();
  const auto before = state->credentials("anthropic");
  REQUIRE(state->reload(config).has_value());
  CHECK(state->credentials("anthropic") == before);
  world.variables["ANTHROPIC_API_KEY"] = "another key";
  REQUIRE(state->reload(config).has_value());
  CHECK(state->credentials("anthropic") != before);
  CHECK(secret(*state, "anthropic") == "another key");
  CHECK(state->credentials("openai-codex") != nullptr);
  world.variables.clear();
  CHECK(state->reload(config).has_error());
  CHECK(secret(*state, "anthropic") == "another key");
}

TEST_CASE(
    "reload: a key that was refused and then replaced is tried again, one that stays is not") {
  ClientWorld world;
  const KeyFile first("the first\n");
  const KeyFile second("the second\n");
  const auto config = world.config(
      with_credentials("[{ file = \"" + first.path + "\" }, { file = \"" + second.path + "\" }]"));
  const auto state = ClientState::make(config, world.state_options()).value();
  refuse(*state, "mine", 0);
  refuse(*state, "mine", 1);
  REQUIRE(state->reload(config).has_value());
  CHECK(marks(*state) == 2);
  std::ofstream(first.path) << "another\n";
  REQUIRE(state->reload(config).has_value());
  REQUIRE(marks(*state) == 1);
  CHECK(state->state().health().marks(Clock::now())[0].key ==
        HealthKeys::credential(state->credentials("mine")->key(1)));
}

TEST_CASE("reload: a call that is refused with the key of before does not mark the new one") {
  ClientWorld world;
  world.add().reply(Reply::status(401, "invalid x-api-key", "authentication_error")
                        .before_head(Fault::pause(2s)));
  world.add();
  const auto config = world.config(report_file);
  world.run(config, [&](Client& client) -> awaitable<void> {
    auto both = [&](Scope& scope) -> awaitable<void> {
      auto reload = [&]() -> awaitable<void> {
        co_await sleep_for(1s);
        world.variables["ANTHROPIC_API_KEY"] = "another key";
        CHECK(world.state->reload(config).has_value());
      };
      scope.spawn(std::move(reload));
      const auto outcome = co_await client.complete(question());
      REQUIRE(outcome.result.has_value());
      CHECK(outcome.report.attempts.size() == 2);
      CHECK(outcome.report.attempts[0].failure.code() == R::auth);
      CHECK(world.state->state().health().all_well());
    };
    co_await with_scope(std::move(both));
  });
}

TEST_CASE("reload: a new login ends the mark of a token file, though its pool stays") {
  ClientWorld world;
  const KeyFile tokens(R"({"access_token": "one", "refresh_token": "first"})");
  const auto config = world.config(
      with_credentials("[{ oauth = { token_file = \"" + tokens.path +
                       "\", token_url = \"https://a.example/token\", client_id = \"me\" } }]"));
  const auto state = ClientState::make(config, world.state_options()).value();
  const auto pool = state->credentials("mine");
  refuse(*state, "mine", 0);
  REQUIRE(state->reload(config).has_value());
  CHECK(marks(*state) == 1);
  std::ofstream(tokens.path) << R"({"access_token": "two", "refresh_token": "second"})";
  REQUIRE(state->reload(config).has_value());
  CHECK(marks(*state) == 0);
  CHECK(state->credentials("mine") == pool);
}

TEST_CASE("a provider without credentials has none") {
  ClientWorld world;
  const auto state = ClientState::make(world.config(with_credentials("[]")), world.state_options());
  REQUIRE(state.has_value());
  CHECK((*state)->credentials("mine") == nullptr);
}

TEST_CASE("a proxy that cannot be used is an error of the environment") {
  ClientWorld world;
  world.variables["HTTPS_PROXY"] = "socks5://localhost:1";
  CHECK(errors(world, report_file).find("proxy: ") != std::string::npos);
}

TEST_CASE("reload: tokens that could not be written yet are not dropped for other credentials") {
  ClientWorld world;
  const KeyFile tokens(R"({"access_token": "one", "refresh_token": "first"})");
  const KeyFile key("a key\n");
  world.add().reply(
      Reply::page(200, "application/json", R"({"access_token": "two", "refresh_token": "second"})")
          .before_head(Fault::pause(1s)));
  const auto config = world.config(
      with_credentials("[{ oauth = { token_file = \"" + tokens.path +
                       "\", token_url = \"http://localhost:8001/token\", client_id = \"me\" } }]"));
  const auto other = world.config(with_credentials("[{ file = \"" + key.path + "\" }]"));
  std::string warnings;
  world.run(config, [&](Client&) -> awaitable<void> {
    world.state->on_warning([&](std::string_view text) { warnings += text; });
    const auto pool = world.state->credentials("mine");
    auto logs_out = [&]() -> awaitable<void> {
      co_await sleep_for(100ms);
      std::filesystem::remove(tokens.path);  // so that nothing can be written in its place
    };
    auto both = [&](Scope& scope) -> awaitable<void> {
      scope.spawn(logs_out);
      const auto refreshed = co_await pool->refresh(pool->use(0));
      CHECK(refreshed.has_value());
    };
    co_await with_scope(both);
    CHECK(secret(*world.state, "mine") == "two");
    CHECK(warnings.find(tokens.path) != std::string::npos);
    CHECK(warnings.find("second") == std::string::npos);
    const auto refused = world.state->reload(other);
    REQUIRE(refused.has_error());
    CHECK(to_string(refused.error()).find("provider `mine`: new tokens have not been written") !=
          std::string::npos);
    CHECK(world.state->credentials("mine") == pool);
    std::ofstream(tokens.path) << R"({"access_token": "one", "refresh_token": "first"})";
    co_await sleep_for(2s);
    CHECK(world.state->reload(other).has_value());
  });
  std::ifstream written(tokens.path);
  CHECK(std::string(std::istreambuf_iterator<char>(written), {}).find("second") !=
        std::string::npos);
}
