#include "understudy/client/configured_catalog.hpp"

#include <filesystem>
#include <fstream>

#include "client_world.hpp"

using namespace client_test;

namespace {

/// A folder with a configuration and its catalog files.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "understudy-configured-catalog") {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }
  Config config(const std::string& text) const {
    return parse_config(text, (path_ / "understudy.toml").string()).value();
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

const std::string tank_file = R"(
[model]
default = "tank-model"
provider = "local"
[providers.local]
protocol = "openai_chat"
base_url = "http://lead.test:8001/v1"
credentials = []
)";

std::string sent_body(const FaultServer& server) {
  return server.connections().at(0).requests.at(0).body;
}

void ask(ClientWorld& world, const Config& config) {
  world.run(config, [&](Client& client) -> awaitable<void> {
    auto request = question();
    request.max_tokens = 9000;
    auto answer = co_await client.stream(std::move(request));
    Heard heard;
    co_await listen(answer, heard);
    CHECK_FALSE(heard.failure.code());
  });
}

}  // namespace

TEST_CASE("files of the catalog are read beside the configuration, the later ones first") {
  const Folder folder;
  folder.write("a.toml",
               "[[families]]\nmatch = [\"tank-model\"]\nconfidence = \"live\"\n"
               "context_window = 1000\n");
  folder.write("b.toml",
               "[[families]]\nmatch = [\"tank-model\"]\nconfidence = \"live\"\n"
               "context_window = 2000\n");
  const auto catalog = configured_catalog(
      folder.config(tank_file + "[catalog]\nfiles = [\"a.toml\", \"b.toml\"]\n"));
  REQUIRE(catalog.has_value());
  CHECK((*catalog)->model("tank-model").context_window == 2000U);
  CHECK((*catalog)->model("tank-model").origin == folder.file("b.toml"));
}

TEST_CASE("mistakes in files of the catalog: each with its own file, line and suggestion") {
  const Folder folder;
  folder.write("a.toml", "[[families]]\nmatch = [\"x\"]\nconfidence = \"sure\"\n");
  folder.write("b.toml", "[[families]]\nmatch = [\"x\"]\nconfidence = \"doc\"\nmax_outptu = 5\n");
  const auto config =
      folder.config(tank_file + "[catalog]\nfiles = [\"a.toml\", \"none.toml\", \"b.toml\"]\n");
  const auto state = ClientState::make(config, ClientWorld().state_options());
  REQUIRE(state.has_error());
  const auto text = to_string(state.error());
  CHECK(text.find(folder.file("a.toml") + ":3:14: `confidence` cannot be \"sure\"") !=
        std::string::npos);
  CHECK(text.find(folder.file("b.toml") +
                  ":4:1: unknown key `max_outptu`: did you mean `max_output`?") !=
        std::string::npos);
  CHECK(text.find(folder.file("understudy.toml") + ":") != std::string::npos);
  CHECK(text.find("none.toml cannot be read") != std::string::npos);
}

TEST_CASE("a rule of a file changes requests, by the back end that the provider names") {
  const Folder folder;
  folder.write("a.toml", R"(
[[rules]]
id = "tank.limit"
check = "number"
path = "temperature"
max = 0.5
effect = "lossless"
confidence = "live"
[[rules]]
id = "tank.output"
check = "model_max_output"
effect = "lossless"
confidence = "live"
[[back_ends]]
id = "tank-server"
protocol = "openai_chat"
rules = ["tank.limit", "tank.output"]
[[families]]
match = ["tank-model"]
max_output = 4096
confidence = "live"
)");
  auto text = tank_file + "back_end = \"tank-server\"\n[catalog]\nfiles = [\"a.toml\"]\n";
  ClientWorld world;
  const auto& server = world.add();
  ask(world, folder.config(text));
  CHECK(sent_body(server).find("4096") != std::string::npos);
  CHECK(sent_body(server).find("9000") == std::string::npos);
}

TEST_CASE("a back end that the catalog does not have") {
  const Folder folder;
  const auto catalog = configured_catalog(folder.config(tank_file + "back_end = \"olama\"\n"));
  REQUIRE(catalog.has_error());
  CHECK(to_string(catalog.error())
            .find(":9:12: no back end `olama` speaks openai_chat: did you "
                  "mean \"ollama\"?") != std::string::npos);
}

TEST_CASE("a deployment with a name of its own has the facts of its family") {
  const std::string file = R"(
[model]
default = "our-deployment"
provider = "azure"
[providers.azure]
protocol = "openai_chat"
base_url = "http://lead.test:8001/openai/v1"
credentials = []
)";
  for (const bool named : {false, true}) {
    CAPTURE(named);
    ClientWorld world;
    const auto& server = world.add();
    ask(world,
        world.config(file +
                     (named ? "models = {\"our-deployment\" = {family = \"gpt-5.4\"}}\n" : "")));
    CHECK((sent_body(server).find("\"max_completion_tokens\":9000") != std::string::npos) == named);
  }
}
