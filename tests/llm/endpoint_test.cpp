#include "understudy/llm/endpoint.hpp"

#include <doctest/doctest.h>

#include <string>

#include "client_request.hpp"

namespace endpoint_test {

using namespace understudy;
using namespace understudy::llm;

namespace {

constexpr auto chat = Protocol::openai_chat;
constexpr auto responses = Protocol::openai_responses;

const std::string tools =
    R"("tools":[{"type":"function","function":{"name":"read","parameters":{"type":"object"}}}],)";

Protocol endpoint(const std::string& members, std::string_view model) {
  return endpoint_for(client_request(chat, "{\"model\":\"m\"," + members +
                                               R"("messages":[{"role":"user","content":"Hi"}]})"),
                      Catalog::built_in().model(model));
}

BackEnd at(std::string base_url) {
  BackEnd back_end;
  back_end.base_url = std::move(base_url);
  return back_end;
}

bool is_at(const std::string& pattern, const std::string& url) {
  return is_address_of(at(pattern), parse_url(url).value());
}

}  // namespace

TEST_CASE("a model that refuses tools on Chat is asked by Responses, if there are tools") {
  CHECK(endpoint("", "gpt-6-2-sol") == chat);
  CHECK(endpoint(tools, "gpt-6-2-sol") == responses);
  CHECK(endpoint(tools, "gpt-4o") == chat);
  CHECK(endpoint(tools, "a model that nobody knows") == chat);
}

TEST_CASE("a model that takes tools on Chat only without reasoning: by the effort") {
  CHECK(endpoint(tools, "gpt-5.4") == chat);
  CHECK(endpoint(tools + R"("reasoning_effort":"none",)", "gpt-5.4") == chat);
  CHECK(endpoint(tools + R"("reasoning_effort":"high",)", "gpt-5.4") == responses);
  CHECK(endpoint(R"("reasoning_effort":"high",)", "gpt-5.4") == chat);
}

TEST_CASE("what only Chat has is asked of Chat") {
  CHECK(endpoint(tools + R"("n":2,)", "gpt-6-2-sol") == chat);
  CHECK(endpoint(tools + R"("n":1,)", "gpt-6-2-sol") == responses);
  CHECK(endpoint(tools + R"("logprobs":true,)", "gpt-6-2-sol") == chat);
  CHECK(endpoint(tools + R"("logprobs":false,)", "gpt-6-2-sol") == responses);
}

TEST_CASE("a Responses client is served in its own protocol") {
  CHECK(endpoint_for(client_request(responses, R"({"model":"m","input":"Hi"})"), ModelFacts()) ==
        responses);
}

TEST_CASE("the address of a back end, with the user's own parts") {
  CHECK(is_at("https://api.openai.com/v1", "https://api.openai.com/v1"));
  CHECK(is_at("https://api.openai.com/v1", "https://api.openai.com/v1/"));
  CHECK_FALSE(is_at("https://api.openai.com/v1", "http://api.openai.com/v1"));
  CHECK_FALSE(is_at("https://api.openai.com/v1", "https://proxy.example.com/v1"));
  CHECK_FALSE(is_at("https://api.openai.com/v1", "https://api.openai.com.example.com/v1"));
  const std::string azure = "https://RESOURCE.openai.azure.com/openai/v1";
  CHECK(is_at(azure, "https://our-team.openai.azure.com/openai/v1?api-version=preview"));
  CHECK_FALSE(is_at(azure, "https://our-team.openai.azure.com/openai/deployments/x"));
  CHECK_FALSE(is_at(azure, "https://a.b.openai.azure.com/openai/v1"));
  CHECK_FALSE(is_at(azure, "https://.openai.azure.com/openai/v1"));
  const std::string vertex =
      Catalog::built_in().back_end("vertex", Protocol::anthropic_messages)->base_url;
  CHECK(is_at(vertex,
              "https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/"
              "publishers/anthropic/models"));
  CHECK_FALSE(is_at("", "https://api.openai.com"));
}

}  // namespace endpoint_test
