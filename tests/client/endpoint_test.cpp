// Which endpoint and which path a provider is asked at.
#include "understudy/llm/endpoint.hpp"

#include <filesystem>
#include <fstream>

#include "client_world.hpp"

using namespace client_test;

namespace {

/// A host that serves Chat and Responses, as a file of the catalog describes it.
const std::string both_endpoints = R"(
[[back_ends]]
id = "tank"
protocol = "openai_chat"
base_url = "http://lead.test:8001/v1"
[[back_ends]]
id = "tank"
protocol = "openai_responses"
base_url = "http://lead.test:8001/v1"
[[families]]
match = ["tank-model"]
tools_on_chat = "refused"
confidence = "live"
)";

struct Asked {
  std::string target;
  std::string body;
};

Asked asked(const std::string& provider_keys, Request request,
            const std::string& base_url = "http://lead.test:8001/v1") {
  const auto folder = std::filesystem::temp_directory_path() / "understudy-endpoint-test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "tank.toml") << both_endpoints;
  const auto config = parse_config(
      "[model]\ndefault = \"tank-model\"\nprovider = \"own\"\n"
      "[providers.own]\npreset = \"openai\"\nback_end = \"tank\"\n"
      "base_url = \"" +
          base_url + "\"\n" + provider_keys + "\n[catalog]\nfiles = [\"tank.toml\"]\n",
      (folder / "understudy.toml").string());
  if (config.has_error()) {
    FAIL(to_string(config.error()));
  }
  ClientWorld world;
  auto& server = world.add();
  world.run(*config, [&](Client& client) -> awaitable<void> {
    auto answer = co_await client.stream(std::move(request));
    Heard heard;
    co_await listen(answer, heard);
    CHECK_FALSE(heard.failure.code());
  });
  std::filesystem::remove_all(folder);
  const auto& seen = server.connections().at(0).requests.at(0);
  return {seen.head.target, seen.body};
}

Request with_tool() {
  auto request = question();
  request.tools.emplace_back("read", "", R"({"type":"object"})");
  return request;
}

}  // namespace

TEST_CASE("a model that wants Responses is asked there, where the host is known to serve it") {
  const auto by_responses = asked("", with_tool());
  CHECK(by_responses.target == "/v1/responses");
  CHECK(by_responses.body.find(R"("strict":false)") != std::string::npos);
  CHECK(by_responses.body.find(R"("store":false)") != std::string::npos);
  CHECK(asked("", question()).target == "/v1/chat/completions");
}

TEST_CASE("a protocol that the user has written is kept, and an unknown host is not guessed at") {
  CHECK(asked("protocol = \"openai_chat\"", with_tool()).target == "/v1/chat/completions");
  CHECK(asked("", with_tool(), "http://other.test:8001/v1").target == "/v1/chat/completions");
}

TEST_CASE("Vertex: model and verb are in the path, the version is in the body") {
  ClientWorld world;
  auto& server = world.add();
  const auto config = world.config(R"(
[model]
default = "claude-opus-4-7@20260101"
provider = "vertex"
[providers.vertex]
base_url = "http://lead.test:8001/v1/projects/p/locations/l/publishers/anthropic/models"
credentials = [{value = "token of the project"}]
)");
  server.reply(Reply::stream(
      "text/event-stream",
      {"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":"
       "\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],"
       "\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n",
       "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
       "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
       "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
       "\"delta\":{\"type\":\"text_delta\",\"text\":\"Eighty.\"}}\n\n",
       "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
       "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
       "\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n",
       "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"}));
  world.run(config, [&](Client& client) -> awaitable<void> {
    auto request = question();
    request.max_tokens = 100;
    auto answer = co_await client.stream(std::move(request));
    Heard heard;
    co_await listen(answer, heard);
    CHECK_FALSE(heard.failure.code());
    CHECK(heard.text == "Eighty.");
  });
  const auto& seen = server.connections().at(0).requests.at(0);
  CHECK(seen.head.target ==
        "/v1/projects/p/locations/l/publishers/anthropic/models/"
        "claude-opus-4-7@20260101:streamRawPredict");
  CHECK(seen.head.headers.find("authorization") == "Bearer token of the project");
  CHECK_FALSE(seen.head.headers.find("anthropic-version").has_value());
  CHECK(seen.body.find(R"("anthropic_version":"vertex-2023-10-16")") != std::string::npos);
  CHECK(seen.body.find(R"("model")") == std::string::npos);
}
